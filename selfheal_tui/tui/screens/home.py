"""The home screen: header, the five views one at a time, the approval panel, footer. Holds no state but which view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from selfheal_tui.operations.desk import BoardChanged, DeskEvent
from selfheal_tui.operations.snapshot import Tone
from selfheal_tui.tui.acting import Acting
from selfheal_tui.tui.views.backups import BackupsView
from selfheal_tui.tui.views.base import View
from selfheal_tui.tui.views.history import HistoryView
from selfheal_tui.tui.views.incidents import IncidentsView
from selfheal_tui.tui.views.insights import InsightsView
from selfheal_tui.tui.views.policy import PolicyView
from selfheal_tui.tui.widgets.approval import ApprovalPanel
from selfheal_tui.tui.widgets.footer import Footer, acting_chain
from selfheal_tui.tui.widgets.header import Header, Tabs
from selfheal_tui.tui.widgets.rowlist import RowList
from selfheal_tui.tui.widgets.trouble import Trouble

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

VIEWS: tuple[tuple[str, str], ...] = (
    ("incidents", "Incidents"),
    ("history", "History"),
    ("backups", "Backups"),
    ("insights", "Insights"),
    ("policy", "Policy"),
)
"""The views by number key: context and name."""


class HomeScreen(Screen[None]):
    """Everything that is not a dialog or a review."""

    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.laid_out = False

    def compose(self) -> ComposeResult:
        """Lays the screen out."""
        yield Header()
        yield Tabs(VIEWS, numbered=True, id="views-tabs")
        yield Trouble()
        with ContentSwitcher(initial="incidents", id="views"):
            yield IncidentsView(id="incidents")
            yield HistoryView(id="history")
            yield BackupsView(id="backups")
            yield InsightsView(id="insights")
            yield PolicyView(id="policy")
        yield ApprovalPanel()
        yield Footer()

    def on_mount(self) -> None:
        """Begins with the incidents."""
        self.laid_out = True
        self.hear(BoardChanged(cast("Console", self.app).board))
        self.view.opened()
        cast("Console", self.app).begin()

    def on_unmount(self) -> None:
        """Draws no more."""
        self.laid_out = False

    @property
    def view(self) -> View:
        """The view in front."""
        current = self.query_one("#views", ContentSwitcher).visible_content
        assert isinstance(current, View)
        return current

    def show_view(self, name: str, incident_id: str = "") -> None:
        """Brings a view to the front and, there, puts the cursor on an incident."""
        self.query_one("#views", ContentSwitcher).current = name
        self.query_one("#views-tabs", Tabs).activate(name)
        self.view.show_board(cast("Console", self.app).board)
        self.view.opened()
        if incident_id:
            self.view.go_to(incident_id)
        self.query_one(Footer).refresh()

    def on_descendant_focus(self) -> None:
        """A focus that was asked for in a view which is hidden by now belongs into the one in front."""
        focused = self.focused
        holder = (
            next((node for node in focused.ancestors if isinstance(node, View)), None) if focused else None
        )
        if holder is not None and holder is not self.view:
            self.view.opened()

    def begin_at(self, incident_id: str) -> None:
        """Opens the review of an incident's question, or of the oldest one; goes to the incident where there is none."""
        app = cast("Console", self.app)
        oldest = incident_id == "oldest"
        chosen = [r for r in app.board.requests if oldest or r.incident_id == incident_id][:1]
        if oldest and not chosen:
            app.tell("nothing waits for you", Tone.QUIET)
            return
        app.go("incidents", chosen[0].incident_id if chosen else incident_id)
        if chosen:
            self.view.action_act("incidents.review")

    def back(self) -> None:
        """Has the view go back; from any other view than the first to the first."""
        if not self.view.back() and self.view.id != "incidents":
            self.show_view("incidents")

    def acting_chain(self, screen: Widget) -> Sequence[Acting]:
        """Returns who acts on a key on a screen now."""
        return acting_chain(cast("Screen[None]", screen).focused, screen)

    def hear(self, event: DeskEvent) -> None:
        """Hands an event of the desk on."""
        if not self.laid_out:
            return
        for view in self.query(View):
            view.hear(event)
        if isinstance(event, BoardChanged):
            self.view.show_board(event.board)
            self.query_one(ApprovalPanel).show_board(event.board)
            self.query_one(Trouble).show_board(event.board)
        self.query_one(Header).refresh()
        self.query_one(Footer).refresh()

    @on(RowList.Moved, "#incident-list")
    def _pointed(self, event: RowList.Moved) -> None:
        self.query_one(ApprovalPanel).point(event.key)

    @on(Tabs.Chosen, "#views-tabs")
    def _tab(self, event: Tabs.Chosen) -> None:
        self.show_view(event.name)
