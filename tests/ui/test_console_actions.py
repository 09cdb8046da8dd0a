"""Every action of the registry, done by its key in the whole console: what it brings about is what is looked at.

One story a context; each story ends with the check that it did all actions of its context, so that an action which is
added to the registry fails here until somebody exercises it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import (
    AFTER,
    BEFORE,
    NOW,
    RUNNING,
    FakeDesk,
    a_board,
    a_candidate,
    a_program,
    a_row,
)
from harness import FullDesk, a_preview, console, names, screen_text, toasts, two_questions, until
from textual.pilot import Pilot

from selfheal_tui.operations.desk import Answered, BoardChanged, PreviewReady, Working
from selfheal_tui.operations.snapshot import EngineView, FileChange
from selfheal_tui.tui.acting import Acting
from selfheal_tui.tui.actions import ACTIONS, Action, of_context
from selfheal_tui.tui.app import Console
from selfheal_tui.tui.screens.armed import ArmedScreen
from selfheal_tui.tui.screens.review import ReviewScreen
from selfheal_tui.tui.widgets.detail import DetailPane
from selfheal_tui.tui.widgets.diffview import DiffView
from selfheal_tui.tui.widgets.output import OutputPane
from selfheal_tui.tui.widgets.rowlist import RowList
from selfheal_tui.tui.widgets.textpane import TextPane

Story = Callable[[], Awaitable[None]]
STORIES: dict[str, Story] = {}


def story(context: str) -> Callable[[Story], Story]:
    """Marks the story that does every action of a context."""

    def put(told: Story) -> Story:
        STORIES[context] = told
        return told

    return put


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of actions that were done, in order; a refused one is not among them."""
    found: list[str] = []
    real, refuse = Acting.action_act, Console.say_no

    def act(self: Acting, action_id: str) -> None:
        found.append(action_id)
        real(self, action_id)

    def say_no(self: Console, action: Action, reason: str) -> None:
        if found and found[-1] == action.id:
            found.pop()
        refuse(self, action, reason)

    monkeypatch.setattr(Acting, "action_act", act)
    monkeypatch.setattr(Console, "say_no", say_no)
    monkeypatch.setattr(ArmedScreen, "arm_seconds", 0.02)
    return found


@pytest.mark.parametrize("context", sorted({action.context for action in ACTIONS}))
async def test_each_action_of_a_context_does_what_it_says(context: str, done: list[str]) -> None:
    assert context in STORIES, f"no story does the actions of {context}"
    await STORIES[context]()
    missed = {action.id for action in of_context(context)} - set(done)
    assert not missed, f"no story presses {sorted(missed)}"


def the_list(app: Console) -> RowList[Any]:
    return app.home.query_one("#incident-list", RowList)


# -- everywhere --------------------------------------------------------------------------------------


@story("app")
async def everywhere() -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        for key, view in zip("23451", ("history", "backups", "insights", "policy", "incidents"), strict=True):
            await pilot.press(key)
            assert app.home.view.id == view
        await pilot.press("question_mark")
        assert names(app.screen_stack)[-1] == "HelpScreen"
        await pilot.press("escape")
        assert app.screen is app.home
        await pilot.press("colon")
        assert names(app.screen_stack)[-1] == "Palette"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.home)
        seen = [app.theme]
        for _ in range(3):
            await pilot.press("T")
            seen.append(app.theme)
        assert seen == ["selfheal-dark", "selfheal-light", "selfheal-terminal", "selfheal-dark"]
        await pilot.press("A")
        assert screen_text(app).isascii()
        await pilot.press("A")
        assert not screen_text(app).isascii()
        await pilot.press("W")
        assert names(app.screen_stack)[-1] == "ErrandsScreen"
        await pilot.press("escape")
        await pilot.press("ctrl+s")
        [(_, kind, form, file)] = desk.made("export")
        assert (kind, form) == ("screenshot", "svg")
        assert file.startswith("/srv/demo-agent/selfheal-")
        await pilot.press("4", "escape")
        assert app.home.view.id == "incidents"
        await pilot.press("q")
        assert "This stops agent" in screen_text(app)
        await pilot.press("escape")
        assert app.screen is app.home
        await pilot.press("q", "q")
        await pilot.pause()
    assert app.return_code == 0
    assert not desk.made()


