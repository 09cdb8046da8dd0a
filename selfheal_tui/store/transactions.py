"""Changes to several files of the live tree, all or none, whatever happens in between.

The order on disk is: intent, backups, new contents beside the targets, manifest, then a rename per
file, and last the intent is removed, which is the commit. Everything that needs space comes before the
first rename. An intent that is found under the lock belongs to a dead process; it is always *undone*
(undoing needs only the backups, and nobody was told yet that the change was made).
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.candidate import sha256_hex
from selfheal_tui.model.record import BackupEntry
from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_builtins, to_json
from selfheal_tui.store.backups import BackupStore
from selfheal_tui.store.durable import private_directory, remove_file, replace_file, sync_directory
from selfheal_tui.store.errors import (
    CorruptStoreError,
    RefusedTargetError,
    StaleTargetError,
    StoreError,
    WriteFailedError,
)
from selfheal_tui.store.install import drop_bytecode, make_folders, write_beside
from selfheal_tui.store.intent import Intent, Step
from selfheal_tui.store.lock import StoreLock
from selfheal_tui.store.targets import Found, inspect, look, require, touched
from selfheal_tui.store.undo import undo

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """What one file is to become.

    Attributes:
        path: Relative to the root, forward slashes.
        before_sha256: Hash of the bytes that it must have now; None when it must not exist.
        after: Its new bytes; None deletes it.
        mode: New permission bits; None keeps the old ones.
    """

    path: str
    before_sha256: str | None
    after: bytes | None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A change that was made.

    Attributes:
        transaction_id: Its id, for rollback.
        entries: One backup per file, in the order of the changes.
    """

    transaction_id: str
    entries: tuple[BackupEntry, ...]


