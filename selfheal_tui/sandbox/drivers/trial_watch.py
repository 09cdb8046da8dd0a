"""Ends the process of a variant as soon as it is lost: its test has failed, or it has used up its time.

A failing test is told at length by its framework, which takes many times as long as the test itself. So the frame that
noticed the fault is watched, and an exception that leaves it ends the process. Standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

LOST = 1
LATER_SECONDS = 5.0
"""What frameworks may take besides: they tell how it went, and tidy up."""


class Watch:
    """Watches the innermost function on the stack that noticed the fault.

    Args:
        noticing: Real path and bare name of functions.
        seconds: Processor time that one call of such a function may take.
    """

    def __init__(self, noticing: list[list[str]], seconds: float) -> None:
        self.noticing = {(file, name) for file, name in noticing}
        self.seconds = seconds
        self.code: Any = None
        self.leaving = False

    def start(self) -> None:
        """Finds the function and watches it, this call of it and later ones."""
        limit_time(self.seconds + LATER_SECONDS)
        frame: Any = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            if (os.path.realpath(code.co_filename), code.co_name) in self.noticing:
                self.code = code
                frame.f_trace = self.inside
                frame.f_trace_lines = False
                limit_time(self.seconds)
                sys.settrace(self.called)
                return
            frame = frame.f_back

    def called(self, frame: Any, _event: str, _argument: Any) -> Any:
        """A function is called."""
        if frame.f_code is not self.code:
            return None
        frame.f_trace_lines = False
        limit_time(self.seconds)
        return self.inside

    def inside(self, frame: Any, event: str, argument: Any) -> Any:
        """Something happens in the watched function."""
        if event == "exception":
            if issubclass(argument[0], AssertionError):
                os._exit(LOST)
            self.leaving = frame.f_trace_lines = True  # a line that follows means that it was caught
        elif event == "line":
            self.leaving = frame.f_trace_lines = False
        elif event == "return":
            if self.leaving and argument is None:
                os._exit(LOST)
            limit_time(LATER_SECONDS)
        return self.inside


def limit_time(seconds: float) -> None:
    """Lets the kernel end this process after so much processor time."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
