"""What is done about an incident whose walk was cut off: nothing ends in silence, nothing applied is forgotten."""

from __future__ import annotations

from dataclasses import replace

from selfheal_tui.model.candidate import sha256_hex
from selfheal_tui.model.incident import Attempt, Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.pipeline.binding import current_bytes
from selfheal_tui.pipeline.system import Engine
from selfheal_tui.store import ApprovalConflictError

_S = IncidentState
SETTLED = frozenset({_S.CLOSED, _S.AWAITING_APPROVAL, _S.ON_PROBATION})
"""States in which nobody has to walk the incident."""
UNFINISHED = frozenset(set(_S) - SETTLED)
_HEALED = frozenset({Outcome.HEALED, Outcome.HEALED_UNPROVEN})


def has_fix(incident: Incident) -> bool:
    """Whether a fix of the incident stands: on probation, or past it."""
    return incident.state is _S.ON_PROBATION or incident.outcome in _HEALED


def settle_unfinished(
    engine: Engine, incident_id: str, reason: str, *, outcome: Outcome = Outcome.FAILED
) -> Incident:
    """Closes an incident whose walk was cut off, unless its fix is on disk or it waits for a person.

    Args:
        engine: The engine.
        incident_id: The incident.
        reason: Why the walk was cut off.
        outcome: How it is closed: failed, or rejected when somebody cancelled it.

    Returns:
        The incident: closed, on probation, or waiting for a person.
    """
    if engine.store.transactions.pending():
        engine.store.transactions.recover()
    incident = adopt_applied(engine, engine.store.incidents.get(incident_id))
    if incident.state in SETTLED:
        return incident
    return engine.closer.close(incident, outcome, reason)


def adopt_applied(engine: Engine, incident: Incident) -> Incident:
    """Puts an incident on probation whose fix was written, but whose walk was cut off before it could say so.

    Args:
        engine: The engine; half-done changes must have been recovered.
        incident: As it stands.

    Returns:
        The incident, on probation if its whole fix is on disk.
    """
    attempt = incident.chosen_attempt
    if incident.state is not _S.APPLYING or attempt is None:
        return incident
    transaction = _transaction_of(engine, incident, attempt)
    if not transaction:
        return incident
    applied = engine.store.audit.records(incident.incident_id, kinds={"change.applied"})
    if not any(record.data.get("transaction") == transaction for record in applied):
        engine.store.audit.append(
            "change.applied",
            actor="engine",
            incident_id=incident.incident_id,
            data={
                "transaction": transaction,
                "candidate": attempt.candidate.candidate_id,
                "patch_sha256": attempt.candidate.patch_sha256,
                "request": incident.request_id,
                "fingerprint": incident.fingerprint.value,
                "files": sorted(edit.path for edit in attempt.candidate.edits),
                "recovered": True,
            },
        )
    adopted = replace(
        incident.advance(_S.ON_PROBATION, message="applied; found on disk after its walk was cut off"),
        transaction_id=transaction,
        request_id="",
    )
    engine.store.incidents.put(adopted)
    return adopted


def cancel_waiting(engine: Engine, incident: Incident, by: str) -> Incident:
    """Closes an incident that waits for a person, because somebody cancelled it.

    Args:
        engine: The engine.
        incident: Awaiting approval, or not begun.
        by: Who cancelled it.
    """
    why = f"cancelled by {by}"
    if incident.state is _S.AWAITING_APPROVAL and incident.request_id:
        try:
            engine.governance.expire(incident.request_id, why)
        except ApprovalConflictError:
            return incident  # it was answered in this moment, and the answer counts
    return engine.closer.close(incident, Outcome.REJECTED, why, decided_by=by)


def _transaction_of(engine: Engine, incident: Incident, attempt: Attempt) -> str:
    """The transaction by which all files of a fix got what they hold now; empty when there is none."""
    wanted = {edit.path: edit.after_bytes() for edit in attempt.candidate.edits}
    if any(current_bytes(engine.project, path) != data for path, data in wanted.items()):
        return ""
    written = {path: sha256_hex(data) for path, data in wanted.items()}
    for entry in reversed(engine.store.backups.entries()):
        if entry.incident_id == incident.incident_id and written.get(entry.path) == entry.after_sha256:
            return entry.transaction_id
    return ""
