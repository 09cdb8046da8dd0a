"""The audit log: every decision and change, each chained by hash to the one before.

The journal alone shows altered, removed and reordered records; that the end was cut off is shown by a
head file with the last sequence and hash, written after each record under the same lock. A crash
between the two leaves the head exactly one behind, and that alone is not taken for tampering.
Both files together can be set back by whoever may write them: against that no local file helps.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from selfheal_tui.model.record import GENESIS, AuditRecord
from selfheal_tui.model.serial import MalformedDocumentError, from_builtins, to_builtins, to_json
from selfheal_tui.store.errors import CorruptStoreError, StoreWriteError
from selfheal_tui.store.head import NOTHING, Head, HeadFile
from selfheal_tui.store.journal import PUT, decode_line
from selfheal_tui.store.lock import StoreLock
from selfheal_tui.store.masking import clean_data, clean_text
from selfheal_tui.store.table import JournalTable

TABLE = "audit"
_REMEDY = (
    "run `selfheal history --verify`; keep the audit files as evidence, "
    "and move them away to begin a new chain"
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look through the whole chain found.

    Attributes:
        ok: Whether nothing was altered, removed, reordered or cut off.
        records: How many records are good, from the first on.
        problem: The first thing that is wrong, in a sentence.
    """

    ok: bool
    records: int
    problem: str = ""


