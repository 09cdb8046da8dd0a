"""Which of the service's events are worth telling people who are not watching, and in what words."""

from __future__ import annotations

from selfheal_tui.model.incident import IncidentState
from selfheal_tui.pipeline.steps import ApprovalNeeded
from selfheal_tui.supervisor.events import (
    CrashSeen,
    Event,
    IncidentClosed,
    ProbationBegan,
    RestartNeeded,
    Stepped,
)
from selfheal_tui.supervisor.notify import Notice, event_of, notice_of


def notice_for(event: Event) -> Notice | None:
    """Makes a notice of an event.

    Args:
        event: The event.

    Returns:
        The notice; None when it is not worth one.
    """
    match event:
        case CrashSeen(incident=incident) if incident.state is IncidentState.DETECTED:
            return notice_of("on_detected", incident)
        case Stepped(step=ApprovalNeeded(incident=incident, request=request)):
            return notice_of(
                "on_approval",
                incident,
                why=list(request.why),
                approve=f"selfheal diff {incident.incident_id}; selfheal approve {incident.incident_id}",
                needs_code=request.needs_code,
                expires_at=request.expires_at,
            )
        case ProbationBegan(incident=incident, until=until):
            return notice_of("on_applied", incident, until=until)
        case IncidentClosed(incident=incident):
            name = event_of(incident.outcome)
            return notice_of(name, incident) if name else None
        case RestartNeeded():
            return _restart_notice(event)
        case _:
            return None


def _restart_notice(event: RestartNeeded) -> Notice:
    reasons = [f"{one.what}: {one.why}" for one in event.reasons[:20]]
    text = f"restart needed: {event.incident_id} in process {event.pid}: {'; '.join(reasons[:3])}"
    facts = {"pid": event.pid, "reasons": reasons, "files": list(event.files)}
    return Notice("on_restart_needed", event.incident_id, text, facts)
