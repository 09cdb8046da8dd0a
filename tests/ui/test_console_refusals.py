"""A key that cannot be used says why (UX rule 2); help, palette and errands show what there is; escape always goes back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import NOW, FakeDesk, a_board, a_program
from harness import FullDesk, console, names, screen_text, toasts, two_questions, until
from textual.widgets import Input

from selfheal_tui.operations.desk import Working
from selfheal_tui.tui.actions import of_context
from selfheal_tui.tui.screens.review import ReviewScreen
from selfheal_tui.tui.widgets.rowlist import RowList


@pytest.mark.parametrize(
    ("row", "key", "why"),
    [
        ("a1b2", "R", "it is being worked on"),
        ("77f0", "R", "it is healed"),
        ("77f0", "X", "nothing is being done about it any more"),
        ("a1b2", "U", "it has no applied fix to take back"),
    ],
)
async def test_what_cannot_be_done_with_an_incident_is_said(row: str, key: str, why: str) -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        app.home.view.go_to(row)
        await pilot.press(key)
        assert any(why in text for text in toasts(app)), toasts(app)
        assert app.screen is app.home
        assert not desk.made()


async def test_without_incidents_questions_or_programs_each_key_says_so() -> None:
    desk = FullDesk(a_board(rows=(), requests=(), programs=()), empty=True)
    async with console(desk) as (app, pilot):
        for key, why in (
            ("v", "no fix waits for you"),
            ("n", "no fix waits for you"),
            ("a", "no fix waits for you"),
            ("y", "there is no incident"),
            ("R", "there is no incident"),
            ("ctrl+r", "supervises no program"),
            ("ctrl+x", "supervises no program"),
            ("p", "supervises no program"),
        ):
            before = len(toasts(app))
            await pilot.press(key)
            assert why in toasts(app)[-1], key
            assert len(toasts(app)) == before + 1
        await pilot.press("2", "E")
        assert "there are no attempts yet" in toasts(app)[-1]
        await pilot.press("4", "E")
        assert "nothing to plot yet" in toasts(app)[-1]
        assert app.screen is app.home
        assert not desk.made("export", "retry", "cancel", "restart_program", "stop_program")


async def test_a_program_that_does_not_run_cannot_be_stopped_but_started() -> None:
    desk = FakeDesk(a_board(programs=(a_program(pid=0),)))
    async with console(desk) as (app, pilot):
        await pilot.press("ctrl+x", "ctrl+r")
        assert any("agent does not run" in text for text in toasts(app))
        assert desk.made("restart_program", "stop_program") == [("restart_program", "agent")]
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_a_read_only_console_refuses_every_decision_and_says_where_to_decide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ReviewScreen, "arm_seconds", 0.01)
    desk = two_questions()
    desk.board = replace(desk.board, read_only=True)
    async with console(desk) as (app, pilot):
        assert "read-only" in screen_text(app)
        await pilot.press("R", "X", "ctrl+r", "ctrl+x", "5", "K", "1", "v")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and not app.screen.arming.why)
        for key in ("a", "r", "e", "h", "n", "P"):
            await pilot.press(key)
            assert "read-only" in toasts(app)[-1], key
        assert isinstance(app.screen, ReviewScreen)
        assert not desk.made()


async def test_help_lists_the_keys_of_here_and_no_others() -> None:
    async with console(size=(120, 60)) as (app, pilot):
        for view, contexts, absent in (
            ("1", ("incidents", "list", "app"), ("history", "review", "backups")),
            ("2", ("history", "list", "app"), ("incidents", "review", "policy")),
            ("5", ("policy", "list", "app"), ("incidents", "backups", "insights")),
        ):
            await pilot.press(view, "question_mark")
            pane = app.screen.query_one("#help-text")
            shown = pane.plain  # type: ignore[attr-defined]  # is a text pane
            for context in contexts:
                for action in of_context(context):
                    assert action.help in shown, action.id
            for context in absent:
                here = {action.help for name in contexts for action in of_context(name)}
                for action in of_context(context):
                    assert action.help not in shown or action.help in here, action.id
            await pilot.press("escape")


async def test_the_palette_finds_an_action_by_its_name_and_does_it() -> None:
    async with console() as (app, pilot):
        await pilot.press("colon")
        app.screen.query_one(Input).value = "backup tree"
        await until(pilot, lambda: "Backups (3)" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.home and app.home.view.id == "backups")


async def test_long_work_is_listed_with_its_time_and_ended_from_there() -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        desk.tell(Working("e1", "proving your edit of #a1b2", NOW - 12, ended=False))
        await pilot.pause()
        assert "1 at work" in screen_text(app)
        await pilot.press("W")
        await pilot.pause()
        assert "12 s  proving your edit of #a1b2" in screen_text(app)
        await pilot.press("x")
        assert desk.made("cancel_errand") == [("cancel_errand", "e1")]
        desk.tell(Working("e1", "", NOW, ended=True))
        await pilot.pause()
        assert "nothing long runs here" in screen_text(app)


async def test_escape_always_goes_one_step_back_and_ends_nothing() -> None:
    desk = two_questions()
    async with console(desk, (80, 24)) as (app, pilot):
        for keys in (("question_mark",), ("W",), ("q",), ("v",), ("5", "K"), ("2", "E"), ("3", "j", "R")):
            await pilot.press(*keys)
            await until(pilot, lambda: app.screen is not app.home, f"{keys} opened nothing")
            await pilot.press("escape")
            await until(
                pilot, lambda: app.screen is app.home, f"{keys} was not closed: {names(app.screen_stack)}"
            )
            await pilot.press("1")
        await pilot.press("enter", "escape")
        assert app.home.query_one("#incident-list", RowList).has_focus
        await pilot.press("escape", "escape", "escape")
        assert app.return_code is None
        assert not desk.made()
