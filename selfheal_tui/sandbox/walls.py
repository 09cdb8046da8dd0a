"""Turns a command into one that runs behind walls of a given strength.

The copy is seen under a path that differs by level: bubblewrap mounts it where the live tree is, so that
absolute paths, editable installs and tracebacks mean the copy; elsewhere it is seen where it lies, and
paths are mapped. This module builds command lines and descriptors; it runs nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.ports import SandboxError
from selfheal_tui.model.settings import SandboxSettings
from selfheal_tui.sandbox.interpreter import InterpreterFacts
from selfheal_tui.sandbox.seccomp import seccomp_filter

PACKAGE = Path(__file__).resolve().parent.parent
DRIVERS = PACKAGE / "sandbox" / "drivers"
PROBE = PACKAGE / "probe"

SYSTEM_PROGRAMS = "/usr/bin:/bin:/usr/local/bin"

_MIB = 1 << 20
_PARTS_OF_PREFIX = ("bin", "lib", "lib64", "include", "share", "ssl", "etc", "pyvenv.cfg")
_LARGEST_FILE = 256 * _MIB
_OPEN_FILES = 1024
_CPU_SLACK_SECONDS = 10

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
# Of /etc only what the C library, Python and TLS read; the rest may hold secrets (shadow, keys, tokens).
_ETC = tuple(
    f"/etc/{name}"
    for name in (
        "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "passwd", "group", "nsswitch.conf", "hosts",
        "host.conf", "localtime", "timezone", "mime.types", "os-release", "debian_version", "protocols", "services",
        "locale.alias", "magic", "terminfo", "fonts", "ssl/certs", "ssl/openssl.cnf", "ca-certificates",
        "pki/tls/certs", "pki/ca-trust", "python3",
    )
)  # fmt: skip
_KERNEL = ("/sys/devices/system/cpu",)
_DEVICES_READ = ("/dev/urandom", "/dev/random")
_DEVICES_WRITE = ("/dev/null", "/dev/zero", "/dev/full")
_PROC_READ = tuple(f"/proc/{name}" for name in ("self", "cpuinfo", "meminfo", "stat", "uptime", "loadavg",
                                                "version", "filesystems", "sys/kernel", "sys/vm"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Launch:
    """A command behind walls, ready to be started.

    Attributes:
        argv: The whole command line.
        cwd: Where it must be started, on the host.
        descriptors: Descriptors to pass on, and to close afterwards.
    """

    argv: tuple[str, ...]
    cwd: str
    descriptors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Walls:
    """The walls around one copy.

    Attributes:
        level: How strong they are.
        live: Root of the live project; never reachable for writing.
        copy: Root of the copy, on the host.
        facts: The target interpreter.
        settings: Limits.
        readable: Further directories and files that may be read.
    """

    level: Isolation
    live: Path
    copy: Path
    facts: InterpreterFacts
    settings: SandboxSettings
    readable: tuple[str, ...] = field(default=())

    @property
    def view(self) -> Path:
        """Root of the copy as programs inside see it."""
        return self.live if self.level is Isolation.BUBBLEWRAP else self.copy

    def launch(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        scratch: Path,
        seconds: float,
        more_readable: Sequence[str] = (),
    ) -> Launch:
        """Puts a command behind the walls.

        Args:
            argv: The command, with paths as seen inside.
            cwd: Working directory as seen inside.
            scratch: Directory, on the host and inside, that it may write to.
            seconds: Its time limit, from which the CPU limit follows.
            more_readable: Paths that this run may read besides.

        Returns:
            What to start.
        """
        readable = [*self.readable, *more_readable]
        if self.level is Isolation.BUBBLEWRAP:
            return self._bubblewrap(argv, cwd, scratch, seconds, readable)
        spec: dict[str, object] = {"limits": self._limits(seconds, others=_running_tasks()), "reap": True}
        if self.level is Isolation.LANDLOCK:
            spec["landlock"] = {
                "ro": [*_SYSTEM, *_ETC, *_KERNEL, *_DEVICES_READ, *_PROC_READ, *readable],
                "rw": [*_DEVICES_WRITE, str(self.copy), str(scratch)],
            }
            spec["seccomp"] = seccomp_filter(own_network=False).hex()
        jail = [sys.executable or self.facts.executable, "-I", "-S", str(DRIVERS / "jail.py")]
        return Launch((*jail, json.dumps(spec), "--", *argv), cwd)

    def _limits(self, seconds: float, *, others: int) -> dict[str, int]:
        return {
            "RLIMIT_AS": self.settings.memory_mb * _MIB,
            "RLIMIT_CPU": int(seconds) * (os.cpu_count() or 1) + _CPU_SLACK_SECONDS,
            "RLIMIT_FSIZE": _LARGEST_FILE,
            "RLIMIT_NOFILE": _OPEN_FILES,
            "RLIMIT_CORE": 0,
            "RLIMIT_NPROC": self.settings.processes + others,
        }

    def _bubblewrap(
        self, argv: Sequence[str], cwd: str, scratch: Path, seconds: float, readable: Sequence[str]
    ) -> Launch:
        size = str(self.settings.memory_mb * _MIB)
        command = [
            find_bubblewrap(), "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
            "--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm",  # noqa: S108 - a private one
            "--size", size, "--tmpfs", "/tmp",  # noqa: S108 - likewise
        ]  # fmt: skip
        for path in _SYSTEM:
            command += (
                ["--symlink", str(Path(path).readlink()), path]
                if Path(path).is_symlink()
                else ["--ro-bind-try", path, path]
            )
        for path in (*_ETC, *_KERNEL):
            command += ["--ro-bind-try", path, path]
        below, outside = _split(readable, self.live)
        for path in outside:
            command += ["--ro-bind-try", path, path]
        for hop in _links(Path(self.facts.executable)):
            if hop.is_symlink() and not any(
                hop.is_relative_to(path) for path in (*_SYSTEM, *_ETC, *readable)
            ):
                command += ["--symlink", str(hop.readlink()), str(hop)]
        command += ["--bind", str(self.copy), str(self.live)]
        for path in below:
            command += ["--ro-bind-try", path, path]
        command += ["--bind", str(scratch), str(scratch), "--chdir", cwd]
        descriptors: tuple[int, ...] = ()
        program = seccomp_filter(own_network=True)
        if program:
            number = os.memfd_create("selfheal-seccomp")
            os.write(number, program)
            os.lseek(number, 0, os.SEEK_SET)
            descriptors = (number,)
            command += ["--seccomp", str(number)]
        # Set inside, where processes are counted per user namespace since Linux 5.14, before that per user.
        others = 0 if _kernel() >= (5, 14) else _running_tasks()
        spec = json.dumps({"limits": self._limits(seconds, others=others)})
        jail = [self.facts.executable, "-I", "-S", str(DRIVERS / "jail.py"), spec, "--"]
        return Launch((*command, "--", *jail, *argv), str(scratch), descriptors)


def find_bubblewrap() -> str:
    """Finds the program that puts up the walls: the system's own before any that PATH names.

    An environment inside the project may be on PATH, and what stands in it must never run outside the walls.

    Returns:
        Absolute path; empty when it is not installed.
    """
    return shutil.which("bwrap", path=SYSTEM_PROGRAMS) or shutil.which("bwrap") or ""


def _kernel() -> tuple[int, ...]:
    numbers = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return tuple(map(int, numbers.groups())) if numbers else (0, 0)


def _running_tasks() -> int:
    """Counts this user's threads, as RLIMIT_NPROC counts them."""
    mine, total = os.getuid(), 0
    for process in psutil.process_iter(["uids", "num_threads"]):
        uids = process.info["uids"]
        if uids is not None and uids.real == mine:
            total += process.info["num_threads"] or 1
    return total


