"""Reports exceptions that end a child process of `multiprocessing`: they never reach `sys.excepthook`.

`BaseProcess._bootstrap` catches them itself and prints them with `traceback.print_exc`; the report is made as it
asks for that, so that no frame of ours stands in the traceback that it prints. Works for `fork`, `spawn` and
`forkserver`. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def install(probe: Any, process: Any) -> None:
    """Wraps `BaseProcess._bootstrap`.

    Args:
        probe: The installed probe.
        process: `multiprocessing.process`.
    """
    original = process.BaseProcess._bootstrap

    def _bootstrap(self: Any, *args: Any, **more: Any) -> Any:
        try:
            _watch(probe, original.__code__)
        except Exception as problem:
            probe.note(problem)
        try:
            return original(self, *args, **more)
        finally:
            probe.flush()  # such a child ends without `atexit`

    _bootstrap.__qualname__ = original.__qualname__
    process.BaseProcess._bootstrap = _bootstrap


def _watch(probe: Any, code: Any) -> None:
    import traceback  # this is the child, which loads it only to print; it is small

    module: Any = traceback
    original = module.print_exc

    def print_exc(*args: Any, **more: Any) -> None:
        if sys._getframe(1).f_code is not code:
            original(*args, **more)
            return
        module.print_exc = original
        error = sys.exc_info()[1]
        if error is not None:
            probe.report(error, handled=False, kind="child")
        original(*args, **more)

    module.print_exc = print_exc
