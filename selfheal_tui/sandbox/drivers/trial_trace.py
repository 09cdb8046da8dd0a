"""Notes which lines of the project ran, for finding the place of a fault; used by `trials.py`, standard library only."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

_DEEPEST = 60
_MOST_CALLS, _MOST_IN_ALL = 500, 50_000
_FAR = 999


class Tracer:
    """Traces lines of files below a root.

    Attributes:
        lines: Real path to the lines that ran.
        calls: Real path and first line of a function to how often it was called, how many frames of the project
            were between it and the place that noticed, when it was last called, and whether that place called it.
    """

    def __init__(self, root: str, noticing: list[list[str]]) -> None:
        self.root = os.path.realpath(root) + os.sep
        self.noticing = {(file, name) for file, name in noticing}
        self.files: dict[str, str] = {}
        self.lines: dict[str, set[int]] = {}
        self.calls: dict[tuple[str, int], list[Any]] = {}
        self.clock = 0

    def real(self, name: str) -> str:
        """The real path of a file of the project; empty for any other."""
        known = self.files.get(name)
        if known is None:
            real = os.path.realpath(name)
            known = real if not name.startswith("<") and real.startswith(self.root) else ""
            self.files[name] = known
        return known

    def start(self) -> None:
        """Starts tracing, also in threads to come."""
        threading.settrace(self.called)
        sys.settrace(self.called)

    def stop(self) -> None:
        """Stops tracing."""
        sys.settrace(None)

    def called(self, frame: Any, _event: str, _argument: Any) -> Any:
        """A frame begins."""
        file = self.real(frame.f_code.co_filename)
        if not file:
            return None
        seen = self.lines.setdefault(file, set())
        if frame.f_code.co_name[0] != "<":
            self.clock += 1
            noted = self.calls.setdefault((file, frame.f_code.co_firstlineno), [0, _FAR, 0, False])
            noted[0] += 1
            noted[2] = self.clock
            if noted[0] > _MOST_CALLS:
                if self.clock > _MOST_IN_ALL:
                    self.stop()
                return None  # what a function does so often is known by then
            self.place(file, frame, noted)

        def line(inner: Any, what: str, _argument: Any) -> Any:
            if what == "line":
                seen.add(inner.f_lineno)
            return line

        return line

    def place(self, file: str, frame: Any, noted: list[Any]) -> None:
        """Notes how far a call is from the place that noticed the fault."""
        depth, above, below = 0, frame.f_back, not self.noticing
        for _ in range(_DEEPEST):
            if above is None:
                break
            own = self.files.get(above.f_code.co_filename)
            if own and (own, above.f_code.co_name) in self.noticing:
                below = True
                break
            depth += bool(own)
            above = above.f_back
        if (file, frame.f_code.co_name) in self.noticing:
            below = False
        if below and not noted[3]:
            noted[1], noted[3] = depth, True
        elif below == noted[3]:
            noted[1] = min(noted[1], depth)

    def take(self) -> dict[str, Any]:
        """What was noted since the last time."""
        lines = {file: sorted(found) for file, found in self.lines.items() if found}
        calls = [[file, first, *noted] for (file, first), noted in self.calls.items()]
        for found in self.lines.values():
            found.clear()
        self.calls = {}
        return {"lines": lines, "calls": calls}


class Spectrum:
    """A pytest plugin that hands out the lines of each test with its outcome."""

    def __init__(self, tracer: Tracer, tell: Any) -> None:
        self.tracer = tracer
        self.tell = tell
        self.failed = False
        self.passed = False

    def pytest_runtest_logstart(self) -> None:
        """A test begins."""
        self.failed = self.passed = False
        self.tracer.take()
        self.tracer.start()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A phase of it ended."""
        self.failed = self.failed or report.outcome == "failed"
        self.passed = self.passed or (report.outcome == "passed" and report.when == "call")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """It ended."""
        self.tracer.stop()
        found = self.tracer.take()
        if self.failed or self.passed:
            self.tell({"test": nodeid, "failed": self.failed, "lines": found["lines"]})
