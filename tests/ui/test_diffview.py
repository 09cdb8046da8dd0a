"""The diff: what is drawn is what would be written, in any layout, of any text, at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.source.display import visible
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.themes import DARK, TERMINAL
from selfheal_tui.tui.widgets.diffpaint import LONG, Painter, pair
from selfheal_tui.tui.widgets.diffrows import compare, lay_out
from selfheal_tui.tui.widgets.diffview import DiffView

BEFORE = "".join(f"line {n}\n" for n in range(1, 101))
AFTER = (
    BEFORE.replace("line 10\n", "line ten\n").replace("line 50\n", "").replace("line 90\n", "line 90\nnew\n")
)
PATCH = (FileChange("app/agent.py", BEFORE, AFTER),)


class Bench(App[None]):
    read_only = False
    looks = Looks(DARK, ascii_only=False, variables=DARK.variables)

    def __init__(self) -> None:
        super().__init__()
        self.diff = DiffView()
        self.painted: list[str] = []
        self.changed: list[frozenset[tuple[int, int]]] = []

    def compose(self) -> ComposeResult:
        yield self.diff

    def on_diff_view_painted(self, event: DiffView.Painted) -> None:
        self.painted.append(event.patch_key)

    def on_diff_view_hunks_changed(self, event: DiffView.HunksChanged) -> None:
        self.changed.append(event.chosen)

    def lines(self) -> list[str]:
        size = self.diff.size
        return [s.text.rstrip() for s in self.diff.render_lines(Region(0, 0, size.width, size.height))]

    def screen_text(self) -> str:
        return "\n".join(self.lines())


async def until(pilot: Pilot[None], met: Callable[[], bool]) -> None:
    for _ in range(500):
        if met():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not happen")


async def test_a_wide_view_lays_both_sides_beside_each_other() -> None:
    app = Bench()
    async with app.run_test(size=(120, 30)):
        app.diff.show(PATCH)
        row = next(line for line in app.lines() if "ten" in line)
        assert "10 − line 10" in row
        assert "10 + line ten" in row
        assert any("… 6 equal lines" in line for line in app.lines())


async def test_a_narrow_view_is_unified_and_v_switches() -> None:
    app = Bench()
    async with app.run_test(size=(80, 30)) as pilot:
        app.diff.show(PATCH)
        assert [line.strip() for line in app.lines() if "ten" in line] == ["10 + line ten"]
        app.diff.focus()
        await pilot.press("v")
        assert "10 + line ten" in next(line for line in app.lines() if "10 − line 10" in line)
        await pilot.press("v")
        assert app.diff.unified


async def test_keys_go_from_hunk_to_hunk_and_mark_the_current_one() -> None:
    app = Bench()
    async with app.run_test(size=(80, 12)) as pilot:
        app.diff.show(PATCH)
        app.diff.focus()
        await pilot.press("right_square_bracket")
        assert app.diff.current_hunk == (0, 1)
        assert any(line.startswith("▸ hunk 2 of 3") for line in app.lines())
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert app.diff.current_hunk == (0, 2)
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert app.diff.current_hunk == (0, 0)


async def test_context_grows_and_shrinks_to_nothing_and_to_all() -> None:
    app = Bench()
    async with app.run_test(size=(80, 40)) as pilot:
        app.diff.show(PATCH)
        app.diff.focus()
        await pilot.press("minus", "minus", "minus", "minus")
        assert not any("line 9" in line for line in app.lines()[:3])
        await pilot.press(*["plus"] * 9)
        assert "equal line" not in app.screen_text()
        assert app.diff.virtual_size.height == 1 + 3 + 102


async def test_more_context_never_moves_the_change_off_the_screen() -> None:
    app = Bench()
    async with app.run_test(size=(80, 10)) as pilot:
        app.diff.show(PATCH)
        app.diff.focus()
        for key in ["plus"] * 9 + ["minus"] * 4:
            await pilot.press(key)
            assert any("−" in line for line in app.lines()[1:]), app.lines()


async def test_several_files_are_listed_and_f_goes_through_them() -> None:
    app = Bench()
    async with app.run_test(size=(80, 10)) as pilot:
        app.diff.show(
            (*PATCH, FileChange("new.py", "", "a = 1\n"), FileChange("gone.py", "b = 2\n", "", note="unused"))
        )
        text = app.screen_text()
        assert "1 of 3  app/agent.py +2 −2" in text
        app.diff.focus()
        await pilot.press("f", "f")
        assert "new.py +1 −0  new file" in app.screen_text()
        assert "gone.py +0 −1  deleted  unused" in app.screen_text()
        await pilot.press("f")  # all that is left is in view, so the next one is the first
        assert app.lines()[0].startswith("── app/agent.py +2 −2")


async def test_hunks_are_taken_out_and_the_rest_is_what_would_be_written() -> None:
    app = Bench()
    async with app.run_test(size=(80, 30)) as pilot:
        app.diff.show(PATCH, choose_hunks=True)
        assert [edited.text for edited in app.diff.patched()] == [AFTER]
        assert app.diff.toggle_hunk()
        assert "[ ] hunk 1 of 3" in app.screen_text()
        assert "left out" in app.screen_text()
        assert [e.text for e in app.diff.patched()] == [AFTER.replace("line ten", "line 10")]
        app.diff.toggle_hunk((0, 1))
        app.diff.toggle_hunk((0, 2))
        assert app.diff.patched() == []
        await pilot.pause()
        assert app.changed[-1] == frozenset()


async def test_without_choosing_no_hunk_is_taken_out() -> None:
    app = Bench()
    async with app.run_test(size=(80, 30)):
        app.diff.show(PATCH)
        assert not app.diff.toggle_hunk()
        assert len(app.diff.chosen_hunks) == 3


async def test_a_patch_is_told_as_painted_once_and_the_next_one_again() -> None:
    app = Bench()
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        assert app.painted == []
        app.diff.show(PATCH)
        assert app.painted == []
        await until(pilot, lambda: bool(app.painted))
        app.diff.show(PATCH)
        app.diff.refresh()
        await pilot.pause()
        assert len(app.painted) == 1
        app.diff.show((FileChange("app/agent.py", BEFORE, AFTER + "x\n"),))
        await until(pilot, lambda: len(app.painted) == 2)
        assert app.painted[0] != app.painted[1]
        assert app.painted[1] == app.diff.patch_key


async def test_a_hidden_patch_is_not_painted() -> None:
    app = Bench()
    async with app.run_test(size=(80, 30)) as pilot:
        app.diff.display = False
        app.diff.show(PATCH)
        await pilot.pause()
        await pilot.pause()
        assert app.painted == []
        app.diff.display = True
        await until(pilot, lambda: bool(app.painted))


async def test_a_long_patch_is_painted_plain_and_coloured_later() -> None:
    before = "".join(f"def function_{n}(x):\n" for n in range(2500))
    after = before.replace("(x)", "(y)")
    app = Bench()
    async with app.run_test(size=(120, 40)) as pilot:
        started = time.perf_counter()
        app.diff.show((FileChange("big.py", before, after),))
        assert time.perf_counter() - started < 5
        await until(pilot, lambda: bool(app.painted))
        assert "function_0(y)" in app.screen_text()
        await until(pilot, lambda: bool(app.diff._colours))


async def test_a_patch_that_is_replaced_while_it_is_compared_never_shows() -> None:
    app = Bench()
    big = FileChange("big.py", "a\n" * 3000, "a\n" * 2999 + "b\n")
    async with app.run_test(size=(80, 30)) as pilot:
        app.diff.show((big,))
        app.diff.show(PATCH)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert "app/agent.py" in app.screen_text()
        assert set(app.painted) <= {app.diff.patch_key}


async def test_a_megabyte_in_one_line_is_drawn_where_it_changed() -> None:
    line = "x" * 600_000 + "HERE" + "y" * 400_000 + "\n"
    app = Bench()
    async with app.run_test(size=(80, 10)) as pilot:
        app.diff.show((FileChange("data.py", line, line.replace("HERE", "THERE")),))
        app.diff.focus()
        await pilot.press("right_square_bracket")
        assert "xTHEREy" in app.screen_text()
        assert "xHEREy" in app.screen_text()


def test_what_differs_unseen_is_laid_bare() -> None:
    assert pair("\tx\n", "    x\n")[:2] == ("→   x", "    x")
    assert pair("x\n", "x\r\n")[:2] == ("x␊", "x␍␊")
    assert pair("x", "x\n")[:2] == ("x∅", "x␊")


async def test_words_are_marked_without_colours_too() -> None:
    app = Bench()
    app.looks = Looks(TERMINAL, ascii_only=True, variables=TERMINAL.variables, colourless=True)
    async with app.run_test(size=(80, 20)):
        app.diff.show(PATCH)
        strips = app.diff.render_lines(Region(0, 0, 80, 20))
        row = next(strip for strip in strips if "line ten" in strip.text)
        assert [s.text for s in row if s.style and s.style.underline] == ["ten"]


def test_every_line_is_in_exactly_one_place() -> None:
    file = compare(PATCH[0])
    for unified in (True, False):
        for context in (0, 1, 3, 50, None):
            rows = lay_out([file], context=context, unified=unified)
            left_out = sum(row.count for row in rows)
            lefts = [r.left for r in rows if r.kind in ("equal", "change", "delete")]
            rights = [r.right for r in rows if r.kind in ("equal", "change", "insert")]
            assert len(lefts) + left_out == len(file.old)
            assert len(rights) + left_out == len(file.new)
            assert lefts == sorted(set(lefts))
            assert rights == sorted(set(rights))


TEXT = st.text(
    st.one_of(st.sampled_from("\n\n\n\tab []\x1b\u202e\u200b漢\r\x07\x9b\ud800"), st.characters()),
    max_size=60,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    before=TEXT,
    after=TEXT,
    width=st.sampled_from([1, 7, 40, 130]),
    keys=st.lists(
        st.sampled_from(
            [
                "v",
                "plus",
                "minus",
                "f",
                "right",
                "left",
                "j",
                "G",
                "left_square_bracket",
                "right_square_bracket",
            ]
        ),
        max_size=6,
    ),
)
def test_no_text_crashes_the_view_or_reaches_the_terminal_raw(
    before: str, after: str, width: int, keys: list[str]
) -> None:
    async def go() -> None:
        app = Bench()
        async with app.run_test(size=(width, 12)) as pilot:
            app.diff.show((FileChange(after, before, after, note=before),), choose_hunks=True)
            app.diff.focus()
            await pilot.press(*keys)
            for strip in app.diff.render_lines(Region(0, 0, *app.diff.size)):
                assert strip.cell_length == app.diff.size.width
                assert not any(
                    ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in strip.text
                )
                assert "\u202e" not in strip.text
                assert "\u200b" not in strip.text
            assert {e.text for e in app.diff.patched()} <= {after}

    asyncio.run(go())


@settings(deadline=None)
@given(
    before=TEXT,
    after=TEXT,
    width=st.integers(1, 60),
    x=st.integers(0, 70),
    long=st.booleans(),
    unified=st.booleans(),
)
def test_every_row_of_any_text_is_as_wide_as_the_view_and_safe(
    before: str, after: str, width: int, x: int, long: bool, unified: bool
) -> None:
    if long:
        before, after = before + "z" * LONG + after, after + "z" * LONG + before
    files = [compare(FileChange(before, before, after, note=after))]
    painter = Painter(Bench.looks, files, width, unified, Style(), x=x, choosing=unified)
    for row in lay_out(files, context=None, unified=unified):
        strip = painter.row(row)
        assert strip.cell_length == width
        assert strip.text == visible(strip.text).replace("\n", " ").replace("\t", " ")


@pytest.mark.parametrize("path", ["a.py", "a.toml", "a.unknown", ""])
def test_colours_stay_within_their_lines(path: str) -> None:
    from selfheal_tui.tui.widgets.highlight import colours_of

    lines = ['"""doc', "more", '"""', "def f(x):  # why", "    return 'x' + 1", "", "@d"]
    colours = colours_of(lines, path)
    assert len(colours) == len(lines)
    for line, spans in zip(lines, colours, strict=True):
        assert all(0 <= start < end <= len(line) for start, end, _ in spans)
    if path == "a.py":
        assert (0, 3, "keyword") in colours[3]
        assert colours[1] == ((0, 4, "comment"),)
