"""Drives the engine from a command line: narrates its steps and waits for decisions.

It only waits and tells. Who may approve, and what, is governance's business; `--yes` is an operator's
standing consent and is not taken where an approval must be typed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from selfheal_tui.commands import texts
from selfheal_tui.commands.common import operator, say
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.pipeline.steps import ApprovalNeeded, Judged, Progressed, Proposed, RungEnded
from selfheal_tui.pipeline.system import Engine, Silence
from selfheal_tui.supervisor.run_loop import ProgramEnded, ProgramStarted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Consent:
    """How approval requests are answered.

    Attributes:
        yes: The operator agreed beforehand to whatever is proved and need not be typed.
        wait_seconds: How long to wait for an answer from anywhere; then it is denied.
        leave_open: Do not wait and do not deny: leave the request for `selfheal approve`.
    """

    yes: bool
    wait_seconds: float
    leave_open: bool


def drive(
    engine: Engine, walk: Generator[Any, Silence | None, T], consent: Consent, *, as_json: bool = False
) -> T:
    """Runs a walk to its end.

    Args:
        engine: The engine.
        walk: From `Engine.walk`, `Engine.resume` or `run_and_heal`.
        consent: How requests are answered.
        as_json: Tell steps as JSON lines on standard error instead of in words.

    Returns:
        What the walk returned.
    """
    answer: Silence | None = None
    started = False
    while True:
        try:
            step = walk.send(answer) if started else next(walk)
        except StopIteration as end:
            result: T = end.value
            return result
        started = True
        answer = None
        (tell_json if as_json else tell)(step)
        if isinstance(step, ApprovalNeeded):
            answer = _answer(engine, step, consent)


def tell(step: object) -> None:
    """Narrates a step in words."""
    match step:
        case ProgramStarted(argv=argv, run=run):
            if run > 1:
                say(f"selfheal: running again ({run}): {' '.join(argv)}")
        case ProgramEnded(exit=ended, crashes=crashes):
            if crashes:
                how = f"signal {ended.signal}" if ended.signal else f"exit code {ended.code}"
                say(f"selfheal: the program crashed ({how}, {ended.seconds:.1f} s)")
        case Proposed(candidate=candidate):
            say(f"  trying   {texts.fix_line(candidate)}")
        case RungEnded():
            pass
        case Judged(proof=proof):
            say(f"  proof    {texts.ladder(proof)}")
            for report in proof.reports:
                if report.isolation is not None and report.isolation.value == "UNSANDBOXED":
                    say(
                        "  note     this machine offers no walls: the proof ran UNSANDBOXED (`selfheal doctor`)"
                    )
                    break
        case ApprovalNeeded(incident=incident, request=request):
            say(f"  RED      needs you: {'; '.join(request.why)}")
            typed = " --code CODE" if request.needs_code else ""
            say(
                f"           selfheal diff {incident.incident_id}, then: selfheal approve {incident.incident_id}{typed}"
            )
        case Progressed(incident=incident):
            _tell_progress(incident)
        case _:
            pass


def _tell_progress(incident: Any) -> None:
    state = incident.state.value
    if state == "analyzed":
        say(f"selfheal: {texts.headline(incident)}")
        say(f"  analysis {texts.kind_of(incident)} · {incident.message}")
    elif state in ("on probation", "closed"):
        say(
            f"  {'applied' if state == 'on probation' else 'outcome':<8} {texts.standing(incident)} · {incident.message}"
        )


def tell_json(step: object) -> None:
    """Narrates a step as one JSON line on standard error (standard output belongs to the program)."""
    body: dict[str, Any] = {"step": type(step).__name__}
    match step:
        case ProgramStarted() | ProgramEnded():
            body |= to_builtins(step)
        case Proposed(incident=incident, candidate=candidate):
            body |= {
                "incident": incident.incident_id,
                "candidate": candidate.candidate_id,
                "rule": candidate.rule,
            }
        case RungEnded(incident=incident, candidate=candidate, report=report):
            body |= {
                "incident": incident.incident_id,
                "candidate": candidate.candidate_id,
                "report": to_builtins(report),
            }
        case Judged(incident=incident, candidate=candidate, proof=proof):
            body |= {
                "incident": incident.incident_id,
                "candidate": candidate.candidate_id,
                "proved": proof.proved,
                "acceptable": proof.acceptable,
                "flagged": proof.flagged,
            }
        case ApprovalNeeded(incident=incident, request=request):
            body |= {
                "incident": incident.incident_id,
                "request": request.request_id,
                "why": list(request.why),
            }
        case Progressed(incident=incident):
            body |= {
                "incident": incident.incident_id,
                "state": incident.state.value,
                "outcome": incident.outcome.value if incident.outcome else None,
                "message": incident.message,
            }
        case _:
            pass
    sys.stderr.write(json.dumps(body) + "\n")
    sys.stderr.flush()


def _answer(engine: Engine, step: ApprovalNeeded, consent: Consent) -> Silence | None:
    request = step.request
    if consent.yes and not request.needs_code:
        engine.governance.decide(
            request.request_id, approve=True, by=operator(), reason="agreed beforehand with --yes"
        )
        return None
    if consent.yes:
        say("           --yes does not count here: this approval must be typed")
    if consent.leave_open:
        return Silence.LEAVE_OPEN
    say(f"           waiting up to {consent.wait_seconds:.0f} s for an answer; silence is a denial")
    try:
        engine.store.approvals.wait(request.request_id, consent.wait_seconds, cancelled=lambda: False)
    except KeyboardInterrupt:
        say("           not waiting any longer; the request stays open")
        return Silence.LEAVE_OPEN
    return Silence.DENY