def document_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of a record's canonical JSON (sorted keys, no spaces, UTF-8), without its own hash."""
    fields = {name: value for name, value in document.items() if name != "hash"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class AuditLog:
    """The chain.

    Args:
        open_table: Opens the journal's table at first use, so that a damaged log can still be verified.
        file: The journal.
        head_file: The file with the last sequence and hash.
        lock: The store's lock.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        open_table: Callable[[], JournalTable],
        file: Path,
        head_file: Path,
        lock: StoreLock,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._open_table = open_table
        self._opened: JournalTable | None = None
        self._file = file
        self._head = HeadFile(head_file)
        self._lock = lock
        self._clock = clock

    def _table(self) -> JournalTable:
        if self._opened is None:
            self._opened = self._open_table()
        return self._opened

    def append(
        self, kind: str, *, actor: str, incident_id: str = "", data: Mapping[str, Any] | None = None
    ) -> AuditRecord:
        """Adds a record, masked; it is on the disk when this returns.

        Args:
            kind: What happened, such as `change.applied`.
            actor: Who: `engine`, `policy:<rule>`, `operator:<name>`.
            incident_id: The incident, if it is about one.
            data: Facts; anything that JSON can say.

        Returns:
            The record.

        Raises:
            CorruptStoreError: The log was tampered with; nothing may hide that by adding to it.
            StoreWriteError: The disk is full or failing.
        """
        # Through JSON and back, so that what is hashed is what a reader of the file will see.
        facts = msgspec.json.decode(to_json(clean_data(dict(data or {}))))
        table = self._table()
        with table.journal.locked():
            last = self._checked_last(table)
            unsealed = AuditRecord(
                sequence=last.sequence + 1,
                at=self._clock(),
                kind=clean_text(kind),
                actor=clean_text(actor),
                incident_id=incident_id,
                data=facts,
                previous=last.hash,
                hash="",
            )
            record = replace(unsealed, hash=document_hash(to_builtins(unsealed)))
            table.journal.append([(PUT, TABLE, record.sequence, to_builtins(record))])
            self._write_head(Head(record.sequence, record.hash))
            return record

    def records(self, incident_id: str | None = None, kinds: Collection[str] = ()) -> list[AuditRecord]:
        """Returns records in order, of one incident or all, of some kinds or all.

        Raises:
            CorruptStoreError: The log is damaged.
        """
        return [
            from_builtins(copy.deepcopy(row), AuditRecord)
            for row in self._table().rows()
            if (incident_id is None or row["incident_id"] == incident_id)
            and (not kinds or row["kind"] in kinds)
        ]

    def verify(self) -> Verification:
        """Reads the whole log from the disk and checks every link of the chain and its end.

        The log and its end are read together; they are checked when the lock is free again for those who write.
        """
        with self._lock.held():
            head = self._read_head()
            try:
                raw = self._file.read_bytes()
            except FileNotFoundError:
                raw = b""
            except OSError as error:
                return Verification(ok=False, records=0, problem=f"{self._file} cannot be read: {error}")
        return self._verify_lines(raw, head)

    def _verify_lines(self, raw: bytes, head: Head | str) -> Verification:
        last = NOTHING
        lines = raw.split(b"\n")[:-1]  # what follows the last newline is a torn tail, never acknowledged
        previous_hashes = [GENESIS]
        for number, line in enumerate(lines, start=1):
            record, problem = _read_record(line, last)
            if record is None:
                return Verification(ok=False, records=last.sequence, problem=f"line {number}: {problem}")
            last = Head(record.sequence, record.hash)
            previous_hashes.append(record.hash)
        problem = self._head_problem(head, last, previous_hashes[-2] if last.sequence else GENESIS)
        return Verification(ok=not problem, records=last.sequence, problem=problem)

    def _checked_last(self, table: JournalTable) -> Head:
        """Returns the last record, and makes the head agree with it if only a crash kept it behind."""
        number = table.journal.next_number(TABLE) - 1
        row = table.journal.tables.get(TABLE, {}).get(str(number)) if number else None
        last = Head(number, str(row["hash"])) if row else NOTHING
        problem = self._head_problem(self._read_head(), last, str(row["previous"]) if row else GENESIS)
        if problem:
            raise CorruptStoreError(self._file, problem, _REMEDY)
        if self._head.read() != last and last.sequence:
            self._write_head(last)
        return last

    def _read_head(self) -> Head | str:
        """Returns what the head file says, or why it cannot be read."""
        try:
            return self._head.read()
        except (MalformedDocumentError, OSError) as error:
            return f"the head file {self._head.file.name} cannot be read ({error})"

    def _head_problem(self, head: Head | str, last: Head, before_last: str) -> str:
        if isinstance(head, str):
            return head
        if head == last or (head.sequence == last.sequence - 1 and head.hash == before_last):
            return ""
        if head == NOTHING:
            return f"the head file {self._head.file.name} is gone, but there are {last.sequence} records"
        if head.sequence > last.sequence:
            return (
                f"{head.sequence - last.sequence} record(s) were removed from the end: "
                f"{last.sequence} are there, the head knows {head.sequence}"
            )
        return f"the head does not belong to this log (it is at {head.sequence}, the log at {last.sequence})"

    def _write_head(self, head: Head) -> None:
        try:
            self._head.write(head)
        except OSError as error:
            raise StoreWriteError(
                f"cannot write {self._head.file}: {error.strerror or os.strerror(error.errno or 0)}",
                "free space on its disk and try again",
            ) from error


def _read_record(line: bytes, last: Head) -> tuple[AuditRecord | None, str]:
    operations = decode_line(line)
    if operations is None:
        return None, "the record was altered (its checksum is wrong)"
    if len(operations) != 1 or operations[0][0] != PUT or operations[0][1] != TABLE:
        return None, "it is not an audit record"
    _, _, number, document = operations[0]
    try:
        record = from_builtins(document, AuditRecord)
    except MalformedDocumentError as error:
        return None, f"it is not an audit record ({error})"
    if record.hash != document_hash(document or {}):
        return None, f"record {record.sequence} was altered (its hash is wrong)"
    if record.sequence != last.sequence + 1 or number != record.sequence:
        return None, f"record {last.sequence + 1} is missing or out of order (found {record.sequence})"
    if record.previous != last.hash:
        return None, f"record {record.sequence} does not follow the record before it"
    return record, ""
