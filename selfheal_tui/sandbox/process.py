"""Runs one command to its end, with a deadline, a bounded tail of its output, and a result descriptor.

It knows nothing of walls. Everything the command started is killed when it ends or is out of time, as far
as the process tree shows it; where the walls hold a PID namespace or a reaper, that is everything.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psutil

_TAIL = 64 * 1024
_LARGEST_RESULT = 16 << 20
_TICK_SECONDS = 0.02
_COUNT_EVERY_SECONDS = 0.1
_DRAIN_SECONDS = 1.0
_KILL_SECONDS = 5.0


@dataclass(slots=True)
class Finished:
    """How a command ended.

    Attributes:
        exit_code: Exit status, negative for a signal; None when it was killed by us.
        timed_out: Whether the deadline ended it.
        crowded: Whether it was killed for having too many processes.
        output: Tail of stdout and stderr together.
        result: What it wrote to the result descriptor.
        overflowed: Whether it wrote more than is read.
        seconds: Wall-clock time.
    """

    exit_code: int | None = None
    timed_out: bool = False
    crowded: bool = False
    output: str = ""
    result: bytes = b""
    overflowed: bool = False
    seconds: float = 0.0


@dataclass(slots=True)
class _Streams:
    tail: bytearray = field(default_factory=bytearray)
    cut: bool = False
    result: bytearray = field(default_factory=bytearray)
    overflowed: bool = False

    def output(self, data: bytes) -> None:
        self.tail += data
        if len(self.tail) > _TAIL:
            del self.tail[: len(self.tail) - _TAIL]
            self.cut = True

    def answer(self, data: bytes) -> None:
        if len(self.result) + len(data) > _LARGEST_RESULT:
            self.overflowed = True
        else:
            self.result += data


def run_command(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: str,
    seconds: float,
    stdin: bytes = b"",
    result: tuple[int, int] | None = None,
    pass_fds: Sequence[int] = (),
    most_processes: int = 0,
) -> Finished:
    """Runs a command and waits for it.

    Args:
        argv: The command.
        environ: Its whole environment.
        cwd: Where it starts.
        seconds: Time limit.
        stdin: What it reads; then end of file.
        result: Read and write end of the result pipe; both are closed here.
        pass_fds: Further descriptors that it inherits; not closed here.
        most_processes: Kill it when it has more descendants; 0 for no limit.

    Returns:
        How it ended.

    Raises:
        OSError: It cannot be started.
    """
    started = time.monotonic()
    output_read, output_write = os.pipe()
    readers = [output_read] + ([result[0]] if result else [])
    writers = [output_write] + ([result[1]] if result else [])
    streams = _Streams()
    try:
        try:
            with tempfile.TemporaryFile() as feed:
                feed.write(stdin)
                feed.seek(0)
                process = subprocess.Popen(
                    list(argv),
                    cwd=cwd,
                    env=dict(environ),
                    stdin=feed if stdin else subprocess.DEVNULL,
                    stdout=output_write,
                    stderr=output_write,
                    pass_fds=[*pass_fds, *([result[1]] if result else [])],
                    start_new_session=True,
                )
        finally:
            for number in writers:
                os.close(number)
        with selectors.DefaultSelector() as selector:
            selector.register(output_read, selectors.EVENT_READ, streams.output)
            if result:
                selector.register(result[0], selectors.EVENT_READ, streams.answer)
            for number in readers:
                os.set_blocking(number, False)
            finished = _attend(process, selector, started + seconds, most_processes)
            kill_tree(process)
            _drain(selector, time.monotonic() + _DRAIN_SECONDS)
    finally:
        for number in readers:
            os.close(number)
    text = streams.tail.decode("utf-8", "replace")
    finished.output = "[…]\n" + text if streams.cut else text
    finished.result = bytes(streams.result)
    finished.overflowed = streams.overflowed
    finished.seconds = time.monotonic() - started
    return finished


def _attend(
    process: subprocess.Popen[bytes], selector: selectors.BaseSelector, deadline: float, most: int
) -> Finished:
    """Reads streams until the process ends or must be ended."""
    ended = _exit_handle(process.pid)
    if ended is not None:
        selector.register(ended, selectors.EVENT_READ, None)
    next_count = time.monotonic() + _COUNT_EVERY_SECONDS
    try:
        while True:
            now = time.monotonic()
            if process.poll() is not None:
                return Finished(exit_code=process.returncode)
            if now >= deadline:
                return Finished(timed_out=True)
            if most and now >= next_count:
                if _is_crowded(process.pid, most):
                    return Finished(crowded=True)
                next_count = time.monotonic() + _COUNT_EVERY_SECONDS
            wake = _COUNT_EVERY_SECONDS if ended is not None else _TICK_SECONDS
            _read(selector, max(0.0, min(deadline - now, wake)))
            if len(selector.get_map()) == 0:
                time.sleep(_TICK_SECONDS)
    finally:
        if ended is not None:
            with contextlib.suppress(KeyError):
                selector.unregister(ended)
            os.close(ended)


def _exit_handle(pid: int) -> int | None:
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return None


def _read(selector: selectors.BaseSelector, wait: float) -> None:
    for key, _ in selector.select(wait):
        if key.data is None:
            continue
        try:
            data = os.read(key.fd, 1 << 16)
        except BlockingIOError:
            continue
        if data:
            key.data(data)
        else:
            selector.unregister(key.fd)


def _drain(selector: selectors.BaseSelector, deadline: float) -> None:
    """Reads what is left in the pipes; a survivor that holds them open cannot keep us."""
    while selector.get_map() and time.monotonic() < deadline:
        _read(selector, 0.05)


def _is_crowded(pid: int, most: int) -> bool:
    try:
        return len(psutil.Process(pid).children(recursive=True)) > most
    except psutil.Error:
        return False


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and all that can be found below it, and reaps it.

    The process itself is asked first: the jail's reaper kills what it adopted, and bubblewrap's end is the end of its PID namespace.

    Args:
        process: The process; may have ended already.
    """
    below: list[psutil.Process] = []
    if process.poll() is None:
        with contextlib.suppress(psutil.Error):
            below = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_KILL_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for child in below:
        with contextlib.suppress(psutil.Error):
            child.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_KILL_SECONDS)
