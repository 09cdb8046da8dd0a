"""What the console looks like, kept as files: plain text to read in a review, SVG for colours.

`SELFHEAL_UPDATE_SNAPSHOTS=1` writes the files anew; look at what git shows before you commit it.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeDesk, a_board
from harness import SIZES, VIEWS, FullDesk, console, screen_text, two_questions, until
from textual.pilot import Pilot

from selfheal_tui.tui.app import Console
from selfheal_tui.tui.screens.review import ReviewScreen

FOLDER = Path(__file__).parent / "snapshots"
UPDATE = os.environ.get("SELFHEAL_UPDATE_SNAPSHOTS") == "1"
TICKS = re.compile(r"^(?:[^\n]*└[^\n]*┬[^\n]*|[^\n]*\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d[^\n]*)$", re.MULTILINE)
"""Where plotext puts the ticks of an axis differs from process to process (it keeps them in sets)."""


class Album:
    """Compares what is shown with what was kept; tells of all differences together at the end."""

    def __init__(self) -> None:
        self._wrong: list[str] = []

    def compare(self, name: str, shown: str) -> None:
        file = FOLDER / name
        if UPDATE:
            file.parent.mkdir(exist_ok=True)
            file.write_text(shown, encoding="utf-8")
            return
        kept = file.read_text(encoding="utf-8") if file.exists() else ""
        if kept != shown:
            lines = difflib.unified_diff(
                kept.splitlines(), shown.splitlines(), f"kept/{name}", f"shown/{name}", lineterm="", n=2
            )
            self._wrong.append("\n".join(list(lines)[:120]) if kept else f"{name} is not kept yet")

    def text(self, name: str, app: Console) -> None:
        width, height = app.size
        self.compare(f"{name}-{width}x{height}.txt", TICKS.sub("(ticks)", screen_text(app)))

    def svg(self, name: str, app: Console) -> None:
        width, height = app.size
        theme = app.theme.removeprefix("selfheal-")
        self.compare(f"{name}-{theme}-{width}x{height}.svg", steady_svg(app))

    def close(self) -> None:
        if self._wrong:
            pytest.fail(
                "\n\n".join(self._wrong) + "\n\nIf this is meant: SELFHEAL_UPDATE_SNAPSHOTS=1", pytrace=False
            )


def steady_svg(app: Console) -> str:
    """Returns the screen as SVG that is the same in every process: its ids are made from a fixed name."""
    svg = app.export_screenshot(simplify=True)
    found = re.search(r"terminal-(\d+)-", svg)
    return svg.replace(f"terminal-{found[1]}", "terminal") if found else svg


@pytest.fixture
def album() -> Any:
    kept = Album()
    yield kept
    kept.close()


async def review_shown(app: Console, pilot: Pilot[int]) -> ReviewScreen:
    await pilot.press("v")
    await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and app.screen.arming.painted)
    assert isinstance(app.screen, ReviewScreen)
    await coloured(app, pilot)
    return app.screen


async def coloured(app: Console, pilot: Pilot[int]) -> None:
    """Waits for colours that are found on a thread."""
    await app.workers.wait_for_complete()
    await pilot.pause()


@pytest.fixture
def never_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReviewScreen, "arm_seconds", 3600.0)


@pytest.mark.usefixtures("never_armed")
@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_every_view_reads_as_it_did(size: tuple[int, int], album: Album) -> None:
    async with console(two_questions(), size) as (app, pilot):
        for number, view in enumerate(VIEWS, 1):
            await pilot.press(str(number))
            await pilot.pause()
            await coloured(app, pilot)
            album.text(view, app)
        await pilot.press("1", "enter")
        for tab in ("overview", "diff", "proof", "timeline", "output"):
            await coloured(app, pilot)
            album.text(f"detail-{tab}", app)
            await pilot.press("tab")
        await pilot.press("escape", "question_mark")
        album.text("help", app)
        await pilot.press("escape")
        screen = await review_shown(app, pilot)
        album.text("review", app)
        await pilot.press("p")
        album.text("review-proof", app)
        await pilot.press("w")
        album.text("review-why", app)
        await pilot.press("escape")
        assert screen is app.screen


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_empty_views_teach_what_to_run_next(size: tuple[int, int], album: Album) -> None:
    desk = FullDesk(a_board(rows=(), requests=(), programs=()), empty=True)
    async with console(desk, size) as (app, pilot):
        for number, view in enumerate(VIEWS[:4], 1):
            await pilot.press(str(number))
            await pilot.pause()
            shown = screen_text(app)
            assert "selfheal run" in shown or "selfheal demo" in shown, view
            album.text(f"empty-{view}", app)


@pytest.mark.usefixtures("never_armed")
@pytest.mark.parametrize(
    ("theme", "size"),
    [("dark", SIZES[0]), ("light", SIZES[0]), ("terminal", SIZES[0]), ("dark", SIZES[1]), ("dark", SIZES[2])],
    ids=lambda value: value if isinstance(value, str) else f"{value[0]}x{value[1]}",
)
async def test_colours_are_as_they_were(theme: str, size: tuple[int, int], album: Album) -> None:
    async with console(two_questions(), size, theme=theme) as (app, pilot):
        await coloured(app, pilot)
        album.svg("incidents", app)
        await pilot.press("enter", "tab")
        await coloured(app, pilot)
        album.svg("diff", app)
        await pilot.press("escape")
        await review_shown(app, pilot)
        album.svg("review", app)


# -- no glyph outside ASCII, no colour ---------------------------------------------------------------


@pytest.mark.usefixtures("never_armed")
@pytest.mark.parametrize("size", SIZES[::2], ids="{0[0]}x{0[1]}".format)
async def test_in_ascii_mode_nothing_outside_ascii_is_drawn_anywhere(
    size: tuple[int, int], album: Album
) -> None:
    async with console(two_questions(), size, ascii_only=True) as (app, pilot):

        def check(where: str) -> None:
            shown = screen_text(app)
            assert shown.isascii(), (where, {sign for sign in shown if not sign.isascii()})

        for number, view in enumerate(VIEWS, 1):
            await pilot.press(str(number))
            await pilot.pause()
            check(view)
            if view == "incidents":
                album.text("ascii-incidents", app)
        await pilot.press("1", "enter")
        for _ in range(5):
            await pilot.press("tab")
            check("a tab of the detail")
        for key in ("question_mark", "colon", "W", "q"):
            await pilot.press(key)
            await pilot.pause()
            check(key)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.home)
        await pilot.press("5", "K")
        check("kill switch")
        await pilot.press("escape", "2", "E")
        check("export")
        await pilot.press("escape", "3", "j", "R")
        await pilot.pause()
        check("rollback")
        await pilot.press("escape", "1", "escape")
        await review_shown(app, pilot)
        check("review")
        album.text("ascii-review", app)
        for key in ("p", "w"):
            await pilot.press(key)
            check(key)


def colours(app: Console) -> set[str]:
    return {
        str(colour)
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if segment.style is not None
        for colour in (segment.style.color, segment.style.bgcolor)
        if colour is not None and not colour.is_default
    }


async def test_without_colour_no_colour_is_drawn_and_every_state_has_its_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(two_questions()) as (app, pilot):
        for number in range(1, 6):
            await pilot.press(str(number))
            await pilot.pause()
            assert not colours(app), number
        await pilot.press("1", "T")
        await pilot.pause()
        assert not colours(app)
        cursor = [
            seg for strip in app.screen._compositor.render_strips() for seg in strip
            if seg.style is not None and seg.style.reverse and "a1b2" in seg.text
        ]  # fmt: skip
        assert cursor, "the cursor is told by nothing but its colour"
        await pilot.press("T", "T")
        text = screen_text(app)
        for word in ("needs you", "proving", "healed", "explained", "external", "RED"):
            assert word in text


async def test_states_are_told_by_sign_and_word_in_each_look() -> None:
    for plain in (False, True):
        async with console(FakeDesk(), ascii_only=plain) as (app, _pilot):
            lines = screen_text(app).splitlines()
            for sign, word in (("!", "needs you"), ("~", "proving"), ("+" if plain else "✓", "healed")):
                assert any(f"{sign} " in line and word in line for line in lines), (plain, word)