# -- lists -------------------------------------------------------------------------------------------


@story("list")
async def lists() -> None:
    rows = tuple(a_row(f"{n:04x}", needs_person=False, request_id="") for n in range(200))
    async with console(FakeDesk(a_board(rows=rows, requests=()))) as (app, pilot):
        rows_list = the_list(app)
        places = []
        for keys in ("j", "j", "k", "G", "k", "g", "ctrl+d", "ctrl+u"):
            await pilot.press(keys)
            places.append(rows_list.cursor_index)
        half = places[-2]
        assert places == [1, 2, 1, 199, 198, 0, half, 0]
        assert half > 5
        await pilot.press("slash", *"00c7")
        assert rows_list.cursor_key == "00c7"
        assert "1 of 200" in screen_text(app)
        await pilot.press("enter", "j")
        assert rows_list.has_focus
        await pilot.press("escape")
        assert rows_list.row_count == 200
        assert rows_list.cursor_key == "00c7"


# -- incidents ---------------------------------------------------------------------------------------


@story("incidents")
async def incidents() -> None:
    desk = two_questions()
    desk.board = replace(desk.board, programs=(a_program(), a_program(name="worker", pid=12)))
    async with console(desk) as (app, pilot):
        rows, detail = the_list(app), app.home.query_one(DetailPane)
        assert desk.made("look_at")[-1] == ("look_at", "a1b2")
        await pilot.press("n")
        assert rows.cursor_key == "e5f6"
        await pilot.press("n")
        assert rows.cursor_key == "a1b2"

        tabs = []
        for _ in range(5):
            await pilot.press("tab")
            tabs.append(detail.tab)
        assert tabs == ["diff", "proof", "timeline", "output", "overview"]
        await pilot.press("shift+tab")
        assert detail.tab == "output"
        await pilot.press("p")
        assert app.home.query_one(OutputPane).program == "worker"
        await pilot.press("ctrl+r", "ctrl+x")
        assert desk.made("restart_program", "stop_program") == [
            ("restart_program", "worker"),
            ("stop_program", "worker"),
        ]
        await pilot.press("tab")

        await pilot.press("enter")
        assert detail.has_focus_within
        await pilot.press("enter")
        assert detail.has_focus_within
        await pilot.press("escape")
        assert rows.has_focus

        await pilot.press("space")
        assert "held" in screen_text(app)
        newer = a_row("0001", last_seen=NOW, needs_person=False, request_id="")
        desk.tell(BoardChanged(replace(desk.board, revision=2, rows=(newer, *desk.board.rows))))
        await pilot.pause()
        assert "1 waiting" in screen_text(app)
        await pilot.press("space")
        assert rows.row_count == 7
        assert rows.cursor_key == "a1b2"

        for key in ("v", "d"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
            assert isinstance(app.screen, ReviewScreen)
            assert app.screen.request_id == "req-a1b2"
            await pilot.press("escape")
        assert any("read the diff" in text for text in toasts(app))

        await pilot.press("y")
        assert app.clipboard == "#a1b2 AttributeError app/agent.py:88"
        await pilot.press("X")
        assert desk.made("cancel") == [("cancel", "a1b2")]
        app.home.view.go_to("90aa")
        await pilot.press("R")
        assert desk.made("retry") == [("retry", "90aa")]
        app.home.view.go_to("77f0")
        await pilot.press("U")
        await until(pilot, lambda: names(app.screen_stack)[-1] == "RollbackScreen")
        assert desk.made("ask_preview") == [("ask_preview", "77f0")]
        assert not desk.made("approve", "reject", "roll_back")


# -- review ------------------------------------------------------------------------------------------

TWO_HUNKS = FileChange(
    "app/agent.py",
    BEFORE + "".join(f"x{n} = {n}\n" for n in range(30)),
    AFTER + "".join(f"x{n} = {n}\n" for n in range(29)) + "x29 = 'last'\n",
)


def with_two_hunks() -> FullDesk:
    desk = two_questions()
    detail = desk.details["a1b2"]
    candidate = a_candidate(changes=(TWO_HUNKS,), added=2, removed=2)
    desk.details["a1b2"] = replace(detail, candidates=(candidate,))
    return desk


async def open_review(app: Console, pilot: Pilot[int], key: str = "v") -> ReviewScreen:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and not app.screen.arming.why)
    assert isinstance(app.screen, ReviewScreen)
    return app.screen


