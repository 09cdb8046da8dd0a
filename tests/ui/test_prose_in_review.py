"""Somebody who types on after the review opened decides nothing: prose disarms the keys again and again."""

from __future__ import annotations

import pytest
from fakes import NOW, FakeDesk

from selfheal_tui.tui.app import Console
from selfheal_tui.tui.arming import Stage
from selfheal_tui.tui.screens.review import ReviewScreen


async def armed(pilot, app):
    for _ in range(200):
        await pilot.pause(0.02)
        if isinstance(app.screen, ReviewScreen) and app.screen.stage is Stage.ARMED:
            return
    pytest.fail("the review was never armed")


async def test_a_letter_that_does_nothing_disarms_the_next_one():
    desk = FakeDesk()
    app = Console(desk, review="a1b2", clock=lambda: NOW)
    async with app.run_test(size=(100, 30)) as pilot:
        await armed(pilot, app)
        await pilot.press("z", "a")
        await pilot.pause()
        assert desk.made() == []
        assert (
            "press it again" in [note.message for note in app._notifications][-1]
            or app.screen.stage is Stage.WAITING
        )
        assert isinstance(app.screen, ReviewScreen)
        await armed(pilot, app)
        await pilot.press("a")
        await pilot.pause()
        assert [call[0] for call in desk.made()] == ["approve"]
