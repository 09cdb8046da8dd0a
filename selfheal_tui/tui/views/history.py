"""View 2: every past attempt, to filter as one types, to sort, and to export. Reads nothing; the desk brings it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from selfheal_tui.operations.desk import Answered, DeskEvent, HistoryReady
from selfheal_tui.operations.snapshot import AttemptRow, Board, History, Tone
from selfheal_tui.tui.acting import bindings_of
from selfheal_tui.tui.actions import Action
from selfheal_tui.tui.screens.export import Export, ExportScreen
from selfheal_tui.tui.times import day_and_time, short_day
from selfheal_tui.tui.views.filtered import FilteredView
from selfheal_tui.tui.widgets.attempt import attempt_lines, rates
from selfheal_tui.tui.widgets.filterbar import FilterBar, matches
from selfheal_tui.tui.widgets.rowlist import RowList
from selfheal_tui.tui.widgets.textpane import TextPane

EMPTY = (
    "No attempts yet. Each crash that was looked at leaves one here, healed or not. Start a program with:  "
    "selfheal run -- python your_program.py"
)
FORMS = (("md", "a report to read"), ("csv", "for a spreadsheet"), ("json", "for programs"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, width in cells (0 takes the rest), text, what it is sorted by, and how much it matters."""

    name: str
    width: int
    text: Callable[[AttemptRow], str]
    sort: Callable[[AttemptRow], Any]
    rank: int = 0


COLUMNS = (
    Column("when", 11, lambda r: short_day(r.at), lambda r: r.at),
    Column("incident", 8, lambda r: f"#{r.incident_id}", lambda r: r.incident_id),
    Column("outcome", 17, lambda r: r.standing.word, lambda r: r.standing.word, 1),
    Column("error", 0, lambda r: r.error, lambda r: r.error),
    Column("file", 24, lambda r: r.file, lambda r: r.file, 3),
    Column("by", 24, lambda r: r.by or "–", lambda r: r.by, 2),
    Column("decided by", 16, lambda r: r.decided_by or "–", lambda r: r.decided_by, 4),
    Column("took", 7, lambda r: f"{r.seconds:.1f} s", lambda r: r.seconds, 2),
)
_ROOM = {0: 0, 1: 60, 2: 96, 3: 128, 4: 148}
"""Cells from which on columns of a rank are shown."""


