"""Runs one program under the probe as if it had been started without us, and tells how it ended.

Its input, output, terminal and open files are ours, handed through untouched; signals that are sent to us
reach it. This module may not read what the program writes, nor decide what happens after it ended.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from selfheal_tui.probe.environment import probe_environment

FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
"""Names of the signals that are passed on to the program."""
# These the terminal itself sends to every process in the foreground.
_FROM_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT} if os.name == "posix" else {signal.SIGINT})


class ProgramNotFoundError(Exception):
    """The command cannot be started; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class ProgramExit:
    """How a program ended.

    Attributes:
        code: Its exit code; 128 + signal when a signal ended it, as shells count.
        signal: The signal that ended it, if one did.
        seconds: How long it ran.
        received: Signals that reached us meanwhile, in order: an operator's Ctrl-C, say.
    """

    code: int
    signal: int | None
    seconds: float
    received: tuple[int, ...] = ()


def run_program(
    argv: Sequence[str],
    *,
    root: Path,
    inbox: Path,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    hang_seconds: float = 0.0,
) -> ProgramExit:
    """Runs a command under the probe and waits for its end.

    Args:
        argv: The command and its arguments; no shell is involved.
        root: The project's root.
        inbox: Folder that receives the crash reports.
        environ: Environment to start from; ours by default.
        cwd: Working directory; ours by default.
        hang_seconds: It ends itself and reports a hang once its main thread has stayed so long in one loop or
            wait; 0 never.

    Returns:
        How it ended.

    Raises:
        ProgramNotFoundError: The command does not exist or cannot be executed.
    """
    environment = probe_environment(
        inbox, root, os.environ if environ is None else environ, hang_seconds=hang_seconds
    )
    received: list[int] = []
    early: list[int] = []
    process: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None = None) -> None:
        received.append(number)
        if not process:
            early.append(number)
        elif not (number in _FROM_TERMINAL and _in_foreground()):
            process[0].send_signal(number)

    with taking_signals(forward):
        started = time.monotonic()
        process.append(_start(argv, environment, cwd))
        while early:
            process[0].send_signal(early.pop(0))
        status = process[0].wait()
        seconds = time.monotonic() - started
    ended_by = -status if status < 0 else None
    return ProgramExit(128 - status if status < 0 else status, ended_by, seconds, tuple(received))


def _start(argv: Sequence[str], environment: Mapping[str, str], cwd: Path | None) -> subprocess.Popen[bytes]:
    if not argv or not argv[0]:
        raise ProgramNotFoundError("no command was given; write it after `--`: selfheal run -- python app.py")
    if cwd is not None and not cwd.is_dir():
        raise ProgramNotFoundError(f"the working directory {cwd} does not exist; create it or choose another")
    try:
        # Ours are not inheritable; those of the shell (`<(…)`, `3<file`) are the program's.
        return subprocess.Popen(list(argv), env=dict(environment), cwd=cwd, close_fds=False)
    except OSError as error:
        raise ProgramNotFoundError(start_remedy(argv, error)) from error


def start_remedy(argv: Sequence[str], error: OSError) -> str:
    """Returns a sentence that says why a command did not start, and what to do about it.

    Args:
        argv: The command.
        error: What the system said.
    """
    command = argv[0]
    if command.endswith(".py"):
        return (
            f"{command} cannot be executed by itself ({error.strerror}); run it as: python {' '.join(argv)}"
        )
    if error.errno == errno.ENOENT:
        return f"the command {command!r} was not found; check its spelling and PATH, or give its full path"
    if error.errno == errno.EACCES:
        return f"{command!r} may not be executed; make it executable (chmod +x) or name its interpreter first"
    if error.errno == errno.ENOEXEC:
        return f"{command!r} is no program and has no `#!` line; name its interpreter first"
    return f"{command!r} could not be started: {error.strerror or error}; start it by hand to see why"


def _in_foreground() -> bool:
    """Whether we are in the foreground of our terminal, so that its keys reach the program without us."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextmanager
def taking_signals(
    handle: Callable[[int, FrameType | None], None], names: Sequence[str] = FORWARDED
) -> Iterator[None]:
    """Takes over the signals that are to be forwarded, and gives them back at the end.

    Args:
        handle: Receives them; called in the main thread. In other threads nothing is taken over.
        names: Which signals; those that the platform has not are passed over.
    """
    before: dict[int, object] = {}
    if threading.current_thread() is threading.main_thread():
        for name in names:
            number = getattr(signal, name, None)
            # What we were told to ignore (`nohup`, say) the program inherits as ignored.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: it was not set from Python, and cannot be set from here either.
            signal.signal(
                number, handler if callable(handler) or isinstance(handler, int) else signal.SIG_DFL
            )
