"""What stands in the way of a decision, and what an edit amounts to. Pure: the review screen says and does it."""

from __future__ import annotations

from collections.abc import Sequence

from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.snapshot import CandidateView, IncidentDetail, ProgramView, RequestView
from selfheal_tui.tui.widgets.lines import one_line

_DECIDED = {
    "approved": "it has been approved already",
    "consumed": "it has been approved and applied already",
    "rejected": "it has been rejected already",
    "expired": "it has expired; nothing was changed",
    "withdrawn": "it was withdrawn for another proposal",
}
_UNDER_WAY = {"approve": "approved; it is being applied", "reject": "rejected; it is being recorded"}
_REVISED = "another version is being made and proved; X cancels that, and the question stays as it is"


class NotRevisedError(ValueError):
    """An edit makes no new patch; the message says why."""


def why_over(detail: IncidentDetail | None, request: RequestView | None, now: float) -> str:
    """Says why a question cannot be answered any more; empty when it can, or is not known yet.

    Args:
        detail: The incident; None while it is being read.
        request: The question as it stands; None when the incident asks it no more.
        now: Unix time in seconds.
    """
    if detail is None:
        return ""
    if request is None:
        return f"this question is not open any more: the incident is {detail.row.standing.word}"
    if request.state != "open":
        return _DECIDED.get(request.state, f"it is {request.state}")
    return _DECIDED["expired"] if request.expires_at <= now else ""


def under_way(sent: str) -> str:
    """Says what was decided and has not been answered yet; empty for nothing."""
    return _UNDER_WAY.get(sent, _REVISED) if sent else ""


def what_then(programs: Sequence[ProgramView], approve: str, undo: str, *, coded: bool) -> str:
    """Says what approving does to files and programs, and how it is taken back.

    Args:
        programs: The supervised programs.
        approve: The key that approves.
        undo: The key that takes an applied fix back.
        coded: Whether a code must be typed after the key.
    """
    running = [program.name for program in programs if program.pid]
    if not running:
        then = "used from the next start on"
    elif len(running) == 1:
        then = f"{one_line(running[0])} gets it live or by restart"
    else:
        then = "the programs get it live or by restart"
    how = f"{approve} + code approves" if coded else f"{approve} approves"
    return f"{how}: written, {then}; {undo} takes it back"


def asked_candidate(detail: IncidentDetail | None, request: RequestView | None) -> CandidateView | None:
    """Returns the very fix that a question is about, never another in its place; without a question the incident's."""
    if detail is None or request is None:
        return detail.candidate if detail else None
    return next((one for one in detail.candidates if one.candidate_id == request.candidate_id), None)


def revision_of(candidate: CandidateView, edited: Sequence[EditedFile]) -> list[EditedFile]:
    """Returns the files that an edited proposal changes.

    Raises:
        NotRevisedError: It is the proposal still, or no change at all.
    """
    proposed = {change.path: change.after for change in candidate.changes}
    before = {change.path: change.before for change in candidate.changes}
    if all(file.text == proposed[file.path] for file in edited):
        raise NotRevisedError("nothing was edited; the proposal stays as it is")
    files = [file for file in edited if file.text != before[file.path]]
    if not files:
        raise NotRevisedError("that takes the whole fix back; reject it instead")
    return files
