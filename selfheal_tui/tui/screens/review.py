"""The review of a fix: the diff, its proof, why it is asked, and the keys that decide. The only place where one decides.

A stray key decides nothing: see `tui.arming`. What is approved is the patch that is on the screen; a question that was
put anew, a patch that changed, a choice of hunks that was not proved: none of them can be approved before it was shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import ContentSwitcher

from selfheal_tui.operations.desk import (
    Answered,
    BoardChanged,
    DeskEvent,
    DetailReady,
    EditedFile,
    ProofMoved,
)
from selfheal_tui.operations.editor import NoEditorError, edit
from selfheal_tui.operations.snapshot import CandidateView, IncidentDetail, RequestView, Tone
from selfheal_tui.tui.acting import bindings_of
from selfheal_tui.tui.actions import BY_ID, Action, of_context
from selfheal_tui.tui.reviewing import (
    NotRevisedError,
    asked_candidate,
    revision_of,
    under_way,
    what_then,
    why_over,
)
from selfheal_tui.tui.screens.armed import ArmedScreen
from selfheal_tui.tui.screens.code import CodeScreen
from selfheal_tui.tui.screens.reason import ReasonScreen
from selfheal_tui.tui.screens.why import WhyScreen
from selfheal_tui.tui.terminal import run_in_terminal
from selfheal_tui.tui.views.incidents import IncidentsView
from selfheal_tui.tui.widgets.diffview import DiffView
from selfheal_tui.tui.widgets.fact import Fact
from selfheal_tui.tui.widgets.footer import Footer
from selfheal_tui.tui.widgets.ladder import Ladder
from selfheal_tui.tui.widgets.reviewhead import head_lines, proof_lines, state_line
from selfheal_tui.tui.widgets.textpane import TextPane

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

_BY_VERB = {action.verb: action for action in of_context("review")}
_NEXT, _OPEN = BY_ID["incidents.next_request"], BY_ID["incidents.review"]
_UNDO = BY_ID["incidents.roll_back"]


class ReviewScreen(ArmedScreen):
    """One question, in full.

    Args:
        request_id: The question.
        incident_id: Its incident.
    """

    CONTEXTS: ClassVar[tuple[str, ...]] = ("review",)
    BINDINGS = bindings_of(*CONTEXTS)
    DEFAULT_CSS = """
    ReviewScreen #review-head { height: auto; max-height: 6; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    ReviewScreen #review-ladder { padding: 0 1; }
    ReviewScreen #review-state { height: 1; padding: 0 1; }
    ReviewScreen ContentSwitcher { height: 1fr; }
    """

    def __init__(self, request_id: str, incident_id: str) -> None:
        super().__init__()
        self.request_id = request_id
        self.incident_id = incident_id
        self._detail: IncidentDetail | None = None
        self._proof: ProofMoved | None = None
        self._sent = ""  # the decision that is under way

    def compose(self) -> ComposeResult:
        """Lays the screen out."""
        yield Fact(id="review-head")
        yield Ladder(id="review-ladder")
        with ContentSwitcher(initial="review-diff"):
            yield DiffView(id="review-diff")
            yield TextPane(id="review-proof")
        yield Fact(id="review-state")
        yield Footer()

    @property
    def console_app(self) -> Console:
        """The app."""
        return cast("Console", self.app)

    @property
    def _diff(self) -> DiffView:
        return self.query_one("#review-diff", DiffView)

    @property
    def request(self) -> RequestView | None:
        """The question as it stands; None when there is none any more."""
        request = self._detail.request if self._detail else None
        return request if request is not None and request.request_id == self.request_id else None

    @property
    def _candidate(self) -> CandidateView | None:
        return asked_candidate(self._detail, self.request)

    # -- what comes in ------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Asks for the incident; follows whether the terminal is looked at."""
        self._diff.focus()
        self.set_interval(1.0, self._draw)
        self._draw()
        self.console_app.desk.look_at(self.incident_id)

    def hear(self, event: DeskEvent) -> None:
        """Takes what the desk tells."""
        if not self.is_mounted:
            return
        match event:
            case DetailReady(detail=detail) if detail.row.incident_id == self.incident_id:
                self._take(detail)
            case ProofMoved(incident_id=incident) if incident == self.incident_id:
                self._proof = None if event.ended else event
            case Answered(about=about, ok=ok) if about == self.request_id and self._sent:
                sent, self._sent = self._sent, ""
                if ok and sent in ("approve", "reject"):
                    self._leave()
                    return
                self.look_again()
            case BoardChanged():
                pass
            case _:
                return
        self._draw()

    def _take(self, detail: IncidentDetail) -> None:
        self._detail = detail
        asked = detail.request
        if asked is not None and asked.request_id != self.request_id:
            self.request_id = asked.request_id
            self._sent = ""
            self.console_app.tell("another proposal is asked now; read it anew", Tone.ASK)
        candidate = self._candidate
        self._diff.show(candidate.changes if candidate else (), choose_hunks=True)
        # The question is part of it: a new one is never decided by a key that was meant for the old one.
        patch = f"{self.request_id} {self._diff.patch_key}" if candidate and self.request else ""
        if patch != self.arming.patch:
            self.offer(patch)
            if self._diff.painted:
                self.shown(patch)
        self._draw_proof()

    # -- arming -------------------------------------------------------------------------------------

    @on(DiffView.Painted)
    def _painted(self, event: DiffView.Painted) -> None:
        self.shown(f"{self.request_id} {event.patch_key}")

    @on(DiffView.HunksChanged)
    def _hunks_changed(self) -> None:
        self._draw()

    def arming_changed(self) -> None:
        """Draws whether the keys count."""
        self._draw()

    # -- drawing ------------------------------------------------------------------------------------

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        app, detail = self.console_app, self._detail
        looks, now = app.looks, app.clock()
        if detail is None:
            self.query_one("#review-head", Fact).put(Text(f" reading #{self.incident_id}…", looks.quiet))
        else:
            ids = [request.request_id for request in app.board.requests]
            place = (
                f"question {ids.index(self.request_id) + 1} of {len(ids)}" if self.request_id in ids else ""
            )
            lines = head_lines(detail, self.request, looks, now=now, place=place)
            text = Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
            self.query_one("#review-head", Fact).put(text)
        candidate, proof = self._candidate, self._proof
        request = self.request
        rungs = proof.rungs if proof else request.rungs if request else candidate.rungs if candidate else ()
        self.query_one(Ladder).show(rungs, label=f"proving {proof.label}, X cancels" if proof else "")
        note = under_way(self._sent) or self._chosen_note() or self.arming.why
        then = what_then(
            app.board.programs,
            app.keys.shown(_BY_VERB["approve"]),
            app.keys.shown(_UNDO),
            coded=request is not None and request.needs_code,
        )
        self.query_one("#review-state", Fact).put(state_line(self._over(), note, then, looks))
        if proof is not None:
            self._draw_proof()
        self.query_one(Footer).refresh()

    def _draw_proof(self) -> None:
        app = self.console_app
        lines = proof_lines(self._candidate, self._proof, app.looks, now=app.clock())
        self.query_one(TextPane).show(lines, key=self.incident_id)

    # -- what is in the way -------------------------------------------------------------------------

    def _over(self) -> str:
        """Says why this question cannot be answered any more; empty when it can."""
        return why_over(self._detail, self.request, self.console_app.clock())

    def _chosen_note(self) -> str:
        chosen, every = len(self._diff.chosen_hunks), len(self._diff.hunks)
        if chosen == every:
            return ""
        keys = self.console_app.keys
        return (
            f"{chosen} of {every} hunks are in, unproved: {keys.shown(_BY_VERB['prove_hunks'])} proves the "
            f"selection, {keys.shown(_BY_VERB['hunks'])} takes more in"
        )

    def why_not(self, action: Action) -> str:
        """Says what is in the way; a key from before the arming is swallowed here, never kept."""
        verb = action.verb
        if verb == "cancel":
            return "" if self._errands() else "no version of yours is being proved"
        if verb == "next_request":
            return "" if self._others() else "no other question waits for you"
        if verb == "why":
            return "" if self.request else self._over() or "it is being read"
        if not action.decides:
            return ""
        if self._detail is None:
            return "it is being read"
        why = self._over() or under_way(self._sent) or self.why_not_armed()
        if not why and verb == "approve":
            why = self._chosen_note()
        if not why and verb == "hunks" and len(self._diff.hunks) < 2:
            why = "the patch is one hunk; reject or edit it instead"
        if not why and verb == "prove_hunks":
            chosen, every = len(self._diff.chosen_hunks), len(self._diff.hunks)
            why = "all hunks are in, which is proved already" if chosen == every else ""
            why = why or ("" if chosen else "no hunk is in; reject it instead")
        return why

    def _errands(self) -> list[str]:
        return [errand for errand, work in self.console_app.errands.items() if work.about == self.request_id]

    def _others(self) -> list[RequestView]:
        return [one for one in self.console_app.board.requests if one.incident_id != self.incident_id]

    # -- decisions ----------------------------------------------------------------------------------

    def act_approve(self) -> None:
        """Approves, by the key or by the typed code."""
        request = self.request
        assert request is not None
        if not request.needs_code:
            self._send("approve", lambda: self.console_app.desk.approve(request.request_id))
            return

        def typed(code: str | None, request: RequestView = request) -> None:
            if code == request.code:
                self._send(
                    "approve", lambda: self.console_app.desk.approve(request.request_id, code=request.code)
                )

        screen = CodeScreen(request.code, request.headline, self.console_app.looks)
        self.app.push_screen(screen, self._if_unchanged(typed))

    def act_reject(self) -> None:
        """Asks for the reason, then rejects."""
        request = self.request
        assert request is not None

        def given(reason: str | None) -> None:
            if reason is not None:
                self._send("reject", lambda: self.console_app.desk.reject(request.request_id, reason=reason))

        self.app.push_screen(ReasonScreen(request.headline), self._if_unchanged(given))

    def _if_unchanged(self, then: Callable[[str | None], None]) -> Callable[[str | None], None]:
        """Lets a dialog's answer through only if it is still about what was shown when it was opened."""
        patch = self.arming.patch

        def answered(answer: str | None) -> None:
            if answer is None:
                return
            why = self._over() or under_way(self._sent)
            if not why and patch != self.arming.patch:
                why = "the proposal changed meanwhile; read it anew"
            if why:
                self.console_app.tell(why, Tone.WARN)
            else:
                then(answer)

        return answered

    def _send(self, what: str, decide: Callable[[], None]) -> None:
        self._sent = what
        self._draw()
        decide()

    def act_hunks(self) -> None:
        """Takes the current hunk in or out."""
        self.act_diff()
        self._diff.toggle_hunk()

    def act_prove_hunks(self) -> None:
        """Has the chosen hunks proved as a new patch."""
        what = f"{len(self._diff.chosen_hunks)} of {len(self._diff.hunks)} hunks"
        self._revise(self._diff.patched(), what)

    def act_next_candidate(self) -> None:
        """Asks for another fix."""
        self._send("next", lambda: self.console_app.desk.next_candidate(self.request_id))

    def act_edit(self) -> None:
        """Opens the proposal in the editor; what comes back is proved anew."""
        candidate, patch = self._candidate, self.arming.patch
        assert candidate is not None
        try:
            files = revision_of(candidate, edit(candidate.changes, os.environ, self.run_editor))
        except NotRevisedError as same:
            self.console_app.tell(str(same), Tone.QUIET)
        except (NoEditorError, ValueError, OSError) as error:
            self.console_app.tell(str(error), Tone.BAD)
        else:
            changed = "" if patch == self.arming.patch else "the proposal changed meanwhile; read it anew"
            if why := self._over() or under_way(self._sent) or changed:
                self.console_app.tell(why, Tone.WARN)
            else:
                self._revise(files, "edited by hand")

    def run_editor(self, command: list[str]) -> int:
        """Runs the editor; tests put another in its place."""
        return run_in_terminal(self.app, command)

    def _revise(self, files: list[EditedFile], what: str) -> None:
        self._send("revise", lambda: self.console_app.desk.revise(self.request_id, files, what=what))

    # -- other actions ------------------------------------------------------------------------------

    def act_cancel(self) -> None:
        """Ends the proof of the operator's version; the question stays."""
        for errand in self._errands():
            self.console_app.desk.cancel_errand(errand)

    def act_diff(self) -> None:
        """Shows the diff."""
        self.query_one(ContentSwitcher).current = "review-diff"
        self._diff.focus()

    def act_proof(self) -> None:
        """Shows the proof with its evidence."""
        self._draw_proof()
        self.query_one(ContentSwitcher).current = "review-proof"
        self.query_one(TextPane).focus()

    def back(self) -> bool:
        """From the proof to the diff."""
        if self.query_one(ContentSwitcher).current == "review-diff":
            return False
        self.act_diff()
        return True

    def act_why(self) -> None:
        """Says why it is asked."""
        request, detail = self.request, self._detail
        assert request is not None
        assert detail is not None
        self.app.push_screen(WhyScreen(request, detail))

    def act_next_request(self) -> None:
        """Goes on to the next question."""
        other = self._others()[0]
        self.console_app.home.view.go_to(other.incident_id)
        self.app.switch_screen(ReviewScreen(other.request_id, other.incident_id))

    def _leave(self) -> None:
        """Goes back, and offers the next question."""
        others = self._others()
        if others:
            keys = self.console_app.keys
            self.console_app.tell(
                f"{len(others)} more wait for you: {keys.shown(_NEXT)} goes to the next, "
                f"{keys.shown(_OPEN)} reviews it",
                Tone.ASK,
            )
        stack = self.app.screen_stack
        if self in stack:
            while self.app.screen is not self:
                self.app.pop_screen()
            self.app.pop_screen()
        self.console_app.home.query_one(IncidentsView).look_anew()