def _split(paths: Sequence[str], root: Path) -> tuple[list[str], list[str]]:
    below = [path for path in paths if Path(path).is_relative_to(root)]
    return below, [path for path in dict.fromkeys(paths) if path not in below]


def readable_paths(facts: InterpreterFacts, live: Path) -> tuple[str, ...]:
    """Lists what the interpreter must read to run: its prefixes, its import path, our drivers and probe.

    Args:
        facts: The interpreter.
        live: Project root; entries that are the root itself or hold it are left out, as the copy stands for it.

    Returns:
        Existing paths, as they are spelt and as they resolve; nearest to the root directory first.

    Raises:
        SandboxError: The interpreter's prefix would open up the home directory.
    """
    needed: list[str] = []
    for prefix in facts.prefixes:
        if live.is_relative_to(prefix) and not _is_system(prefix):
            # An environment made in the project root or above it: not all of it, as the copy stands for the project.
            needed += [str(Path(prefix) / name) for name in _PARTS_OF_PREFIX]
        else:
            needed.append(prefix)
    inside = [Path(path) for path in needed if Path(path).is_relative_to(live)]
    wished = [str(DRIVERS), str(PROBE)]
    wished += [
        entry
        for entry in facts.sys_path
        if not Path(entry).is_relative_to(live) or any(Path(entry).is_relative_to(path) for path in inside)
    ]
    found: dict[str, None] = {}
    for entry in [*needed, *wished]:
        for path in (entry, os.path.realpath(entry)):
            if not Path(path).exists() or (live.is_relative_to(path) and not _is_system(path)):
                continue
            if is_harmless(path):
                found[path] = None
            elif entry in needed:
                raise SandboxError(
                    f"the interpreter {facts.executable} lives in {path}, which would let the sandbox read it all; "
                    "set project.interpreter to one in a virtual environment"
                )
    return tuple(sorted(found, key=lambda path: path.count("/")))


def _links(path: Path) -> Iterator[Path]:
    """Yields every hop of a chain of symbolic links, the path itself first."""
    for _ in range(20):
        yield path
        if not path.is_symlink():
            return
        path = Path(os.path.normpath(path.parent / path.readlink()))


def _is_system(path: str) -> bool:
    return any(Path(path).is_relative_to(system) for system in _SYSTEM)


def is_harmless(path: str) -> bool:
    """Tells whether a directory may be opened for reading without giving away a home directory or the machine.

    Args:
        path: Absolute path.

    Returns:
        False for the root directory, a home directory or what holds one, system secrets, and places of keys.
    """
    real = Path(os.path.realpath(path))
    home = Path(os.path.realpath(Path.home()))
    if real == Path(real.anchor) or (home.is_relative_to(real) and home != Path(home.anchor)):
        return False
    if real in {
        Path("/etc"),
        Path("/var"),
        Path("/proc"),
        Path("/sys"),
        Path("/dev"),
        Path("/run"),
        Path("/home"),
    }:
        return False
    secret = (
        ".ssh",
        ".gnupg",
        ".aws",
        ".kube",
        ".docker",
        ".config",
        ".netrc",
        ".azure",
        ".password-store",
        ".selfheal",
    )
    return not any(part in secret for part in real.parts)
