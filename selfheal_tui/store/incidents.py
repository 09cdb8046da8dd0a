"""Incidents on disk: a small document to list and find by, and the whole incident in a blob."""

from __future__ import annotations

import hashlib
from typing import Any

from selfheal_tui.model.incident import Incident
from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json
from selfheal_tui.store.blobs import BlobStore
from selfheal_tui.store.errors import (
    AmbiguousIncidentError,
    CorruptStoreError,
    IncidentConflictError,
    UnknownIncidentError,
)
from selfheal_tui.store.masking import clean
from selfheal_tui.store.table import JournalTable

SHORTEST_ID = 4


class IncidentStore:
    """The incidents of a project.

    Args:
        table: Table keyed by `incident_id`.
        blobs: Where the bodies go.
    """

    def __init__(self, table: JournalTable, blobs: BlobStore) -> None:
        self._table = table
        self._blobs = blobs

    def put(self, incident: Incident) -> None:
        """Stores an incident's latest snapshot, masked.

        Raises:
            IncidentConflictError: The id belongs to another crash.
            StoreWriteError: The disk is full or failing; the snapshot before is kept.
        """
        body = to_json(clean(incident))
        with self._table.journal.locked():
            before = self._table.find(incident.incident_id)
            if before and before["fingerprint"] != incident.fingerprint.value:
                raise IncidentConflictError(
                    f"incident {incident.incident_id} is another crash ({before['fingerprint']})",
                    "take a new id with new_id()",
                )
            blob = self._blobs.put(body)
            self._table.put(
                incident.incident_id,
                {
                    "incident_id": incident.incident_id,
                    "fingerprint": incident.fingerprint.value,
                    "last_seen": incident.last_seen,
                    "blob": blob,
                },
            )
            if before and before["blob"] != blob:
                self._blobs.discard(before["blob"])

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

    def all(self) -> list[Incident]:
        """Returns all incidents, the one seen last first."""
        with self._table.journal.locked():
            incidents = [self._load(row) for row in self._table.rows()]
        return sorted(incidents, key=lambda incident: incident.last_seen, reverse=True)

    def new_id(self, fingerprint: str) -> str:
        """Returns the shortest free id for a crash: a prefix of its hash, of four digits or more."""
        digest = hashlib.sha256(fingerprint.encode()).hexdigest()
        with self._table.journal.locked():
            for length in range(SHORTEST_ID, len(digest) + 1):
                if self._table.find(digest[:length]) is None:
                    return digest[:length]
        raise IncidentConflictError(f"all ids of {fingerprint} are taken", "clear old incidents")

    def _load(self, row: dict[str, Any]) -> Incident:
        try:
            return from_json(self._blobs.get(row["blob"]), Incident)
        except MalformedDocumentError as error:
            raise CorruptStoreError(
                self._table.journal.file,
                f"incident {row['incident_id']} cannot be read ({error})",
                "another version of selfheal wrote it; use that one, or move .selfheal away to start anew",
            ) from error
