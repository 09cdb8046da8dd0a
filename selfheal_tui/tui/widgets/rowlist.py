"""A list of rows which stays still: new rows never move the cursor, the scroll position or what is under the eye.

Textual's own lists take seconds for ten thousand rows and keep their cursor by index; this one draws only what is
visible and keeps its cursor by key. It shows what it is given: it may not filter, sort, or look anything up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import compress, count
from operator import is_not
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from selfheal_tui.tui.acting import Acting, bindings_of
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.widgets.lines import strip_of

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

Item = TypeVar("Item")

Draw = Callable[[Item, int, bool], Sequence[Text]]
"""Draws an item for a width in cells, and whether the cursor is on it, as `row_lines` lines."""


class RowList(Acting, ScrollView, Generic[Item], can_focus=True):
    """Rows of the same height, one of them under the cursor."""

    CONTEXTS = ("list",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("list"), Binding("enter", "choose", show=False)]
    DEFAULT_CSS = """
    RowList {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """

    class Said(Message):
        """Something a list tells its owner."""

        def __init__(self, rows: RowList[Any]) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> RowList[Any]:
            """The list."""
            return self.rows

    class Moved(Said):
        """The cursor is on another row now; `key` is empty when there is none left."""

        def __init__(self, rows: RowList[Any], key: str) -> None:
            super().__init__(rows)
            self.key = key

    class Chosen(Said):
        """A row was chosen, by enter or a double click."""

        def __init__(self, rows: RowList[Any], key: str) -> None:
            super().__init__(rows)
            self.key = key

    class FilterAsked(Said):
        """The key of the filter was pressed; whoever owns the list opens its filter."""

    class NewAbove(Said):
        """How many unseen rows are above what is visible; the owner shows it as `3 new ↑`."""

        def __init__(self, rows: RowList[Any], count: int) -> None:
            super().__init__(rows)
            self.count = count

    def __init__(
        self,
        draw: Draw[Item],
        key: Callable[[Item], str],
        *,
        row_lines: int = 1,
        empty: str = "",
        top_first: bool = False,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - the name that every widget of Textual has
        classes: str | None = None,
    ) -> None:
        """Makes an empty list.

        Args:
            draw: Draws an item; called for visible rows only.
            key: Tells items apart; stable and unique.
            row_lines: Lines a row.
            empty: What is said when there is no row; plain text.
            top_first: Until somebody has used the list, keep its top in view rather than the line of the cursor.
            name: As for every widget.
            id: As for every widget.
            classes: As for every widget.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._draw = draw
        self._key = key
        self._row_lines = row_lines
        self._empty = empty
        self._items: Sequence[Item] = ()
        self._keys: list[str] = []
        self._places: dict[str, int] = {}
        self._cursor = 0
        self._shown = False
        self._top_first = top_first
        self._touched = not top_first
        self._pending: Sequence[Item] | None = None
        self._held = False
        self._unseen: set[str] = set()
        self._told_above = 0
        self._height_before = 0
        self._drawn: dict[int, Sequence[Text]] = {}
        self._looks: Looks | None = None

    # -- what the owner asks ------------------------------------------------------------------------

    @property
    def cursor_key(self) -> str | None:
        """Key of the row under the cursor; None when there is no row."""
        return self._keys[self._cursor] if self._keys else None

    @property
    def cursor_index(self) -> int:
        """Place of the cursor, from 0."""
        return self._cursor

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._keys)

    @property
    def new_above(self) -> int:
        """How many rows came in above what is visible and were not seen yet."""
        top = self._top
        return sum(1 for key in self._unseen if self._places[key] < top)

    def above(self, keys: Collection[str]) -> int:
        """Returns how many rows of some keys are above what is visible."""
        top = self._top
        return sum(1 for key in keys if self._places.get(key, top) < top)

    @property
    def waiting(self) -> int:
        """How many rows that are not shown yet came in while the feed was held."""
        if self._pending is None:
            return 0
        return sum(1 for item in self._pending if self._key(item) not in self._places)

    @property
    def held(self) -> bool:
        """Whether the feed is held: what `show` brings is kept back until it is released."""
        return self._held

    @held.setter
    def held(self, held: bool) -> None:
        self._held = held
        if not held and self._pending is not None:
            pending, self._pending = self._pending, None
            self.show(pending)

    @property
    def empty(self) -> str:
        """What is said when there is no row."""
        return self._empty

    @empty.setter
    def empty(self, empty: str) -> None:
        self._empty = empty
        if not self._keys:
            self.refresh()

    def visible_items(self) -> Sequence[Item]:
        """Returns the items that are in view, even in part."""
        return self._items[self._top : self._top + self._viewport // self._row_lines + 2]

    def item(self) -> Item | None:
        """Returns the item under the cursor."""
        return self._items[self._cursor] if self._keys else None

    def show(self, items: Sequence[Item]) -> None:
        """Shows other items, or changed ones; the cursor's row stays where it is on the screen.

        The cursor stays on its key; where that is gone it goes to the next row that is still there. While the cursor
        is scrolled out of view, the first visible row stays in place instead. A list that is `top_first` and was not
        used yet is read by nobody at a place: its top stays in view while the cursor does, so that what is urgent is seen.
        """
        if self._held:
            self._pending = items
            return
        if self._shown and items is not self._items and self._draw_changed(items):
            return
        before, old_keys, old_places = self.cursor_key, self._keys, self._places
        anchor = self._anchor()
        line = anchor * self._row_lines - round(self.scroll_y)
        self._items = items
        self._keys = [self._key(item) for item in items]
        self._places = {key: index for index, key in enumerate(self._keys)}
        self._unseen &= self._places.keys()  # before anything scrolls, which counts them
        self._cursor = self._survivor(old_keys, self._cursor)
        place = self._survivor(old_keys, anchor)
        target = max(0, place * self._row_lines - line) if self._shown and self._keys else 0
        if not self._touched and (self._cursor + 1) * self._row_lines <= self._viewport:
            target = 0
        height = len(self._keys) * self._row_lines
        # Where rows below went away, blank lines keep the others in place until the operator moves.
        self._set_height(max(height, target + self._viewport) if target else height)
        self.scroll_to(y=target, animate=False, force=True)
        if self._shown:
            top = self._top
            self._unseen |= {key for key in self._keys[:top] if key not in old_places}
        self._shown = self._shown or bool(self._keys)
        self._tell_above()
        self.refresh()
        if self.cursor_key != before:
            self._tell_moved()

    def _draw_changed(self, items: Sequence[Item]) -> bool:
        """Takes over items with the very keys of those shown, drawing only what changed; returns whether they had them."""
        if len(items) != len(self._items):
            return False
        changed = list(compress(count(), map(is_not, items, self._items)))
        if any(self._key(items[index]) != self._keys[index] for index in changed):
            return False
        self._items = items
        top = self._top
        bottom = top + self._viewport // self._row_lines + 2
        for index in changed:
            if top <= index <= bottom:
                self.refresh_lines(index * self._row_lines, self._row_lines)
        return True

    def move_to(self, key: str) -> bool:
        """Puts the cursor on a row and scrolls it into view; returns whether the row is there."""
        self._touched = True
        if key not in self._places:
            return False
        self._go(self._places[key])
        return True

    def look_anew(self) -> None:
        """Somebody comes back to a `top_first` list from elsewhere, and reads at no place of it yet."""
        if self._top_first and not self._held:
            self._touched = False
            self.show(self._items)

    # -- actions ------------------------------------------------------------------------------------

    def act_down(self) -> None:
        """One row down."""
        self._go(self._cursor + 1)

    def act_up(self) -> None:
        """One row up."""
        self._go(self._cursor - 1)

    def act_top(self) -> None:
        """To the first row."""
        self._go(0)

    def act_bottom(self) -> None:
        """To the last row."""
        self._go(len(self._keys) - 1)

    def act_half_down(self) -> None:
        """Half a page down."""
        self._go(self._cursor + self._half)

    def act_half_up(self) -> None:
        """Half a page up."""
        self._go(self._cursor - self._half)

    def act_filter(self) -> None:
        """Asks the owner for its filter."""
        self._say(self.FilterAsked(self))

    def action_choose(self) -> None:
        """Chooses the row under the cursor."""
        if self.cursor_key is not None:
            self._say(self.Chosen(self, self.cursor_key))

    def on_key(self) -> None:
        """From the first key on somebody reads at a place."""
        self._touched = True

    def on_mouse_scroll_down(self) -> None:
        """The same for the wheel."""
        self._touched = True

    def on_click(self, event: events.Click) -> None:
        """Moves the cursor; a double click chooses."""
        self._touched = True
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = (offset.y + round(self.scroll_y)) // self._row_lines
        if index < len(self._keys):
            self._go(index)
            if event.chain > 1:
                self.action_choose()

    def on_resize(self) -> None:
        """Keeps the cursor in view where it was in view."""
        line = self._cursor * self._row_lines - round(self.scroll_y)
        if 0 <= line < self._height_before:
            self._into_view()
        self._height_before = self._viewport
        self._tell_above()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Counts rows as seen which come into view."""
        super().watch_scroll_y(old_value, new_value)
        self._tell_above()

    # -- drawing ------------------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draws each row once a paint."""
        self._drawn.clear()
        self._looks = cast("Console", self.app).looks
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draws a line of the screen."""
        width = self.size.width
        if not self._keys:
            return self._empty_line(y, width)
        index, part = divmod(y + round(self.scroll_y), self._row_lines)
        if index >= len(self._keys):
            return Strip.blank(width, self.rich_style)
        on_cursor = index == self._cursor
        lines = self._drawn.get(index)
        if lines is None:
            lines = self._drawn[index] = self._draw(self._items[index], width, on_cursor)
        text = lines[part] if part < len(lines) else Text()
        return strip_of(text, width, self._style_of(on_cursor=on_cursor))

    def _style_of(self, *, on_cursor: bool) -> Style:
        if not on_cursor or self._looks is None:
            return self.rich_style
        ground = self._looks.ground("cursor-row")
        if self.has_focus:
            return self.rich_style + ground + Style(bold=True)
        return self.rich_style + (Style(bold=True) if ground.reverse else ground)

    def _empty_line(self, y: int, width: int) -> Strip:
        lines = Text(self._empty).wrap(self.app.console, max(width, 1))
        text = lines[y] if y < len(lines) else Text()
        return strip_of(text, width, self.rich_style + (self._looks.quiet if self._looks else Style()))

    # -- where things are ---------------------------------------------------------------------------

    @property
    def _viewport(self) -> int:
        return self.size.height

    @property
    def _half(self) -> int:
        return max(1, self._viewport // self._row_lines // 2)

    @property
    def _top(self) -> int:
        """The first row of which all is visible."""
        return -(-round(self.scroll_y) // self._row_lines)

    def _anchor(self) -> int:
        """Returns the row that is to stay in place: the cursor's, or the first visible one."""
        line = self._cursor * self._row_lines - round(self.scroll_y)
        return self._cursor if -self._row_lines < line < max(self._viewport, 1) else self._top

    def _survivor(self, old_keys: list[str], index: int) -> int:
        """Returns where a row is now, or the next one of the old rows that is still there."""
        for key in [*old_keys[index:], *reversed(old_keys[:index])]:
            if key in self._places:
                return self._places[key]
        return 0

    def _set_height(self, height: int) -> None:
        self.virtual_size = Size(self.size.width, height)

    def _go(self, index: int) -> None:
        if not self._keys:
            return
        index = min(max(index, 0), len(self._keys) - 1)
        moved = index != self._cursor
        self._cursor = index
        self._set_height(len(self._keys) * self._row_lines)
        self._into_view()
        self.refresh()
        if moved:
            self._tell_moved()

    def _into_view(self) -> None:
        first = self._cursor * self._row_lines
        last = first + self._row_lines
        top = round(self.scroll_y)
        if first < top:
            self.scroll_to(y=first, animate=False, force=True)
        elif last > top + self._viewport:
            self.scroll_to(y=last - self._viewport, animate=False, force=True)

    # -- what the owner is told ---------------------------------------------------------------------

    def _tell_moved(self) -> None:
        self._say(self.Moved(self, self.cursor_key or ""))

    def _tell_above(self) -> None:
        top = self._top
        self._unseen = {key for key in self._unseen if self._places[key] < top}
        if len(self._unseen) != self._told_above:
            self._told_above = len(self._unseen)
            self._say(self.NewAbove(self, self._told_above))

    def _say(self, message: Said) -> None:
        # Whoever called into this widget would pass for the sender, and a message does not bubble beyond its sender.
        self.post_message(message.set_sender(self))
