"""Steps and events as JSON: whole from a worker process to the service, and in gist for whoever reads them."""

from __future__ import annotations

import json
from typing import Any

from selfheal_tui.model.incident import Incident
from selfheal_tui.model.serial import MalformedDocumentError, from_builtins, to_builtins
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Judged, Progressed, Proposed, RungEnded, Step
from selfheal_tui.supervisor.events import CrashSeen, IncidentClosed, ProbationBegan, Stepped

_KINDS: dict[str, Any] = {
    kind.__name__: kind for kind in (Progressed, Proposed, RungEnded, Judged, Held, ApprovalNeeded)
}


def encode_step(step: Step) -> bytes:
    """Writes a step as one line, with its newline."""
    line = {"step": type(step).__name__, "body": to_builtins(step)}
    return json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def decode_step(line: bytes) -> Step:
    """Reads a line.

    Args:
        line: As `encode_step` wrote it.

    Raises:
        MalformedDocumentError: It is not one.
    """
    try:
        found = json.loads(line)
        kind = _KINDS[found["step"]]
        step: Step = from_builtins(found["body"], kind)
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedDocumentError(f"not a step: {error}") from error
    return step


def event_facts(step: object) -> dict[str, Any]:
    """Returns the gist of a step or an event for JSON output, small enough to read."""
    match step:
        case Stepped(step=inner):
            return {"of": type(inner).__name__, **event_facts(inner)}
        case CrashSeen(incident=incident):
            return {
                **_standing(incident),
                "error": f"{incident.report.raised.type}: {incident.report.raised.message}",
                "kind": step.kind,
                "pid": step.pid,
                "times": step.times,
                "count": incident.count,
                "counts_only": step.counts_only,
            }
        case ProbationBegan(incident=incident, until=until):
            return {**_standing(incident), "until": until}
        case IncidentClosed(incident=incident):
            return _standing(incident)
        case Proposed(incident=incident, candidate=candidate):
            return {
                "incident": incident.incident_id,
                "candidate": candidate.candidate_id,
                "rule": candidate.rule,
            }
        case RungEnded(incident=incident, candidate=candidate, report=report):
            return {
                "incident": incident.incident_id,
                "candidate": candidate.candidate_id,
                "report": to_builtins(report),
            }
        case Judged(incident=incident, candidate=candidate, proof=proof):
            return {
                "incident": incident.incident_id,
                "candidate": candidate.candidate_id,
                "proved": proof.proved,
                "acceptable": proof.acceptable,
                "flagged": proof.flagged,
            }
        case ApprovalNeeded(incident=incident, request=request):
            return {"incident": incident.incident_id, "request": request.request_id, "why": list(request.why)}
        case Progressed(incident=incident) | Held(incident=incident):
            return _standing(incident)
        case _:
            facts: dict[str, Any] = to_builtins(step)
            return facts


def _standing(incident: Incident) -> dict[str, Any]:
    return {
        "incident": incident.incident_id,
        "state": incident.state.value,
        "outcome": incident.outcome.value if incident.outcome else None,
        "message": incident.message,
    }
