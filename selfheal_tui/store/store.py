"""The store of one project: everything selfheal remembers, behind one lock.

It only wires the facets together; each has its own module.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from selfheal_tui.store.approvals import ApprovalStore
from selfheal_tui.store.attempts import AttemptStore
from selfheal_tui.store.audit import TABLE as AUDIT_TABLE
from selfheal_tui.store.audit import AuditLog
from selfheal_tui.store.backups import FOLDER as BACKUP_FOLDER
from selfheal_tui.store.backups import BackupStore
from selfheal_tui.store.blobs import BlobStore
from selfheal_tui.store.durable import private_directory, replace_file
from selfheal_tui.store.errors import StoreUnavailableError
from selfheal_tui.store.inbox import Inbox
from selfheal_tui.store.incidents import IncidentStore
from selfheal_tui.store.intent import Intent
from selfheal_tui.store.learning import LearningStore
from selfheal_tui.store.lock import StoreLock
from selfheal_tui.store.pause import PauseSwitch
from selfheal_tui.store.table import HistoryDB, JournalTable
from selfheal_tui.store.taken import TakenReports
from selfheal_tui.store.trail import AuditTrail
from selfheal_tui.store.transactions import TransactionStore

FOLDER = ".selfheal"

KEYS = {
    "incidents": "incident_id",
    "taken": "report_id",
    "requests": "request_id",
    "decisions": "request_id",
    "consumed": "request_id",
    "learned": "key",
    "blacklist": "key",
    "proven": "key",
    "patterns": "key",
}
"""Tables of `history.jsonl` whose documents are found by a field."""


class Store:
    """All that is kept for a project. Make one with `Store.open`.

    Attributes:
        root: Resolved root of the project.
        directory: `.selfheal` in it.
        incidents: Incidents.
        audit: Decisions and changes, chained by hash.
        trail: The same, for viewers that are open for long; for one thread.
        attempts: `healing_history`.
        approvals: Requests for approval and their answers.
        learning: Counts, blacklist, proven fixes.
        backups: Saved versions of files.
        transactions: Changes to the live tree.
        inbox: Reports that the probe left.
        pause: The kill switch.
        blobs: Large texts.
    """

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        self.root = root
        self.directory = private_directory(root / FOLDER)
        backup_directory = private_directory(root / BACKUP_FOLDER)
        _keep_out_of_git(self.directory)
        _keep_out_of_git(backup_directory)
        self._databases: list[HistoryDB] = []
        self._lock = StoreLock(self.directory / "store.lock")

        self.pause = PauseSwitch(self.directory / "PAUSED", clock)
        self.blobs = BlobStore(self.directory / "blobs", self._lock)
        self.inbox = Inbox(self.directory / "inbox")
        audit_file = self.directory / "audit.jsonl"
        self.audit = AuditLog(
            lambda: self._open(audit_file, {}, compact=False).journal_table(AUDIT_TABLE),
            audit_file,
            self.directory / "audit.head",
            self._lock,
            clock,
        )
        self.trail = AuditTrail(audit_file)
        history = self._open(self.directory / "history.jsonl", KEYS)
        self.incidents = IncidentStore(
            history.journal_table("incidents"),
            self.blobs,
            TakenReports(history.journal_table("taken"), self.inbox.directory, clock),
        )
        self.attempts = AttemptStore(history.journal_table("attempts"))
        self.approvals = ApprovalStore(history, clock)
        self.learning = LearningStore(history, clock)
        self.backups = BackupStore(backup_directory, self._manifest(backup_directory), self._unfinished)
        self.transactions = TransactionStore(
            root, self.directory / "transactions", self.backups, self._lock, self._record_recovery, clock
        )

    @classmethod
    def open(cls, root: Path, *, clock: Callable[[], float] = time.time) -> Self:
        """Opens the store of a project, and makes it at first use.

        Args:
            root: Root of the project; must exist.
            clock: Unix time in seconds, for what is recorded and for expiry.

        Returns:
            The store; close it, or use it as a context manager.

        Raises:
            StoreUnavailableError: The folders cannot be made or used.
            CorruptStoreError: A file is damaged; the message names it and what to do.
        """
        resolved = root.resolve()
        if not resolved.is_dir():
            raise StoreUnavailableError(f"{root} is not a folder", "give the project's root with --root")
        return cls(resolved, clock)

    def close(self) -> None:
        """Lets all files go."""
        for database in self._databases:
            database.close()
        self._databases.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, file: Path, keys: dict[str, str], *, compact: bool = True) -> HistoryDB:
        database = HistoryDB(file, self._lock, keys=keys, compact=compact)
        self._databases.append(database)
        return database

    def _manifest(self, directory: Path) -> JournalTable:
        database = self._open(directory / "manifest.jsonl", {"backups": "backup_id"}, compact=False)
        return database.journal_table("backups")

    def _unfinished(self) -> frozenset[str]:
        return self.transactions.unfinished()

    def _record_recovery(self, intent: Intent, message: str) -> None:
        self.audit.append(
            "change.recovered",
            actor="engine",
            incident_id=intent.incident_id,
            data={"transaction_id": intent.transaction_id, "kind": intent.kind, "message": message},
        )


def _keep_out_of_git(directory: Path) -> None:
    """Both folders hold what nobody wants to publish."""
    file = directory / ".gitignore"
    try:
        if not file.exists() or not file.stat().st_size:
            replace_file(file, b"*\n")
    except OSError as error:
        raise StoreUnavailableError(
            f"cannot write {file}: {error.strerror or error}", "free space on its disk, or make it writable"
        ) from error
