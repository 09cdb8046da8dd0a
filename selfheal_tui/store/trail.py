"""Reads the audit trail without keeping it in memory: only where each record lies is known.

For viewers that stay open for days beside tens of thousands of records. It writes nothing and proves nothing; that
the chain is whole is shown by `AuditLog.verify`. One thread owns it.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from sys import intern
from typing import Any

import msgspec

from selfheal_tui.model.record import AuditRecord
from selfheal_tui.model.serial import MalformedDocumentError, from_builtins
from selfheal_tui.store.audit import TABLE
from selfheal_tui.store.errors import CorruptStoreError
from selfheal_tui.store.journal import PUT, decode_line

_CHUNK = 1 << 20
_CHECKSUM = 9
"""Bytes before a line's JSON: eight digits and a blank."""


class _Head(msgspec.Struct):
    """As much of a record as the index needs; the rest is skipped, not decoded."""

    incident_id: str = ""
    kind: str = ""


_LINE = msgspec.json.Decoder(list[tuple[str, str, int, _Head | None]])


class AuditTrail:
    """The records of an audit file, by incident and by kind.

    Args:
        file: The journal of the audit log.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reset()

    def _reset(self) -> None:
        self._identity = (0, 0)
        self._read = 0
        self._by_incident: dict[str, array[int]] = {}
        self._by_kind: dict[str, array[int]] = {}

    def signature(self) -> tuple[int, int]:
        """Returns what changes whenever a record was added; costs one `stat`."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_ino, found.st_size)

    def of_incident(self, incident_id: str) -> list[AuditRecord]:
        """Returns the records of an incident, in order.

        Raises:
            CorruptStoreError: A record is damaged, or the file cannot be read.
        """
        self._catch_up()
        return list(self._records(self._by_incident.get(incident_id, ())))

    def of_kinds(self, kinds: Collection[str], *, after: int = 0, since: float = 0.0) -> list[AuditRecord]:
        """Returns the records of some kinds, in order; older ones than asked for are not even read.

        Args:
            kinds: The kinds.
            after: Only records with a greater sequence number.
            since: Only records from that Unix time on, in seconds.

        Raises:
            CorruptStoreError: A record is damaged, or the file cannot be read.
        """
        self._catch_up()
        places = sorted(place for kind in kinds for place in self._by_kind.get(kind, ()))
        found: list[AuditRecord] = []
        for record in self._records(places[::-1]):
            if record.sequence <= after or record.at < since:
                break
            found.append(record)
        return found[::-1]

    def _catch_up(self) -> None:
        try:
            with self._file.open("rb") as stream:
                now = os.fstat(stream.fileno())
                if (now.st_dev, now.st_ino) != self._identity or now.st_size < self._read:
                    self._reset()
                    self._identity = (now.st_dev, now.st_ino)
                stream.seek(self._read)
                rest = b""
                while data := stream.read(_CHUNK):
                    *lines, rest = (rest + data).split(b"\n")  # a torn tail stays unread
                    for line in lines:
                        self._index(line)
                        self._read += len(line) + 1
        except FileNotFoundError:
            self._reset()
        except OSError as error:
            raise self._damaged(f"it cannot be read: {error.strerror or error}") from error

    def _index(self, line: bytes) -> None:
        try:
            operations = _LINE.decode(line[_CHECKSUM:])
        except msgspec.DecodeError as error:
            raise self._damaged(f"the line at byte {self._read} is damaged") from error
        for _, _, _, head in operations:
            if head is not None:
                self._by_kind.setdefault(intern(head.kind), array("q")).append(self._read)
                if head.incident_id:
                    self._by_incident.setdefault(head.incident_id, array("q")).append(self._read)

    def _records(self, places: Sequence[int]) -> Iterator[AuditRecord]:
        if not places:
            return
        with self._file.open("rb") as stream:
            for place in places:
                stream.seek(place)
                yield self._record(stream.readline(), place)

    def _record(self, line: bytes, place: int) -> AuditRecord:
        operations: list[Any] = decode_line(line.rstrip(b"\n")) or []
        for operation, table, _, document in operations:
            if operation == PUT and table == TABLE and document is not None:
                try:
                    return from_builtins(document, AuditRecord)
                except MalformedDocumentError:
                    break
        raise self._damaged(f"the line at byte {place} is damaged")

    def _damaged(self, problem: str) -> CorruptStoreError:
        remedy = "run `selfheal history --verify`; move the audit files away to begin a new chain"
        return CorruptStoreError(self._file, problem, remedy)
