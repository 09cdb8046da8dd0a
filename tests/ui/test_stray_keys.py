"""UX rule 3: a stray key can never approve.

Somebody types, into whatever is in front, while a question arrives; a thousand times. Keys come in bursts, with the times
at which they were pressed, on every view, and among them are the very ones that open a review and that approve in it.
Nothing may be decided within the moment in which nobody can have read the diff. That the same harness notices an
approval is proved first.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import AFTER, BEFORE, a_candidate, a_detail, a_request, a_row
from harness import VIEWS, FullDesk, console, two_questions, until
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from selfheal_tui.operations.desk import BoardChanged, DetailReady
from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.tui.app import Console
from selfheal_tui.tui.arming import ARM_SECONDS
from selfheal_tui.tui.screens.home import HomeScreen
from selfheal_tui.tui.screens.review import ReviewScreen
from selfheal_tui.tui.widgets.footer import Footer

PARTS, ROUNDS = 4, 250
"""A thousand times together; in parts, so that they can run side by side."""
TOGETHER = 5
"""Rounds after which everything is closed; until then a new proposal takes the place of the one that is shown."""
SMALL = (60, 16)
"""Room for every part of a review, and little to paint a thousand times."""
DECIDED = ("approve", "reject", "revise", "next_candidate", "roll_back", "resume")
"""What a stray key may never do. (Holding, pausing and stopping are the safe direction.)"""
OFTEN = (
    *("a", "y", "a", "y", "a", "enter", "escape", "tab", "space", "down", "up", "left", "right", "j", "n"),
    *("a", "h", "w", "P", "O", "R", "backspace", "pagedown", "shift+tab", "v", "U"),
)
WORDS = ("any day", "via", "yes", "approve", "delay", "have a look", "overwrite", "ab3k", "zq7m", "naive way")
LETTERS = "abcdefghijklmnoprstuvwxyz ABCDEFGHJKLMNOPRSTUVWXYZ0123456789/:?.,-+=[]"


class Clock:
    """The time by which keys are pressed and reviews are armed."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Typist:
    """Presses keys as a terminal does: with a time each, and without waiting for what they do."""

    def __init__(self, app: Console, pilot: Pilot[int], clock: Clock, chance: random.Random) -> None:
        self.app, self.pilot, self.clock, self.chance = app, pilot, clock, chance
        self.pressed_in_review = 0

    def press(self, key: str) -> None:
        character = key if len(key) == 1 else {"space": " "}.get(key)
        event = events.Key(_character_to_key(key) if len(key) == 1 else key, character)
        event.time = self.clock.now
        event.set_sender(self.app)
        if key == "a" and isinstance(self.app.screen, ReviewScreen) and self.app.screen.arming.painted:
            self.pressed_in_review += 1
        assert self.app._driver is not None
        self.app._driver.send_message(event)

    def some_text(self) -> list[str]:
        chance = self.chance
        if chance.random() < 0.25:
            return [*chance.choice(WORDS)]
        return [
            chance.choice(OFTEN) if chance.random() < 0.6 else chance.choice(LETTERS)
            for _ in range(chance.randint(3, 9))
        ]

    async def type(self, keys: Sequence[str], seconds: float) -> None:
        """Types within some seconds, sometimes faster than the console takes it."""
        for key in keys:
            self.clock.now += seconds / len(keys)
            self.press(key)
            if self.chance.random() < 0.1:
                await drained(self.app)
        await drained(self.app)


def _quiet(app: Console) -> bool:
    nodes = [app, *(node for screen in app.screen_stack for node in screen.walk_children(with_self=True))]
    return all(node._message_queue.empty() and not node._next_callbacks for node in nodes)


async def drained(app: Console) -> None:
    """Waits until every message was taken; `Pilot.pause` would look for an idle processor, a thousand times."""
    for _ in range(300):
        for _ in range(6):
            await asyncio.sleep(0)
        if _quiet(app):
            return
    raise AssertionError("the console does not come to rest")


