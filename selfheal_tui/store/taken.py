"""Which crash reports were taken in: what makes an inbox that delivers at least once count exactly once.

A report's mark is written in the same journal line as what it changed, so a crash keeps both or neither.
The table is bounded: old marks go, but never one whose report still lies in the inbox.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from selfheal_tui.store.journal import DELETE, Operation
from selfheal_tui.store.table import JournalTable

MOST_MARKS = 2000
"""Marks at which the older half is dropped; the probe keeps fewer reports than this in an inbox."""


class TakenReports:
    """The marks of a project.

    Args:
        table: Table keyed by `report_id`, in the journal of the incidents.
        inbox: Folder in which the reports lie.
        clock: Unix time in seconds.
        most: Marks at which the older half is dropped.
    """

    def __init__(
        self,
        table: JournalTable,
        inbox: Path,
        clock: Callable[[], float] = time.time,
        *,
        most: int = MOST_MARKS,
    ) -> None:
        self._table = table
        self._inbox = inbox
        self._clock = clock
        self._most = most

    def __contains__(self, report_id: object) -> bool:
        return self._table.find(str(report_id)) is not None

    def __len__(self) -> int:
        return len(self._table.rows())

    def operations(self, reports: Mapping[str, str]) -> list[Operation]:
        """Returns what marks reports as taken, to be appended with what they change, under the lock.

        Args:
            reports: The report files' names by report id; empty for a report that never was a file.
        """
        now = self._clock()
        new = self._table.operations(
            {key: {"report_id": key, "file": file, "at": now} for key, file in reports.items()}
        )
        return new + self._dropped(reports)

    def _dropped(self, kept: Collection[str]) -> list[Operation]:
        rows = self._table.rows()
        if len(rows) < self._most:
            return []
        old = [row for row in rows if row["report_id"] not in kept][: len(rows) - self._most // 2]
        gone = [row for row in old if not (row["file"] and (self._inbox / row["file"]).exists())]
        return [(DELETE, self._table.name, self._table.number(row["report_id"]), None) for row in gone]
