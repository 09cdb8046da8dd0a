"""A desk that is made once the face has drawn itself: what it takes to read, serve and heal is loaded only then.

It answers nothing itself. What is asked before the desk is there waits for it, in order. It may import nothing that
is large: that is what it is for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from selfheal_tui.operations.desk import Answered, Desk, DeskEvent
from selfheal_tui.supervisor.output import OutputSnapshot

_LOG = logging.getLogger(__name__)
STOP_SECONDS = 2.0


class Working(Desk, Protocol):
    """A desk that knows how the programs under it ended."""

    def exit_code(self) -> int:
        """Returns what the programs' ends add up to."""


class LateDesk:
    """Stands for a desk until it is there, and passes everything on to it; all of `operations.desk.Desk`.

    Args:
        make: Imports and makes the desk; called on a thread.
    """

    def __init__(self, make: Callable[[], Working]) -> None:
        self._make = make
        self._desk: Working | None = None
        self._waiting: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self._lock = threading.Lock()
        self._ended = False
        self._thread: threading.Thread | None = None

    def start(self, tell: Callable[[DeskEvent], None]) -> None:
        """Begins to make the desk; it tells events as soon as it is there."""
        self._thread = threading.Thread(target=self._begin, args=(tell,), name="selfheal-desk", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends everything, as soon as it is there."""
        self._ended = True
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        if self._desk is not None:
            self._desk.stop()

    def exit_code(self) -> int:
        """Returns what the programs' ends add up to; 0 when none was started."""
        return self._desk.exit_code() if self._desk is not None else 0

    def output(self, program: str, *, after: int = 0) -> OutputSnapshot:
        """Returns kept output of a program, from memory."""
        return self._desk.output(program, after=after) if self._desk is not None else OutputSnapshot((), 0, 0)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """All other questions and decisions return nothing, and so can wait."""
        if name.startswith("_") or not callable(getattr(Desk, name, None)):
            raise AttributeError(f"a desk has no {name!r}")

        def passed_on(*arguments: Any, **options: Any) -> None:
            with self._lock:
                if self._desk is None:
                    self._waiting.append((name, arguments, options))
                    return
            getattr(self._desk, name)(*arguments, **options)

        return passed_on

    def _begin(self, tell: Callable[[DeskEvent], None]) -> None:
        try:
            desk = self._make()
            if self._ended:
                return
            desk.start(tell)
        except Exception as error:  # noqa: BLE001 - told to the operator and logged
            _LOG.exception("there is no desk")
            tell(
                Answered(
                    "desk", ok=False, text=f"the project cannot be opened: {type(error).__name__}: {error}"
                )
            )
            return
        with self._lock:
            self._desk = desk
            for name, arguments, options in self._waiting:
                getattr(desk, name)(*arguments, **options)
            self._waiting.clear()
