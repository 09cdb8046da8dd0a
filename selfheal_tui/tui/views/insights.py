"""View 4: what became of all incidents, in plots, and what the system has learned. Computes nothing but the drawing."""

from __future__ import annotations

import io
from typing import ClassVar

from rich.console import Console as Plain
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from selfheal_tui.operations.desk import DeskEvent, InsightsReady
from selfheal_tui.operations.snapshot import Board, Insights, Series
from selfheal_tui.tui.acting import bindings_of
from selfheal_tui.tui.actions import Action
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.screens.export import Export, ExportScreen
from selfheal_tui.tui.views.base import View
from selfheal_tui.tui.widgets.plots import bars, line
from selfheal_tui.tui.widgets.textpane import TextPane

FORMS = (("svg", "the plots as a drawing"), ("json", "the numbers"))
RANGES = (30, 7, 90, 0)
"""Days that the plots over time show; 0 shows all."""
EMPTY = (
    "Nothing to plot yet. Once crashes were looked at, their numbers are here.",
    "See it at work with:  selfheal demo",
)
_TWO_COLUMNS = 120
_PLOT_HEIGHT = 10
_GAP = 3


class InsightsView(View):
    """The plots."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("insights",)
    BINDINGS = bindings_of(*CONTEXTS)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._insights: Insights | None = None
        self._range = 0
        self._revision = -1

    def compose(self) -> ComposeResult:
        """Lays the view out."""
        with Vertical(id="insights-pane", classes="pane"):
            yield TextPane(wrap=False, id="insights-text")

    def opened(self) -> None:
        """Asks for the numbers."""
        self.desk.ask_insights()
        pane = self.query_one(TextPane)
        if self._insights is None:
            pane.show([Text("counting…", self.console.looks.quiet)])
        pane.focus()

    def show_board(self, board: Board) -> None:
        """Asks anew when something changed while this is seen."""
        if self.display and self._insights is not None and board.revision != self._revision:
            self.desk.ask_insights()
        self._revision = board.revision

    def hear(self, event: DeskEvent) -> None:
        """Draws the numbers."""
        if isinstance(event, InsightsReady):
            self._insights = event.insights
            self._fill()

    def on_resize(self) -> None:
        """Draws for the new width."""
        self._fill()

    def _fill(self) -> None:
        if self._insights is None:
            return
        days = RANGES[self._range]
        self.query_one("#insights-pane").border_title = Content(
            f"Insights · {f'last {days} days' if days else 'all days'}"
        )
        width = max(20, self.query_one(TextPane).size.width or self.size.width - 2)
        self.query_one(TextPane).show(
            drawing(self._insights, days, width, self.console.looks), key="insights"
        )

    # -- actions ------------------------------------------------------------------------------------

    def why_not(self, action: Action) -> str:
        """Says what is in the way."""
        if action.verb == "export" and (self._insights is None or not any(self._insights.outcomes.values)):
            return "there is nothing to plot yet"
        return ""

    def act_range(self) -> None:
        """Shows the next range of days."""
        self._range = (self._range + 1) % len(RANGES)
        self._fill()

    def act_export(self) -> None:
        """Asks where to, and has it written."""

        def chosen(export: Export | None) -> None:
            if export is not None:
                text = self._as_svg() if export.form == "svg" else ""
                self.desk.export("insights", export.form, export.file, text=text)

        self.app.push_screen(ExportScreen("insights", FORMS), chosen)

    def _as_svg(self) -> str:
        assert self._insights is not None
        width = max(_TWO_COLUMNS, self.size.width)
        console = Plain(
            width=width, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor"
        )
        for text in drawing(self._insights, RANGES[self._range], width, self.console.looks):
            console.print(text, no_wrap=True, crop=True)
        return console.export_svg(title=f"selfheal insights · {self.console.board.project}")


def drawing(insights: Insights, days: int, width: int, looks: Looks) -> list[Text]:
    """Returns all plots as lines of text.

    Args:
        insights: The numbers.
        days: How many days the plots over time show; 0 for all.
        width: Cells.
        looks: The looks in force.
    """
    if not any(insights.outcomes.values):
        return [Text(line_, looks.quiet) for line_ in EMPTY]
    two = width >= _TWO_COLUMNS
    room = (width - _GAP) // 2 if two else width
    plots = [
        line(_last(insights.per_day, days), room, _PLOT_HEIGHT, looks),
        bars(insights.outcomes, room, looks),
        line(_last(insights.time_to_heal, days), room, _PLOT_HEIGHT, looks),
        bars(insights.by_rule_counts, room, looks),
        line(_last(insights.money, days), room, _PLOT_HEIGHT, looks),
        bars(insights.by_rule, room, looks),
    ]
    lines = [*_totals(insights, width, looks), Text()]
    if two:
        for left, right in zip(plots[::2], plots[1::2], strict=True):
            lines += _beside(left, right, room)
            lines.append(Text())
    else:
        for plot in plots:
            lines += [*plot, Text()]
    lines.append(Text("What was learned", looks.named("primary", bold=True)))
    lines += [Text(f"  {sentence}") for sentence in insights.learned] or [
        Text(
            "  nothing yet: fixes that held are remembered, and offered first when their crash returns",
            looks.quiet,
        )
    ]
    return lines


def _totals(insights: Insights, width: int, looks: Looks) -> list[Text]:
    lines = [Text()]
    for name, text in insights.totals.items():
        part = Text.assemble((f"{name} ", looks.quiet), (text, "bold"))
        dot = looks.dot if lines[-1].plain else ""
        if lines[-1].cell_len + len(dot) + part.cell_len > width:
            lines.append(Text())
            dot = ""
        lines[-1].append(dot).append_text(part)
    return lines


def _last(series: Series, days: int) -> Series:
    if not days:
        return series
    return Series(series.name, series.labels[-days:], series.values[-days:], series.unit)


def _beside(left: list[Text], right: list[Text], room: int) -> list[Text]:
    height = max(len(left), len(right))
    lines = []
    for number in range(height):
        one = left[number].copy() if number < len(left) else Text()
        one.truncate(room, pad=True)
        one.append(" " * _GAP)
        lines.append(one.append_text(right[number]) if number < len(right) else one)
    return lines
