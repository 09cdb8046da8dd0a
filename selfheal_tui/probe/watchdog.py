"""Watches a living program from a thread of its own: loops that are blocked, declared progress that has stopped.

The thread is started when there is something to watch, never by a program without a probe, and is not among
`threading.enumerate()`. A loop gets one empty callback at a time; when it does not run for too long, the stack of the
loop's thread shows what is in its way. It may only look. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import _thread
import os
import sys
import time
import weakref
from types import FrameType
from typing import Any

from .stacks import BlockedLoop, Hang, stack_levels, traceback_of

DEFAULT_BLOCKED_SECONDS = 5.0
BLOCKED_VARIABLE = "SELFHEAL_BLOCKED_SECONDS"
LONGEST_STEP = 1.0
SHORTEST_STEP = 0.02
MAX_THREADS = 40
MAX_STACK_LINES = 12
_DEBUGGERS = ("bdb.py", "pdb.py", "pydevd.py", "debugpy")


class WatchedLoop:
    """One event loop and the callback that shows that it runs.

    Attributes:
        loop: Weak reference to the loop.
        sent: Monotonic time at which the callback was handed over; None when it has run.
        told: Whether this blockage was reported.
    """

    def __init__(self, loop: Any) -> None:
        self.loop = weakref.ref(loop)
        self.sent: float | None = None
        self.told = False

    def beat(self) -> None:
        """Runs in the loop: it is not blocked."""
        self.sent = None


class Watchdog:
    """What is watched in this process.

    Args:
        probe: The installed probe.
    """

    def __init__(self, probe: Any) -> None:
        self._probe = probe
        self._pid = 0
        self._loops: list[WatchedLoop] = []
        self._marks: dict[str, Any] = {}
        self._checked = 0.0
        self.blocked_seconds = _blocked_seconds()

    def watch_loop(self, loop: Any) -> None:
        """Watches an event loop as long as it lives."""
        self._loops.append(WatchedLoop(loop))
        self.start()

    def watch_progress(self, mark: Any) -> None:
        """Watches declared progress until its mark is withdrawn.

        Args:
            mark: Has `name`, `within` and `last` in seconds, `thread`, `told`.
        """
        self._marks[mark.name] = mark
        self.start()

    def unwatch_progress(self, mark: Any) -> None:
        """Stops watching declared progress."""
        name = mark.name
        if self._marks.get(name) is mark:
            del self._marks[name]

    def start(self) -> None:
        """Starts the thread, again in each child after a fork."""
        pid = os.getpid()
        if self._pid != pid:
            self._pid = pid
            _thread.start_new_thread(self._run, (pid,))

    def _run(self, pid: int) -> None:
        try:
            while pid == self._pid:
                time.sleep(self.step())
                self.check(time.monotonic())
        except Exception as problem:
            self._pid = 0
            self._probe.note(problem)

    def step(self) -> float:
        """Seconds until the next look."""
        shortest = [LONGEST_STEP]
        if self._loops:
            shortest.append(self.blocked_seconds / 4)
        shortest += [mark.within / 4 for mark in list(self._marks.values())]
        return max(SHORTEST_STEP, min(shortest))

    def check(self, now: float) -> None:
        """Looks once.

        Args:
            now: Monotonic time in seconds.
        """
        late = self._checked and now - self._checked > 2 * self.step() + LONGEST_STEP
        self._checked = now
        if late:  # the whole process stood still (stopped, or starved): that says nothing about its parts
            for watched in self._loops:
                watched.sent = None if watched.told or watched.sent is None else now
            for mark in list(self._marks.values()):
                mark.last = max(mark.last, now) if not mark.told else mark.last
        for watched in list(self._loops):
            self._check_loop(watched, now)
        for mark in list(self._marks.values()):
            if not mark.told and now - mark.last >= mark.within:
                mark.told = True
                self._report_hang(mark)
        if self._probe.live:
            self._probe.flush(only_due=True)

    def _check_loop(self, watched: WatchedLoop, now: float) -> None:
        loop = watched.loop()
        if loop is None or loop.is_closed():
            self._loops.remove(watched)
            return
        thread = getattr(loop, "_thread_id", None)
        if thread is None:
            watched.sent = None
        elif watched.sent is None:
            watched.sent, watched.told = now, False
            try:
                loop.call_soon_threadsafe(watched.beat)
            except RuntimeError:  # closed at this moment
                watched.sent = None
        elif not watched.told and now - watched.sent >= self.blocked_seconds:
            watched.told = True
            self._report_blocked(thread, now - watched.sent)

    def _report_blocked(self, thread: int, seconds: float) -> None:
        frame = sys._current_frames().get(thread)
        if frame is None or _is_debugged(frame):
            return
        error = BlockedLoop(
            "a callback has kept the event loop from everything else for %g s or more" % self.blocked_seconds
        ).with_traceback(traceback_of(stack_levels(frame)))
        said = {"loop.seconds": "%.1f" % seconds}
        self._probe.report(error, handled=True, kind="blocked-loop", context=said, calls=False)

    def _report_hang(self, mark: Any) -> None:
        frames = sys._current_frames()
        frame = frames.get(mark.thread)
        if frame is not None and _is_debugged(frame):
            return
        error = Hang("no progress of %r within %g s" % (mark.name, mark.within)).with_traceback(
            traceback_of(stack_levels(frame))
        )
        said = {"progress": mark.name, **_threads(frames)}
        self._probe.report(error, handled=True, kind="hang", context=said, calls=False)


def _threads(frames: dict[int, FrameType]) -> dict[str, str]:
    """Every thread's stack as text, innermost first; ours is left out."""
    threading = sys.modules.get("threading")
    names = {one.ident: one.name for one in list(threading.enumerate())} if threading else {}
    result = {}
    for ident, frame in list(frames.items())[:MAX_THREADS]:
        if ident == _thread.get_ident():
            continue
        lines = [
            "%s:%d in %s"
            % (level.tb_frame.f_code.co_filename, level.tb_lineno, level.tb_frame.f_code.co_name)
            for level in reversed(stack_levels(frame)[-MAX_STACK_LINES:])
        ]
        result["thread.%s" % (names.get(ident) or ident)] = "\n".join(lines)
    return result


def _is_debugged(frame: FrameType | None) -> bool:
    """Whether somebody stands at a breakpoint there."""
    while frame is not None:
        if frame.f_code.co_filename.endswith(_DEBUGGERS):
            return True
        frame = frame.f_back
    return False


def _blocked_seconds() -> float:
    try:
        seconds = float(os.environ.get(BLOCKED_VARIABLE, ""))
    except ValueError:
        return DEFAULT_BLOCKED_SECONDS
    return seconds if seconds > 0 else DEFAULT_BLOCKED_SECONDS
