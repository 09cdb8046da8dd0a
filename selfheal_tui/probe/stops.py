"""Which exceptions are a way to stop and no fault: they are never reported.

Kept apart because it must be decided before anything else is loaded: importing the capture evaluates strings,
which makes the interpreter forget that it is being interrupted, and so would change the program's exit code.
Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import builtins

MAX_MEMBERS = 8
_NEVER = (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError)
_CANCELLING = ("asyncio.exceptions", "concurrent.futures._base")


def is_never_healed(error: BaseException) -> bool:
    """Whether an exception is a way to stop, not a fault.

    Args:
        error: The exception; a group is one when all its members are.

    Returns:
        True for KeyboardInterrupt, SystemExit, GeneratorExit, CancelledError, MemoryError and their kin.
    """
    members = group_members(error)
    if members:
        return all(is_never_healed(member) for member in members[:MAX_MEMBERS])
    return isinstance(error, _NEVER) or any(
        kind.__name__ == "CancelledError" and kind.__module__ in _CANCELLING for kind in type(error).__mro__
    )


def group_members(error: BaseException) -> tuple[BaseException, ...]:
    """Returns the members of an exception group, of the language's own kind or of its backport's.

    Args:
        error: Any exception.

    Returns:
        The members; none when it is no group.
    """
    group = getattr(builtins, "BaseExceptionGroup", None)
    if (group is not None and isinstance(error, group)) or any(
        kind.__name__ == "BaseExceptionGroup" for kind in type(error).__mro__
    ):
        found = getattr(error, "exceptions", ())
        if type(found) is tuple:
            return tuple(one for one in found if isinstance(one, BaseException))
    return ()
