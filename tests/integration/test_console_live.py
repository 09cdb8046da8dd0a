"""The whole console against the real pipeline: a program crashes under it, and a person decides with keys."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from operator_world import World
from shell import GREETER, Shell, tree
from textual.pilot import Pilot

from selfheal_tui.operations.livedesk import LiveDesk
from selfheal_tui.operations.snapshot import IncidentRow
from selfheal_tui.supervisor.launch import ProgramSpec
from selfheal_tui.tui.app import Console
from selfheal_tui.tui.screens.review import ReviewScreen
from selfheal_tui.tui.screens.rollback import RollbackScreen
from selfheal_tui.tui.widgets.detail import DetailPane

BEFORE = GREETER["greeter.py"]
FIXED = BEFORE.replace("self.nmae", "self.name")
SECONDS = 90.0


@asynccontextmanager
async def opened(root: Path, **options: Any) -> AsyncIterator[tuple[Console, Pilot[int]]]:
    """Opens a console on a real project; its desk has ended afterwards."""
    environ = {**Shell(root, {}).environ, "SELFHEAL_OPERATOR": "kim"}
    desk = LiveDesk(root, environ=environ, **options)
    app = Console(desk, bell=False, desktop=False)
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            yield app, pilot
    finally:
        desk.stop()


async def until(condition: Callable[[], Any], what: str, app: Console | None = None) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen; {told(app)}"
        await asyncio.sleep(0.02)


def told(app: Console | None) -> str:
    return f"{app.board}\n{[note.message for note in app._notifications]}" if app else ""


def row(app: Console) -> IncidentRow | None:
    return app.board.rows[0] if app.board.rows else None


def word(app: Console) -> str:
    first = row(app)
    return first.standing.word if first else ""


async def armed_review(app: Console, pilot: Pilot[int]) -> ReviewScreen:
    await until(lambda: app.board.requests, "a question", app)
    await pilot.press("v")
    await until(lambda: isinstance(app.screen, ReviewScreen), "the review", app)
    screen = app.screen
    assert isinstance(screen, ReviewScreen)
    await until(lambda: not screen.arming.why, "the arming", app)
    return screen


async def approve(app: Console, pilot: Pilot[int]) -> None:
    """Approves what is asked, with the code where it takes one."""
    screen = await armed_review(app, pilot)
    assert screen.request is not None
    code = screen.request.code if screen.request.needs_code else ""
    await pilot.press("a", *code)
    await until(lambda: app.screen is app.home, "the end of the review", app)


def run(session: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(session())  # type: ignore[arg-type]  # a coroutine


def test_a_crash_is_proved_asked_approved_and_the_program_runs_on_with_the_fix(tmp_path: Path) -> None:
    shell = Shell(tmp_path, GREETER)
    spec = ProgramSpec("greeter", (sys.executable, "main.py"), cwd=tmp_path)

    async def session() -> None:
        async with opened(tmp_path, specs=(spec,)) as (app, pilot):
            await until(lambda: app.board.requests, "a question", app)
            assert shell.read("greeter.py") == BEFORE
            assert app.board.environment == "production"
            await approve(app, pilot)
            await until(lambda: shell.read("greeter.py") == FIXED, "the fix", app)
            await until(lambda: word(app) not in ("needs you", "proving"), "the next state", app)
            await until(
                lambda: any("Good day" in line.text for line in app.desk.output("greeter").lines),
                "the program's greeting",
                app,
            )
            # Taken back from the list, as previewed.
            await pilot.press("1")
            detail = app.home.query_one(DetailPane)
            await until(lambda: detail.detail and detail.detail.transaction_id, "the detail", app)
            await pilot.press("U")
            await until(
                lambda: isinstance(app.screen, RollbackScreen) and not app.screen.arming.why, "the preview"
            )
            assert shell.read("greeter.py") == FIXED
            await pilot.press("y")
            await until(lambda: shell.read("greeter.py") == BEFORE, "the rollback", app)
            await until(lambda: word(app) == "rolled back", "the row", app)

    run(session)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("console-live"))


@pytest.fixture
def world(made: World) -> World:
    made.put_back()
    return made


def test_a_fix_that_is_rejected_leaves_the_disk_as_it_was(world: World) -> None:
    async def session() -> None:
        async with opened(world.root) as (app, pilot):
            await armed_review(app, pilot)
            await pilot.press("r", *"not like this", "enter")
            await until(lambda: app.screen is app.home, "the end of the review", app)
            await until(lambda: word(app) == "rejected", "the row", app)
            assert not app.board.requests

    run(session)
    assert world.untouched()
    with world.opened() as project:
        records = project.engine.store.audit.records(world.incident_id)
        assert any("not like this" in str(record.data) for record in records)


def test_a_read_only_console_decides_nothing(world: World) -> None:
    async def session() -> None:
        async with opened(world.root, read_only=True) as (app, pilot):
            await armed_review(app, pilot)
            for key in ("a", "r", "e", "h", "n", "P"):
                await pilot.press(key)
            assert isinstance(app.screen, ReviewScreen)
            assert any("read-only" in note.message for note in app._notifications)

    run(session)
    assert world.untouched()
    with world.opened() as project:
        assert project.engine.store.approvals.open_requests()


def test_two_consoles_on_one_project_agree(world: World) -> None:
    async def session() -> None:
        async with opened(world.root) as (one, keys), opened(world.root) as (other, other_keys):
            await until(lambda: one.board.requests and other.board.requests, "the question in both", one)
            looking = await armed_review(other, other_keys)
            await approve(one, keys)
            await until(lambda: not other.board.requests, "the end of the question in the other", other)
            assert world.file.read_text() == FIXED
            await until(looking._over, "the other's review saying so", other)
            written = tree(world.root)
            await other_keys.press("a")
            await other_keys.pause(0.1)
            assert tree(world.root) == written
            await until(lambda: word(one) == word(other), "one state", one)

    run(session)