class HistoryView(FilteredView):
    """Past attempts."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("history",)
    BINDINGS = bindings_of(*CONTEXTS)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._history = History(())
        self._read = False
        self._column, self._down = 0, True
        self._seen_revision = -1

    def compose(self) -> ComposeResult:
        """Lays the view out."""
        yield Static(id="history-rates")
        with Horizontal():
            with Vertical(id="history-pane", classes="pane"):
                yield FilterBar()
                yield Static(id="history-head")
                yield RowList[AttemptRow](self._draw, lambda row: row.key, empty=EMPTY, id="history-list")
            with Vertical(id="history-preview", classes="pane"):
                yield TextPane(id="history-text")

    @property
    def _list(self) -> RowList[AttemptRow]:
        return self.query_one("#history-list", RowList)

    # -- what comes in ------------------------------------------------------------------------------

    def opened(self) -> None:
        """Asks for the history."""
        self.desk.ask_history()
        if not self.has_focus_within:
            self._list.focus()

    def show_board(self, board: Board) -> None:
        """Asks anew when an incident moved meanwhile."""
        if self._read and board.revision != self._seen_revision and self.display:
            self.desk.ask_history()
        self._seen_revision = board.revision

    def hear(self, event: DeskEvent) -> None:
        """Draws the history."""
        if isinstance(event, HistoryReady):
            self._history, self._read = event.history, True
            self._refill()
        elif isinstance(event, Answered) and self._read and self.display:
            self.desk.ask_history()

    @on(RowList.Moved, "#history-list")
    def _moved(self) -> None:
        self._preview()

    @on(RowList.Chosen, "#history-list")
    def _chosen(self) -> None:
        self.act_open()

    # -- drawing ------------------------------------------------------------------------------------

    def _refill(self) -> None:
        rows = [row for row in self._history.rows if self._fits(row)]
        rows.sort(key=COLUMNS[self._column].sort, reverse=self._down)
        self._list.empty = (
            f"none of {len(self._history.rows)} attempts has all of: {' '.join(self._words)}"
            if self._words
            else EMPTY
        )
        self._list.show(rows)
        total = len(self._history.rows)
        shown = f"{len(rows)} of {total}" if self._words else str(total)
        self.query_one("#history-pane").border_title = Content(f"Attempts {shown}")
        self.query_one("#history-rates", Static).update(rates(self._history, rows, self.console.looks))
        self._draw_head()
        self._preview()

    def _fits(self, row: AttemptRow) -> bool:
        return matches(
            self._words,
            *(row.incident_id, row.standing.word, row.error, row.file, row.kind, row.by, row.decided_by),
            day_and_time(row.at),
        )

    def on_resize(self) -> None:
        """Draws the head for the new width."""
        self._draw_head()

    def _draw_head(self) -> None:
        looks = self.console.looks
        line = Text("  ", no_wrap=True)
        for number, column, width in self._columns(self._list.size.width):
            sign = ("v" if self._down else "^") if looks.ascii else ("▾" if self._down else "▴")
            name = f"{column.name} {sign}" if number == self._column else column.name
            style = looks.named("primary", bold=True) if number == self._column else looks.quiet
            line.append_text(_cell(name, width, style))
        self.query_one("#history-head", Static).update(line)

    def _columns(self, width: int) -> list[tuple[int, Column, int]]:
        chosen = [(n, c) for n, c in enumerate(COLUMNS) if width >= _ROOM[c.rank] or n == self._column]
        rest = max(12, width - 2 - sum(c.width + 1 for _, c in chosen if c.width) - 1)
        return [(number, column, column.width or rest) for number, column in chosen]

    def _draw(self, row: AttemptRow, width: int, _cursor: bool) -> Sequence[Text]:
        looks = self.console.looks
        style = looks.style(row.standing.tone)
        line = Text(f"{looks.mark(row.standing)} ", style)
        for _, column, room in self._columns(width):
            tone = (
                style
                if column.name == "outcome"
                else looks.quiet
                if column.rank or column.name == "when"
                else ""
            )
            line.append_text(_cell(column.text(row), room, tone))
        return (line,)

    def _preview(self) -> None:
        row = self._list.item()
        looks = self.console.looks
        pane = self.query_one("#history-text", TextPane)
        title = f"#{row.incident_id}" if row else "no attempt"
        self.query_one("#history-preview").border_title = Content(title)
        pane.show(attempt_lines(row, looks) if row else [Text("")], key=row.key if row else "")

    # -- actions ------------------------------------------------------------------------------------

    def back(self) -> bool:
        """Drops the filter."""
        if self._words:
            self.query_one(FilterBar).action_drop()
            return True
        return False

    def why_not(self, action: Action) -> str:
        """Says what is in the way."""
        if action.verb in ("open", "export") and not self._history.rows:
            return "there are no attempts yet"
        if action.verb == "open" and self._list.item() is None:
            return "no attempt fits the filter"
        return ""

    def act_sort(self) -> None:
        """Sorts by the next column."""
        self._column = (self._column + 1) % len(COLUMNS)
        self._refill()

    def act_reverse(self) -> None:
        """Turns the order around."""
        self._down = not self._down
        self._refill()

    def act_verify(self) -> None:
        """Has the audit trail checked."""
        self.desk.ask_history()
        ok, text = self._history.audit_ok, self._history.audit_text
        if ok is None:
            self.console.tell("the audit trail is being checked", Tone.BUSY)
        else:
            self.console.tell(f"audit trail: {text}", Tone.GOOD if ok else Tone.BAD)

    def act_open(self) -> None:
        """Goes to the incident."""
        row = self._list.item()
        assert row is not None
        self.console.go("incidents", row.incident_id)

    def act_export(self) -> None:
        """Asks where to, and has it written."""

        def chosen(export: Export | None) -> None:
            if export is not None:
                self.desk.export("history", export.form, export.file)

        self.app.push_screen(ExportScreen("history", FORMS), chosen)


def _cell(text: str, width: int, style: str | Style = "") -> Text:
    cell = Text(text, style, no_wrap=True)
    cell.truncate(width, overflow="ellipsis", pad=True)
    return cell.append(" ")
