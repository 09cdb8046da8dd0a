"""Lines of text that scroll: wrapped to the width, drawn only where they are seen, and never moved by news.

For overviews, timelines, evidence and program output. Takes ready rich texts; parses no markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from selfheal_tui.tui.acting import Acting, bindings_of
from selfheal_tui.tui.actions import Action
from selfheal_tui.tui.widgets.lines import strip_of

LONGEST_LINE = 4000
"""Longer lines are cut when drawn; wrapping a megabyte in one line helps nobody."""


class TextPane(Acting, ScrollView, can_focus=True):
    """A pane of text.

    Args:
        follow: Stay at the end while lines are added, unless somebody scrolled up.
        wrap: Wrap long lines; else they are cut at the edge.
    """

    CONTEXTS: ClassVar[tuple[str, ...]] = ("list",)
    BINDINGS = bindings_of(*CONTEXTS)
    DEFAULT_CSS = """
    TextPane { height: 1fr; width: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """

    def __init__(
        self,
        *,
        follow: bool = False,
        wrap: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._follow = follow
        self._wrap = wrap
        self._lines: list[Text] = []
        self._drawn: list[Text] = []
        self._width = 0
        self._key = ""
        self._pinned = follow

    @property
    def plain(self) -> str:
        """All lines as plain text."""
        return "\n".join(line.plain for line in self._lines)

    def show(self, lines: Sequence[Text], *, key: str = "") -> None:
        """Shows lines instead of those before.

        Args:
            lines: The lines.
            key: What they are about; the scroll position is kept while this stays the same.
        """
        self._lines = list(lines)
        if key != self._key:
            self._key, self._pinned = key, self._follow
            self.scroll_to(0, 0, animate=False)
        self._lay_out(anew=True)
        self._stay()

    def add(self, lines: Sequence[Text], *, most: int) -> None:
        """Adds lines at the end and drops the oldest above a bound."""
        self._lines += lines
        dropped = max(0, len(self._lines) - most)
        if dropped:
            del self._lines[:dropped]
            self._lay_out(anew=True)
        else:
            for line in lines:
                self._drawn += self._wrapped(line)
            self._resize()
        self._stay()

    def _stay(self) -> None:
        """Keeps the end in sight, unless somebody scrolled up."""
        if self._pinned:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Notices that somebody scrolled up, or back to the end."""
        super().watch_scroll_y(old_value, new_value)
        if self._follow and self.size.height:
            self._pinned = new_value >= self.max_scroll_y - 1

    def _lay_out(self, *, anew: bool) -> None:
        width = self.scrollable_content_region.width
        if not anew and width == self._width:
            return
        self._width = width
        self._drawn = [part for line in self._lines for part in self._wrapped(line)]
        self._resize()

    def _resize(self) -> None:
        self.virtual_size = Size(self._width, len(self._drawn))
        self.refresh()

    def _wrapped(self, line: Text) -> list[Text]:
        if len(line.plain) > LONGEST_LINE:
            line = line[:LONGEST_LINE]
            line.append("…")
        if not self._wrap or self._width <= 0:
            return [line]
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        hang = min(indent + 2, self._width // 3)
        if line.cell_len <= self._width:
            return [line]
        first, *_ = line.wrap(self.app.console, self._width)
        rest = line[len(first.plain) :]
        while rest.plain.startswith(" "):
            rest = rest[1:]
        more = list(rest.wrap(self.app.console, max(1, self._width - hang))) if rest.plain else []
        return [first, *(Text(" " * hang).append_text(part) for part in more)]

    def on_resize(self) -> None:
        """Wraps anew, keeping the first visible line where it is as well as that goes."""
        pinned = self._pinned
        self._lay_out(anew=False)
        self._pinned = pinned
        self._stay()

    def render_line(self, y: int) -> Strip:
        """Draws one line."""
        number = y + self.scroll_offset.y
        width = self.size.width
        base = self.rich_style
        if number >= len(self._drawn):
            return Strip.blank(width, base)
        return strip_of(self._drawn[number], width, base)

    # -- actions ------------------------------------------------------------------------------------

    def act_down(self) -> None:
        """One line down."""
        self.scroll_down(animate=False)

    def act_up(self) -> None:
        """One line up."""
        self.scroll_up(animate=False)

    def act_top(self) -> None:
        """To the first line."""
        self.scroll_home(animate=False)

    def act_bottom(self) -> None:
        """To the last line."""
        self.scroll_end(animate=False)

    def act_half_down(self) -> None:
        """Half a page down."""
        self.scroll_relative(y=max(1, self.size.height // 2), animate=False)

    def act_half_up(self) -> None:
        """Half a page up."""
        self.scroll_relative(y=-max(1, self.size.height // 2), animate=False)

    def why_not(self, action: Action) -> str:
        """A text has no filter."""
        return "there is a filter for lists, not for texts" if action.verb == "filter" else ""

    def act_filter(self) -> None:
        """Is never done; see `why_not`."""
