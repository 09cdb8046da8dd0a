"""Finds on record what was taken back or put back on disk, by whomever, since the engine serves.

The audit trail is the one thing that every process writes about a rollback, and so it is what is looked at; a ring at
the doorbell only makes the look come at once. It changes nothing: what follows in programs is `aftercare`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.record import AuditRecord
from selfheal_tui.pipeline.rollback import FIX, ROLLED_BACK, UNDONE
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store, UnknownIncidentError
from selfheal_tui.supervisor.channels import Channel
from selfheal_tui.supervisor.delivery import Errand, Report

DELIVERED = "rollback.delivered"
"""Kind of the audit record that says that every living program was told of a rollback, and how many there were."""
SETTLE_SECONDS = 1.0
"""How long whoever takes something back is given to say so in the incident; the record comes first."""


@dataclass(frozen=True, slots=True)
class Retreat:
    """A change that somebody took back or put back.

    Attributes:
        transaction: The change on disk.
        incident_id: The incident that it belongs to, or empty.
        files: The files that were written, relative to the root.
        at: Unix time in seconds.
        actor: Who did it.
        undone: Whether it is an earlier rollback that was taken back.
        whole_fix: Whether the whole fix of the incident was taken back.
    """

    transaction: str
    incident_id: str
    files: tuple[str, ...]
    at: float
    actor: str
    undone: bool
    whole_fix: bool


class Retreats:
    """The rollbacks and undos of a project from now on. One thread owns it.

    Args:
        store: The store; its trail is read.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._signature = (-1, -1)
        self._last = -1

    def new(self) -> list[Retreat]:
        """Returns what came since the last call, in order: nothing the first time. Costs one `stat` otherwise.

        Raises:
            CorruptStoreError: The audit trail is damaged; told once for each change of it.
        """
        signature = self._store.trail.signature()
        if signature == self._signature:
            return []
        self._signature = signature
        first = self._last < 0
        records = self._store.trail.of_kinds({ROLLED_BACK, UNDONE}, after=self._last)
        self._last = records[-1].sequence if records else max(self._last, 0)
        return [] if first else [_retreat_of(record) for record in records]

    def incident(self, retreat: Retreat) -> Incident | None:
        """Returns the incident of a retreat as it stands, if it belongs to one."""
        try:
            return self._store.incidents.get(retreat.incident_id) if retreat.incident_id else None
        except UnknownIncidentError:
            return None


def is_settled(retreat: Retreat, incident: Incident | None, now: float) -> bool:
    """Returns whether whoever took something back has said so in its incident, or had the time to.

    Args:
        retreat: What was taken back.
        incident: Its incident as it stands.
        now: Unix time in seconds.
    """
    if incident is None or now - retreat.at >= SETTLE_SECONDS:
        return True
    if retreat.undone:
        return incident.transaction_id == retreat.transaction
    return not retreat.whole_fix or incident.outcome is Outcome.ROLLED_BACK


def is_watched_anew(retreat: Retreat, incident: Incident | None) -> bool:
    """Returns whether an undo put the fix of an incident on probation again."""
    return (
        retreat.undone
        and incident is not None
        and incident.state is IncidentState.ON_PROBATION
        and incident.transaction_id == retreat.transaction
    )


def errand_of(retreat: Retreat, project: Project, channel: Channel) -> Errand:
    """Makes the errand that brings what was taken back into a program.

    Args:
        retreat: What was taken back.
        project: The project.
        channel: The program.
    """
    return Errand(
        channel=channel,
        incident_id=retreat.incident_id,
        files=tuple(project.absolute(path) for path in retreat.files),
        restored=not retreat.undone,
        transaction=retreat.transaction,
        retreat=True,
    )


def reach_of(reports: Iterable[Report]) -> dict[str, int]:
    """Counts the programs that run what is on disk now, and those that must be started anew for it.

    Args:
        reports: What came of the errands; programs that have ended count as neither.
    """
    ended = [report for report in reports if not report.dead]
    current = sum(report.answer is not None and report.answer.current for report in ended)
    return {"programs": current, "restart_needed": len(ended) - current}


def _retreat_of(record: AuditRecord) -> Retreat:
    undone = record.kind == UNDONE
    files = record.data.get("files")
    return Retreat(
        transaction=str(record.data.get("transaction", "")),
        incident_id=record.incident_id,
        files=tuple(files) if isinstance(files, dict) else (),
        at=record.at,
        actor=record.actor,
        undone=undone,
        whole_fix=not undone and record.data.get("of", FIX) == FIX,
    )
