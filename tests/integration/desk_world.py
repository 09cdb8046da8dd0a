"""Helpers for tests of the live desk: a project that crashes, and somebody who listens to the desk."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from serving import PROGRAM, a_crash, drop

from selfheal_tui.operations.desk import Answered, BoardChanged, DeskEvent
from selfheal_tui.operations.livedesk import LiveDesk
from selfheal_tui.operations.snapshot import Board
from selfheal_tui.store import Store

E = TypeVar("E")
SECONDS = 90.0


def a_project(root: Path, program: str = PROGRAM) -> Path:
    """A project whose `app.py` crashes with a name that was misspelt."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "app.py").write_text(program)
    (root / "pyproject.toml").write_text("")
    Store.open(root).close()
    return root


def crash(root: Path, **facts: Any) -> None:
    """Reports a crash of it, as a probe would."""
    drop(root / ".selfheal" / "inbox", a_crash(root, **facts))


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would change the policy."""
    return {k: v for k, v in os.environ.items() if not k.startswith("SELFHEAL")} | more


class Listener:
    """Keeps what a desk tells."""

    def __init__(self) -> None:
        self.events: list[DeskEvent] = []
        self._came = threading.Condition()

    def __call__(self, event: DeskEvent) -> None:
        with self._came:
            self.events.append(event)
            self._came.notify_all()

    def of(self, kind: type[E]) -> list[E]:
        """All events of a kind, oldest first."""
        return [event for event in list(self.events) if isinstance(event, kind)]

    @property
    def board(self) -> Board:
        """The newest board."""
        return self.of(BoardChanged)[-1].board

    def wait(self, condition: Callable[[], Any], what: str = "it") -> Any:
        """Waits until something is so after an event."""
        until = time.monotonic() + SECONDS
        with self._came:
            while not (found := self._try(condition)):
                left = until - time.monotonic()
                assert left > 0, f"{what} did not happen; last: {self.events[-8:]}"
                self._came.wait(min(left, 0.2))
        return found

    def answer(self, about: str) -> Answered:
        """Waits for the answer to a decision."""
        return self.wait(lambda: next((e for e in self.of(Answered) if e.about == about), None), "an answer")

    @staticmethod
    def _try(condition: Callable[[], Any]) -> Any:
        try:
            return condition()
        except IndexError:
            return None


@contextmanager
def a_desk(root: Path, **options: Any) -> Iterator[tuple[LiveDesk, Listener]]:
    """A desk at work."""
    options.setdefault("environ", environment(SELFHEAL_OPERATOR="kim"))
    desk, heard = LiveDesk(root, **options), Listener()
    desk.start(heard)
    try:
        yield desk, heard
    finally:
        desk.stop()
