"""An incident in full: tabs over overview, diff, proof, timeline and the program's output. Draws what it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from selfheal_tui.operations.desk import ProofMoved
from selfheal_tui.operations.snapshot import Board, IncidentDetail, IncidentRow
from selfheal_tui.tui.widgets.diffview import DiffView
from selfheal_tui.tui.widgets.header import Tabs
from selfheal_tui.tui.widgets.ladder import full_ladder
from selfheal_tui.tui.widgets.output import OutputPane
from selfheal_tui.tui.widgets.overview import overview, timeline
from selfheal_tui.tui.widgets.textpane import TextPane

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

TABS = (
    ("overview", "Overview"),
    ("diff", "Diff"),
    ("proof", "Proof"),
    ("timeline", "Timeline"),
    ("output", "Output"),
)
NOTHING = "No incident is chosen. When a supervised program crashes, it appears in the list."


class DetailPane(Vertical):
    """What is known of the incident under the cursor."""

    DEFAULT_CSS = """
    DetailPane ContentSwitcher { height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.incident_id = ""
        self.detail: IncidentDetail | None = None
        self._proof: ProofMoved | None = None
        self._patch = ""

    def compose(self) -> ComposeResult:
        """Lays the pane out."""
        yield Tabs(TABS, id="detail-tabs")
        with ContentSwitcher(initial="overview"):
            yield TextPane(id="overview")
            yield DiffView(id="diff")
            yield TextPane(id="proof")
            yield TextPane(id="timeline")
            with Vertical(id="output"):
                yield OutputPane()

    def on_mount(self) -> None:
        """Begins with nothing."""
        self._title(None)

    @property
    def tab(self) -> str:
        """The tab in front."""
        return self.query_one(ContentSwitcher).current or TABS[0][0]

    def turn(self, step: int) -> None:
        """Goes some tabs on."""
        names = [name for name, _ in TABS]
        self.open_tab(names[(names.index(self.tab) + step) % len(names)])

    def open_tab(self, name: str) -> None:
        """Brings a tab to the front; the focus goes along when it was in here."""
        inside = self.has_focus_within
        self.query_one(ContentSwitcher).current = name
        self.query_one(Tabs).activate(name)
        if name == "output":
            self.query_one(OutputPane).look()
        if inside:
            self.focus_tab()

    def focus_tab(self) -> None:
        """Puts the focus on what the tab shows."""
        pane = self.query_one(f"#{self.tab}", Widget)
        (self.query_one(OutputPane).query_one(TextPane) if self.tab == "output" else pane).focus()

    @on(Tabs.Chosen, "#detail-tabs")
    def _tab_clicked(self, event: Tabs.Chosen) -> None:
        event.stop()
        self.open_tab(event.name)

    def begin(self, row: IncidentRow | None) -> None:
        """Turns to another incident, before its detail is there."""
        self.incident_id = row.incident_id if row else ""
        self.detail, self._proof, self._patch = None, None, ""
        self._title(row)
        quiet = self._host_app.looks.quiet
        waiting = [Text("reading…" if row else NOTHING, quiet)]
        for name in ("overview", "proof", "timeline"):
            self.query_one(f"#{name}", TextPane).show(waiting, key="")
        self.query_one(DiffView).show(())

    def show(self, detail: IncidentDetail) -> None:
        """Draws the incident."""
        if detail.row.incident_id != self.incident_id:
            return
        self.detail = detail
        self._title(detail.row)
        looks, key = self._host_app.looks, self.incident_id
        self.query_one("#overview", TextPane).show(
            overview(detail, looks, now=self._host_app.clock()), key=key
        )
        self.query_one("#timeline", TextPane).show(timeline(detail, looks), key=key)
        candidate = detail.candidate
        patch = candidate.candidate_id if candidate else "none"
        if patch != self._patch:
            self._patch = patch
            self.query_one(DiffView).show(candidate.changes if candidate else ())
        self._draw_proof()

    def proof_moved(self, moved: ProofMoved) -> None:
        """Draws a proof that is being made of this incident."""
        if moved.incident_id == self.incident_id:
            self._proof = None if moved.ended else moved
            self._draw_proof()

    def show_board(self, board: Board) -> None:
        """Draws what the output tab shows of the programs."""
        self.query_one(OutputPane).show_board(board)

    def _draw_proof(self) -> None:
        looks, detail = self._host_app.looks, self.detail
        lines: list[Text] = []
        if self._proof is not None:
            lines.append(Text(f"being proved: {self._proof.label}", "bold"))
            lines += full_ladder(self._proof.rungs, looks)
            lines.append(Text())
        for candidate in detail.candidates if detail else ():
            chosen = detail is not None and candidate is detail.candidate and detail.chosen >= 0
            head = f"candidate {candidate.number}{' (chosen)' if chosen else ''}: {candidate.by} ({candidate.confidence:.2f})"
            lines.append(Text(head, "bold"))
            lines.append(Text(candidate.reason, looks.quiet))
            if candidate.note:
                lines.append(Text(candidate.note))
            lines += full_ladder(candidate.rungs, looks)
            lines.append(Text())
        if not lines:
            lines = [Text("no fix was tried: nothing to prove", looks.quiet)]
        self.query_one("#proof", TextPane).show(lines, key=self.incident_id)

    def _title(self, row: IncidentRow | None) -> None:
        self.border_title = Content(f"#{row.incident_id}  {row.error}  {row.place}" if row else "No incident")

    @property
    def _host_app(self) -> Console:
        return cast("Console", self.app)
