"""The question that waits for the operator, at the bottom of the home screen. It takes neither focus nor keys.

Keys pressed there open the review; only the review decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from selfheal_tui.operations.snapshot import Board, RequestView, Tone
from selfheal_tui.tui.actions import BY_ID
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.times import age, clock_time
from selfheal_tui.tui.widgets.fact import Fact
from selfheal_tui.tui.widgets.ladder import Ladder
from selfheal_tui.tui.widgets.lines import one_line

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

KEYS = (
    "review.approve", "review.reject", "review.edit", "review.hunks", "review.next_candidate", "review.diff",
    "review.why",
)  # fmt: skip
_TONES = {"RED": Tone.BAD, "YELLOW": Tone.WARN, "GREEN": Tone.GOOD}


def risk_badge(request: RequestView, looks: Looks) -> Text:
    """Returns the light of a question as a word in its colour."""
    return Text(request.risk, looks.style(_TONES.get(request.risk, Tone.ASK), bold=True))


def expiry(request: RequestView, now: float) -> str:
    """Returns until when a question can be answered."""
    left = request.expires_at - now
    return "expired" if left <= 0 else f"expires {clock_time(request.expires_at)} (in {age(left)})"


class ApprovalPanel(Vertical, can_focus=False):
    """One question out of the queue: that of the incident under the cursor, else the oldest."""

    DEFAULT_CSS = """
    ApprovalPanel { height: auto; max-height: 9; border: round $ask; padding: 0 1; display: none; }
    ApprovalPanel Fact { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    App.-ascii ApprovalPanel { border: ascii $ask; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._board: Board | None = None
        self._incident = ""

    def compose(self) -> ComposeResult:
        """Lays the panel out."""
        yield Fact(id="approval-headline")
        yield Ladder(id="approval-ladder")
        yield Fact(id="approval-keys")

    def on_mount(self) -> None:
        """Keeps the countdown going."""
        self.set_interval(1.0, self._draw)

    @property
    def request(self) -> RequestView | None:
        """The question that is shown."""
        requests = self._board.requests if self._board else ()
        here = next((request for request in requests if request.incident_id == self._incident), None)
        return here or (requests[0] if requests else None)

    def show_board(self, board: Board) -> None:
        """Takes the queue."""
        self._board = board
        self._draw()

    def point(self, incident_id: str) -> None:
        """Shows the question of an incident, if it has one; else the oldest."""
        self._incident = incident_id
        self._draw()

    def on_click(self, _event: events.Click) -> None:
        """Opens the review, which decides."""
        request = self.request
        if request is not None:
            from selfheal_tui.tui.screens.review import ReviewScreen

            self.app.push_screen(ReviewScreen(request.request_id, request.incident_id))

    def _draw(self) -> None:
        board, request = self._board, self.request
        self.display = request is not None
        if self.is_attached:
            self.screen.set_class(self.display, "-asked")  # toasts then leave its place free
        if board is None or request is None or not self.is_mounted:
            return
        app = cast("Console", self.app)
        looks = app.looks
        place = board.requests.index(request) + 1
        title = Content(
            f"Approval {place} of {len(board.requests)}{looks.dot}#{one_line(request.incident_id)}{looks.dot}"
            f"{expiry(request, app.clock())}"
        )
        if title != self.border_title:
            self.border_title = title
        headline = risk_badge(request, looks)
        headline.append(
            f"  {one_line(request.action.replace('_', ' '))}{looks.dot}{one_line(request.headline)}"
        )
        self.query_one("#approval-headline", Fact).put(headline)
        self.query_one(Ladder).show(request.rungs)
        keys = Text(overflow="ellipsis", no_wrap=True)
        keys.append(f"{app.keys.shown(BY_ID['incidents.review'])} ", looks.named("primary", bold=True))
        keys.append("review, and there:  ")
        for action in (BY_ID[name] for name in KEYS):
            key, label = app.keys.shown(action), action.label.lower()
            if keys.cell_len + len(key) + len(label) + 1 > self.size.width:
                break  # a second line would be taken from the list; all of them are in the review's footer
            keys.append(f"{key} ", looks.named("primary", bold=True))
            keys.append(f"{label}  ", looks.quiet if app.read_only and action.decides else "")
        keys.rstrip()
        self.query_one("#approval-keys", Fact).put(keys)
