"""The backups of a real project in the console: restored as previewed, undone, and kept from a conflicting edit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from operator_world import BEFORE, FIXED, World
from textual.pilot import Pilot

from selfheal_tui.operations import decisions
from selfheal_tui.operations.livedesk import LiveDesk
from selfheal_tui.tui.app import Console
from selfheal_tui.tui.screens.rollback import RollbackScreen
from selfheal_tui.tui.widgets.rowlist import RowList


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("console-backups"))


@pytest.fixture
def world(made: World) -> World:
    made.put_back()
    with made.opened() as project:
        code = project.engine.store.approvals.get(made.incident(project).request_id).binding.code
        assert decisions.approve(project, made.incident_id, by="kim", code=code).ok
    return made


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        await pilot.pause(0.05)


async def open_preview(console: Console, pilot: Pilot[int], key: str) -> None:
    rows = console.home.query_one("#backups-list", RowList)
    await pilot.press("3")
    await until(pilot, lambda: rows.row_count > 1)
    await pilot.press("g", "j", key)
    await until(pilot, lambda: isinstance(console.screen, RollbackScreen) and console.screen.arming.armed)


def test_a_restore_is_previewed_written_and_undone(world: World) -> None:
    async def session() -> None:
        desk = LiveDesk(world.root, environ=world.shell.environ, serve=False)
        console = Console(desk, bell=False, desktop=False)
        async with console.run_test(size=(120, 36)) as pilot:
            await open_preview(console, pilot, "R")
            assert world.file.read_text() == FIXED
            await pilot.press("y")
            await until(pilot, lambda: console.screen is console.home)
            assert world.file.read_text() == BEFORE
            await open_preview(console, pilot, "u")
            await pilot.press("y")
            await until(pilot, lambda: console.screen is console.home)
            assert world.file.read_text() == FIXED
            await asyncio.to_thread(desk.stop)  # nothing is told any more while the screens are taken down

    asyncio.run(session())


def test_what_was_edited_after_the_preview_is_not_written_over(world: World) -> None:
    edited = FIXED.replace("Greets people", "Greets everybody")

    async def session() -> None:
        desk = LiveDesk(world.root, environ=world.shell.environ, serve=False)
        console = Console(desk, bell=False, desktop=False)
        async with console.run_test(size=(120, 36)) as pilot:
            await open_preview(console, pilot, "R")
            screen = console.screen
            assert isinstance(screen, RollbackScreen)
            before = screen._preview
            world.file.write_text(edited)
            await pilot.press("y")
            await until(pilot, lambda: screen._preview not in (before, None))
            assert world.file.read_text() == edited
            assert console.screen is screen
            await until(pilot, lambda: screen.arming.armed)
            await pilot.press("y")
            await until(pilot, lambda: console.screen is console.home)
            assert world.file.read_text() == BEFORE.replace("Greets people", "Greets everybody")
            await asyncio.to_thread(desk.stop)  # nothing is told any more while the screens are taken down

    asyncio.run(session())


def test_a_read_only_console_writes_nothing(world: World) -> None:
    async def session() -> None:
        desk = LiveDesk(world.root, environ=world.shell.environ, read_only=True)
        console = Console(desk, bell=False, desktop=False)
        async with console.run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: not console.board.loading)
            console.push_screen(RollbackScreen(world.incident_id))
            await until(
                pilot, lambda: isinstance(console.screen, RollbackScreen) and console.screen.arming.armed
            )
            await pilot.press("y", "O")
            desk.roll_back(world.incident_id)  # and were a face to try, the desk refuses
            await pilot.pause(0.3)
            assert world.file.read_text() == FIXED
            await asyncio.to_thread(desk.stop)  # nothing is told any more while the screens are taken down

    asyncio.run(session())
