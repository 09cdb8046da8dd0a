"""View 1, home: the incidents, live, and the one under the cursor in full. The list never moves under the eye."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from selfheal_tui.operations.desk import DeskEvent, DetailReady, ProofMoved
from selfheal_tui.operations.snapshot import Board, IncidentDetail, IncidentRow, Tone
from selfheal_tui.operations.standings import ENGINE_FAILED
from selfheal_tui.tui.acting import bindings_of
from selfheal_tui.tui.actions import Action
from selfheal_tui.tui.times import age
from selfheal_tui.tui.views.filtered import FilteredView
from selfheal_tui.tui.widgets.detail import DetailPane
from selfheal_tui.tui.widgets.diffview import DiffView
from selfheal_tui.tui.widgets.filterbar import FilterBar, matches
from selfheal_tui.tui.widgets.output import OutputPane
from selfheal_tui.tui.widgets.rowlist import RowList

EMPTY = (
    "No incidents. Nothing has crashed here yet. Start a program under the console with:  "
    "selfheal run -- python your_program.py   or see how it works:  selfheal demo"
)
_WITHOUT_FIX = frozenset({"failed", "rejected", "rolled back", "explained", "external", "transient"})


class IncidentsView(FilteredView):
    """The incidents and the detail of one."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("incidents",)
    BINDINGS = bindings_of(*CONTEXTS)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._total = 0
        self._ages: list[str] = []

    def compose(self) -> ComposeResult:
        """Lays the view out."""
        with Horizontal():
            with Vertical(id="incident-pane", classes="pane"):
                yield FilterBar()
                yield RowList[IncidentRow](
                    self._draw,
                    lambda row: row.incident_id,
                    row_lines=2,
                    empty=EMPTY,
                    top_first=True,
                    id="incident-list",
                )
            yield DetailPane(id="incident-detail")
            with Vertical(id="incident-diff", classes="pane"):
                yield DiffView(id="side-diff")

    def on_mount(self) -> None:
        """Keeps ages going."""
        self.set_interval(1.0, self._keep_ages_going)
        self._entitle()

    def _keep_ages_going(self) -> None:
        now = self.console.clock()
        ages = [age(now - row.since) for row in self._list.visible_items()]
        if ages != self._ages:
            self._ages = ages
            self._list.refresh()

    @property
    def _list(self) -> RowList[IncidentRow]:
        return self.query_one("#incident-list", RowList)

    @property
    def _detail(self) -> DetailPane:
        return self.query_one(DetailPane)

    # -- what comes in ------------------------------------------------------------------------------

    def opened(self) -> None:
        """Takes the focus, unless a pane of the view has it."""
        if not self.has_focus_within:
            self._list.focus()

    def show_board(self, board: Board) -> None:
        """Draws the list; cursor, scroll and selection stay."""
        self._total = len(board.rows)
        rows = board.rows if not self._words else tuple(row for row in board.rows if self._fits(row))
        self._list.empty = (
            "reading the store…"
            if board.loading
            else f"none of {self._total} incidents has all of: {' '.join(self._words)}"
            if self._words
            else "nothing can be read; why, stands above"
            if board.engine.standing.word == ENGINE_FAILED.word
            else EMPTY
        )
        self._list.show(rows)
        self._entitle()
        self._detail.show_board(board)
        if self._list.cursor_key is None and self._detail.incident_id:
            self._turn_to(None)

    def hear(self, event: DeskEvent) -> None:
        """Draws what is told of the incident under the cursor."""
        if isinstance(event, DetailReady):
            self._detail.show(event.detail)
            self._show_side(event.detail)
        elif isinstance(event, ProofMoved):
            self._detail.proof_moved(event)

    @on(RowList.Moved, "#incident-list")
    def _moved(self) -> None:
        self._turn_to(self._list.item())

    @on(RowList.Chosen, "#incident-list")
    def _chosen(self) -> None:
        self.act_open()

    @on(RowList.NewAbove, "#incident-list")
    def _new_above(self) -> None:
        self._entitle()

    def _refill(self) -> None:
        self.show_board(self.console.board)

    def _turn_to(self, row: IncidentRow | None) -> None:
        if (row.incident_id if row else "") == self._detail.incident_id:
            return
        self._detail.begin(row)
        self._show_side(None)
        self.desk.look_at(row.incident_id if row else "")

    def _show_side(self, detail: IncidentDetail | None) -> None:
        """Shows the fix beside the detail; the pane is there in wide terminals only."""
        candidate = None
        if detail is not None and detail.row.incident_id == self._detail.incident_id:
            candidate = detail.candidate
        changes = candidate.changes if candidate else ()
        side = self.query_one("#side-diff", DiffView)
        if side.changes != changes:
            side.show(changes)
        title = f"Fix · {candidate.by} · +{candidate.added} -{candidate.removed}" if candidate else "No fix"
        self.query_one("#incident-diff").border_title = Content(title)

    def _fits(self, row: IncidentRow) -> bool:
        return matches(
            self._words,
            row.incident_id,
            row.error,
            row.message,
            row.place,
            row.kind,
            row.standing.word,
            row.note,
            row.risk,
        )

    def look_anew(self) -> None:
        """What somebody decided may move what they see: the top of the list comes into view again."""
        self._list.look_anew()

    # -- drawing ------------------------------------------------------------------------------------

    def _draw(self, row: IncidentRow, width: int, _cursor: bool) -> Sequence[Text]:
        looks = self.console.looks
        style = looks.style(row.standing.tone)
        first = Text(f"{looks.mark(row.standing)} {row.incident_id} ", style)
        if row.risk:
            first.append(f"{row.risk} ", looks.style(Tone.BAD, bold=True))
        first.append(row.standing.word, style)
        old = age(self.console.clock() - row.since)
        first.truncate(max(0, width - len(old) - 2), overflow="ellipsis")
        first.append(" " * max(1, width - first.cell_len - len(old) - 1)).append(old, looks.quiet)
        times = f" ×{row.count}" if row.count > 1 else ""
        second = Text(f"  {row.error}{times} ").append(row.place, looks.quiet)
        rest = row.note if row.open and not row.needs_person else row.kind
        if rest:
            second.append(f"{looks.dot}{rest}", looks.quiet)
        second.truncate(width, overflow="ellipsis")
        return first, second

    def _entitle(self) -> None:
        rows = self._list
        shown = f"{rows.row_count} of {self._total}" if self._words else str(self._total)
        parts = [f"Incidents {shown}"]
        if rows.held:
            parts.append(f"held, {rows.waiting} waiting")
        asked = rows.above([request.incident_id for request in self.console.board.requests])
        if asked:
            parts.append(f"{asked} need{'s' if asked == 1 else ''} you ↑")
        elif rows.new_above:
            parts.append(f"{rows.new_above} new ↑")
        self.query_one("#incident-pane").border_title = Content(" · ".join(parts))

    # -- actions ------------------------------------------------------------------------------------

    def go_to(self, incident_id: str) -> None:
        """Puts the cursor on an incident; a filter that hides it is dropped."""
        if not self._list.move_to(incident_id):
            self.query_one(FilterBar).action_drop()
            self._words = ()
            self.show_board(self.console.board)
            self._list.move_to(incident_id)

    def back(self) -> bool:
        """From the detail to the list; from a filtered list to all."""
        if self._detail.has_focus_within or self.has_class("-detail"):
            self.remove_class("-detail")
            self._list.focus()
            return True
        if self._words:
            self.query_one(FilterBar).action_drop()
            return True
        return False

    def why_not(self, action: Action) -> str:
        """Says what is in the way."""
        row = self._list.item()
        verb = action.verb
        if verb in ("open", "retry", "cancel", "roll_back", "copy") and row is None:
            return "there is no incident"
        if verb in ("review", "decide", "next_request") and not self.console.board.requests:
            return "no fix waits for you"
        if verb == "retry" and row is not None and (row.open or row.standing.word not in _WITHOUT_FIX):
            return "it is being worked on" if row.open else "it is healed"
        if verb == "cancel" and row is not None and not row.open:
            return "nothing is being done about it any more"
        if verb == "roll_back" and not (self._detail.detail and self._detail.detail.transaction_id):
            return "it has no applied fix to take back"
        if verb.endswith("program") or verb.startswith("program"):
            return self._why_no_program(verb)
        return ""

    def _why_no_program(self, verb: str) -> str:
        programs = {program.name: program for program in self.console.board.programs}
        if not programs:
            return "this console supervises no program; start one with `selfheal run -- COMMAND`"
        program = programs.get(self._program)
        if verb == "program_stop" and program is not None and not program.pid:
            return f"{program.name} does not run"
        return ""

    @property
    def _program(self) -> str:
        return self.query_one(OutputPane).program

    def act_open(self) -> None:
        """Goes into the detail."""
        self.add_class("-detail")
        self._detail.focus_tab()

    def act_review(self) -> None:
        """Opens the review of the incident under the cursor, else of the oldest question."""
        from selfheal_tui.tui.screens.review import ReviewScreen

        requests = {request.incident_id: request for request in self.console.board.requests}
        here = requests.get(self._list.cursor_key or "")
        request = here or self.console.board.requests[0]
        self.go_to(request.incident_id)
        self.app.push_screen(ReviewScreen(request.request_id, request.incident_id))

    def act_decide(self) -> None:
        """Opens the review: a key pressed here decides nothing."""
        self.act_review()
        self.console.tell("read the diff; the keys decide here", Tone.ASK)

    def act_next_request(self) -> None:
        """Goes to the next incident that needs somebody."""
        ids = [request.incident_id for request in self.console.board.requests]
        here = self._list.cursor_key
        self.go_to(ids[(ids.index(here) + 1) % len(ids)] if here in ids else ids[0])

    def act_next_tab(self) -> None:
        """The next tab of the detail."""
        self._detail.turn(1)

    def act_previous_tab(self) -> None:
        """The tab before."""
        self._detail.turn(-1)

    def act_pause_feed(self) -> None:
        """Holds the list still, or lets it go on."""
        self._list.held = not self._list.held
        self._entitle()

    def act_retry(self) -> None:
        """Has the incident looked at anew."""
        self.desk.retry(self._list.cursor_key or "")

    def act_cancel(self) -> None:
        """Ends the work on the incident."""
        self.desk.cancel(self._list.cursor_key or "")

    def act_roll_back(self) -> None:
        """Previews taking the fix back."""
        from selfheal_tui.tui.screens.rollback import RollbackScreen

        self.app.push_screen(RollbackScreen(self._list.cursor_key or ""))

    def act_copy(self) -> None:
        """Copies id and place."""
        row = self._list.item()
        assert row is not None
        self.app.copy_to_clipboard(f"#{row.incident_id} {row.error} {row.place}")
        self.console.tell(f"copied #{row.incident_id} {row.place}")

    def act_program_restart(self) -> None:
        """Starts the program anew."""
        self.desk.restart_program(self._program)

    def act_program_stop(self) -> None:
        """Stops the program."""
        self.desk.stop_program(self._program)

    def act_next_program(self) -> None:
        """Shows the output of the next program."""
        self._detail.open_tab("output")
        self.query_one(OutputPane).next_program(self.console.board)
