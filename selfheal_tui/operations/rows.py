"""Makes the line of an incident in the list. Pure: it reads nothing."""

from __future__ import annotations

from sys import intern

from selfheal_tui.model.approval import ApprovalRequest, RequestState
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.operations import standings
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import IncidentRow
from selfheal_tui.store.gist import GistError, GistFrame, GistReport, IncidentGist

MESSAGE_WIDTH = 200
NOTE_WIDTH = 200
PLACE_WIDTH = 200


def gist_of(incident: Incident) -> IncidentGist:
    """Returns the gist of an incident that was read in full."""
    return IncidentGist(
        incident_id=incident.incident_id,
        report=_gist_report(incident.report),
        environment=incident.environment,
        first_seen=incident.first_seen,
        last_seen=incident.last_seen,
        state=incident.state,
        count=incident.count,
        diagnosis=incident.diagnosis,
        outcome=incident.outcome,
        message=incident.message,
        request_id=incident.request_id,
    )


def row_of(
    gist: IncidentGist,
    *,
    since: float,
    request: ApprovalRequest | None = None,
    request_state: RequestState | None = None,
    note: str = "",
) -> IncidentRow:
    """Makes a row.

    Args:
        gist: The incident.
        since: Unix time in seconds at which it got where it stands.
        request: What it waits for, while it waits for a person.
        request_state: Where that request stands now.
        note: What is going on, if that is known better than by the incident's own message.
    """
    raised = gist.report.chain[0] if gist.report.chain else GistError("Exception", "")
    diagnosis = gist.diagnosis
    asked = request_state is RequestState.OPEN and gist.state is IncidentState.AWAITING_APPROVAL
    kind = f"{diagnosis.issue_type.value} {diagnosis.severity.value}" if diagnosis else "not analyzed"
    return IncidentRow(
        incident_id=gist.incident_id,
        standing=standings.of_incident(gist.state, gist.outcome, request_state),
        risk=request.risk.value if asked and request is not None else "",
        error=intern(line(raised.type[-400:].rpartition(".")[2], 80)),
        message=line(raised.message, MESSAGE_WIDTH),
        place=intern(place_of(gist)),
        kind=intern(kind),
        count=gist.count,
        environment=gist.environment.value,
        first_seen=gist.first_seen,
        last_seen=gist.last_seen,
        since=request.created_at if asked and request is not None else since,
        note=line(note or gist.message, NOTE_WIDTH),
        needs_person=asked,
        request_id=gist.request_id if asked else "",
        open=gist.state is not IncidentState.CLOSED,
    )


def place_of(gist: IncidentGist) -> str:
    """Returns `path:line` of the suspect, or of the innermost frame."""
    if gist.diagnosis is not None and gist.diagnosis.suspect is not None:
        suspect = gist.diagnosis.suspect
        return line(f"{suspect.path[-1000:]}:{suspect.line}", PLACE_WIDTH)
    frames = gist.report.chain[0].frames if gist.report.chain else ()
    own = [frame for frame in frames if frame.in_app] or list(frames)
    if not own:
        return "(no frame)"
    return line(f"{(own[-1].path or own[-1].file)[-1000:]}:{own[-1].line}", PLACE_WIDTH)


def order_of(row: IncidentRow) -> tuple[int, float, str]:
    """Key to sort rows by: what needs somebody, in the order of the questions; then what is open; then what is closed.

    Within them the newest first, by a time that a crash which is seen again does not change: a list that is read while
    a program keeps crashing may not be shuffled every second.
    """
    if row.needs_person:
        return 0, row.since, row.incident_id
    return (1, -row.first_seen, row.incident_id) if row.open else (2, -row.since, row.incident_id)


def _gist_report(report: CrashReport) -> GistReport:
    return GistReport(
        tuple(
            GistError(
                info.type,
                info.message,
                tuple(GistFrame(f.file, f.line, f.path, f.in_app) for f in info.frames),
            )
            for info in report.chain[:1]
        )
    )