async def painted(app: Console) -> bool:
    """Waits for the review that was opened, if one was, to have shown its diff."""
    for _ in range(200):
        screen = app.screen
        if not isinstance(screen, ReviewScreen) or screen.arming.painted:
            break
        await asyncio.sleep(0.005)
    return isinstance(app.screen, ReviewScreen) and app.screen.arming.painted


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Takes the place of the monotonic clock wherever the console arms anything."""
    clock = Clock()
    replaced = 0
    for name, module in list(sys.modules.items()):
        if name.startswith("selfheal_tui.tui.screens.") and getattr(module, "time", None) is __import__(
            "time"
        ):
            stand_in = SimpleNamespace(**{**vars(module.time), "monotonic": clock.monotonic})
            monkeypatch.setattr(module, "time", stand_in)
            replaced += 1
    assert replaced
    return clock


def arrives(desk: FullDesk, number: int, *, needs_code: bool) -> None:
    """A question about a patch that was never seen comes in."""
    incident = f"{number // TOGETHER:04x}"
    request = a_request(
        incident, request_id=f"req-{number}", needs_code=needs_code, code="zq7m" if number % 2 else "ab3k"
    )
    row = a_row(incident, request_id=request.request_id)
    change = FileChange("app/agent.py", BEFORE, f"{AFTER}# {number}\n")
    detail = a_detail(incident, row=row, request=request, candidates=(a_candidate(changes=(change,)),))
    desk.details[incident] = detail
    others = tuple(one for one in desk.board.rows if not one.needs_person)[:4]
    desk.tell(
        BoardChanged(replace(desk.board, revision=number + 10, rows=(row, *others), requests=(request,)))
    )
    desk.tell(DetailReady(detail))


async def test_the_same_typing_does_approve_once_the_diff_was_there_long_enough(clock: Clock) -> None:
    desk = two_questions()
    async with console(desk, (80, 24)) as (app, pilot):
        typist = Typist(app, pilot, clock, random.Random(1))
        arrives(desk, 1, needs_code=False)
        await pilot.pause()
        await typist.type(["v"], 0.01)
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and app.screen.arming.painted)
        clock.now += ARM_SECONDS + 0.05
        screen: Any = app.screen
        await until(pilot, lambda: screen.arming.armed)
        await typist.type(["a"], 0.01)
        assert desk.made(*DECIDED) == [("approve", "req-1", "", "")]


@pytest.mark.parametrize("part", range(PARTS))
async def test_random_text_while_a_question_arrives_decides_nothing_a_thousand_times(
    part: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Console, "exit", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(Console, "notify", lambda *_args, **_kwargs: None)  # thousands of toasts
    chance = random.Random(part)
    desk = two_questions()
    reviews = 0
    async with console(desk, SMALL) as (app, pilot):
        typist = Typist(app, pilot, clock, chance)
        app._begin_batch()  # nothing but reviews is painted: what decides is the same
        for number in range(1, ROUNDS + 1):
            if number % 20 == 0:
                app.go(VIEWS[number // 20 % 5])
            keys = typist.some_text()
            arrival = chance.randint(0, len(keys))
            # All of a round's keys are pressed within the moment in which nothing may be decided.
            moment = ARM_SECONDS * chance.uniform(0.2, 0.95)
            spent = moment * arrival / len(keys)
            await typist.type(keys[:arrival], spent)
            arrives(desk, number, needs_code=chance.random() < 0.3)
            if chance.random() < 0.08:
                await typist.type(["v"], 0.0)
            if isinstance(app.screen, ReviewScreen) and chance.random() < 0.35:
                app._end_batch()
                reviews += await painted(app)
                app._begin_batch()
            await typist.type(keys[arrival:], moment - spent)
            assert not desk.made(*DECIDED), (number, keys)
            if number % TOGETHER == 0 or not isinstance(app.screen, HomeScreen | ReviewScreen):
                app.go("incidents")
                app.home.view.back()
                await drained(app)
            clock.now += 10.0
        app._end_batch()
    assert reviews > ROUNDS / 20, "the review was hardly ever read: this proved little"
    assert typist.pressed_in_review > ROUNDS / 25


async def test_a_key_from_before_the_arming_is_swallowed_though_the_footer_is_drawn_meanwhile(
    clock: Clock,
) -> None:
    desk = two_questions()
    async with console(desk, (80, 24)) as (app, pilot):
        typist = Typist(app, pilot, clock, random.Random(1))
        await typist.type(["v"], 0.01)
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and app.screen.arming.painted)
        screen: Any = app.screen
        late = events.Key("a", "a")
        late.time = clock.now
        clock.now += ARM_SECONDS + 0.05
        await until(pilot, lambda: screen.arming.armed)
        screen.on_key(late)
        screen.query_one(Footer).render()
        screen.action_act("review.approve")
        assert not desk.made(*DECIDED)
        # One that went to another screen first, so that nobody here knows how old it is.
        screen.action_act("review.approve")
        assert not desk.made(*DECIDED)
        await typist.type(["a"], 0.01)
        assert desk.made(*DECIDED) == [("approve", "req-a1b2", "", "")]
