"""`selfheal review` opens the console where the operator wants to be."""

from __future__ import annotations

import pytest
from fakes import FakeDesk, a_board

from selfheal_tui.tui.app import Console
from selfheal_tui.tui.screens.review import ReviewScreen


@pytest.mark.parametrize("begin", ["a1b2", "oldest"])
async def test_the_review_of_a_question_is_open_at_once(begin):
    app = Console(FakeDesk(), review=begin)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, ReviewScreen)


async def test_an_incident_without_a_question_is_gone_to():
    desk = FakeDesk()
    app = Console(desk, review="77f0")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert ("look_at", "77f0") in desk.calls
        assert not isinstance(app.screen, ReviewScreen)


async def test_nothing_to_review_is_said():
    app = Console(FakeDesk(a_board(requests=())), review="oldest")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert not isinstance(app.screen, ReviewScreen)
        assert [note.message for note in app._notifications] == ["nothing waits for you"]
