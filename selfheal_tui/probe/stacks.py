"""Gives what is no exception (a blocked loop, a hang, a warning) the shape of one, so that it is captured alike.

A stack of live frames becomes a traceback. The exceptions here are never raised. Standard library only, 3.9+.
"""

from __future__ import annotations

import os
from types import FrameType, TracebackType

MAX_OUTER = 40
_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep


class BlockedLoop(Exception):  # noqa: N818 - a finding, shown to people under this name
    """A callback or task has kept an event loop from everything else for too long."""


class Hang(Exception):  # noqa: N818 - a finding, shown to people under this name
    """Progress that the program declared has stopped."""


class PendingTaskDestroyed(ResourceWarning):
    """A task was forgotten before it was done."""


for _kind in (BlockedLoop, Hang, PendingTaskDestroyed):
    _kind.__module__ = "builtins"  # printed without the private name under which the probe is loaded


def stack_levels(frame: FrameType | None) -> list[TracebackType]:
    """Describes a stack of live frames as levels of a traceback.

    Args:
        frame: The innermost frame.

    Returns:
        The innermost `MAX_OUTER` levels, outermost first, without the probe's own.
    """
    levels: list[TracebackType] = []
    while frame is not None and len(levels) < MAX_OUTER:
        if not frame.f_code.co_filename.startswith(_OWN):
            # A frame that has not begun yet has no instruction.
            levels.append(TracebackType(None, frame, max(frame.f_lasti, 0), frame.f_lineno or 0))
        frame = frame.f_back
    return levels[::-1]


def traceback_of(levels: list[TracebackType]) -> TracebackType | None:
    """Links levels to one traceback.

    Args:
        levels: Outermost first, as from `stack_levels`.

    Returns:
        The traceback; None for no levels.
    """
    for outer, inner in zip(levels, levels[1:]):  # noqa: B905, RUF007 - 3.9
        outer.tb_next = inner
    return levels[0] if levels else None