async def armed(pilot: Pilot[int], screen: ReviewScreen) -> None:
    await pilot.pause()  # what was told before is heard first
    await until(pilot, lambda: not screen.arming.why)


@story("review")
async def review() -> None:
    desk = with_two_hunks()
    async with console(desk) as (app, pilot):
        screen = await open_review(app, pilot)
        await pilot.press("p")
        assert screen.query_one("#review-proof", TextPane).has_focus
        await pilot.press("d")
        assert screen.query_one(DiffView).has_focus
        await pilot.press("w")
        assert names(app.screen_stack)[-1] == "WhyScreen"
        assert "production always asks" in screen_text(app)
        await pilot.press("escape")
        await armed(pilot, screen)

        await pilot.press("h")
        assert len(screen.query_one(DiffView).chosen_hunks) == 1
        await pilot.press("a")
        assert not desk.made()
        assert any("unproved" in text for text in toasts(app))
        await pilot.press("P")
        [(_, request, files, what)] = desk.made("revise")
        assert (request, what) == ("req-a1b2", "1 of 2 hunks")
        assert [file.path for file in files] == ["app/agent.py"]
        desk.tell(Working("errand-1", "proving 1 of 2 hunks", NOW, ended=False, about="req-a1b2"))
        await pilot.pause()
        await pilot.press("X")
        assert desk.made("cancel_errand") == [("cancel_errand", "errand-1")]
        desk.tell(Working("errand-1", "", NOW, ended=True, about="req-a1b2"))
        desk.tell(Answered("req-a1b2", ok=False, text="cancelled; the question stays as it is"))
        await armed(pilot, screen)
        await pilot.press("h")
        await pilot.press("n")
        assert desk.made("next_candidate") == [("next_candidate", "req-a1b2")]
        desk.tell(Answered("req-a1b2", ok=False, text="there is no other one"))
        await armed(pilot, screen)

        edited = AFTER + "# by hand\n"

        def editor(command: list[str]) -> int:
            Path(command[-1]).write_text(edited, encoding="utf-8")
            return 0

        screen.run_editor = editor  # type: ignore[method-assign]  # no terminal to suspend here
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EDITOR", "true")
            patch.delenv("VISUAL", raising=False)
            await pilot.press("e")
        assert desk.made("revise")[-1][3] == "edited by hand", toasts(app)
        desk.tell(Answered("req-a1b2", ok=False, text="the proof failed"))
        await armed(pilot, screen)

        await pilot.press("r")
        assert names(app.screen_stack)[-1] == "ReasonScreen"
        await pilot.press("escape")
        assert not desk.made("reject")
        await armed(pilot, screen)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and app.screen is not screen)
        other = app.screen
        assert isinstance(other, ReviewScreen)
        assert other.request_id == "req-e5f6"
        await pilot.press("N")
        await until(pilot, lambda: getattr(app.screen, "request_id", "") == "req-a1b2")
        first = app.screen
        assert isinstance(first, ReviewScreen)
        await armed(pilot, first)
        await pilot.press("r", *"too wide", "enter")
        await until(pilot, lambda: app.screen is app.home)
        assert desk.made("reject") == [("reject", "req-a1b2", "too wide")]
        desk.board = replace(desk.board, revision=3)
        screen = await open_review(app, pilot)
        await pilot.press("a")
        await until(pilot, lambda: app.screen is app.home)
        assert desk.made("approve") == [("approve", "req-a1b2", "", "")]


