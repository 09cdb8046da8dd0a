"""Turns a line of rich text into a strip of exactly so many cells, in bounded time, whatever is in it.

The last guard before the terminal: snapshots are made visible where they are made, yet a line that still has a
control character in it is made visible here, so that one forgotten place cannot reach the terminal.
"""

from __future__ import annotations

from rich.console import Console
from rich.style import Style
from rich.text import Span, Text
from textual.strip import Strip

from selfheal_tui.source.display import visible

_CONSOLE = Console(force_terminal=False, color_system=None, width=80, legacy_windows=False)
"""Only asked for how to render spans; never written to."""
LONGEST = 2_000
"""Characters of a fact, such as a message or a path, that are shown; wrapping a megabyte takes minutes."""
_SLACK = 64
"""Characters beyond the width that are kept of a line: combining marks take no cells."""


def strip_of(text: Text, width: int, base: Style) -> Strip:
    """Draws a line.

    Args:
        text: One line; what it has beyond the width is cut off.
        width: Cells.
        base: Style under the line's own and of the rest of the width.

    Returns:
        A strip of exactly `width` cells without any control character.
    """
    if len(text.plain) > width + _SLACK:
        text = text[: width + _SLACK]
    text = safe_text(text)
    if not text.spans:
        # rich leaves the style of a text without spans to whoever prints it.
        text = Text(text.plain, spans=[Span(0, len(text.plain), text.style)])
    segments = list(text.render(_CONSOLE, end=""))
    return Strip(segments).adjust_cell_length(width, base).apply_style(base)


def safe_text(text: Text) -> Text:
    """Returns a line as it is, or made visible (without its styles) where anything unsafe is in it."""
    plain = text.plain
    safe = visible(plain).replace("\n", "␊").replace("\t", " ")
    return text if safe == plain else Text(safe, style=text.style)


def one_line(text: str) -> str:
    """Makes a text visible, in one line, cut where nobody reads on: newlines and tabs become visible too."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return visible(cut).replace("\n", "␊").replace("\t", " ")
