"""Bounds texts of programs and models and makes them safe to show, in this order.

What is cut away is never looked at, so that a message of a megabyte costs what a short one costs. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfheal_tui.source.display import visible

LINE = 300
"""Characters of a line, where nothing else is said."""
BLOCK_LINES = 60
"""Lines of a longer text."""
_SLACK = 4
"""How many times its width is read of a line, for what is only blanks in between."""


def line(text: str, width: int = LINE) -> str:
    """Returns an untrusted text as one line that is safe to show.

    Args:
        text: Any text.
        width: Most characters; what is cut is marked by `…`.
    """
    head = text[: width * _SLACK]
    folded = visible(" ".join(head.split()))
    cut = len(folded) > width or len(head) < len(text)
    return folded[: width - 1] + "…" if cut else folded


def block(text: str, *, lines: int = BLOCK_LINES, width: int = LINE) -> tuple[str, ...]:
    """Returns an untrusted text as lines that are safe to show; indentation is kept.

    Args:
        text: Any text.
        lines: Most lines; what is cut is told in a last one.
        width: Most characters of a line.
    """
    head = text[: lines * width]
    # Not `splitlines`: a form feed or U+2028 ends no line here, it is made visible.
    found = head.replace("\r\n", "\n").split("\n")
    more = len(head) < len(text) or len(found) > lines
    kept = [_kept(one, width) for one in found[:lines]]
    while kept and not kept[-1].strip():
        kept.pop()
    return (*kept, "… (more was cut)") if more else tuple(kept)


def lines(texts: Iterable[str], *, most: int = BLOCK_LINES, width: int = LINE) -> tuple[str, ...]:
    """Returns several untrusted texts as lines that are safe to show, together bounded."""
    kept: list[str] = []
    for text in texts:
        if len(kept) >= most:
            return (*kept[:most], "… (more was cut)")
        kept += block(text, lines=most, width=width)
    return tuple(kept[:most])


def paragraph(text: str, *, lines: int = BLOCK_LINES, width: int = LINE) -> str:
    """Returns an untrusted text with its line ends, safe to show."""
    return "\n".join(block(text, lines=lines, width=width))


def _kept(text: str, width: int) -> str:
    shown = visible(text[: width + 1])
    return shown[: width - 1] + "…" if len(shown) > width else shown
