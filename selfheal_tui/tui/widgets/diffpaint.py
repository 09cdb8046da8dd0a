"""Draws one row of a diff as a strip of cells: signs, numbers, words, colours. Work is bounded by the screen's width.

The exact lines stay beneath; what is drawn of them is made visible here. A change is told by its sign first, then by
its colour, and changed words are underlined where there are no colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from selfheal_tui.source.diff import changed_range
from selfheal_tui.source.display import visible
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.widgets.diffrows import Compared, Row
from selfheal_tui.tui.widgets.highlight import Span
from selfheal_tui.tui.widgets.lines import one_line, strip_of

LONG = 4_000
"""Characters from which a line is data: only what is in view of it is looked at."""
TAB = 4
_ENDS = {"\n": "␊", "\r\n": "␍␊", "\r": "␍", "": "∅"}
_COLOUR = {
    "keyword": "primary",
    "string": "secondary",
    "comment": "quiet",
    "number": "warning",
    "name": "accent",
    "decorator": "warning",
}
Words = tuple[tuple[int, int], ...]
Colours = Mapping[tuple[int, bool], Sequence[Sequence[Span]]]
"""Colours of each line of a file: by its index and whether it is the right side."""


def bare(line: str) -> str:
    """Returns a line without its end."""
    return line.rstrip("\r\n")


def shown(line: str) -> str:
    """Returns a line as it is drawn: visible, without its end, tabs expanded."""
    return visible(bare(line)).replace("\n", "␊").expandtabs(TAB)


def cells_of(line: str) -> int:
    """Returns how many cells a line takes, roughly for a long one."""
    if len(line) > LONG or line.isascii():
        return len(line.expandtabs(TAB)) if len(line) <= LONG else len(line)
    return cell_len(shown(line))


def pair(left: str, right: str) -> tuple[str, str, Words, Words]:
    """Returns two lines that differ as they are drawn, and the words that differ."""
    if max(len(left), len(right)) > LONG:
        old, new = _cut(left), _cut(right)
        old_words, new_words = _middles(old, new)
        return old, new, old_words, new_words
    old, new = shown(left), shown(right)
    if old == new:  # they differ in what is not seen: tabs, line ends
        old, new = _laid_bare(left), _laid_bare(right)
        if bare(left) == bare(right):
            old, new = old + _end(left), new + _end(right)
    from selfheal_tui.source.diff import word_spans  # loads much; the first picture does not need it

    return old, new, *word_spans(old, new)


def _cut(line: str) -> str:
    """Returns a long line raw, since only what is in view of it is made visible; a short one as it is drawn."""
    return bare(line) if len(line) > LONG else shown(line)


def _laid_bare(line: str) -> str:
    return visible(bare(line).replace("\t", "→" + " " * (TAB - 1)))


def _end(line: str) -> str:
    return _ENDS[line[len(bare(line)) :]]


def _middles(left: str, right: str) -> tuple[Words, Words]:
    """Finds where two long lines differ: between what they begin and what they end with alike."""
    start, end, new = changed_range(left, right)
    return ((start, end),), ((start, start + len(new)),)


@dataclass
class Painter:
    """Draws rows.

    Attributes:
        looks: The looks in force.
        files: The files.
        width: Cells of the view.
        unified: Whether there is one column of text.
        x: First column of the lines that is in view.
        choosing: Whether hunks are taken in and out.
        chosen: Hunks that are in, as (file, hunk).
        current: The hunk that keys are about.
        base: Style under everything.
        colours: What is known of the code's colours.
    """

    looks: Looks
    files: Sequence[Compared]
    width: int
    unified: bool
    base: Style
    x: int = 0
    choosing: bool = False
    chosen: frozenset[tuple[int, int]] = frozenset()
    current: tuple[int, int] = (-1, -1)
    colours: Colours = field(default_factory=dict)
    words: dict[tuple[int, int, int], tuple[str, str, Words, Words]] = field(default_factory=dict)

    def row(self, row: Row) -> Strip:
        """Draws a row, exactly as wide as the view."""
        match row.kind:
            case "list" | "file":
                return self._line(self._file(row))
            case "note":
                return self._line(Text("  no difference", self.looks.quiet))
            case "gap":
                lines = "line" if row.count == 1 else "lines"
                return self._line(Text(f"  … {row.count} equal {lines}", self.looks.quiet))
            case "hunk":
                return self._line(self._hunk(row))
            case _:
                return self._code(row)

    def words_of(self, row: Row) -> Words:
        """Returns the words that differ in a row's line, on either side."""
        _, _, left, right = self._texts(row, self.files[row.file])
        return (*left, *right)

    # -- headers ------------------------------------------------------------------------------------

    def _line(self, text: Text) -> Strip:
        return strip_of(text, self.width, self.base)

    def _file(self, row: Row) -> Text:
        file = self.files[row.file]
        text = Text(no_wrap=True)
        if row.kind == "list":
            text.append(f" {row.file + 1} of {len(self.files)}  ", self.looks.quiet)
            text.append(one_line(file.path))
        else:
            text.append(f"── {one_line(file.path)}", Style(bold=True))
        text.append(f" +{file.added}", self.looks.named("success"))
        text.append(f" −{file.removed}", self.looks.named("error"))
        if not file.old or not file.new:
            text.append("  new file" if not file.old else "  deleted", Style(bold=True))
        if file.note:
            text.append(f"  {one_line(file.note)}", self.looks.quiet)
        if row.kind == "file":
            text.append(" " + "─" * max(0, self.width - cell_len(text.plain) - 1), self.looks.quiet)
        return text

    def _hunk(self, row: Row) -> Text:
        file = self.files[row.file]
        hunk, here = file.hunks[row.hunk], (row.file, row.hunk)
        pen = self.looks.named("accent", bold=here == self.current)
        text = Text(no_wrap=True)
        text.append("▸ " if here == self.current else "  ", pen)
        left_out = self.choosing and here not in self.chosen
        if self.choosing:
            text.append("[ ] " if left_out else "[x] ", pen)
        text.append(f"hunk {row.hunk + 1} of {len(file.hunks)}", pen)
        old = f"lines {_range(hunk.start, len(hunk.before))}" if hunk.before else f"after line {hunk.start}"
        new = _range(hunk.after_start, len(hunk.after)) if hunk.after else "nothing"
        text.append(f"  {old} → {new}", self.looks.quiet)
        if left_out:
            text.append("  left out", self.looks.named("warning", bold=True))
        return text

    # -- lines of code ------------------------------------------------------------------------------

    def _code(self, row: Row) -> Strip:
        file = self.files[row.file]
        digits = max(3, len(str(max(len(file.old), len(file.new)))))
        pale = self.choosing and row.hunk >= 0 and (row.file, row.hunk) not in self.chosen
        left, right, left_words, right_words = self._texts(row, file)
        if self.unified:
            new = row.kind == "insert"
            numbers = f"{_number(row.left, digits, hidden=new)} {_number(row.right, digits, hidden=row.kind == 'delete')}"
            sign = {"delete": "−", "insert": "+"}.get(row.kind, " ")
            number = row.right if new else row.left
            words = right_words if new else left_words
            return self._side(
                numbers, sign, right if new else left, words, (row.file, new, number), self.width, pale=pale
            )
        half = (self.width - 1) // 2
        changed = row.kind != "equal"
        there = self._side(
            _number(row.left, digits),
            "−" if changed and row.left >= 0 else " ",
            left,
            left_words,
            (row.file, False, row.left),
            half,
            pale=pale,
        )
        here = self._side(
            _number(row.right, digits),
            "+" if changed and row.right >= 0 else " ",
            right,
            right_words,
            (row.file, True, row.right),
            self.width - half - 1,
            pale=pale,
        )
        return Strip.join([there, strip_of(Text("│", self.looks.quiet), 1, self.base), here])

    def _texts(self, row: Row, file: Compared) -> tuple[str, str, Words, Words]:
        left = file.old[row.left] if row.left >= 0 else ""
        right = file.new[row.right] if row.right >= 0 else ""
        if row.kind == "equal" or row.left < 0 or row.right < 0:
            return _cut(left), _cut(right), (), ()
        key = (row.file, row.left, row.right)
        if key not in self.words:
            self.words[key] = pair(left, right)
        return self.words[key]

    def _side(
        self,
        number: str,
        sign: str,
        line: str,
        words: Words,
        where: tuple[int, bool, int],
        width: int,
        *,
        pale: bool,
    ) -> Strip:
        file, new, index = where
        gutter = Text(f"{number} ", self.looks.quiet)
        plain = self.looks.ansi or self.looks.colourless
        ground = Style()
        if sign.strip():
            ink = self.looks.named("success" if new else "error", bold=True)
            ground = (
                (ink if plain else self.looks.ground("added" if new else "removed"))
                if not pale
                else Style(dim=True)
            )
            gutter.append(f"{sign} ", ground + (Style() if pale else ink))
        else:
            gutter.append("  ")
        room = max(0, width - cell_len(gutter.plain))
        head = strip_of(gutter, min(width, cell_len(gutter.plain)), self.base)
        spans: Sequence[Span] = ()
        known = self.colours.get((file, new))
        if known is not None and 0 <= index < len(known) and not pale and not (plain and sign.strip()):
            spans = known[index]
        word = self._word(new=new, plain=plain, pale=pale)
        return Strip.join([head, self._text(line, words, spans, room, ground, word)])

    def _word(self, *, new: bool, plain: bool, pale: bool) -> Style:
        if pale:
            return Style(dim=True)
        if plain:
            return Style(bold=True, underline=True)
        return self.looks.ground("added-word" if new else "removed-word") + Style(bold=True)

    def _text(
        self, line: str, words: Words, spans: Sequence[Span], room: int, ground: Style, word: Style
    ) -> Strip:
        x = self.x
        if len(line) > LONG:  # cut before anything else is done: work must not grow with the line
            line = line[x : x + room + TAB]
            words = tuple((max(0, a - x), max(0, b - x)) for a, b in words)
            line, spans, x = visible(line).replace("\t", " "), (), 0
        text = Text(line, no_wrap=True)
        for start, end, kind in spans:
            text.stylize(self.looks.named(_COLOUR[kind]), start, end)
        for start, end in words:
            text.stylize(word, start, end)
        base = self.base + ground
        return strip_of(text, x + room, base).crop(x, x + room)


def _number(index: int, digits: int, *, hidden: bool = False) -> str:
    return " " * digits if index < 0 or hidden else f"{index + 1:>{digits}}"


def _range(start: int, count: int) -> str:
    return f"{start + 1}" if count == 1 else f"{start + 1}–{start + count}"
