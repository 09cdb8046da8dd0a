"""Colours of source code: which characters of each line are keywords, strings, comments and so on.

Slow for long texts (some tenths of a second for 5,000 lines), so it runs in a worker and the lines are painted plain
until it is done. Knows kinds, not colours; those are the theme's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from rich.style import Style

if TYPE_CHECKING:
    from rich.syntax import ANSISyntaxTheme

Span = tuple[int, int, str]
"""Start, end (characters) and kind: a name of `KINDS`."""

KINDS = ("keyword", "string", "comment", "number", "name", "decorator")
MAX_CHARACTERS = 2_000_000
"""Longer texts stay plain: their colours would come after the operator has gone."""
_PENS = {kind: Style(color=f"color({number})") for number, kind in enumerate(KINDS)}
_KIND_OF = {pen: kind for kind, pen in _PENS.items()}


@cache
def _theme() -> ANSISyntaxTheme:
    # Imported here and below: dozens of modules that the console's first picture does not need.
    from rich.syntax import ANSISyntaxTheme

    return ANSISyntaxTheme(
        {
            ("Keyword",): _PENS["keyword"],
            ("Operator", "Word"): _PENS["keyword"],
            ("Literal", "String"): _PENS["string"],
            ("Literal", "String", "Doc"): _PENS["comment"],
            ("Literal", "Number"): _PENS["number"],
            ("Comment",): _PENS["comment"],
            ("Name", "Function"): _PENS["name"],
            ("Name", "Class"): _PENS["name"],
            ("Name", "Decorator"): _PENS["decorator"],
        }
    )


def colours_of(lines: Sequence[str], path: str) -> tuple[tuple[Span, ...], ...]:
    """Finds the kinds of a text's characters.

    Args:
        lines: The text's lines as they are drawn: visible, without tabs and line ends.
        path: Its path, which tells its language.

    Returns:
        Spans of each line; none where the language is unknown or the text is too long.
    """
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    if starts[-1] > MAX_CHARACTERS:
        return ((),) * len(lines)
    from rich.syntax import Syntax

    code = "\n".join(lines)
    text = Syntax(code, Syntax.guess_lexer(path), theme=_theme()).highlight(code)
    found: list[list[Span]] = [[] for _ in lines]
    for start, end, style in text.spans:
        kind = _KIND_OF.get(style) if isinstance(style, Style) else None
        if kind is None:
            continue
        line = bisect_right(starts, start) - 1
        while line < len(lines) and starts[line] < end:
            first, last = max(start - starts[line], 0), min(end - starts[line], len(lines[line]))
            if last > first:
                found[line].append((first, last, kind))
            line += 1
    return tuple(tuple(spans) for spans in found)
