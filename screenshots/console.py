"""Renders the console's screenshots from a real session: the demo's agent crashes, is healed, and is decided about.

    uv run --group screenshots python screenshots/console.py

Nothing is staged: the desk, the engine, the crashes and the fixes are real; only the keys are pressed by this script.
Look at every picture afterwards; `tests/contracts/test_screenshots.py` says when they are stale.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from selfheal_tui.demo.materialise import materialise_live
from selfheal_tui.model.kinds import Restart
from selfheal_tui.operations.livedesk import LiveDesk
from selfheal_tui.supervisor.programs import ProgramSpec
from selfheal_tui.tui.app import Console

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
GOLDENS = HERE.parent / "tests" / "ui" / "snapshots"
PATIENCE_SECONDS = 240
SMALL, MEDIUM, WIDE = (80, 24), (120, 36), (200, 60)


def goldens_digest() -> str:
    """Returns a hash of what every view looks like; the pictures are of this."""
    digest = hashlib.sha256()
    for file in sorted(GOLDENS.glob("*.txt")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class Session:
    """The console under a script's fingers."""

    def __init__(self, app: Console, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot
        self.frames: list[tuple[str, float]] = []

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Waits for something that the session brings about by itself."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} never came")
            await self.pilot.pause(0.2)

    async def press(self, *keys: str) -> None:
        """Presses keys, and lets the screen settle."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause(0.6)

    async def shoot(self, name: str, size: tuple[int, int] = MEDIUM, theme: str = "dark") -> None:
        """Takes a picture in a size and theme, then goes back to the usual ones."""
        from drawing import save

        if name == "incidents":
            await self.until("two questions", lambda: len(self.app.board.requests) >= 2)
            await self.press("g")
        self.app.theme = f"selfheal-{theme}"
        await self.pilot.resize_terminal(*size)
        await self.pilot.pause(0.8)
        title = f"selfheal · {name}"
        save(self.app.export_screenshot(title=title), HERE / f"{name}-{theme}-{size[0]}x{size[1]}")
        self.app.theme = "selfheal-dark"
        await self.pilot.resize_terminal(*MEDIUM)
        await self.pilot.pause(0.4)

    async def frame(self, seconds: float) -> None:
        """Keeps what is shown as a frame of the recording."""
        await self.pilot.pause(0.2)
        self.frames.append((self.app.export_screenshot(title="selfheal"), seconds))


async def play(session: Session) -> None:
    """Goes through a session as an operator would."""
    app = session.app
    words = lambda: [row.standing.word for row in app.board.rows]  # noqa: E731 - asked again and again
    await session.until("the first crash", lambda: bool(app.board.rows))
    await session.press("g")
    await session.frame(2.0)
    await session.until("a proof", lambda: "proving" in words())
    await session.frame(2.0)
    await session.until("two questions", lambda: len(app.board.requests) >= 2 and "on probation" in words())
    await session.press("n")
    await session.frame(3.0)
    await session.shoot("incidents", SMALL)
    await session.shoot("incidents", SMALL, "light")
    await session.shoot("incidents", MEDIUM)
    await session.shoot("incidents", MEDIUM, "light")
    await session.shoot("incidents", WIDE)
    await session.press("v")
    await session.until("the armed review", lambda: len(app.screen_stack) > 1)
    await session.pilot.pause(1.5)
    await session.frame(4.0)
    await session.shoot("review", SMALL)
    await session.shoot("review", MEDIUM, "light")
    await session.shoot("review", WIDE)
    await session.pilot.pause(1.5)
    await session.press("p")
    await session.shoot("proof")
    await session.frame(3.0)
    await session.press("d")
    await session.pilot.pause(1.5)
    before = len(app.board.requests)
    await session.press("a")
    await session.until(
        "the approval", lambda: len(app.screen_stack) == 1 or len(app.board.requests) < before
    )
    await session.pilot.pause(1.5)
    await session.frame(4.0)
    await session.until("a question", lambda: bool(app.board.requests))
    await session.press("escape", "n", "v")
    await session.pilot.pause(2.0)
    await session.press("r", *"too broad", "enter")
    await session.until("the rejection", lambda: "rejected" in words())
    await session.press("question_mark")
    await session.shoot("help")
    await session.press("escape", "2")
    await session.shoot("history")
    await session.press("3")
    await session.press("j")
    await session.shoot("backups")
    await session.press("R")
    await session.pilot.pause(1.5)
    await session.shoot("restore")
    await session.press("escape", "4")
    await session.pilot.pause(1.0)
    await session.shoot("insights")
    await session.press("5")
    await session.shoot("policy")
    await session.press("1", "A")
    await session.shoot("ascii", SMALL)
    await session.press("A")


async def main() -> None:
    """Makes all pictures."""
    from drawing import animate

    for name in [n for n in os.environ if n.startswith("SELFHEAL_")] + ["PYTHONDONTWRITEBYTECODE"]:
        os.environ.pop(name, None)
    os.environ["SELFHEAL_OPERATOR"] = "kim"
    with tempfile.TemporaryDirectory() as folder:
        root = materialise_live(Path(folder) / "desk-agent")
        os.chdir(root)
        command = (
            sys.executable,
            "-m",
            "desk",
            "--tasks",
            "5000",
            "--journal",
            "journal.jsonl",
            "--seconds",
            "9999",
        )
        spec = ProgramSpec("desk", command, cwd=root, restart=Restart.ON_CRASH)
        desk = LiveDesk(root, flags={"environment": "dev"}, specs=[spec])
        app = Console(desk, bell=False, desktop=False)
        try:
            async with app.run_test(size=MEDIUM) as pilot:
                session = Session(app, pilot)
                await play(session)
        finally:
            desk.stop()
        (HERE / "approval.svg").write_text(animate(session.frames), encoding="utf-8")
    manifest = {"made_of": goldens_digest(), "by": "screenshots/console.py"}
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
