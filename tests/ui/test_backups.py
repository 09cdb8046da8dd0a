"""The backup tree and the preview of a restore: every key, every state, and nothing written by accident."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from fakes import NOW, FakeDesk, a_board
from textual import events
from textual.pilot import Pilot

from selfheal_tui.operations.desk import Answered, BackupsReady, PreviewReady
from selfheal_tui.operations.snapshot import (
    BackupFile,
    BackupVersion,
    FileChange,
    RollbackPreview,
    Standing,
    Tone,
)
from selfheal_tui.tui.app import Console
from selfheal_tui.tui.screens.rollback import OverwriteScreen, RollbackScreen
from selfheal_tui.tui.views import backups as view_module
from selfheal_tui.tui.views.backups import Line
from selfheal_tui.tui.widgets.diffview import DiffView
from selfheal_tui.tui.widgets.rowlist import RowList

CAN = Standing("can be restored", "○", "o", Tone.GOOD)
IS_THERE = Standing("is what is there now", "●", "*", Tone.QUIET)
NOW_TEXT = "a = 1\nb = 'fixed'\n"
OLD_TEXT = "a = 1\nb = 'broken'\n"


def a_version(number: int, path: str = "app/agent.py", **changes: Any) -> BackupVersion:
    version = BackupVersion(
        backup_id=f"{path}.{number}.bak",
        path=path,
        created_at=NOW - number,
        what=f"before the fix of #a1b{number}",
        sha="0123456789ab",
        incident_id=f"a1b{number}",
        transaction_id=f"t{number}",
        size=20,
        standing=CAN,
    )
    return replace(version, **changes)


FILES = (
    BackupFile("app/agent.py", (a_version(1), a_version(2, standing=IS_THERE))),
    BackupFile("app/store.py", (a_version(3, "app/store.py"),)),
)
VERSION = FILES[0].versions[0].backup_id


def a_preview(target: str = VERSION, **changes: Any) -> RollbackPreview:
    change = FileChange("app/agent.py", NOW_TEXT, OLD_TEXT, "restore")
    preview = RollbackPreview(target, "restore app/agent.py", (change,))
    return replace(preview, **changes)


class BackupDesk(FakeDesk):
    """Answers questions about backups at once."""

    def __init__(self, files: tuple[BackupFile, ...] = FILES, **board: Any) -> None:
        super().__init__(a_board(**board))
        self.files = files
        self.previews: dict[str, RollbackPreview | str] = {}
        self.outcome = Answered("", ok=True, text="restored")

    def ask_backups(self) -> None:
        super().ask_backups()
        self.tell(BackupsReady(self.files))

    def ask_preview(self, target: str) -> None:
        super().ask_preview(target)
        found = self.previews.get(target, a_preview(target))
        event = PreviewReady(target, None, found) if isinstance(found, str) else PreviewReady(target, found)
        self.tell(event)

    def answer(self, target: str, *, ok: bool, text: str = "") -> None:
        self.tell(Answered(target, ok=ok, text=text or "told"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RollbackScreen, "arm_seconds", 0.02)
    monkeypatch.setattr(view_module, "REST_SECONDS", 0.01)


@asynccontextmanager
async def shown(
    desk: FakeDesk, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[Console, Pilot[int]]]:
    console = Console(desk, bell=False, desktop=False, clock=lambda: NOW)
    async with console.run_test(size=size) as pilot:
        await pilot.press("3")
        await pilot.pause()
        yield console, pilot


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not happen")


def keys(console: Console) -> list[str]:
    rows = console.home.query_one("#backups-list", RowList)
    return list(rows._keys)


def rows_of(console: Console) -> RowList[Line]:
    return console.home.query_one("#backups-list", RowList)


def facts(console: Console) -> str:
    return str(console.home.query_one("#backups-facts").render())


async def open_preview(console: Console, pilot: Pilot[int], key: str = "R") -> RollbackScreen:
    if key == "R":
        await pilot.press("j")
    await pilot.press(key)
    await until(pilot, lambda: isinstance(console.screen, RollbackScreen))
    assert isinstance(console.screen, RollbackScreen)
    return console.screen


async def armed(pilot: Pilot[int], screen: RollbackScreen) -> None:
    await until(pilot, lambda: screen.arming.armed)


async def test_files_and_versions_are_a_tree_that_folds() -> None:
    async with shown(BackupDesk()) as (console, pilot):
        assert keys(console) == [
            "file app/agent.py",
            f"version {VERSION}",
            "version app/agent.py.2.bak",
            "file app/store.py",
            "version app/store.py.3.bak",
        ]
        await pilot.press("enter")
        assert keys(console) == ["file app/agent.py", "file app/store.py", "version app/store.py.3.bak"]
        await pilot.press("enter", "j", "enter")
        await pilot.pause()
        assert rows_of(console).cursor_key == "file app/agent.py"
        assert len(keys(console)) == 3


async def test_the_version_under_the_cursor_is_compared_with_the_file_as_it_is() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        await pilot.press("j")
        diff = console.home.query_one("#backups-diff", DiffView)
        await until(pilot, lambda: bool(diff.changes))
        assert diff.changes[0].after == OLD_TEXT
        assert "R would: restore" in facts(console)
        assert desk.made("ask_preview") == [("ask_preview", VERSION)]


async def test_at_80_columns_the_list_is_alone_and_asks_for_no_diff() -> None:
    desk = BackupDesk()
    async with shown(desk, (80, 24)) as (console, pilot):
        await pilot.press("j")
        await pilot.pause(0.05)
        assert not console.home.query_one("#backups-preview").display
        assert not desk.made("ask_preview")
        await open_preview(console, pilot, key="R")


async def test_without_backups_it_says_what_makes_one() -> None:
    async with shown(BackupDesk(files=())) as (console, pilot):
        assert "selfheal run" in rows_of(console).empty
        for key in ("R", "u", "enter"):
            await pilot.press(key)
        assert not isinstance(console.screen, RollbackScreen)


async def test_a_filter_finds_versions_and_escape_drops_it() -> None:
    async with shown(BackupDesk()) as (console, pilot):
        await pilot.press("slash", *"a1b3", "enter")
        assert keys(console) == ["file app/store.py", "version app/store.py.3.bak"]
        await pilot.press("escape")
        assert len(keys(console)) == 5


async def test_going_to_an_incident_finds_its_newest_version() -> None:
    async with shown(BackupDesk()) as (console, pilot):
        console.go("backups", "a1b3")
        await pilot.pause()
        assert rows_of(console).cursor_key == "version app/store.py.3.bak"


async def test_news_does_not_move_the_cursor() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        await pilot.press("G")
        new = BackupFile("aaa.py", (a_version(9, "aaa.py"),))
        desk.tell(BackupsReady((new, *FILES)))
        await pilot.pause()
        assert rows_of(console).cursor_key == "version app/store.py.3.bak"


async def test_restore_on_a_file_previews_its_newest_version_that_differs() -> None:
    there, can = a_version(1, standing=IS_THERE), a_version(2)
    async with shown(BackupDesk((BackupFile("app/agent.py", (there, can)),))) as (console, pilot):
        await pilot.press("R")
        await pilot.pause()
        assert isinstance(console.screen, RollbackScreen)
        assert console.screen.target == can.backup_id


async def test_a_file_without_a_version_that_differs_cannot_be_restored() -> None:
    files = (BackupFile("app/agent.py", (a_version(1, standing=IS_THERE),)),)
    async with shown(BackupDesk(files)) as (console, pilot):
        await pilot.press("R")
        await pilot.pause()
        assert not isinstance(console.screen, RollbackScreen)


async def test_y_writes_what_was_shown_and_the_preview_closes_when_it_is_done() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        await pilot.press("y")
        assert desk.made() == [("roll_back", VERSION, False, "")]
        await pilot.press("y", "y")
        assert len(desk.made()) == 1
        desk.answer(VERSION, ok=True)
        await until(pilot, lambda: console.screen is console.home)


async def test_what_was_refused_is_looked_at_again_before_it_can_be_written() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        await pilot.press("y")
        desk.previews[VERSION] = a_preview(changes=(FileChange("app/agent.py", "z\n", OLD_TEXT, "merge"),))
        desk.answer(VERSION, ok=False, text="files were edited since")
        await until(pilot, lambda: screen._preview == desk.previews[VERSION])
        assert not screen.arming.armed
        await armed(pilot, screen)
        await pilot.press("y")
        assert len(desk.made()) == 2


async def test_escape_goes_back_and_writes_nothing() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        await pilot.press("escape")
        await until(pilot, lambda: console.screen is console.home)
        assert not desk.made()


async def test_before_it_is_armed_y_says_to_look_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RollbackScreen, "arm_seconds", 60.0)
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await until(pilot, lambda: screen.arming.painted)
        await pilot.press("y", "O")
        assert not desk.made()
        assert any("not yet" in n.message for n in console._notifications)


async def test_whoever_looked_away_must_look_again() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        screen.arming = replace(screen.arming, seconds=60.0)
        console.post_message(events.AppBlur())
        await until(pilot, lambda: not screen.arming.armed)
        console.post_message(events.AppFocus())
        await until(pilot, lambda: not screen.arming.away)
        await pilot.press("y")
        assert not desk.made()


async def test_a_preview_that_changes_is_disarmed_at_once() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        screen.arming = replace(screen.arming, seconds=60.0)
        desk.tell(PreviewReady(VERSION, a_preview(title="another")))
        await until(pilot, lambda: screen._preview is not None and screen._preview.title == "another")
        await pilot.press("y")
        assert not desk.made()


async def test_a_key_from_before_it_was_armed_writes_nothing_however_late_it_comes() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        screen._pressed_at = screen.arming.since
        screen.action_act("rollback.confirm")
        assert not desk.made()


async def test_a_conflict_is_written_only_after_the_typed_word() -> None:
    desk = BackupDesk()
    desk.previews[VERSION] = a_preview(conflicts=("app/agent.py",))
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        await pilot.press("y")
        await pilot.press("O")
        await until(pilot, lambda: isinstance(console.screen, OverwriteScreen))
        await pilot.press("y", "enter", "O", "enter")
        assert isinstance(console.screen, OverwriteScreen)
        await pilot.press("escape")
        await until(pilot, lambda: console.screen is screen)
        assert not desk.made()
        await armed(pilot, screen)
        await pilot.press("O", *"overwrite", "enter")
        await until(pilot, lambda: bool(desk.made()))
        assert desk.made() == [("roll_back", VERSION, True, "")]


async def test_where_nothing_conflicts_overwriting_is_not_offered() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        await pilot.press("O")
        await pilot.pause()
        assert console.screen is screen


@pytest.mark.parametrize("found", ["no rollback to undo", a_preview("undo", nothing=True)])
async def test_what_cannot_be_taken_back_says_so(found: RollbackPreview | str) -> None:
    desk = BackupDesk()
    desk.previews["undo"] = found
    async with shown(desk) as (console, pilot):
        await open_preview(console, pilot, key="u")
        await pilot.pause(0.05)
        await pilot.press("y", "O")
        assert not desk.made()


async def test_undo_is_previewed_and_written_like_a_restore() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot, key="u")
        await armed(pilot, screen)
        await pilot.press("y")
        assert desk.made() == [("roll_back", "undo", False, "")]


async def test_a_read_only_console_writes_nothing() -> None:
    desk = BackupDesk(read_only=True)
    async with shown(desk) as (console, pilot):
        await pilot.press("j", "R", "u")
        assert console.screen is console.home
        console.push_screen(RollbackScreen(VERSION))
        await until(pilot, lambda: isinstance(console.screen, RollbackScreen) and console.screen.arming.armed)
        await pilot.press("y", "O")
        assert not desk.made()


async def test_typing_while_a_preview_opens_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RollbackScreen, "arm_seconds", 60.0)
    desk = BackupDesk()
    typed = random.Random(7)
    async with shown(desk) as (_console, pilot):
        await pilot.press("j")
        for _ in range(30):
            await pilot.press(typed.choice("yyOOyRuyjk"))
        assert not desk.made()


async def test_hostile_texts_are_drawn_as_they_are() -> None:
    nasty = "[/oops] [red]x[/] \x1b[2J \u202e"
    version = a_version(1, nasty, what=nasty)
    desk = BackupDesk(files=(BackupFile(nasty, (version,)),))
    change = FileChange(nasty, NOW_TEXT, nasty, nasty)
    desk.previews[version.backup_id] = a_preview(version.backup_id, title=nasty, changes=(change,))
    async with shown(desk) as (console, pilot):
        screen = await open_preview(console, pilot)
        await armed(pilot, screen)
        assert "\x1b[2J" not in console.export_screenshot()


async def test_what_came_in_above_is_counted_and_seen_after_a_decision_of_ones_own() -> None:
    desk = BackupDesk()
    async with shown(desk) as (console, pilot):
        await pilot.press("j")
        rows = rows_of(console)
        desk.files = (BackupFile("aaa.py", (a_version(9, "aaa.py"),)), *FILES)
        desk.tell(BackupsReady(desk.files))
        await until(pilot, lambda: rows.new_above == 2)
        assert "2 new" in str(console.home.query_one("#backups-pane").border_subtitle)
        desk.answer(VERSION, ok=True)
        await until(pilot, lambda: rows.scroll_y == 0)
        assert rows.cursor_key == f"version {VERSION}"
