"""Open questions whose answer would be worth nothing any more, because the files changed under them.

An approval is bound to the bytes that were there when it was asked. When another fix went into the same file, or
somebody edited it, the question is withdrawn and asked anew of a fresh proof, before a person spends time on it.
Nothing is written here but the record.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.pipeline.binding import bind
from selfheal_tui.pipeline.lease import IncidentBusyError, lease
from selfheal_tui.pipeline.system import LOOK_SECONDS, Engine
from selfheal_tui.source.project import OutsideRootError
from selfheal_tui.store import ApprovalConflictError

Stamp = tuple[tuple[str, int, int], ...]
"""Path, time of change in nanoseconds, and size of each target; -1 where there is no such file."""


def stamp(engine: Engine, incident: Incident) -> Stamp:
    """Returns what tells cheaply whether the target files of a proposal may have changed."""
    attempt = incident.chosen_attempt
    found = []
    for edit in attempt.candidate.edits if attempt else ():
        changed, size = -1, -1
        with contextlib.suppress(OSError, OutsideRootError):
            status = engine.project.absolute(edit.path).stat()
            changed, size = status.st_mtime_ns, status.st_size
        found.append((edit.path, changed, size))
    return tuple(found)


def is_stale(engine: Engine, incident: Incident) -> bool:
    """Returns whether an incident's open question is about files that are not there any more as they were."""
    attempt = incident.chosen_attempt
    if incident.state is not IncidentState.AWAITING_APPROVAL or attempt is None:
        return False
    request = engine.store.approvals.get(incident.request_id)
    if engine.store.approvals.state(request.request_id) is not RequestState.OPEN:
        return False
    try:
        now = bind(engine.project, attempt.candidate, request.binding.policy_version)
    except (OSError, OutsideRootError):
        return True
    return now.targets != request.binding.targets


def take_back(engine: Engine, incident: Incident) -> bool:
    """Withdraws a stale question, so that the incident is walked anew.

    Args:
        engine: The engine.
        incident: With a stale question.

    Returns:
        Whether it was withdrawn; not when somebody works on it or has just answered it.
    """
    reason = "the files changed since the fix was proved"
    try:
        with lease(engine.store.directory, incident.incident_id, wait_seconds=LOOK_SECONDS):
            current = engine.store.incidents.get(incident.incident_id)
            if current.request_id != incident.request_id or not is_stale(engine, current):
                return False
            engine.governance.withdraw(current.request_id, by="engine", reason=reason, person=False)
            engine.store.incidents.put(
                replace(
                    current,
                    state=IncidentState.DETECTED,
                    request_id="",
                    chosen=-1,
                    message=f"{reason}; it is proved anew",
                )
            )
    except (IncidentBusyError, ApprovalConflictError):
        return False
    return True
