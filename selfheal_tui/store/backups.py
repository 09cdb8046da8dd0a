"""The tree of saved file versions, and its manifest.

Backups are named after the file they save, so that a person finds them without this program. Their
bytes are exactly the file's own, hence private modes and no masking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from selfheal_tui.model.record import BackupEntry
from selfheal_tui.model.serial import from_builtins
from selfheal_tui.store.durable import create_file, private_directory, sync_directory
from selfheal_tui.store.errors import CorruptStoreError, UnknownBackupError
from selfheal_tui.store.table import JournalTable

FOLDER = ".self_healing_backups"


class BackupStore:
    """The backups of a project.

    Args:
        directory: `.self_healing_backups`.
        table: The manifest, keyed by `backup_id`.
        unfinished: Ids of transactions that were begun and not committed; asked under the lock.
    """

    def __init__(
        self, directory: Path, table: JournalTable, unfinished: Callable[[], frozenset[str]]
    ) -> None:
        self.directory = directory
        self.manifest = table
        self._unfinished = unfinished

    def entries(self) -> list[BackupEntry]:
        """Returns all backups of committed changes, oldest first."""
        with self.manifest.journal.locked():
            unfinished = self._unfinished()
            rows = [row for row in self.manifest.rows() if row["transaction_id"] not in unfinished]
            return [from_builtins(row, BackupEntry) for row in rows]

    def get(self, backup_id: str) -> BackupEntry:
        """Returns one backup.

        Raises:
            UnknownBackupError: There is none of that id.
        """
        found = [entry for entry in self.entries() if entry.backup_id == backup_id]
        if not found:
            raise UnknownBackupError(f"no backup {backup_id!r}", "`selfheal backups` lists them")
        return found[0]

    def of_transaction(self, transaction_id: str) -> list[BackupEntry]:
        """Returns the backups of one change, in the order in which its files were given."""
        return [entry for entry in self.entries() if entry.transaction_id == transaction_id]

    def read(self, entry: BackupEntry) -> bytes | None:
        """Returns the saved bytes; None when the file did not exist before.

        Raises:
            CorruptStoreError: The backup is missing or was altered.
        """
        return None if entry.sha256 is None else self.read_saved(entry.backup_id, entry.sha256)

    def read_saved(self, backup_id: str, sha256: str) -> bytes:
        """Returns the bytes of a backup file, checked against their hash.

        Raises:
            CorruptStoreError: The backup is missing or was altered.
        """
        file = self.file(backup_id)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CorruptStoreError(
                file,
                f"the backup cannot be read: {error.strerror or error}",
                "take the file from version control",
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptStoreError(file, "the backup was altered", "take the file from version control")
        return data

    def file(self, backup_id: str) -> Path:
        """Returns where a backup lies.

        Raises:
            UnknownBackupError: The id leads out of the backup folder.
        """
        file = self.directory / backup_id
        if not file.resolve().is_relative_to(self.directory.resolve()):
            raise UnknownBackupError(f"no backup {backup_id!r}", "`selfheal backups` lists them")
        return file

    def free_name(self, path: str, at: float) -> str:
        """Returns a backup id for a file that nothing has yet; callers hold the lock.

        Args:
            path: The file, relative to the root.
            at: Unix time in seconds; the name carries it in local time, as the operator's clock has it.
        """
        base = f"{path}.{datetime.fromtimestamp(at).astimezone():%Y%m%d_%H%M%S}"
        name, number = f"{base}.bak", 0
        while self.manifest.find(name) is not None or self.file(name).exists():
            number += 1
            name = f"{base}_{number}.bak"
        return name

    def save(self, backup_id: str, data: bytes) -> None:
        """Writes a backup file; it is on the disk when this returns.

        Raises:
            OSError: It cannot be written.
        """
        directory = self.directory
        for part in Path(backup_id).parts[:-1]:
            directory = private_directory(directory / part)
        create_file(directory / Path(backup_id).name, data)
        sync_directory(directory)
