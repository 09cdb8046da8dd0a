"""Errands are told, answered whatever happens in them, ended early when asked to, and never waited for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from selfheal_tui.operations.answers import Answer
from selfheal_tui.operations.desk import Answered, DeskEvent, Working
from selfheal_tui.operations.errands import Errand, Errands
from selfheal_tui.store import ApprovalConflictError

DONE = Answer(ok=True, text="done")


class Told:
    def __init__(self) -> None:
        self.events: list[DeskEvent] = []
        self.answered = threading.Semaphore(0)

    def __call__(self, event: DeskEvent) -> None:
        self.events.append(event)
        if isinstance(event, Answered):
            self.answered.release()

    def answer(self) -> Answered:
        assert self.answered.acquire(timeout=30)
        return [event for event in self.events if isinstance(event, Answered)][-1]


@contextlib.contextmanager
def nothing() -> Iterator[Any]:
    yield None


def an_errand(act: Any, **changes: Any) -> Errand:
    return Errand(**({"about": "q1", "text": "proving", "act": act, "opening": nothing} | changes))


def test_it_is_told_at_both_ends_and_then_answered() -> None:
    told, looks = Told(), []
    errands = Errands(told, lambda: looks.append(1))
    errands.start(an_errand(lambda _project, _stop: DONE))
    assert told.answer() == Answered("q1", ok=True, text="done")
    assert [type(event) for event in told.events] == [Working, Working, Answered]
    assert [event.ended for event in told.events[:2]] == [False, True]
    assert looks == [1]


def test_a_quick_one_is_told_by_its_answer_alone() -> None:
    told = Told()
    Errands(told, lambda: None).start(an_errand(lambda _project, _stop: DONE, quick=True))
    told.answer()
    assert len(told.events) == 1


@pytest.mark.parametrize(
    "error",
    [ApprovalConflictError("it is answered", "look again"), OSError(28, "no space"), ZeroDivisionError()],
)
def test_a_failure_is_an_answer(error: Exception) -> None:
    def act(_project: object, _stop: threading.Event) -> Answer:
        raise error

    told = Told()
    Errands(told, lambda: None).start(an_errand(act))
    answer = told.answer()
    assert not answer.ok
    assert answer.text.startswith("proving")


def test_a_project_that_cannot_be_opened_is_an_answer() -> None:
    def broken() -> Any:
        raise ApprovalConflictError("broken", "mend it")

    told = Told()
    Errands(told, lambda: None).start(an_errand(lambda _project, _stop: DONE, opening=broken))
    assert not told.answer().ok


def test_a_second_one_about_the_same_is_refused_and_one_about_something_else_is_not() -> None:
    told = Told()
    errands = Errands(told, lambda: None)
    go = threading.Event()
    errands.start(an_errand(lambda _project, _stop: (go.wait(30), DONE)[1]))
    errands.start(an_errand(lambda _project, _stop: DONE))
    assert "not now: proving" in told.answer().text
    errands.start(an_errand(lambda _project, _stop: DONE, about="q2"))
    assert told.answer().ok
    go.set()
    assert told.answer().ok
    errands.start(an_errand(lambda _project, _stop: DONE))
    assert told.answer().ok


def test_cancelling_and_closing_ask_it_to_end_and_nothing_is_taken_afterwards() -> None:
    told = Told()
    errands = Errands(told, lambda: None)

    def act(_project: object, stop: threading.Event) -> Answer:
        return Answer(ok=not stop.wait(30), text="ended early")

    errands.start(an_errand(act))
    working = told.events[0]
    assert isinstance(working, Working)
    assert errands.cancel(working.errand)
    assert not told.answer().ok
    assert not errands.cancel(working.errand)
    errands.start(an_errand(act, about="q2"))
    errands.close()
    assert not told.answer().ok
    assert errands.join(30)
    errands.start(an_errand(act, about="q3"))
    assert "being closed" in told.answer().text
