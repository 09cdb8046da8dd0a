"""Keys go to the view in front, also when a view that is hidden by now had asked for the focus."""

from __future__ import annotations

from fakes import NOW, FakeDesk
from textual.widget import Widget

from selfheal_tui.tui.app import Console


async def test_a_late_focus_of_a_hidden_view_goes_to_the_view_in_front():
    app = Console(FakeDesk(), clock=lambda: NOW)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.press("2", "1")
        app.screen.set_focus(app.screen.query_one("#history-list", Widget))
        await pilot.pause()
        assert app.screen.focused is app.screen.query_one("#incident-list")


async def test_going_to_and_fro_leaves_the_keys_of_the_view_in_front():
    app = Console(FakeDesk(), clock=lambda: NOW)
    async with app.run_test(size=(100, 30)) as pilot:
        for key, name in (
            ("2", "history"),
            ("3", "backups"),
            ("4", "insights"),
            ("5", "policy"),
            ("1", "incidents"),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert app.screen.focused is not None
            assert any(node.id == name for node in app.screen.focused.ancestors), name