async def test_where_the_proof_warns_a_key_alone_does_not_approve_and_the_code_does(done: list[str]) -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        await pilot.press("n")
        screen = await open_review(app, pilot)
        assert screen.request_id == "req-e5f6"
        await pilot.press("a")
        assert names(app.screen_stack)[-1] == "CodeScreen"
        await pilot.press(*"aaaa", "enter")
        assert names(app.screen_stack)[-1] == "CodeScreen"
        assert not desk.made()
        await pilot.press(*"zq7m")
        await until(pilot, lambda: app.screen is app.home)
        assert desk.made() == [("approve", "req-e5f6", "zq7m", "")]


async def test_number_keys_leave_a_review_and_decide_nothing(done: list[str]) -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        for key, view in (("2", "history"), ("1", "incidents"), ("5", "policy")):
            await pilot.press("1")
            await open_review(app, pilot)
            await pilot.press(key)
            assert app.screen is app.home
            assert app.home.view.id == view
        assert not desk.made()


# -- diff --------------------------------------------------------------------------------------------


@story("diff")
async def diff() -> None:
    desk = with_two_hunks()
    long = FileChange("app/long.py", "y = 1\n" + "# " + "z" * 400 + "\n", "y = 2\n" + "# " + "z" * 400 + "\n")
    detail = desk.details["a1b2"]
    candidate = replace(detail.candidates[0], changes=(TWO_HUNKS, long))
    desk.details["a1b2"] = replace(detail, candidates=(candidate,))
    async with console(desk, (80, 24)) as (app, pilot):
        screen = await open_review(app, pilot)
        view = screen.query_one(DiffView)
        before = screen_text(app)
        await pilot.press("v")
        assert screen_text(app) != before
        await pilot.press("v")
        assert screen_text(app) == before
        height = view.virtual_size.height
        await pilot.press("plus")
        assert view.virtual_size.height > height
        await pilot.press("minus")
        assert view.virtual_size.height == height

        async def shown_after(key: str) -> str:
            await pilot.press(key)
            await pilot.pause()
            return screen_text(app)

        assert view.current_hunk == (0, 0)
        await shown_after("right_square_bracket")
        assert view.current_hunk == (0, 1)
        await shown_after("left_square_bracket")
        assert view.current_hunk == (0, 0)
        await pilot.press("plus", "plus", "plus", "plus")
        for there, back in (("j", "k"), ("ctrl+d", "ctrl+u"), ("G", "g"), ("right", "left")):
            await pilot.press("g")
            await pilot.pause()
            at = (view.scroll_offset, screen_text(app))
            assert (await shown_after(there)) != at[1], there
            await shown_after(back)
            assert view.scroll_offset == at[0], back
        await pilot.press("f", "f")
        await pilot.pause()
        assert "app/long.py" in screen_text(app), screen_text(app)
        assert not desk.made()


# -- history, backups, rollback ----------------------------------------------------------------------


@story("history")
async def history() -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        await pilot.press("2")
        rows = app.home.query_one("#history-list", RowList)
        newest_first = list(rows._keys)
        assert newest_first == ["attempt-1", "attempt-2", "attempt-3"]
        await pilot.press("S")
        assert rows._keys == newest_first[::-1]
        await pilot.press("s")
        assert rows._keys == sorted(rows._keys, key=lambda k: {"1": "77f0", "2": "a1b2", "3": "90aa"}[k[-1]])
        assert rows.cursor_key == "attempt-1"
        await pilot.press("slash", *"sonnet", "enter")
        assert rows._keys == ["attempt-2"]
        await pilot.press("V")
        assert any("118 records, whole" in text for text in toasts(app))

        await pilot.press("E")
        assert names(app.screen_stack)[-1] == "ExportScreen"
        await pilot.press("down", "enter", "tab", "enter")
        await until(pilot, lambda: app.screen is app.home)
        assert desk.made("export") == [("export", "history", "csv", "selfheal-history.csv")]
        await pilot.press("E", "escape")
        assert len(desk.made("export")) == 1

        await pilot.press("enter")
        assert app.home.view.id == "incidents"
        assert the_list(app).cursor_key == "a1b2"
        await pilot.press("2")
        app.home.query_one("#history-text", TextPane).focus()
        await pilot.press("enter")
        assert app.home.view.id == "incidents"


