"""The system-call filter, as bytes of classic BPF, for bubblewrap (by file descriptor) and for the jail.

It takes away what no test or replay needs and what kernel exploits start from: tracing and reading other
processes, mounts, new namespaces, kernel keys, BPF, io_uring (which would go around the filter), the
clock, modules. It never replaces the file walls. Pure computation, no I/O.

Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (Linux 6.x).
"""

from __future__ import annotations

import platform
import struct

_LOAD, _JUMP_EQUAL, _JUMP_SET, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_CLONE_NEW_ANY = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_X32_BIT = 0x40000000

_FAMILIES_IN_OWN_NETWORK = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: all per network namespace

_NEW = {  # numbers shared by all architectures
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_getfd": 438, "mount_setattr": 442,
}  # fmt: skip
_X86_64 = {
    "ptrace": 101, "pivot_root": 155, "chroot": 161, "settimeofday": 164, "mount": 165, "umount2": 166,
    "swapon": 167, "swapoff": 168, "reboot": 169, "init_module": 175, "delete_module": 176,
    "clock_settime": 227, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
    "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
    "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
}  # fmt: skip
_AARCH64 = {
    "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "unshare": 97, "kexec_load": 104,
    "init_module": 105, "delete_module": 106, "clock_settime": 112, "ptrace": 117, "reboot": 142,
    "settimeofday": 170, "add_key": 217, "request_key": 218, "keyctl": 219, "swapon": 224, "swapoff": 225,
    "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "finit_module": 273,
    "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294,
}  # fmt: skip

_ARCHITECTURES: dict[str, tuple[int, dict[str, int], int, int]] = {
    # machine: (AUDIT_ARCH, denied calls, number of socket(), number of clone())
    "x86_64": (0xC000003E, _X86_64, 41, 56),
    "aarch64": (0xC00000B7, _AARCH64, 198, 220),
}
_CLONE3 = 435


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def seccomp_filter(*, own_network: bool, machine: str = "") -> bytes:
    """Builds the filter.

    Args:
        own_network: Whether the process has a network namespace of its own, in which ordinary sockets
            are harmless; else no socket can be made at all (socket pairs can).
        machine: Architecture as `platform.machine()` names it; empty for this one.

    Returns:
        The BPF program, 8 bytes an instruction; empty on an architecture that it does not know.
    """
    known = _ARCHITECTURES.get(machine or platform.machine())
    if known is None:
        return b""
    architecture, table, socket_number, clone_number = known
    refuse = _instruction(_RETURN, 0, 0, _ERRNO | _EPERM)
    load_number = _instruction(_LOAD, 0, 0, 0)
    load_argument = _instruction(_LOAD, 0, 0, 16)  # low half of the first argument, little endian
    program = [
        _instruction(_LOAD, 0, 0, 4),
        _instruction(_JUMP_EQUAL, 1, 0, architecture),
        refuse,
        load_number,
    ]
    if architecture == _ARCHITECTURES["x86_64"][0]:
        program += [_instruction(_JUMP_GREATER_EQUAL, 0, 1, _X32_BIT), refuse]
    for number in sorted({*table.values(), *_NEW.values()}):
        program += [_instruction(_JUMP_EQUAL, 0, 1, number), refuse]
    # clone3 hides its flags behind a pointer; ENOSYS makes the C library fall back to clone.
    program += [_instruction(_JUMP_EQUAL, 0, 1, _CLONE3), _instruction(_RETURN, 0, 0, _ERRNO | _ENOSYS)]
    program += [
        _instruction(_JUMP_EQUAL, 0, 3, clone_number),
        load_argument,
        _instruction(_JUMP_SET, 0, 1, _CLONE_NEW_ANY),
        refuse,
        load_number,
    ]
    if own_network:
        families = [_instruction(_JUMP_EQUAL, len(_FAMILIES_IN_OWN_NETWORK) - i, 0, family)
                    for i, family in enumerate(_FAMILIES_IN_OWN_NETWORK)]  # fmt: skip
        program += [
            _instruction(_JUMP_EQUAL, 0, len(families) + 2, socket_number),
            load_argument,
            *families,
            refuse,
        ]
    else:
        program += [_instruction(_JUMP_EQUAL, 0, 1, socket_number), refuse]
    program.append(_instruction(_RETURN, 0, 0, _ALLOW))
    return b"".join(program)
