"""Having an incident looked at anew, and ending the work on one. See `decisions`, which offers both.

They only change where an incident stands; whoever serves the project does the rest.
"""

from __future__ import annotations

from dataclasses import replace

from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.operations.answers import Answer, Came
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.lease import lease
from selfheal_tui.pipeline.limits import cooling_down
from selfheal_tui.pipeline.system import LOOK_SECONDS
from selfheal_tui.probe import places
from selfheal_tui.supervisor.aftermath import SETTLED, UNFINISHED, cancel_waiting, settle_unfinished

_S = IncidentState
HEALED = frozenset({Outcome.HEALED, Outcome.HEALED_UNPROVEN})


def retry(project: Opened, incident_id: str, *, by: str) -> Answer:
    """Has an incident that was not healed looked at anew, by the engine that serves the project.

    Args:
        project: The project.
        incident_id: The incident.
        by: The operator's name.
    """
    engine = project.engine
    incident = engine.store.incidents.get(incident_id.lstrip("#"))
    with lease(engine.store.directory, incident.incident_id, wait_seconds=LOOK_SECONDS):
        incident = engine.store.incidents.get(incident.incident_id)
        if incident.outcome in HEALED or incident.state is _S.ON_PROBATION:
            return _refused("its fix is in; take that back first", incident)
        expired = _S.AWAITING_APPROVAL is incident.state and (
            engine.store.approvals.state(incident.request_id) is RequestState.EXPIRED
        )
        if incident.state is not _S.CLOSED and not expired:
            return _refused(f"it is {incident.state} already", incident)
        left = cooling_down(
            engine.store,
            engine.settings.limits,
            fingerprint=incident.fingerprint.value,
            now=engine.clock(),
        )
        if left > 0:
            text = f"it cools down after failed attempts for {left:.0f} s more (limits.cool_down_seconds)"
            return _refused(text, incident)
        again = replace(
            incident,
            state=_S.DETECTED,
            outcome=None,
            chosen=-1,
            request_id="",
            message=f"to be looked at anew, says {by}",
        )
        engine.store.incidents.put(again)
        engine.store.audit.append(
            "incident.reopened",
            actor=f"operator:{by}",
            incident_id=incident.incident_id,
            data={"was": incident.outcome.value if incident.outcome else incident.state.value},
        )
    served = places.ring(str(engine.project.root), "retry")
    where = "" if served else "; it is taken up when an engine serves the project (`selfheal serve`)"
    return Answer(ok=True, text=f"#{incident.incident_id} is looked at anew{where}", incident=again)


def cancel(project: Opened, incident_id: str, *, by: str) -> Answer:
    """Ends the work on an incident that nobody is at: it is closed as rejected.

    One that a worker of this very process walks is cancelled through its service instead.

    Args:
        project: The project.
        incident_id: The incident.
        by: The operator's name.
    """
    engine = project.engine
    incident = engine.store.incidents.get(incident_id.lstrip("#"))
    with lease(engine.store.directory, incident.incident_id, wait_seconds=LOOK_SECONDS):
        incident = engine.store.incidents.get(incident.incident_id)
        if incident.state in SETTLED and incident.state is not _S.AWAITING_APPROVAL:
            return _refused(f"there is no work on it: it is {incident.outcome or incident.state}", incident)
        if incident.state in UNFINISHED:  # its walk was cut off, perhaps after its fix had been written
            why = f"cancelled by operator:{by}"
            ended = settle_unfinished(engine, incident.incident_id, why, outcome=Outcome.REJECTED)
        else:
            ended = cancel_waiting(engine, incident, f"operator:{by}")
    if ended.state is _S.ON_PROBATION:
        return _refused("its fix had been written already; take it back instead", ended)
    if ended.state is not _S.CLOSED:
        return _refused("it was answered in this moment, and the answer counts", ended)
    return Answer(ok=True, text=f"#{ended.incident_id} is closed as rejected", incident=ended)


def _refused(text: str, incident: Incident) -> Answer:
    return Answer(ok=False, text=text, incident=incident, came=Came.REFUSED)
