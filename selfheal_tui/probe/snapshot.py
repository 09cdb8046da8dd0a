"""Keeps what a call was called with, so that it can be called again as if for the first time.

A call that fails half-way has often changed its arguments by then, so they are copied before it. The object
whose method it is stays itself: a retry has to work on the program's object, not on a copy that nobody holds.
Standard library only, CPython 3.9+; loaded on the first guarded call that copies.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_OWNERS = ("self", "cls", "mcs")


class Kept:
    """The arguments of one call.

    Attributes:
        problem: Why the call cannot be repeated; empty when it can.
    """

    __slots__ = ("_args", "_kwargs", "_owners", "problem")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], owners: int) -> None:
        self.problem = ""
        self._owners = args[:owners]
        try:
            # Together, so that two names of one object stay two names of one object.
            self._args, self._kwargs = _copy((args[owners:], kwargs))
        except Exception as error:
            self._args, self._kwargs = (), {}
            self.problem = "the arguments cannot be copied (%s: %s)" % (
                type(error).__name__,
                str(error)[:300],
            )

    def again(self, *, last: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Returns the arguments as they were before the call.

        Args:
            last: Whether nobody will ask again; then the copy itself is handed out.

        Raises:
            Exception: The copy cannot be copied in turn.
        """
        args, kwargs = (self._args, self._kwargs) if last else _copy((self._args, self._kwargs))
        return (*self._owners, *args), kwargs


def owners_of(function: Callable[..., Any]) -> int:
    """Counts the leading parameters that are the object or class itself: 1 for a method, else 0.

    Args:
        function: As it stands in the class body, or on its own.
    """
    code = getattr(function, "__code__", None)
    if code is None or not code.co_argcount:
        return 0
    return int(code.co_varnames[0] in _OWNERS)


def _copy(value: Any) -> Any:
    from copy import deepcopy

    return deepcopy(value)
