"""Tells the engine's steps on standard error: in words, or as one JSON line each.

Standard output belongs to the supervised program. Nothing here decides or waits.
"""

from __future__ import annotations

import json
import sys
from functools import singledispatch
from typing import Any

from selfheal_tui.commands import texts
from selfheal_tui.commands.common import say
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Judged, Progressed, Proposed, RungEnded
from selfheal_tui.supervisor.run_loop import ProgramEnded, ProgramStarted


@singledispatch
def tell(step: object) -> None:
    """Narrates a step in words; steps that need no words are passed over."""


@tell.register
def _(step: ProgramStarted) -> None:
    if step.run > 1:
        say(f"selfheal: running again ({step.run}): {texts.one_line(' '.join(step.argv))}")
    if step.note:
        say(f"  note     {step.note}")


@tell.register
def _(step: ProgramEnded) -> None:
    if step.crashes:
        how = f"signal {step.exit.signal}" if step.exit.signal else f"exit code {step.exit.code}"
        say(f"selfheal: the program crashed ({how}, {step.exit.seconds:.1f} s)")


@tell.register
def _(step: Proposed) -> None:
    say(f"  trying   {texts.fix_line(step.candidate)}")


@tell.register
def _(step: Judged) -> None:
    say(f"  proof    {texts.ladder(step.proof)}")
    if any(report.isolation is Isolation.UNSANDBOXED for report in step.proof.reports):
        say("  note     this machine offers no walls: the proof ran UNSANDBOXED (see `selfheal doctor`)")


@tell.register
def _(step: ApprovalNeeded) -> None:
    incident = step.incident.incident_id
    typed = " --code CODE" if step.request.needs_code else ""
    say(f"  RED      needs you: {'; '.join(step.request.why)}")
    say(f"           selfheal diff {incident}, then: selfheal approve {incident}{typed}")


@tell.register
def _(step: Held) -> None:
    say(f"  held     {texts.one_line(step.incident.message, 600)}")


@tell.register
def _(step: Progressed) -> None:
    incident = step.incident
    if incident.state is IncidentState.ANALYZED:
        say(f"selfheal: {texts.headline(incident)}")
        say(f"  analysis {texts.kind_of(incident)} · {texts.one_line(incident.message, 600)}")
    elif incident.state is IncidentState.ON_PROBATION:
        say(f"  applied  {incident.message}; on probation until the program has run again")
    elif incident.state is IncidentState.CLOSED:
        say(f"  outcome  {texts.standing(incident)} · {texts.one_line(incident.message, 600)}")


def tell_json(step: object) -> None:
    """Narrates a step as one JSON line."""
    body = {"step": type(step).__name__, **_facts(step)}
    sys.stderr.write(json.dumps(body) + "\n")
    sys.stderr.flush()


def _facts(step: object) -> dict[str, Any]:
    match step:
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
