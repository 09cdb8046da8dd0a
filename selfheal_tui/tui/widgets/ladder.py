"""The proof ladder: what was checked of a fix, in one line or with its evidence. Says what is given, judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget

from selfheal_tui.operations.snapshot import RungView
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.times import age
from selfheal_tui.tui.widgets.lines import one_line

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

_SHORT = 14
"""Cells up to which a rung's summary stands in the compact form."""
_TELLING = frozenset({"replay", "tests"})
"""Rungs whose summary says something even where they passed."""
_MOST_DETAILS = 400
"""Lines of evidence that are shown of one rung."""


def compact_ladder(rungs: Sequence[RungView], looks: Looks, *, now: float = 0.0) -> list[Text]:
    """Returns each rung in a few words; whoever draws wraps between them, never within one.

    Args:
        rungs: The rungs.
        looks: The looks in force.
        now: Unix time in seconds, for what runs; 0 leaves the time out.
    """
    parts: list[Text] = []
    for rung in rungs:
        part = Text(rung.name)
        part.append(f" {looks.mark(rung.standing)}", looks.style(rung.standing.tone))
        if rung.standing.word != "pass":
            part.append(f" {rung.standing.word}", looks.style(rung.standing.tone))
        if rung.started_at and now:
            part.append(f" {age(now - rung.started_at)}", looks.quiet)
        elif 0 < len(rung.summary) <= _SHORT:
            part.append(f" {one_line(rung.summary)}", looks.quiet)
        parts.append(part)
    return parts


def wrapped(parts: Sequence[Text], width: int) -> list[Text]:
    """Lays parts out in lines of a width, two cells apart."""
    lines: list[Text] = []
    for part in parts:
        if lines and lines[-1].cell_len + 2 + part.cell_len <= width:
            lines[-1].append("  ").append_text(part)
        else:
            lines.append(part.copy())
    return lines or [Text()]


def full_ladder(rungs: Sequence[RungView], looks: Looks, *, now: float = 0.0) -> list[Text]:
    """Returns the rungs with their evidence, a line each.

    Args:
        rungs: The rungs.
        looks: The looks in force.
        now: Unix time in seconds, for what runs; 0 leaves the time out.
    """
    lines: list[Text] = []
    wide = max((len(rung.name) for rung in rungs), default=0)
    for rung in rungs:
        style = looks.style(rung.standing.tone)
        line = Text(f"{looks.mark(rung.standing)} ", style)
        line.append(f"{rung.name:<{wide}}", "bold")
        line.append(f"  {rung.standing.word}", style)
        if rung.summary:
            line.append(f"{looks.dot}{one_line(rung.summary)}")
        facts = [f"{rung.seconds:.1f} s"] if rung.seconds else []
        if rung.started_at and now:
            facts.append(f"for {age(now - rung.started_at)}")
        if rung.isolation:
            facts.append(one_line(rung.isolation))
        if facts:
            line.append(looks.dot + looks.dot.join(facts), looks.quiet)
        lines.append(line)
        lines += [Text(f"    {one_line(detail)}", looks.quiet) for detail in rung.details[:_MOST_DETAILS]]
        if len(rung.details) > _MOST_DETAILS:
            lines.append(Text(f"    … {len(rung.details) - _MOST_DETAILS} more lines", looks.quiet))
    return lines


class Ladder(Widget):
    """The compact form, live: what runs is drawn with its time every second."""

    DEFAULT_CSS = "Ladder { height: auto; max-height: 4; text-wrap: nowrap; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - the name that every widget of Textual has
        super().__init__(id=id)
        self._rungs: tuple[RungView, ...] = ()
        self._label = ""

    def on_mount(self) -> None:
        """Keeps the time going."""
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        if any(rung.started_at for rung in self._rungs):
            self.refresh(layout=True)

    def show(self, rungs: Sequence[RungView], *, label: str = "") -> None:
        """Shows other rungs, and what is being proved."""
        if (tuple(rungs), label) != (self._rungs, self._label):
            self._rungs, self._label = tuple(rungs), label
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        """Returns how many lines it takes."""
        return len(wrapped(self._parts(), width))

    def render(self) -> Text:
        """Draws it."""
        return Text("\n", no_wrap=True).join(wrapped(self._parts(), self.size.width))

    def _parts(self) -> list[Text]:
        console = cast("Console", self.app)
        label = [Text(f"{one_line(self._label)}:", "bold")] if self._label else []
        return [*label, *compact_ladder(self._rungs, console.looks, now=console.clock())]
