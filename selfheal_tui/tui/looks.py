"""How states are drawn: glyph or ASCII sign, word, colour. Every widget asks here; nobody chooses a colour itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from selfheal_tui.operations.snapshot import Standing, Tone
from selfheal_tui.source.display import visible

_VARIABLES: Mapping[Tone, str] = {
    Tone.ASK: "ask",
    Tone.BUSY: "busy",
    Tone.GOOD: "success",
    Tone.WARN: "warning",
    Tone.BAD: "error",
    Tone.QUIET: "quiet",
}
_TO_ASCII = {
    "│": "|", "─": "-", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "━": "=", "┃": "|", "▌": "|", "▐": "|", "▎": "|", "▏": "|", "▕": "|",
    "█": "#", "▀": "-", "▄": "_", "▁": "_", "▂": "_", "▃": "_", "▅": "=", "▆": "=", "▇": "=", "▔": "-",
    "·": ".", "…": "~", "●": "*", "○": "o", "◌": "o", "◉": "@", "▸": ">", "▾": "v", "▶": ">", "▼": "v", "↑": "^", "↓": "v", "→": ">",
    "←": "<", "↺": "@", "↩": "<", "✓": "+", "✗": "x", "×": "x", "–": "-", "—": "-", "−": "-", "‑": "-", "“": '"', "”": '"',
    "‘": "'", "’": "'", "⟨": "<", "⟩": ">", "␡": "^", "␛": "^", "⏎": "<", "\u00a0": " ", "≥": ">", "≤": "<", "⏸": "=", "⚠": "!",
}  # fmt: skip
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


class Looks:
    """The looks in force.

    Args:
        theme: The theme.
        ascii_only: Whether no glyph outside ASCII is drawn.
        variables: The theme's CSS variables as the app computed them.
        colourless: Whether no colours are drawn (`NO_COLOR`).
    """

    def __init__(
        self, theme: Theme, *, ascii_only: bool, variables: Mapping[str, str], colourless: bool = False
    ) -> None:
        self.ascii = ascii_only
        self.ansi = theme.ansi
        self.dark = theme.dark
        self.colourless = colourless
        self._variables = variables

    def colour(self, name: str) -> str:
        """Returns a theme variable's colour as rich understands it; empty for the terminal's default."""
        value = self._variables.get(name, "")
        if value.startswith("ansi_"):
            plain = value.removeprefix("ansi_")
            return "" if plain == "default" else plain
        if not value:
            return ""
        red, green, blue = Color.parse(value).rgb
        return f"#{red:02x}{green:02x}{blue:02x}"

    def style(self, tone: Tone, *, bold: bool = False) -> Style:
        """Returns the style of a tone."""
        return Style(color=self.colour(_VARIABLES[tone]) or None, bold=bold or tone is Tone.ASK)

    def named(self, name: str, *, bold: bool = False) -> Style:
        """Returns a style in the colour of a theme variable."""
        return Style(color=self.colour(name) or None, bold=bold or None)

    def ground(self, name: str) -> Style:
        """Returns a style with a theme variable as its background; the cursor of a colourless theme is reversed."""
        colour = "" if self.colourless else self.colour(name)
        if not colour:
            return Style(reverse=True) if name == "cursor-row" else Style()
        return Style(bgcolor=colour)

    @property
    def quiet(self) -> Style:
        """Style of what matters less."""
        return self.style(Tone.QUIET)

    def mark(self, standing: Standing) -> str:
        """Returns the sign of a state, one cell wide."""
        return standing.ascii if self.ascii else standing.glyph

    def badge(self, standing: Standing) -> Text:
        """Returns a state as sign and word in its colour."""
        return Text(f"{self.mark(standing)} {standing.word}", self.style(standing.tone))

    @property
    def dot(self) -> str:
        """The separator of facts in a line."""
        return " - " if self.ascii else " · "


class Guard(LineFilter):
    """The last guard before the terminal: no control or invisible character, and in ASCII mode nothing else either.

    What is drawn was made visible long before; this makes sure of it, whatever a widget forgets.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ascii = False

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """Returns the segments as they may reach the terminal; widths stay the same."""
        return [
            segment if segment.control or self._clean(segment.text) else self._replaced(segment)
            for segment in segments
        ]

    def _clean(self, text: str) -> bool:
        return text.isascii() and text.isprintable() if self.ascii else text.isprintable() or not _hides(text)

    def _replaced(self, segment: Segment) -> Segment:
        text = "".join(
            sign if len(shown := visible(sign)) == 1 and shown == sign else _one(shown)
            for sign in segment.text
        )
        text = text.replace("\n", " ").replace("\t", " ")
        if self.ascii:
            text = _NOT_ASCII.sub(_stand_in, text)
        return Segment(text, segment.style)


def _hides(text: str) -> bool:
    return visible(text) != text or "\n" in text or "\t" in text


def _one(shown: str) -> str:
    return shown if len(shown) == 1 else "?"


def _stand_in(match: re.Match[str]) -> str:
    from rich.cells import cell_len

    sign = match[0]
    return _TO_ASCII.get(sign) or "?" * cell_len(sign)
