"""The list stays still: whatever comes in, cursor, scroll position and the visible row under it do not move."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.text import Text
from textual.app import App, ComposeResult
from textual.geometry import Region

from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.themes import DARK
from selfheal_tui.tui.widgets.rowlist import RowList


class Bench(App[None]):
    """A list and what it told."""

    read_only = False
    looks = Looks(DARK, ascii_only=False, variables=DARK.variables)

    def __init__(self, row_lines: int = 1) -> None:
        super().__init__()
        self.drawn = 0
        self.told: list[RowList.Said] = []
        self.rows = RowList[str](self.draw, lambda key: key, row_lines=row_lines, empty="Nothing here yet.")

    def draw(self, item: str, _width: int, is_cursor: bool) -> Sequence[Text]:
        self.drawn += 1
        return [Text(f"{'>' if is_cursor else ' '}{item}"), Text("  more")]

    def compose(self) -> ComposeResult:
        yield self.rows

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self.told.append(event)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        self.told.append(event)

    def on_row_list_filter_asked(self, event: RowList.FilterAsked) -> None:
        self.told.append(event)

    def on_row_list_new_above(self, event: RowList.NewAbove) -> None:
        self.told.append(event)

    def lines(self) -> list[str]:
        size = self.rows.size
        return [s.text.rstrip() for s in self.rows.render_lines(Region(0, 0, size.width, size.height))]

    def cursor_line(self) -> int:
        return next((n for n, line in enumerate(self.lines()) if line.startswith(">")), -1)


def names(count: int, prefix: str = "row") -> list[str]:
    return [f"{prefix}{n}" for n in range(count)]


async def test_keys_move_the_cursor_and_scroll_it_into_view() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)) as pilot:
        app.rows.show(names(100))
        await pilot.press("j", "j", "down", "k")
        assert app.rows.cursor_key == "row2"
        await pilot.press("G")
        assert app.rows.cursor_key == "row99"
        assert app.lines()[-1] == ">row99"
        await pilot.press("ctrl+u")
        assert app.rows.cursor_key == "row94"
        await pilot.press("g", "ctrl+d")
        assert app.rows.cursor_key == "row5"
        await pilot.press("k", "g", "k")
        assert app.rows.item() == "row0"


async def test_enter_and_a_double_click_choose_and_slash_asks_for_the_filter() -> None:
    app = Bench(row_lines=2)
    async with app.run_test(size=(30, 10)) as pilot:
        app.rows.show(names(9))
        await pilot.press("enter", "slash")
        await pilot.click(RowList, offset=(3, 5))
        assert app.rows.cursor_key == "row2"
        await pilot.click(RowList, offset=(3, 5), times=2)
        await pilot.pause()
        chosen = [said.key for said in app.told if isinstance(said, RowList.Chosen)]
        assert chosen == ["row0", "row2"]
        assert any(isinstance(said, RowList.FilterAsked) for said in app.told)


async def test_a_click_beneath_the_last_row_does_nothing() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)) as pilot:
        app.rows.show(names(2))
        await pilot.click(RowList, offset=(3, 8))
        assert app.rows.cursor_key == "row0"


async def test_rows_that_come_in_above_are_counted_until_they_are_seen() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)) as pilot:
        app.rows.show(names(50))
        app.rows.show([*names(3, "new"), *names(50)])
        assert app.rows.cursor_key == "row0"
        assert app.cursor_line() == 0
        assert app.rows.new_above == 3
        await pilot.press("k")
        assert app.rows.new_above == 2
        await pilot.press("g")
        assert app.rows.new_above == 0
        await pilot.pause()
        assert [said.count for said in app.told if isinstance(said, RowList.NewAbove)] == [3, 2, 0]


async def test_new_rows_move_nothing_while_the_cursor_is_scrolled_out_of_view() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)):
        app.rows.show(names(100))
        app.rows.scroll_to(y=40, animate=False)
        before = app.lines()
        app.rows.show([*names(7, "new"), *names(100)])
        assert app.lines() == before
        assert app.rows.cursor_key == "row0"


async def test_a_removed_row_hands_the_cursor_to_the_next_one() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)) as pilot:
        app.rows.show(names(30))
        await pilot.press("j", "j")
        app.rows.show([name for name in names(30) if name != "row2"])
        assert (app.rows.cursor_key, app.cursor_line()) == ("row3", 2)
        app.rows.show(["row1"])
        assert app.rows.item() == "row1"
        app.rows.show([])
        assert app.rows.item() is None
        assert app.rows.row_count == 0
        await pilot.press("j", "G", "enter")
        assert app.lines()[0] == "Nothing here yet."


async def test_a_held_list_shows_nothing_new_until_it_is_released() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)):
        app.rows.show(names(3))
        app.rows.held = True
        app.rows.show(["new", *names(3)])
        assert app.lines()[0] == ">row0"
        assert app.rows.waiting == 1
        app.rows.held = False
        assert app.rows.row_count == 4
        assert app.rows.cursor_key == "row0"


async def test_unseen_rows_that_are_gone_again_are_not_counted() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)):
        app.rows.show(names(50))
        app.rows.show([*names(3, "new"), *names(50)])
        app.rows.show([*names(1, "new"), *names(50)])
        assert app.rows.new_above == 1
        app.rows.show(names(50))
        assert app.rows.new_above == 0


async def test_only_visible_rows_are_drawn() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)) as pilot:
        app.rows.show(names(10_000))
        await pilot.press("G")
        assert app.lines()[-1] == ">row9999"
        assert app.drawn < 100


async def test_move_to_goes_by_key_and_says_when_there_is_no_such_row() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)):
        app.rows.show(names(40))
        assert app.rows.move_to("row33")
        assert app.rows.cursor_key == "row33"
        assert ">row33" in app.lines()
        assert not app.rows.move_to("nobody")
        assert app.rows.cursor_key == "row33"


async def test_the_cursor_stays_in_view_when_the_terminal_gets_smaller() -> None:
    app = Bench()
    async with app.run_test(size=(30, 20)) as pilot:
        app.rows.show(names(40))
        app.rows.move_to("row18")
        await pilot.resize_terminal(30, 6)
        await pilot.pause()
        assert app.cursor_line() >= 0


@pytest.mark.parametrize(
    "nasty", ["[/oops]", "[@click=app.quit]x[/]", "\x1b]52;c;aGk=\x07", "a\nb", "\u202eabc", "漢" * 50]
)
async def test_no_control_character_of_a_row_reaches_the_terminal(nasty: str) -> None:
    app = Bench()
    async with app.run_test(size=(30, 6)) as pilot:
        app.rows.show([nasty, nasty * 1000])
        await pilot.press("j")
        for line in app.rows.render_lines(Region(0, 0, 30, 6)):
            assert line.cell_length == 30
            assert not any(ord(c) < 32 or c in "\x7f\u202e" for c in line.text)


Change = tuple[str, int, int]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["insert", "remove", "rotate", "swap", "key"]), st.integers(0, 60), st.integers(1, 5)
    ),
    max_size=12,
)


def changed(rows: list[str], change: Change, fresh: int, keep: str | None) -> list[str]:
    kind, where, count = change
    where = min(where, len(rows))
    if kind == "insert":
        return [*rows[:where], *names(count, f"in{fresh}-"), *rows[where:]]
    if kind == "remove":
        return [key for n, key in enumerate(rows) if not where <= n < where + count or key == keep]
    if kind == "rotate":
        return rows[where:] + rows[:where]
    return [*rows[:where], *reversed(rows[where : where + count]), *rows[where + count :]]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=CHANGES,
    row_lines=st.sampled_from([1, 2]),
    start=st.integers(0, 40),
    keys=st.lists(st.sampled_from("jkGg"), max_size=8),
)
def test_no_change_of_the_rows_moves_the_cursor_or_its_line(
    changes: list[Change], row_lines: int, start: int, keys: list[str]
) -> None:
    async def go() -> None:
        app = Bench(row_lines)
        async with app.run_test(size=(20, 9)) as pilot:
            rows = names(41)
            app.rows.show(rows)
            app.rows.move_to(f"row{start}")
            keys_left = list(keys)
            for fresh, change in enumerate(changes):
                if change[0] == "key":
                    if keys_left:
                        await pilot.press(keys_left.pop())
                    continue
                key, line, place = app.rows.cursor_key, app.cursor_line(), app.rows.cursor_index
                top = app.rows.scroll_y
                rows = changed(rows, change, fresh, key)
                app.rows.show(rows)
                assert app.rows.cursor_key == key
                # Too few rows left above to fill the screen down to that line: the first row is the top then.
                if app.rows.cursor_index * row_lines >= line:
                    assert app.cursor_line() == line, (change, place, top)
                else:
                    assert app.rows.scroll_y == 0

    asyncio.run(go())


async def test_a_list_that_nobody_used_yet_keeps_its_top_in_view() -> None:
    app = Bench()
    async with app.run_test(size=(30, 10)) as pilot:
        app.rows._touched = False
        app.rows.show(names(2))
        app.rows.show([*names(3, "new"), *names(2)])
        assert app.lines()[0] == " new0"
        assert (app.rows.cursor_key, app.rows.new_above) == ("row0", 0)
        app.rows.show([*names(20, "newer"), *names(2)])
        assert app.rows.cursor_key == "row0"
        assert app.cursor_line() >= 0
        await pilot.press("j")
        line = app.cursor_line()
        app.rows.show([*names(30, "newer"), *names(2)])
        assert app.cursor_line() == line
