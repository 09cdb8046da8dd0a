"""Puts up the walls that the kernel lets an ordinary process put up around itself, then becomes the command.

Usage: `jail.py SPEC -- COMMAND...` with SPEC a JSON object:
`limits` {name of a RLIMIT_ constant: value}; `landlock` {"ro": [paths], "rw": [paths]} or null;
`seccomp` hexadecimal BPF program or empty; `reap` whether to stay as the reaper of every descendant.

With `reap` this process forks: the child goes behind the walls, the parent (outside them, so that the
walled code cannot signal it) adopts orphaned grandchildren, and kills whatever is left once the command
has ended or the supervisor is gone. Stdlib only; runs before any code of the project.

Landlock: https://docs.kernel.org/userspace-api/landlock.html; syscall numbers are the same on all
architectures since Linux 5.x (asm-generic/unistd.h).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
import time
from typing import Any, NoReturn

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_CREATE_RULESET_VERSION = 1
LANDLOCK_RULE_PATH_BENEATH = 1
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
SECCOMP_MODE_FILTER = 2

# Bits of linux/landlock.h: execute, write, read file, read directory; then by ABI version what exists.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL_DEV = 1, 2, 4, 8, 1 << 14, 1 << 15
READ_ONLY = EXECUTE | READ_FILE | READ_DIR
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}  # from 5 on: 16

CANNOT_RUN = 127  # as a shell says it
CANNOT_RUN_MESSAGE = "cannot run "
FAILED = 125  # exit status when the walls cannot be put up; the runner reads it with the message on stderr


def libc() -> Any:
    """Loads the C library of this process."""
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def problem(what: str) -> OSError:
    """Makes an error of the last failed call."""
    import ctypes

    number = ctypes.get_errno()
    return OSError(number, what + ": " + os.strerror(number))


def landlock_abi(lib: Any) -> int:
    """Asks the kernel for its version of Landlock; 0 where there is none."""
    version = lib.syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    return int(version) if version > 0 else 0


def no_new_privileges(lib: Any) -> None:
    """Gives up set-user-id programs, which the kernel demands before walls."""
    if lib.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise problem("prctl(PR_SET_NO_NEW_PRIVS)")


def apply_landlock(lib: Any, read_only: list[str], writable: list[str]) -> None:
    """Denies every file access but those below the paths; TCP, and signals and abstract sockets out."""
    abi = landlock_abi(lib)
    if abi == 0:
        raise OSError("this kernel has no Landlock")
    handled = (1 << RIGHTS_BY_ABI.get(abi, 16)) - 1
    network = 3 if abi >= 4 else 0  # BIND_TCP | CONNECT_TCP
    scoped = 3 if abi >= 6 else 0  # abstract unix sockets | signals
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = struct.pack("QQQ", handled, network, scoped)[:size]
    ruleset = lib.syscall(LANDLOCK_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        raise problem("landlock_create_ruleset")
    for paths, rights in ((read_only, READ_ONLY), (writable, handled)):
        for path in paths:
            try:
                handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # a path that cannot be opened cannot be allowed either: it stays denied
            allowed = rights & handled
            if not os.path.isdir(path):
                allowed &= ON_FILES
            rule = struct.pack("=Qi", allowed, handle)
            if lib.syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0):
                raise problem("landlock_add_rule " + path)
            os.close(handle)
    no_new_privileges(lib)
    if lib.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0):
        raise problem("landlock_restrict_self")
    os.close(ruleset)


def apply_seccomp(lib: Any, program: bytes) -> None:
    """Installs a BPF program (8 bytes an instruction)."""
    import ctypes

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    buffer = ctypes.create_string_buffer(program, len(program))
    handle = Program(len(program) // 8, ctypes.addressof(buffer))
    no_new_privileges(lib)
    if lib.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(handle), 0, 0):
        raise problem("prctl(PR_SET_SECCOMP)")


def apply_limits(limits: dict[str, int]) -> None:
    """Sets soft and hard limits; never above a hard limit that is there already."""
    for name, value in limits.items():
        which = getattr(resource, name, None)
        if which is None:
            continue  # this platform knows no such limit
        hard = resource.getrlimit(which)[1]
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(which, (wanted, wanted))
        except (OSError, ValueError):
            if sys.platform.startswith("linux"):
                raise
            # macOS knows the names of limits that it does not let anybody set


def wall_in(spec: dict[str, Any]) -> None:
    """Puts up all walls that the specification names; the order matters, each takes a right away."""
    apply_limits(spec.get("limits") or {})
    walls = spec.get("landlock")
    if walls:
        apply_landlock(libc(), walls["ro"], walls["rw"])
    if spec.get("seccomp"):
        apply_seccomp(libc(), bytes.fromhex(spec["seccomp"]))


def become(spec: dict[str, Any], command: list[str]) -> NoReturn:
    """Walls in and executes; never returns."""
    status = FAILED
    try:
        wall_in(spec)
        status = CANNOT_RUN
        os.execvpe(command[0], command, os.environ)  # noqa: S606 - becoming the command is the purpose
    except BaseException as error:
        what = "" if status == FAILED else CANNOT_RUN_MESSAGE + command[0] + ": "
        os.write(2, ("selfheal jail: " + what + str(error) + "\n").encode("utf-8", "replace"))
    os._exit(status)


def parents() -> dict[int, int]:
    """Reads pid -> parent pid of every process from /proc; empty where there is none."""
    found: dict[int, int] = {}
    try:
        names = os.listdir("/proc")
    except OSError:
        return found
    for name in names:
        if name.isdigit():
            try:
                with open("/proc/" + name + "/stat", "rb") as file:
                    found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue  # it ended while we looked
    return found


def descendants() -> set[int]:
    """Lists every process below this one."""
    table = parents()
    below, grown = {os.getpid()}, True
    while grown:
        grown = False
        for pid, parent in table.items():
            if parent in below and pid not in below:
                below.add(pid)
                grown = True
    below.discard(os.getpid())
    return below


def kill_the_rest(seconds: float = 5.0) -> None:
    """Kills all descendants; orphans come to us as we are their subreaper, so the loop finds them."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue  # gone already
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def stop(_number: int, _frame: Any) -> None:
    """Ends everything: the supervisor asked for it, or is gone."""
    kill_the_rest()
    os._exit(128 + signal.SIGTERM)


def reap(child: int) -> NoReturn:
    """Waits for the command, kills what it left behind, and ends as it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status = None
    while status is None:
        pid, ended = os.waitpid(-1, 0)
        if pid == child:
            status = ended
    kill_the_rest()
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else FAILED)


def main(argv: list[str]) -> None:
    """Reads the specification and does what it says."""
    spec = json.loads(argv[1])
    command = argv[3:]
    if not spec.get("reap"):
        become(spec, command)
    parent = os.getppid()
    try:
        lib = libc()
        lib.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        lib.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(FAILED)
    except (ImportError, OSError, AttributeError):
        pass  # no Linux: the runner kills what it can find
    signal.signal(signal.SIGTERM, stop)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        become(spec, command)
    reap(child)


if __name__ == "__main__":
    main(sys.argv)
