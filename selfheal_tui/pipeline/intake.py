"""Turns crash reports into incidents: same crash, one incident with a count.

It decides only identity; analysis and everything after it are the engine's.
"""

from __future__ import annotations

from dataclasses import replace

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Environment
from selfheal_tui.pipeline.lease import lease
from selfheal_tui.source.fingerprint import fingerprint
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

NEVER_HEALED = frozenset(
    {"KeyboardInterrupt", "SystemExit", "GeneratorExit", "CancelledError", "MemoryError"}
)
"""Exceptions that are somebody's wish or nobody's fault."""

INTAKE_WAIT_SECONDS = 10.0
"""How long to wait for another process that is taking in a report."""


def take_in(
    store: Store, project: Project, report: CrashReport, *, environment: Environment, now: float
) -> Incident:
    """Finds or makes the incident of a report, and puts it on record.

    Args:
        store: The store.
        project: The project.
        report: As captured; frames need not be localised yet.
        environment: Where it happened.
        now: Unix time in seconds.

    Returns:
        The incident; new, reopened, or counted up. A report that was taken in before (the inbox delivers
        at least once) changes nothing.
    """
    local = project.localise(report)
    identity = fingerprint(local)
    with lease(store.directory, "intake", wait_seconds=INTAKE_WAIT_SECONDS):
        known = store.incidents.find(identity.value)
        if known is not None and known.report.report_id == local.report_id:
            return known
        if known is None:
            incident = Incident(
                incident_id=store.incidents.new_id(identity.value),
                fingerprint=identity,
                report=local,
                environment=environment,
                first_seen=now,
                last_seen=now,
                message=f"{local.raised.type}: {local.raised.message}",
            )
            kind = "incident.detected"
        elif known.state is IncidentState.CLOSED:
            incident = replace(known.reopen(local, now), environment=environment)
            kind = "incident.reopened"
        else:
            incident = replace(
                known, report=local, count=known.count + 1, last_seen=now, environment=environment
            )
            kind = "incident.seen_again"
        store.incidents.put(incident)
    raised = local.raised
    store.audit.append(
        kind,
        actor="engine",
        incident_id=incident.incident_id,
        data={
            "error": f"{raised.type}: {raised.message}",
            "fingerprint": identity.value,
            "fingerprint_version": identity.version,
            "source": report.source.value,
            "count": incident.count,
            "report": report.report_id,
        },
    )
    return incident
