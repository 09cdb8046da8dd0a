"""Takes a half-done transaction back; doing it twice, or dying in the middle, does no harm.

A file that is neither what it was nor what the transaction wrote was edited by somebody since, and
nobody's edit is overwritten: it stays, and so does its backup.
"""

from __future__ import annotations

import os
from pathlib import Path

from selfheal_tui.store.backups import BackupStore
from selfheal_tui.store.durable import remove_file, sync_directory
from selfheal_tui.store.install import drop_bytecode, remove_folders, write_beside
from selfheal_tui.store.intent import Intent, Step
from selfheal_tui.store.targets import Found, look, resolve


def undo(root: Path, intent: Intent, backups: BackupStore) -> str:
    """Puts every file of a transaction back and removes its traces, except the intent.

    Args:
        root: Resolved root of the project.
        intent: The transaction.
        backups: Where its backups are.

    Returns:
        What was done, in a sentence.

    Raises:
        OSError: A file cannot be written back.
        CorruptStoreError: A backup that is needed is damaged.
        StoreError: The manifest cannot be written, or a target was moved out of the root.
    """
    kept = {step.backup_id: step.path for step in intent.steps if not _put_back(root, step, backups)}
    for step in intent.steps:
        remove_file(root / step.temporary)
        remove_file(_undo_file(root, step))
    _forget_backups(intent, backups, keep=frozenset(kept))
    remove_folders(root, intent.folders)
    sentence = (
        f"the unfinished change {intent.transaction_id[:12]} "
        f"({intent.kind} of incident {intent.incident_id or '-'}) "
        f"to {', '.join(step.path for step in intent.steps)} was undone"
    )
    if kept:
        pairs = ", ".join(f"{path} (its old content is in {backup})" for backup, path in kept.items())
        sentence += f", except for what was edited since and was left alone: {pairs}"
    return sentence


def _put_back(root: Path, step: Step, backups: BackupStore) -> bool:
    """Returns whether the file is what it was before."""
    real = root / step.real
    if resolve(root, step.real) != real:
        return False  # somebody put a link in its place
    now = look(step.path, real)
    if now.sha256 == step.before_sha256:
        if now.data is not None and now.mode != step.mode:
            real.chmod(step.mode)
        return True
    if now.sha256 != step.after_sha256:
        # What was to take its place still lies beside it, so we never touched it: nothing to put back.
        return os.path.lexists(root / step.temporary)
    if step.before_sha256 is None:
        remove_file(real)
    else:
        before = backups.read_saved(step.backup_id, step.before_sha256)
        temporary = _undo_file(root, step)
        remove_file(temporary)
        as_it_was = Found(step.path, real, now.data or b"", step.mode, step.uid, step.gid, now.mtime)
        write_beside(temporary, before, as_it_was)
        os.replace(temporary, real)  # noqa: PTH105
    sync_directory(real.parent)
    drop_bytecode(real)
    return True


def _forget_backups(intent: Intent, backups: BackupStore, *, keep: frozenset[str]) -> None:
    manifest = backups.manifest
    with manifest.journal.locked():
        gone = [step.backup_id for step in intent.steps if step.backup_id not in keep]
        numbers = [manifest.journal.number_of(manifest.name, backup_id) for backup_id in gone]
        known = [number for number in numbers if number is not None]
        if known:
            manifest.remove(doc_ids=known)
    for backup_id in gone:
        remove_file(backups.file(backup_id))


def _undo_file(root: Path, step: Step) -> Path:
    return root / f"{step.temporary.removesuffix('.tmp')}.undo.tmp"