@story("backups")
async def backup_tree() -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        await pilot.press("3")
        rows = app.home.query_one("#backups-list", RowList)
        assert rows.row_count == 5
        await pilot.press("enter")
        assert rows.row_count == 3
        app.home.query_one("#backups-diff", DiffView).focus()
        await pilot.press("enter")
        assert rows.row_count == 5
        rows.focus()
        await pilot.press("j", "R")
        await until(pilot, lambda: names(app.screen_stack)[-1] == "RollbackScreen")
        await pilot.press("escape", "u")
        await until(pilot, lambda: names(app.screen_stack)[-1] == "RollbackScreen")
        assert desk.made("ask_preview")[-1] == ("ask_preview", "undo")
        assert not desk.made()


@story("rollback")
async def taking_back() -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        await pilot.press("3", "j", "R")
        await until(pilot, lambda: names(app.screen_stack)[-1] == "RollbackScreen")
        screen: Any = app.screen
        target = "app/agent.py.1.bak"
        await until(pilot, lambda: screen.arming.armed)
        await pilot.press("O")
        assert any("there is no conflict" in text for text in toasts(app))
        await pilot.press("y")
        assert desk.made() == [("roll_back", target, False, "")]
        conflicting = replace(a_preview(target), conflicts=("app/agent.py",))
        desk.ask_preview = lambda asked: desk.tell(PreviewReady(asked, conflicting))  # type: ignore[method-assign]
        desk.tell(Answered(target, ok=False, text="edited since"))
        await until(pilot, lambda: screen._preview is conflicting and screen.arming.armed)
        await pilot.press("y")
        assert len(desk.made()) == 1
        await pilot.press("O", *"overwrite", "enter")
        await until(pilot, lambda: len(desk.made()) == 2)
        assert desk.made()[-1] == ("roll_back", target, True, "")


# -- insights and policy -----------------------------------------------------------------------------


@story("insights")
async def plots() -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        await pilot.press("4")
        assert "last 30 days" in screen_text(app)
        seen = []
        for _ in range(4):
            await pilot.press("t")
            seen.append(str(app.home.query_one("#insights-pane").border_title))
        assert [text.rpartition("·")[2].strip() for text in seen] == [
            "last 7 days",
            "last 90 days",
            "all days",
            "last 30 days",
        ]
        await pilot.press("E", "tab", "enter")
        await until(pilot, lambda: app.screen is app.home)
        assert desk.made("export") == [("export", "insights", "svg", "selfheal-insights.svg")]


@story("policy")
async def kill_switch() -> None:
    desk = two_questions()
    async with console(desk) as (app, pilot):
        await pilot.press("5", "K")
        assert names(app.screen_stack)[-1] == "PauseScreen"
        await pilot.press("escape")
        assert not desk.made()
        await pilot.press("K", *"release", "enter")
        await until(pilot, lambda: app.screen is app.home)
        assert desk.made() == [("pause", "release")]
        paused = EngineView(replace(RUNNING, word="paused"))
        desk.tell(BoardChanged(replace(desk.board, revision=5, engine=paused)))
        await pilot.pause()
        assert "PAUSED" in screen_text(app)
        await pilot.press("K", "enter")
        await until(pilot, lambda: app.screen is app.home)
        assert desk.made()[-1] == ("resume",)
