"""Reports exceptions that end a thread, also a `Timer`.

Chains to `threading.excepthook`. A program that sets its own later without chaining is covered too: every thread
asks for the hook through a function that is made when the thread is, and that looks first whether ours is still
there. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def install(probe: Any, threading: Any) -> None:
    """Sets `threading.excepthook`.

    Args:
        probe: The installed probe.
        threading: The module.
    """
    import sys

    previous = threading.excepthook

    def reported(error: BaseException | None, show: Callable[[], None]) -> None:
        if error is None:
            show()
            return
        probe.passing.add(id(error))
        try:
            probe.report(error, handled=False, kind="thread")
        finally:
            try:
                show()
            finally:
                probe.passing.discard(id(error))

    def excepthook(args: Any) -> None:
        error = args.exc_value
        if error is not None and id(error) in probe.passing:  # ours was reached by way of another
            previous(args)
            return
        reported(error, lambda: previous(args))

    threading.excepthook = excepthook
    make: Any = getattr(threading, "_make_invoke_excepthook", None)
    if make is None:
        return

    def _make_invoke_excepthook() -> Callable[[Any], None]:
        invoke: Callable[[Any], None] = make()

        def invoke_excepthook(thread: Any) -> None:
            if threading is not None and threading.excepthook is not excepthook:
                reported(sys.exc_info()[1], lambda: invoke(thread))
            else:
                invoke(thread)

        return invoke_excepthook

    threading._make_invoke_excepthook = _make_invoke_excepthook
