"""Reports what asyncio hands to a loop's exception handler: failed tasks nobody awaited, failed callbacks.

The method of the class is wrapped, so every loop of every thread is covered and a program's own handler keeps
working. Loops that do not inherit from asyncio's (uvloop's) log such exceptions, and are covered by that. Under
a living engine each new loop is watched for being blocked. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DESTROYED = "Task was destroyed but it is pending"


def install(probe: Any, events: Any) -> None:
    """Wraps `BaseEventLoop.call_exception_handler`.

    Args:
        probe: The installed probe.
        events: `asyncio.base_events`.
    """
    loops = events.BaseEventLoop
    original = loops.call_exception_handler

    def call_exception_handler(self: Any, context: Any) -> Any:
        error = None
        try:
            error = _report(probe, context)
        except Exception as problem:
            probe.note(problem)
        if error is not None:
            probe.passing.add(id(error))
        try:
            return original(self, context)
        finally:
            if error is not None:
                probe.passing.discard(id(error))

    call_exception_handler.__doc__ = original.__doc__
    call_exception_handler.__qualname__ = original.__qualname__
    loops.call_exception_handler = call_exception_handler
    if probe.live:
        make = loops.__init__

        def __init__(self: Any, *args: Any, **more: Any) -> None:  # noqa: N807 - takes the place of one
            make(self, *args, **more)
            try:
                probe.watchdog.watch_loop(self)
            except Exception as problem:
                probe.note(problem)

        loops.__init__ = __init__


def _report(probe: Any, context: Any) -> BaseException | None:
    error = context.get("exception")
    message = str(context.get("message") or "")
    said = {"asyncio.message": message}
    task = context.get("task")
    if task is None:
        task = context.get("future")
    if isinstance(error, BaseException):
        probe.report(error, handled=False, kind="loop" if task is None else "task", context=said)
        return error
    if task is not None and message.startswith(_DESTROYED):
        _report_destroyed(probe, task, message, said)
    return None


def _report_destroyed(probe: Any, task: Any, message: str, said: dict[str, str]) -> None:
    from types import TracebackType

    from ..stacks import (  # noqa: TID252 - the probe is loaded under a private name
        PendingTaskDestroyed,
        traceback_of,
    )

    levels = [TracebackType(None, one, max(one.f_lasti, 0), one.f_lineno or 0) for one in task.get_stack()]
    error = PendingTaskDestroyed(message).with_traceback(traceback_of(levels))
    probe.report(error, handled=True, kind="warning", context=said, calls=False)