class TransactionStore:
    """Writes to the live tree.

    Args:
        root: Resolved root of the project.
        directory: `.selfheal/transactions`, where intents lie.
        backups: Where the old contents go.
        lock: The store's lock, held throughout.
        recovered: Told what was undone after a crash, for the audit log.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        root: Path,
        directory: Path,
        backups: BackupStore,
        lock: StoreLock,
        recovered: Callable[[Intent, str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._directory = private_directory(directory)
        self._backups = backups
        self._lock = lock
        self._recovered = recovered
        self._clock = clock

    def apply(self, changes: Sequence[Change], *, incident_id: str, kind: str = "heal") -> Transaction:
        """Makes all changes, or none.

        Args:
            changes: One per file.
            incident_id: The incident, for the manifest.
            kind: `heal` or `rollback`, for the record of a recovery.

        Returns:
            The transaction; its changes are on the disk.

        Raises:
            StaleTargetError: A file is not what the change was made from; nothing was changed.
            WriteFailedError: A file may not or cannot be written; nothing was changed.
            CorruptStoreError: An earlier, unfinished change cannot be undone.
        """
        if not changes:
            raise ValueError("a transaction needs at least one change")
        with self._lock.held():
            self.recover()
            found = self._inspect(changes)
            intent = self._plan(changes, found, incident_id, kind)
            file = self._directory / f"{intent.transaction_id}.json"
            try:
                replace_file(file, to_json(intent))
                entries = self._prepare(intent, changes, found)
                self._swap(intent, found)
                remove_file(file)
            except BaseException as error:
                self._take_back(intent, file, error)
                if isinstance(error, OSError):
                    raise _failed(_path_of(intent, error), error) from error
                if isinstance(error, StoreError) and not isinstance(
                    error, StaleTargetError | WriteFailedError
                ):
                    raise WriteFailedError(changes[0].path, error.problem, error.remedy) from error
                raise
            self._sync_commit()
            return Transaction(intent.transaction_id, entries)

    def pending(self) -> bool:
        """Whether a change was begun by a process that died before it was done."""
        with self._lock.held():
            return bool(self.unfinished())

    def unfinished(self) -> frozenset[str]:
        """Returns the ids of changes that were begun and not committed; callers hold the lock."""
        return frozenset(
            file.stem for file in self._directory.glob("*.json") if not file.name.startswith(".")
        )

    def recover(self) -> list[str]:
        """Undoes what a dead process left half-done; safe to call at any time.

        Returns:
            A sentence for each change that was undone.

        Raises:
            CorruptStoreError: An intent or a backup that it needs is damaged.
            WriteFailedError: A file cannot be written back now; call again when it can.
        """
        messages = []
        with self._lock.held():
            for transaction_id in sorted(self.unfinished()):
                file = self._directory / f"{transaction_id}.json"
                try:
                    intent = from_json(file.read_bytes(), Intent)
                except (MalformedDocumentError, OSError) as error:
                    raise CorruptStoreError(
                        file,
                        f"cannot be read ({error})",
                        "compare the project with its backups, then remove it",
                    ) from error
                try:
                    message = undo(self._root, intent, self._backups)
                    remove_file(file)
                    sync_directory(self._directory)
                except OSError as error:
                    raise _failed(_path_of(intent, error), error, undoing=True) from error
                self._recovered(intent, message)
                messages.append(message)
            for leftover in self._directory.glob(".*.tmp"):
                remove_file(leftover)
        return messages

    # -- the steps of apply -----------------------------------------------------------------------

    def _inspect(self, changes: Sequence[Change]) -> list[Found]:
        found: list[Found] = []
        for change in changes:
            target = inspect(self._root, change.path)
            if any(target.real == other.real for other in found):
                raise RefusedTargetError(change.path, "is named twice in one change", "merge the two edits")
            if change.before_sha256 is None and change.after is None:
                raise RefusedTargetError(change.path, "does not exist and cannot be deleted", "leave it out")
            require(target, change.before_sha256)
            found.append(target)
        return found

    def _plan(self, changes: Sequence[Change], found: Sequence[Found], incident_id: str, kind: str) -> Intent:
        transaction_id = uuid.uuid4().hex
        at = self._clock()
        steps = []
        for change, target in zip(changes, found, strict=True):
            real = target.real.relative_to(self._root)
            temporary = real.with_name(f".{real.name[:100]}.{transaction_id[:12]}.selfheal.tmp")
            steps.append(
                Step(
                    path=change.path,
                    real=real.as_posix(),
                    temporary=temporary.as_posix(),
                    backup_id=self._backups.free_name(change.path, at),
                    before_sha256=target.sha256,
                    after_sha256=None if change.after is None else sha256_hex(change.after),
                    mode=target.mode,
                    uid=target.uid,
                    gid=target.gid,
                )
            )
        missing = {
            parent.relative_to(self._root).as_posix()
            for change, target in zip(changes, found, strict=True)
            if change.after is not None
            for parent in target.real.parents
            if parent.is_relative_to(self._root) and not parent.exists()
        }
        return Intent(transaction_id, incident_id, kind, at, tuple(steps), tuple(sorted(missing)))

    def _prepare(
        self, intent: Intent, changes: Sequence[Change], found: Sequence[Found]
    ) -> tuple[BackupEntry, ...]:
        entries = []
        make_folders(self._root, intent.folders)
        for step, change, target in zip(intent.steps, changes, found, strict=True):
            if target.data is not None:
                self._backups.save(step.backup_id, target.data)
            if change.after is not None:
                write_beside(self._root / step.temporary, change.after, target, mode=change.mode)
            entries.append(
                BackupEntry(
                    backup_id=step.backup_id,
                    path=step.path,
                    created_at=intent.at,
                    sha256=step.before_sha256,
                    after_sha256=step.after_sha256,
                    mode=step.mode if target.data is not None else (change.mode or 0o644),
                    transaction_id=intent.transaction_id,
                    incident_id=intent.incident_id,
                )
            )
        manifest = self._backups.manifest
        with manifest.journal.locked():
            manifest.insert_multiple([to_builtins(entry) for entry in entries])
        return tuple(entries)

    def _swap(self, intent: Intent, found: Sequence[Found]) -> None:
        for step, target in zip(intent.steps, found, strict=True):
            if touched(target):  # edited while the backups were written
                require(look(step.path, target.real), step.before_sha256)
            if step.after_sha256 is None:
                os.unlink(target.real)  # noqa: PTH108
            else:
                os.replace(self._root / step.temporary, target.real)  # noqa: PTH105
            sync_directory(target.real.parent)
            drop_bytecode(target.real)

    def _take_back(self, intent: Intent, file: Path, error: BaseException) -> None:
        """Undoes a change that failed in this very process."""
        try:
            undo(self._root, intent, self._backups)
            remove_file(file)
        except (OSError, StoreError) as second:
            raise WriteFailedError(
                _path_of(intent, error),
                f"could not be written ({error}) nor put back yet ({second})",
                "free space or repair permissions; the next selfheal undoes the change from its backups",
            ) from error

    def _sync_commit(self) -> None:
        try:
            sync_directory(self._directory)
        except OSError:
            # The change is made; only after a power loss could it be taken for unfinished and undone.
            _log.warning("cannot sync %s", self._directory, exc_info=True)


def _failed(path: str, error: OSError, *, undoing: bool = False) -> WriteFailedError:
    reason = error.strerror or str(error)
    if undoing:
        return WriteFailedError(
            path, f"cannot be put back: {reason}", "free space or repair permissions, and try again"
        )
    return WriteFailedError(
        path,
        f"cannot be written: {reason}",
        "nothing was changed; free space or repair permissions, and try again",
    )


def _path_of(intent: Intent, error: BaseException) -> str:
    named = str(getattr(error, "filename", "") or "")
    for step in intent.steps:
        if named and (named.endswith((step.temporary, step.real)) or step.backup_id in named):
            return step.path
    return intent.steps[0].path
