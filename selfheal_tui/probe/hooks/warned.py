"""Reports warnings about what was not closed or never awaited, if the program's own filters let them through.

`ResourceWarning` is ignored by Python's default filters, so it is seen under `-W default`, `-X dev` or
`PYTHONWARNINGS` only; "was never awaited" is shown, and so reported, by default. Warnings that somebody records
(`catch_warnings(record=True)`, pytest) are theirs. Other categories are no faults. Standard library only, 3.9+.
"""

from __future__ import annotations

import linecache
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NEVER_AWAITED = "was never awaited"


def install(probe: Any, warnings: Any) -> None:
    """Wraps the function through which every warning is shown.

    `showwarning` itself is left alone: the interpreter treats one that was replaced in another way.

    Args:
        probe: The installed probe.
        warnings: The module.
    """
    original = warnings._showwarnmsg
    show = warnings._showwarnmsg_impl

    def _showwarnmsg(msg: Any) -> None:
        try:
            if warnings._showwarnmsg_impl is show and _matters(msg):
                _report(probe, msg)
        except Exception as problem:
            probe.note(problem)
        original(msg)

    warnings._showwarnmsg = _showwarnmsg


def _matters(msg: Any) -> bool:
    return issubclass(msg.category, ResourceWarning) or (
        issubclass(msg.category, RuntimeWarning) and _NEVER_AWAITED in str(msg.message)
    )


def _report(probe: Any, msg: Any) -> None:
    from ..stacks import (  # noqa: TID252 - the probe is loaded under a private name
        stack_levels,
        traceback_of,
    )

    text = str(msg.message)
    kind = ResourceWarning if issubclass(msg.category, ResourceWarning) else RuntimeWarning
    levels = stack_levels(sys._getframe(2))
    error = kind(text.partition("\n")[0]).with_traceback(traceback_of(levels))
    said = {"warning.at": "%s:%s" % (msg.filename, msg.lineno)}
    created = _creation(msg.source)
    if created:
        said["warning.created"] = created
    coroutine = getattr(msg.source, "cr_code", None)
    if coroutine is not None:
        said["warning.coroutine"] = "%s:%d" % (coroutine.co_filename, coroutine.co_firstlineno)
    probe.report(error, handled=True, kind="warning", context=said, calls=False)


def _creation(source: Any) -> str:
    """Where the object was made: only known when `tracemalloc` or the coroutine's origin tracking is on."""
    origin = getattr(source, "cr_origin", None)
    if type(origin) is tuple:
        places = [(str(file), int(line)) for file, line, _ in origin]
    else:
        import _tracemalloc  # part of the interpreter; `tracemalloc` itself is loaded only when it traces

        trace = None
        if source is not None and _tracemalloc.is_tracing():
            import tracemalloc

            trace = tracemalloc.get_object_traceback(source)
        places = [(frame.filename, frame.lineno) for frame in trace] if trace else []
    return "\n".join(
        "%s:%d: %s" % (file, line, linecache.getline(file, line).strip()) for file, line in places[-10:]
    )
