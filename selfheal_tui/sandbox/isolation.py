"""Finds out how well this machine can wall a program off, by doing it once.

Kernel versions, containers and policies lie; running `true` behind the walls does not. Each level says
in a sentence what it does not cover, and that sentence goes with every proof.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.ports import SandboxError
from selfheal_tui.model.settings import SandboxSettings
from selfheal_tui.sandbox.interpreter import interpreter_facts
from selfheal_tui.sandbox.process import run_command
from selfheal_tui.sandbox.seccomp import seccomp_filter
from selfheal_tui.sandbox.walls import Walls, find_bubblewrap, readable_paths

_TRY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class IsolationFacts:
    """How well programs can be walled off here.

    Attributes:
        level: The strongest level that works.
        weakness: What it does not cover, in a sentence; empty when nothing is missing.
        tried: One line for each level that was tried, with how that went.
    """

    level: Isolation
    weakness: str
    tried: tuple[str, ...] = ()


@functools.lru_cache(maxsize=1)
def detect_isolation() -> IsolationFacts:
    """Tries the levels, strongest first, once per process.

    Returns:
        The strongest that works.
    """
    tried: list[str] = []
    for level in (Isolation.BUBBLEWRAP, Isolation.LANDLOCK):
        problem = try_isolation(level)
        tried.append(f"{level.value}: {problem or 'works'}")
        if not problem:
            return IsolationFacts(level, weakness_of(level), tuple(tried))
    return IsolationFacts(Isolation.UNSANDBOXED, weakness_of(Isolation.UNSANDBOXED), tuple(tried))


def try_isolation(level: Isolation) -> str:
    """Runs `true` and a look around behind the walls of one level.

    Args:
        level: The level.

    Returns:
        Why it does not work here, with the remedy; empty when it does.
    """
    if level is Isolation.BUBBLEWRAP and not find_bubblewrap():
        return "bwrap is not installed (install the package bubblewrap)"
    if level is Isolation.LANDLOCK and not seccomp_filter(own_network=False):
        return "no system-call filter for this architecture"
    if level is not Isolation.UNSANDBOXED and not sys.platform.startswith("linux"):
        return "needs Linux"
    try:
        facts = interpreter_facts(sys.executable)
        with tempfile.TemporaryDirectory(prefix="selfheal-try-") as name:
            base = Path(os.path.realpath(name))
            live, copy, scratch, hidden = (base / part for part in ("live", "copy", "scratch", "hidden"))
            for folder in (live, copy, scratch, hidden):
                folder.mkdir()
            (hidden / "secret").write_text("x", encoding="utf-8")
            walls = Walls(level, live, copy, facts, SandboxSettings(), readable_paths(facts, live))
            look = (
                f"cat {hidden}/secret 2>/dev/null || echo walled"
                if level is not Isolation.UNSANDBOXED
                else "echo walled"
            )
            launch = walls.launch(
                ["/bin/sh", "-c", look], cwd=str(walls.view), scratch=scratch, seconds=_TRY_SECONDS
            )
            try:
                finished = run_command(
                    launch.argv, environ={"PATH": os.defpath}, cwd=launch.cwd, seconds=_TRY_SECONDS,
                    pass_fds=launch.descriptors,
                )  # fmt: skip
            finally:
                for number in launch.descriptors:
                    os.close(number)
    except (OSError, SandboxError) as error:
        return f"cannot be started ({error})"
    if finished.exit_code == 0 and finished.output.strip() == "walled":
        return ""
    return f"does not hold here ({finished.output.strip()[-200:] or f'exit status {finished.exit_code}'})"


def weakness_of(level: Isolation) -> str:
    """Says what a level does not cover on this machine.

    Args:
        level: The level.

    Returns:
        A sentence; empty when nothing is missing.
    """
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    counted = (
        "as root the kernel does not limit the number of processes; they are counted ten times a second instead"
        if root
        else ""
    )
    if level is Isolation.BUBBLEWRAP:
        return f"Bubblewrap: {counted}." if counted else ""
    if level is Isolation.LANDLOCK:
        parts = [
            "processes of this user are visible by number"
            + ("" if _landlock_abi() >= 6 else " and can be signalled"),
            "no private /tmp and /dev/shm (both closed), so programs that need them fail",
            "sockets cannot be made at all, so programs that serve themselves over loopback fail",
            "sizes, modes and times of files outside can be seen, and changed on files of this user",
        ]
        return "Landlock: " + "; ".join(filter(None, [*parts, counted])) + "."
    parts = [
        "only limits, a clean environment and a copy: files of this user can be read and written by absolute path",
        "the network, other processes and sockets can be reached",
        "a hostile program can outlive its time limit",
    ]
    return "UNSANDBOXED: " + "; ".join(filter(None, [*parts, counted])) + "."


def _landlock_abi() -> int:
    from selfheal_tui.sandbox.drivers import jail

    try:
        return int(jail.landlock_abi(jail.libc()))
    except (ImportError, OSError, AttributeError):
        return 0
