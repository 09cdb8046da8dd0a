"""Lets a program declare that something must go on, so that it is reported when it does not: `progress("name")`.

Without a probe in the process nothing is watched and a call costs next to nothing. Standard library only, 3.9+.
"""

from __future__ import annotations

import _thread
import sys
import time
from types import TracebackType
from typing import Any

_STATE = "_selfheal_probe"

_marks: dict[str, "Progress"] = {}


class Progress:
    """Declared progress; made by `progress`.

    Attributes:
        name: What goes on.
        within: Seconds within which it must go on.
        last: Monotonic time at which it last did.
        thread: The thread in which it last did.
        told: Whether it was reported since.
    """

    __slots__ = ("last", "name", "thread", "told", "within")

    def __init__(self, name: str, within: float) -> None:
        self.name = name
        self.within = within
        self.told = False
        self.last = time.monotonic()
        self.thread = _thread.get_ident()

    def beat(self) -> None:
        """Says that it goes on."""
        self.last = time.monotonic()
        self.thread = _thread.get_ident()
        self.told = False

    def done(self) -> None:
        """Says that it has come to its end and is to be watched no longer."""
        if _marks.get(self.name) is self:
            del _marks[self.name]
        watchdog = _watchdog()
        if watchdog is not None:
            watchdog.unwatch_progress(self)

    def __enter__(self) -> Progress:  # noqa: PYI034 - `Self` is not in 3.9
        self.beat()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done()


def progress(name: str, within: float = 30.0) -> Progress:
    """Says that something goes on, and must do so again in time: call it on every round.

    Args:
        name: What goes on.
        within: Seconds until the next call at the latest; else all threads' stacks are reported as a hang.

    Returns:
        The declaration, with `beat()` and `done()`; as a context manager it is done at the end of the block.

    Raises:
        ValueError: `within` is not positive.
    """
    mark = _marks.get(name)
    if mark is not None:
        mark.within = within
        mark.beat()
        return mark
    if not within > 0:
        raise ValueError("progress(within=%r): give the seconds as a positive number" % within)
    mark = _marks[name] = Progress(name, within)
    watchdog = _watchdog()
    if watchdog is not None:
        watchdog.watch_progress(mark)
    return mark


def _watchdog() -> Any:
    """The watchdog of the probe in this process, whichever copy of its code that is."""
    probe = getattr(sys, _STATE, None)
    return getattr(probe, "watchdog", None)
