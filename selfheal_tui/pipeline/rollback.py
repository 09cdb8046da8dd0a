"""Takes changes back, without ever overwriting what was edited since in silence.

A rollback is planned first and can be shown; where a file was edited after the fix, the edits are kept
by a three-way merge, and where that conflicts nothing is written unless the operator says so. A
rollback is a transaction with backups of its own, so it can be taken back too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from selfheal_tui.model.candidate import sha256_hex
from selfheal_tui.model.record import AuditRecord, BackupEntry
from selfheal_tui.pipeline.binding import current_bytes
from selfheal_tui.source.diff import unified_diff
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import UnreadableSourceError, decode_source
from selfheal_tui.source.threeway import merge_three
from selfheal_tui.store import Change, Store, StoreError

ROLLED_BACK = "change.rolled_back"
UNDONE = "rollback.undone"
"""Kinds of audit records."""
FIX = "fix"
BACKUP = "backup"
"""What a rollback takes back: the whole fix of an incident, or one saved version of one file."""


class RollbackAction(StrEnum):
    """What a rollback would do with one file."""

    RESTORE = "restore"
    MERGE = "merge around later edits"
    DELETE = "delete"
    NOTHING = "nothing to do"
    CONFLICT = "conflict"


class RollbackConflictError(RuntimeError):
    """A file was edited since in the same place; nothing was written."""


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What would become of one file.

    Attributes:
        path: Relative to the root.
        action: What would be done.
        diff: Unified diff from the file as it is now.
        before_sha256: Hash of the file as it is now.
        after: Bytes it would have; None deletes it.
        mode: Permission bits to restore.
        note: Why, for the operator.
    """

    path: str
    action: RollbackAction
    diff: str
    before_sha256: str | None
    after: bytes | None
    mode: int | None = None
    note: str = ""


def plan_rollback(store: Store, project: Project, entries: Sequence[BackupEntry]) -> tuple[FilePlan, ...]:
    """Works out what restoring backups would do, writing nothing.

    Args:
        store: The store.
        project: The project.
        entries: The backups to restore, at most one per file.

    Returns:
        A plan per file.
    """
    return tuple(_plan_file(store, project, entry) for entry in entries)


def execute_rollback(
    store: Store,
    plans: Sequence[FilePlan],
    *,
    incident_id: str,
    actor: str,
    overwrite: bool = False,
    of: str = BACKUP,
    undoes: str = "",
) -> str:
    """Carries a plan out as one transaction.

    Args:
        store: The store.
        plans: From `plan_rollback`.
        incident_id: The incident, or empty.
        actor: Who wants it, such as `operator:kim` or `engine`.
        overwrite: Restore the backup over conflicting later edits (they are backed up as well).
        of: What is taken back, for the record: `FIX` or `BACKUP`.
        undoes: Transaction of the rollback that is taken back by this; empty for an ordinary one.

    Returns:
        The id of the rollback's own transaction; empty when there was nothing to do.

    Raises:
        RollbackConflictError: There is a conflict and `overwrite` is false; nothing was written.
        StoreError: Writing failed; nothing was changed.
    """
    conflicts = [p.path for p in plans if p.action is RollbackAction.CONFLICT]
    if conflicts and not overwrite:
        raise RollbackConflictError(
            f"edited since in the same place, or deleted: {', '.join(conflicts)}. Nothing was written. Merge by hand "
            "from the backup, or repeat with --overwrite (the edits are backed up first)"
        )
    todo = [p for p in plans if p.action is not RollbackAction.NOTHING]
    if not todo:
        return ""
    for plan in todo:
        if plan.after is not None:
            store.blobs.put(plan.after)
    transaction = store.transactions.apply(
        [Change(path=p.path, before_sha256=p.before_sha256, after=p.after, mode=p.mode) for p in todo],
        incident_id=incident_id,
        kind="rollback",
    )
    store.audit.append(
        UNDONE if undoes else ROLLED_BACK,
        actor=actor,
        incident_id=incident_id,
        data={
            **({"undoes": undoes} if undoes else {"of": of}),
            "transaction": transaction.transaction_id,
            "files": {p.path: p.action.value for p in todo},
            "overwrite": overwrite,
            "backups": [entry.backup_id for entry in transaction.entries],
        },
    )
    return transaction.transaction_id


def last_rollback(store: Store) -> AuditRecord | None:
    """Returns the record of the last rollback that was not undone; None when there is none."""
    records = store.audit.records(kinds={ROLLED_BACK, UNDONE})
    undone = {record.data["undoes"] for record in records if record.kind == UNDONE}
    left = (r for r in reversed(records) if r.kind == ROLLED_BACK and r.data["transaction"] not in undone)
    return next(left, None)


def _plan_file(store: Store, project: Project, entry: BackupEntry) -> FilePlan:
    now = current_bytes(project, entry.path)
    wanted = store.backups.read(entry)
    now_sha = None if now is None else sha256_hex(now)
    if now == wanted:
        return FilePlan(
            entry.path, RollbackAction.NOTHING, "", now_sha, wanted, note="it already holds that version"
        )
    if now_sha == entry.after_sha256:
        action = RollbackAction.DELETE if wanted is None else RollbackAction.RESTORE
        return FilePlan(entry.path, action, _diff(entry.path, now, wanted), now_sha, wanted, mode=entry.mode)
    conflict = FilePlan(
        entry.path,
        RollbackAction.CONFLICT,
        _diff(entry.path, now, wanted),
        now_sha,
        wanted,
        mode=entry.mode,
        note="it was deleted since" if now is None else "it was edited since in the same place",
    )
    if now is None or wanted is None or entry.after_sha256 is None:
        return conflict
    try:
        written = decode_source(store.blobs.get(entry.after_sha256), entry.path)
        mine = decode_source(now, entry.path)
        backup = decode_source(wanted, entry.path)
    except (StoreError, UnreadableSourceError):
        return conflict
    merged = merge_three(written.text, mine.text, backup.text)
    if merged.conflicts:
        return conflict
    data = mine.encode(merged.text)
    if data == now:
        return FilePlan(
            entry.path, RollbackAction.NOTHING, "", now_sha, now, note="later edits already took it back"
        )
    return FilePlan(
        entry.path,
        RollbackAction.MERGE,
        _diff(entry.path, now, data),
        now_sha,
        data,
        note="edits made since are kept",
    )


def _diff(path: str, before: bytes | None, after: bytes | None) -> str:
    try:
        old = "" if before is None else decode_source(before, path).text
        new = "" if after is None else decode_source(after, path).text
    except UnreadableSourceError as error:
        return f"(no diff: {error})\n"
    return unified_diff(old, new, path)
