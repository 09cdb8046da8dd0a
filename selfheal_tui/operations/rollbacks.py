"""Taking changes back, and taking that back again: first shown exactly, then written exactly as shown.

What is written is planned here and nowhere else, so that a preview and its writing cannot differ. Conflicts with later
edits are the planner's to find (`pipeline.rollback`); nothing here overwrites them unless it is told to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfheal_tui.model.candidate import sha256_hex
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.record import AuditRecord, BackupEntry
from selfheal_tui.operations.answers import Answer, Came
from selfheal_tui.operations.reached import last_change, reached, served
from selfheal_tui.operations.snapshot import FileChange, RollbackPreview
from selfheal_tui.operations.texts import moment
from selfheal_tui.pipeline.binding import current_bytes
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.rollback import (
    BACKUP,
    FIX,
    ROLLED_BACK,
    FilePlan,
    RollbackAction,
    RollbackConflictError,
    execute_rollback,
    last_rollback,
    plan_rollback,
)
from selfheal_tui.source.display import visible
from selfheal_tui.source.text import UnreadableSourceError, decode_source
from selfheal_tui.store import StoreError, UnknownIncidentError

UNDO = "undo"
"""The target that stands for the last rollback that was not undone."""


class NothingToTakeBackError(LookupError):
    """There is nothing that could be taken back; the message says why."""


@dataclass(frozen=True, slots=True)
class Retreat:
    """Something to take back, and what that would do.

    Attributes:
        target: As it was asked for.
        title: What it is, in a line.
        plans: What would become of each file.
        incident: The incident whose whole fix it is; None for a single backup.
        incident_id: The incident that it belongs to, or empty.
        undoes: For an undo: the record of the rollback.
    """

    target: str
    title: str
    plans: tuple[FilePlan, ...]
    incident: Incident | None
    incident_id: str
    undoes: AuditRecord | None = None


def plan(project: Opened, target: str) -> Retreat:
    """Works out what taking something back would do, writing nothing.

    Args:
        project: The project.
        target: A backup id, an incident id, or `undo`.

    Raises:
        NothingToTakeBackError: There is nothing to take back.
        UnknownIncidentError: It is neither a backup nor an incident.
        StoreError: A backup cannot be read.
    """
    store = project.engine.store
    if target == UNDO:
        return _plan_undo(project)
    backup = next((e for e in store.backups.entries() if e.backup_id == target), None)
    if backup is not None:
        title = f"restore {visible(backup.path)} as it was on {moment(backup.created_at)}{_beside(project, backup)}"
        return Retreat(target, title, _plans(project, [backup]), None, backup.incident_id)
    incident = store.incidents.get(target.lstrip("#"))
    if not incident.transaction_id:
        raise NothingToTakeBackError(f"incident {incident.incident_id} has no applied fix to take back")
    entries = store.backups.of_transaction(incident.transaction_id)
    title = f"take back the fix of #{incident.incident_id}"
    return Retreat(target, title, _plans(project, entries), incident, incident.incident_id)


def preview(project: Opened, target: str) -> tuple[RollbackPreview | None, str]:
    """Shows what taking something back would do; see `decisions.preview`."""
    try:
        return preview_of(project, plan(project, target)), ""
    except (NothingToTakeBackError, UnknownIncidentError, StoreError) as error:
        return None, str(error)


def preview_of(project: Opened, retreat: Retreat) -> RollbackPreview:
    """Puts a plan into exact texts.

    Args:
        project: The project.
        retreat: From `plan`.
    """
    return RollbackPreview(
        target=retreat.target,
        title=retreat.title,
        changes=tuple(_change(project, one) for one in retreat.plans),
        conflicts=tuple(visible(p.path) for p in retreat.plans if p.action is RollbackAction.CONFLICT),
        nothing=all(p.action is RollbackAction.NOTHING for p in retreat.plans),
    )


def roll_back(
    project: Opened,
    target: str,
    *,
    by: str,
    overwrite: bool = False,
    reason: str = "",
    shown: RollbackPreview | None = None,
) -> Answer:
    """Carries out what `preview` shows; see `decisions.roll_back`."""
    try:
        retreat = plan(project, target)
    except NothingToTakeBackError as error:
        return Answer(ok=False, text=str(error), came=Came.NOT_FOUND)
    return carry_out(project, retreat, by=by, overwrite=overwrite, reason=reason, shown=shown)


def carry_out(
    project: Opened,
    retreat: Retreat,
    *,
    by: str,
    overwrite: bool = False,
    reason: str = "",
    shown: RollbackPreview | None = None,
) -> Answer:
    """Writes a plan, all of it or nothing.

    Args:
        project: The project.
        retreat: From `plan`.
        by: The operator's name.
        overwrite: Restore over conflicting later edits, which are backed up first.
        reason: Why.
        shown: What the operator saw; anything else is refused.
    """
    if shown is not None and preview_of(project, retreat) != shown:
        text = "files were edited since this was shown; nothing was written, look at it again"
        return _refused(text, retreat.incident)
    paused = project.engine.store.pause.status()
    if retreat.undoes is not None and paused is not None:
        # Taking a fix out is always allowed; putting one in again is a change like any other.
        text = f"healing is paused by {paused.by}; `selfheal resume` allows it again"
        return _refused(text, retreat.incident)
    actor = f"operator:{by}"
    before = last_change(project)
    try:
        answer = _written(project, retreat, actor, overwrite=overwrite, reason=reason)
    except (RollbackConflictError, StoreError) as error:
        return _refused(str(error), retreat.incident)
    code = "the fix again" if retreat.undoes and retreat.incident else "the code on disk again"
    code = "the old code again" if retreat.incident and not retreat.undoes else code
    running = reached(project, after=before, actor=actor, code=code)
    return replace(answer, text=f"{answer.text}; {running}", running=running) if running else answer


def _written(project: Opened, retreat: Retreat, actor: str, *, overwrite: bool, reason: str) -> Answer:
    engine = project.engine
    if retreat.undoes is not None:
        return _undone(project, retreat, retreat.undoes, actor, overwrite=overwrite)
    if retreat.incident is not None:
        why = reason or "taken back by the operator"
        ended = engine.closer.revert(
            retreat.incident, why, actor=actor, overwrite=overwrite, plans=retreat.plans
        )
        return Answer(
            ok=True,
            text=f"taken back: {_files(retreat)}; it can be undone",
            incident=ended,
        )
    done = execute_rollback(
        engine.store,
        retreat.plans,
        incident_id=retreat.incident_id,
        actor=actor,
        overwrite=overwrite,
        of=BACKUP,
    )
    if not done:
        return Answer(ok=True, text=f"nothing to do: {_files(retreat)} holds that version already")
    return Answer(ok=True, text=f"restored: {_files(retreat)}; it can be undone")


def _undone(
    project: Opened, retreat: Retreat, rollback: AuditRecord, actor: str, *, overwrite: bool
) -> Answer:
    engine = project.engine
    undoes = rollback.data["transaction"]
    done = execute_rollback(
        engine.store,
        retreat.plans,
        incident_id=retreat.incident_id,
        actor=actor,
        overwrite=overwrite,
        undoes=undoes,
    )
    if not done:
        return _refused(f"nothing to undo: {_files(retreat)} is as it was before the rollback", None)
    ended = retreat.incident
    if ended is not None:
        exact = all(p.action is not RollbackAction.MERGE for p in retreat.plans)
        ended = engine.closer.put_back(ended, done, exact=exact, actor=actor, watched=served(project))
    watched = ended is not None and ended.state is IncidentState.ON_PROBATION
    text = f"the rollback is undone: {_files(retreat)}" + ("; the fix is watched anew" if watched else "")
    return Answer(ok=True, text=text, incident=ended)


def _plan_undo(project: Opened) -> Retreat:
    store = project.engine.store
    record = last_rollback(store)
    if record is None:
        raise NothingToTakeBackError("there is no rollback to undo")
    entries = store.backups.of_transaction(record.data["transaction"])
    whose = f" of #{record.incident_id}" if record.incident_id else ""
    title = f"undo the rollback{whose} of {moment(record.at)}"
    return Retreat(
        UNDO, title, _plans(project, entries), _rolled_back(project, record), record.incident_id, record
    )


def _rolled_back(project: Opened, record: AuditRecord) -> Incident | None:
    """The incident that is closed as rolled back by this very rollback, if it is one."""
    store = project.engine.store
    if not record.incident_id or record.data.get("of", FIX) != FIX:
        return None
    try:
        incident = store.incidents.get(record.incident_id)
    except UnknownIncidentError:
        return None
    last = [
        r
        for r in store.audit.records(record.incident_id, kinds={ROLLED_BACK})
        if r.data.get("of", FIX) == FIX
    ]
    mine = incident.outcome is Outcome.ROLLED_BACK and last and last[-1].sequence == record.sequence
    return incident if mine else None


def _beside(project: Opened, backup: BackupEntry) -> str:
    """Says that a file alone is restored where it is one of a fix that stands."""
    try:
        incident = project.engine.store.incidents.get(backup.incident_id) if backup.incident_id else None
    except UnknownIncidentError:
        return ""
    if incident is None or incident.transaction_id != backup.transaction_id:
        return ""
    return f" (this file alone: #{incident.incident_id} keeps its outcome; take back its fix to change that)"


def _plans(project: Opened, entries: Sequence[BackupEntry]) -> tuple[FilePlan, ...]:
    return plan_rollback(project.engine.store, project.engine.project, entries)


def _change(project: Opened, one: FilePlan) -> FileChange:
    now = current_bytes(project.engine.project, one.path)
    note = f"{one.action.value}: {one.note}" if one.note else one.action.value
    try:
        before = "" if now is None else decode_source(now, one.path).text
        after = "" if one.after is None else decode_source(one.after, one.path).text
    except UnreadableSourceError:
        return FileChange(visible(one.path), "", "", f"{note} (not text: {_sha(now)} → {_sha(one.after)})")
    return FileChange(visible(one.path), before, after, note)


def _sha(data: bytes | None) -> str:
    return "no file" if data is None else f"{sha256_hex(data)[:12]}, {len(data)} bytes"


def _files(retreat: Retreat) -> str:
    return ", ".join(visible(p.path) for p in retreat.plans)


def _refused(text: str, incident: Incident | None) -> Answer:
    return Answer(ok=False, text=text, incident=incident, came=Came.REFUSED)
