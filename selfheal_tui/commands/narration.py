"""Tells the engine's steps on standard error: in words, or as one JSON line each.

Standard output belongs to the supervised program. Nothing here decides or waits.
"""

from __future__ import annotations

import json
import sys
from functools import singledispatch

from selfheal_tui.commands.common import say
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Isolation
from selfheal_tui.operations import texts
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Judged, Progressed, Proposed
from selfheal_tui.supervisor.events import (
    CrashSeen,
    IncidentClosed,
    ProgramSwapped,
    ReportRefused,
    RestartNeeded,
    ServiceProblem,
    ServiceStarted,
    ServiceStopped,
    Stepped,
    WaitersAnswered,
)
from selfheal_tui.supervisor.run_loop import ProgramEnded, ProgramStarted
from selfheal_tui.supervisor.steplines import event_facts


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
        say(f"  applied  {incident.message}; on probation")
    elif incident.state is IncidentState.CLOSED:
        say(f"  outcome  {texts.standing(incident)} · {texts.one_line(incident.message, 600)}")


@tell.register
def _(event: Stepped) -> None:
    tell(event.step)


@tell.register
def _(event: ServiceStarted) -> None:
    how = f"{event.workers} at once" if event.workers else "taking crashes in, healing none"
    say(f"selfheal: serving {event.root} (process {event.pid}, {how})")


@tell.register
def _(event: ServiceStopped) -> None:
    say(f"selfheal: serving no more: {event.reason}")


@tell.register
def _(event: CrashSeen) -> None:
    incident = event.incident
    if event.counts_only or incident.state is not IncidentState.DETECTED:
        return
    where = f" in process {event.pid}" if event.pid else ""
    say(f"selfheal: {incident.incident_id} {event.kind}{where}: {texts.headline(incident)}")


@tell.register
def _(event: ReportRefused) -> None:
    say(f"selfheal: refused a report: {event.why}")


@tell.register
def _(event: ProgramSwapped) -> None:
    what = "the old code is back in" if event.restored else "swapped into"
    say(
        f"  swapped  {event.incident_id} {what} process {event.pid}: {', '.join(event.swapped) or 'nothing loaded'}"
    )


@tell.register
def _(event: RestartNeeded) -> None:
    reasons = "; ".join(f"{one.what}: {one.why}" for one in event.reasons[:5])
    say(f"  restart  {event.incident_id} needs process {event.pid} to be started anew: {reasons}")


@tell.register
def _(event: WaitersAnswered) -> None:
    say(f"  answered {event.incident_id} process {event.pid}: {event.reports} waited: {event.verdict}")


@tell.register
def _(event: IncidentClosed) -> None:
    incident = event.incident
    say(
        f"  outcome  {incident.incident_id} {texts.standing(incident)} · {texts.one_line(incident.message, 600)}"
    )


@tell.register
def _(event: ServiceProblem) -> None:
    say(f"selfheal: {event.where}: {event.error}")


def tell_json(step: object) -> None:
    """Narrates a step or an event as one JSON line."""
    body = {"step": type(step).__name__, **event_facts(step)}
    sys.stderr.write(json.dumps(body) + "\n")
    sys.stderr.flush()
