"""Watches whether the main thread stays in one loop or one wait, and ends the program then: only where told to.

`SELFHEAL_HANG_SECONDS` switches it on (`selfheal run --hang-after`, and replays of hangs in an isolated copy). It
samples the stack; what all samples of that time share is where the program stands, and the lines seen there
must lie within one loop. It cannot tell a long computation from an endless one, hence the switch. Standard
library only, CPython 3.9+.
"""

from __future__ import annotations

import _thread
import ast
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from .environment import HANG_END_AT_ONCE, HANG_END_VARIABLE, HANG_VARIABLE
from .frames import Sources, source_line
from .stacks import Hang, stack_levels, traceback_of
from .watchdog import _is_debugged

GRACE_SECONDS = 3.0
MAX_SAMPLES = 400
SAMPLES_PER_SPAN = 24
BUSY_SHARE = 0.5
IDLE_SHARE = 0.05
_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_COMPREHENSIONS = frozenset({"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"})
_WAITS = ("/threading.py", "/queue.py", "/concurrent/futures/_base.py", "/multiprocessing/synchronize.py")
_WAIT_WORDS = (".acquire(", ".join(", ".get(", ".put(", ".wait(", "lock", "mutex", "semaphore")


class Sample:
    """Where the main thread was at one moment.

    Attributes:
        at: Monotonic time in seconds.
        cpu: Processor time of the process in seconds.
        stack: Frames with the line each was at, outermost first.
    """

    __slots__ = ("at", "cpu", "stack")

    def __init__(self, at: float, cpu: float, stack: list[tuple[FrameType, int]]) -> None:
        self.at = at
        self.cpu = cpu
        self.stack = stack


class HangWatch:
    """Watches the thread that makes it.

    Args:
        probe: The installed probe.
        seconds: How long the main thread must stay where it is.
        at_once: End the process without letting it clean up.
    """

    def __init__(self, probe: Any, seconds: float, at_once: bool = False) -> None:
        self._probe = probe
        self._seconds = seconds
        self._at_once = at_once
        self._thread = _thread.get_ident()
        self._samples: list[Sample] = []
        self._sources = Sources(probe.root, probe.start_dir)
        self._pid = os.getpid()

    def start(self) -> None:
        """Starts the thread that looks."""
        _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        try:
            while os.getpid() == self._pid:
                time.sleep(max(0.02, self._seconds / SAMPLES_PER_SPAN))
                frame = sys._current_frames().get(self._thread)
                if frame is None:
                    return
                where = self.look(frame, time.monotonic(), time.process_time())
                if where is not None and not _is_debugged(frame):
                    del frame
                    self._end(where)
                    return
        except Exception as problem:
            self._probe.note(problem)

    def look(self, frame: FrameType, at: float, cpu: float) -> FrameType | None:
        """Takes a sample and judges.

        Args:
            frame: The innermost frame of the main thread.
            at: Monotonic time in seconds.
            cpu: Processor time of the process in seconds.

        Returns:
            The frame in which the program hangs; None while it does not.
        """
        self._samples.append(Sample(at, cpu, _stack(frame)))
        del self._samples[:-MAX_SAMPLES]
        newest = self._samples[-1]
        for first in range(len(self._samples) - 2, -1, -1):
            oldest = self._samples[first]
            wall, busy = newest.at - oldest.at, newest.cpu - oldest.cpu
            if wall < self._seconds:
                continue
            span = self._samples[first:]
            found = None
            if busy <= wall * IDLE_SHARE:
                found = self._waiting(span)
            elif busy >= self._seconds * BUSY_SHARE:
                found = self._looping(span)
            else:
                continue  # others had the processor: a longer span tells
            if found is not None or busy >= self._seconds * BUSY_SHARE:
                if found is None:
                    del self._samples[: max(0, first - 1)]  # what went on then cannot tell any more
                return found
        return None

    def _looping(self, span: list[Sample]) -> FrameType | None:
        """The innermost frame of the program that all samples share, if it stayed in one loop."""
        depth = _shared(span)
        for level in range(depth - 1, -1, -1):
            frame = span[-1].stack[level][0]
            if not self._sources.is_in_app(frame.f_code.co_filename):
                continue
            if frame.f_code.co_name in _COMPREHENSIONS:
                return frame
            lines = [sample.stack[level][1] for sample in span if sample.stack[level][1]]
            return frame if lines and self._in_one_loop(frame, min(lines), max(lines)) else None
        return None

    def _in_one_loop(self, frame: FrameType, first: int, last: int) -> bool:
        tree = self._sources.tree(frame.f_code.co_filename)
        if tree is None:
            return False
        start = frame.f_code.co_firstlineno
        for node in ast.walk(tree):
            end = getattr(node, "end_lineno", None) or 0
            if isinstance(node, _LOOPS) and start <= node.lineno <= first and last <= end:
                if not isinstance(node, ast.While) and not self._at_once:
                    continue  # one that goes through something comes to its end
                return True
        return False

    def _waiting(self, span: list[Sample]) -> FrameType | None:
        """The program's innermost frame, if it waits for a lock, a thread or a queue all the time."""
        newest = span[-1].stack
        if any(sample.stack != newest for sample in span):
            return None
        own = [(f, n) for f, n in newest if self._sources.is_in_app(f.f_code.co_filename)]
        if not own:
            return None
        innermost = newest[-1][0].f_code.co_filename.replace(os.sep, "/")
        frame, line = own[-1]
        text = source_line(frame.f_code.co_filename, line, frame.f_globals).lower()
        waits = innermost.endswith(_WAITS) or (
            newest[-1][0] is frame and any(word in text for word in _WAIT_WORDS)
        )
        return frame if waits else None

    def _end(self, where: FrameType) -> None:
        levels = stack_levels(where)
        error = Hang("no progress for %g s" % self._seconds).with_traceback(traceback_of(levels))
        self._probe.report(error, handled=False, kind="hang", limited=False, calls=False)
        if self._at_once:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
            time.sleep(GRACE_SECONDS)
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _stack(frame: FrameType | None) -> list[tuple[FrameType, int]]:
    found: list[tuple[FrameType, int]] = []
    while frame is not None:
        found.append((frame, frame.f_lineno or 0))
        frame = frame.f_back
    return found[::-1]


def _shared(span: list[Sample]) -> int:
    """How many outer frames are the same in all samples."""
    newest = span[-1].stack
    depth = min(len(sample.stack) for sample in span)
    for level in range(depth):
        if any(sample.stack[level][0] is not newest[level][0] for sample in span):
            return level
    return depth


def start_from_environment(probe: Any) -> None:
    """Starts the watch if the environment asks for it.

    Args:
        probe: The installed probe.
    """
    try:
        seconds = float(os.environ.get(HANG_VARIABLE, ""))
    except ValueError:
        return
    if seconds > 0:
        HangWatch(probe, seconds, os.environ.get(HANG_END_VARIABLE) == HANG_END_AT_ONCE).start()
