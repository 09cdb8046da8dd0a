"""Incidents on disk: a small document to list and find by, and the whole incident in a blob."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json
from selfheal_tui.store.blobs import BlobStore
from selfheal_tui.store.errors import (
    AmbiguousIncidentError,
    CorruptStoreError,
    IncidentConflictError,
    UnknownIncidentError,
)
from selfheal_tui.store.gist import IncidentGist, IncidentHead
from selfheal_tui.store.masking import clean
from selfheal_tui.store.table import JournalTable
from selfheal_tui.store.taken import TakenReports

SHORTEST_ID = 4
T = TypeVar("T")


class IncidentStore:
    """The incidents of a project.

    Args:
        table: Table keyed by `incident_id`.
        blobs: Where the bodies go.
        taken: Marks of the reports that were taken in; their table is in the same journal.
    """

    def __init__(self, table: JournalTable, blobs: BlobStore, taken: TakenReports) -> None:
        self._table = table
        self._blobs = blobs
        self.taken = taken

    def put(self, incident: Incident) -> None:
        """Stores an incident's latest snapshot, masked.

        How often a crash was seen is counted by whoever takes reports in, while others work on the incident:
        a snapshot made before does not set the count back.

        Raises:
            IncidentConflictError: The id belongs to another crash.
            StoreWriteError: The disk is full or failing; the snapshot before is kept.
        """
        self.commit([incident], {})

    def commit(self, incidents: Sequence[Incident], reports: Mapping[str, str]) -> None:
        """Stores incidents together with the reports that changed them, all or nothing.

        Args:
            incidents: The latest snapshots, each incident once.
            reports: File names of the reports that were taken in, by report id.

        Raises:
            IncidentConflictError: An id belongs to another crash.
            StoreWriteError: The disk is full or failing; everything is as it was.
        """
        with self.exclusive():
            rows: dict[str, dict[str, Any]] = {}
            superseded: list[str] = []
            for incident in incidents:
                before = self._table.find(incident.incident_id)
                row = self._row(incident, before)
                rows[incident.incident_id] = row
                if before and before["blob"] != row["blob"]:
                    superseded.append(before["blob"])
            operations = self._table.operations(rows) + self.taken.operations(reports)
            if operations:
                self._table.journal.append(operations)
            for blob in superseded:
                self._blobs.discard(blob)

    def _row(self, incident: Incident, before: Mapping[str, Any] | None) -> dict[str, Any]:
        if before and before["fingerprint"] != incident.fingerprint.value:
            raise IncidentConflictError(
                f"incident {incident.incident_id} is another crash ({before['fingerprint']})",
                "take a new id with new_id()",
            )
        if before:
            incident = replace(
                incident,
                count=max(incident.count, int(before.get("count", 0))),
                last_seen=max(incident.last_seen, float(before["last_seen"])),
            )
        return {
            "incident_id": incident.incident_id,
            "fingerprint": incident.fingerprint.value,
            "last_seen": incident.last_seen,
            "state": incident.state.value,
            "count": incident.count,
            "blob": self._blobs.put(to_json(clean(incident))),
        }

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keeps everybody else from changing incidents between a look and a `commit`; hold it shortly.

        Raises:
            StoreLockedError: Another process does not let go.
        """
        with self._table.journal.locked():
            yield

    def signature(self) -> tuple[int, int]:
        """Returns what changes whenever an incident may have changed; costs one `stat`."""
        return self._table.journal.signature()

    def heads(self) -> list[IncidentHead]:
        """Returns what is known of all incidents without reading their bodies, oldest first."""
        return [_head_of(row) for row in self._table.rows()]

    def changed_heads(self) -> list[IncidentHead] | None:
        """Returns the heads of what changed since the last call; None the first time, and when all is to be read anew.

        For one reader, which otherwise would go through thousands of heads for each that changed.
        """
        rows = self._table.changed()
        return None if rows is None else [_head_of(row) for row in rows]

    def gist(self, head: IncidentHead) -> tuple[IncidentHead, IncidentGist, float]:
        """Reads what a line of a list tells of an incident.

        Args:
            head: From `heads`; when the incident has changed since, its newest body is read.

        Returns:
            The head as it is now, the gist, and when its body was written (Unix time in seconds).

        Raises:
            UnknownIncidentError: It is not there any more.
            CorruptStoreError: Its body cannot be read.
        """
        try:
            return head, self._decoded(head.revision, head.incident_id, IncidentGist), self._written(head)
        except CorruptStoreError:
            with self._table.journal.locked():
                row = self._table.find(head.incident_id)
                if row is None:
                    raise UnknownIncidentError(
                        f"no incident {head.incident_id!r}", "`selfheal incidents` lists them"
                    ) from None
                now = head._replace(revision=row["blob"], last_seen=float(row["last_seen"]))
                return now, self._decoded(now.revision, now.incident_id, IncidentGist), self._written(now)

    def _written(self, head: IncidentHead) -> float:
        return self._blobs.written_at(head.revision)

    def in_states(self, states: Collection[IncidentState]) -> list[Incident]:
        """Returns the incidents that are in some states, oldest first, without reading the others."""
        wanted = {state.value for state in states}
        with self.exclusive():
            rows = [row for row in self._table.rows() if row.get("state") is None or row["state"] in wanted]
            found = [self._load(row) for row in rows]
        return sorted((i for i in found if i.state in states), key=lambda incident: incident.first_seen)

    def get(self, incident_id_or_prefix: str) -> Incident:
        """Finds an incident by its id or the beginning of it.

        Raises:
            UnknownIncidentError: There is none.
            AmbiguousIncidentError: There are several.
        """
        wanted = incident_id_or_prefix.strip().lower()
        with self._table.journal.locked():
            exact = self._table.find(wanted)
            if exact is not None:
                return self._load(exact)
            found = [row for row in self._table.rows() if wanted and row["incident_id"].startswith(wanted)]
            if not found:
                raise UnknownIncidentError(
                    f"no incident {incident_id_or_prefix!r}", "`selfheal incidents` lists them"
                )
            if len(found) > 1:
                ids = ", ".join(sorted(row["incident_id"] for row in found)[:8])
                raise AmbiguousIncidentError(
                    f"{incident_id_or_prefix!r} could be any of {ids}", "give more of its digits"
                )
            return self._load(found[0])

    def find(self, fingerprint: str) -> Incident | None:
        """Finds the latest incident of a crash."""
        with self._table.journal.locked():
            found = [row for row in self._table.rows() if row["fingerprint"] == fingerprint]
            return self._load(max(found, key=lambda row: float(row["last_seen"]))) if found else None

    def all(self, *, limit: int | None = None) -> list[Incident]:
        """Returns all incidents, the one seen last first.

        Args:
            limit: Read only so many of them.
        """
        with self._table.journal.locked():
            rows = sorted(self._table.rows(), key=lambda row: float(row["last_seen"]), reverse=True)
            incidents = [self._load(row) for row in rows[:limit]]
        return sorted(incidents, key=lambda incident: incident.last_seen, reverse=True)

    def new_id(self, fingerprint: str, besides: Collection[str] = ()) -> str:
        """Returns the shortest free id for a crash: a prefix of its hash, of four digits or more.

        Args:
            fingerprint: The crash.
            besides: Ids that are about to be taken.
        """
        digest = hashlib.sha256(fingerprint.encode()).hexdigest()
        with self._table.journal.locked():
            for length in range(SHORTEST_ID, len(digest) + 1):
                if digest[:length] not in besides and self._table.find(digest[:length]) is None:
                    return digest[:length]
        raise IncidentConflictError(f"all ids of {fingerprint} are taken", "clear old incidents")

    def _load(self, row: dict[str, Any]) -> Incident:
        return self._decoded(row["blob"], row["incident_id"], Incident)

    def _decoded(self, blob: str, incident_id: str, kind: type[T]) -> T:
        try:
            return from_json(self._blobs.get(blob), kind)
        except MalformedDocumentError as error:
            raise CorruptStoreError(
                self._table.journal.file,
                f"incident {incident_id} cannot be read ({error})",
                "another version of selfheal wrote it; use that one, or move .selfheal away to start anew",
            ) from error


def _head_of(row: Mapping[str, Any]) -> IncidentHead:
    return IncidentHead(
        row["incident_id"],
        row["blob"],
        float(row["last_seen"]),
        row.get("state") or "",
        int(row.get("count") or 1),
    )
