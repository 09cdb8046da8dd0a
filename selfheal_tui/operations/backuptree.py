"""Makes the tree of saved file versions. Reads the present files once each; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfheal_tui.model.candidate import sha256_hex
from selfheal_tui.model.record import BackupEntry
from selfheal_tui.operations import standings
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import BackupFile, BackupVersion, Standing
from selfheal_tui.pipeline.binding import current_bytes
from selfheal_tui.pipeline.rollback import ROLLED_BACK, UNDONE
from selfheal_tui.source.project import OutsideRootError, Project
from selfheal_tui.store import Store, StoreError

NOT_THERE = "(did not exist)"
_DIGITS = 12


def backup_tree(store: Store, project: Project) -> tuple[BackupFile, ...]:
    """Returns every file that was ever changed, with its saved versions, newest first.

    Args:
        store: The store.
        project: The project.

    Raises:
        StoreError: The store cannot be read.
    """
    before = {
        str(record.data.get("transaction")): "before a rollback"
        if record.kind == ROLLED_BACK
        else "before an undo"
        for record in store.trail.of_kinds({ROLLED_BACK, UNDONE})
    }
    by_path: dict[str, list[BackupEntry]] = {}
    for entry in store.backups.entries():
        by_path.setdefault(entry.path, []).append(entry)
    return tuple(
        BackupFile(line(path), _versions(store, project, path, entries, before))
        for path, entries in sorted(by_path.items())
    )


def _versions(
    store: Store, project: Project, path: str, entries: Sequence[BackupEntry], before: Mapping[str, str]
) -> tuple[BackupVersion, ...]:
    try:
        data = current_bytes(project, path)
        now = NOT_THERE if data is None else sha256_hex(data)
    except (OSError, OutsideRootError):
        now = ""
    newest_first = sorted(enumerate(entries), key=lambda one: (one[1].created_at, one[0]), reverse=True)
    return tuple(_version(store, entry, now, before) for _, entry in newest_first)


def _version(store: Store, entry: BackupEntry, now: str, before: Mapping[str, str]) -> BackupVersion:
    size, standing = _found(store, entry, now)
    incident = f" of #{entry.incident_id}" if entry.incident_id else ""
    what = before.get(entry.transaction_id, "before the fix")
    return BackupVersion(
        backup_id=entry.backup_id,
        path=line(entry.path),
        created_at=entry.created_at,
        what=line(what + incident, 100),
        sha=entry.sha256[:_DIGITS] if entry.sha256 else NOT_THERE,
        incident_id=entry.incident_id,
        transaction_id=entry.transaction_id,
        size=size,
        standing=standing,
    )


def _found(store: Store, entry: BackupEntry, now: str) -> tuple[int, Standing]:
    size = 0
    if entry.sha256 is not None:
        try:
            size = store.backups.file(entry.backup_id).stat().st_size
        except (OSError, StoreError):
            return 0, standings.UNREADABLE
    there = (entry.sha256 or NOT_THERE) == now
    return size, standings.IS_THERE_NOW if there else standings.RESTORABLE
