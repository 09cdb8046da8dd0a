"""Reports exceptions that the interpreter can only print: in `__del__`, in weak references' callbacks.

Chains to the hook that was there. It keeps neither the exception nor the object, which would bring both back to
life. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def install(probe: Any, sys: Any) -> None:
    """Sets `sys.unraisablehook`.

    Args:
        probe: The installed probe.
        sys: The module.
    """
    previous = sys.unraisablehook

    def unraisablehook(unraisable: Any) -> None:
        error = unraisable.exc_value
        if error is None:
            previous(unraisable)
            return
        probe.passing.add(id(error))
        try:
            said = {"selfheal.unraisable": str(unraisable.err_msg or "Exception ignored in")}
            probe.report(error, handled=False, kind="unraisable", context=said)
        finally:
            try:
                previous(unraisable)
            finally:
                probe.passing.discard(id(error))

    sys.unraisablehook = unraisablehook
