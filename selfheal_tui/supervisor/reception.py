"""Takes reports out of the inbox, in order and in batches: what is taken in is on disk before its file is removed.

A kill between the two delivers the file again, and the store knows that it was counted. A report that cannot be
worked with is set aside and never stops the ones behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.pipeline.intake import Arrival, CountsOnly, TakenIn
from selfheal_tui.pipeline.system import Engine
from selfheal_tui.store import BadReportError, StoreError
from selfheal_tui.supervisor.events import Event, ReportRefused

BATCH = 100
"""Reports in one write: enough for a storm, few enough that the first of them are soon to be seen."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    file: Path
    report: CrashReport


class Reception:
    """The inbox's reader.

    Args:
        engine: The engine.
        emit: Told what was refused.
    """

    def __init__(self, engine: Engine, emit: Callable[[Event], None]) -> None:
        self._engine = engine
        self._emit = emit

    def look(self, counts_only: CountsOnly) -> list[TakenIn]:
        """Takes in the oldest batch of reports.

        Args:
            counts_only: Tells which reports open nothing anew.

        Returns:
            What became of each; empty when nothing waits.

        Raises:
            StoreError: The store cannot be written; the reports stay where they are.
        """
        inbox = self._engine.store.inbox
        loaded = [one for file in inbox.pending()[:BATCH] if (one := self._load(file)) is not None]
        taken = self._take_in(loaded, counts_only) if loaded else []
        for one in loaded:
            inbox.done(one.file)
        return taken

    def _load(self, file: Path) -> _Loaded | None:
        try:
            return _Loaded(file, self._engine.store.inbox.load(file))
        except BadReportError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None  # the probe made room, or somebody else took it in
            self._refused(file, str(error))
            return None

    def _take_in(self, loaded: Sequence[_Loaded], counts_only: CountsOnly) -> list[TakenIn]:
        arrivals = [Arrival(one.report, one.file.name) for one in loaded]
        try:
            return self._engine.take_in_all(arrivals, counts_only=counts_only)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - told, and the report is set aside with the reason
            # Whatever a report holds must not keep the ones behind it from being taken in.
            if len(loaded) == 1:
                reason = f"it cannot be worked with ({type(error).__name__}: {error})"
                self._engine.store.inbox.refuse(loaded[0].file, reason)
                self._refused(loaded[0].file, reason)
                return []
        return [taken for one in loaded for taken in self._take_in([one], counts_only)]

    def _refused(self, file: Path, why: str) -> None:
        self._engine.store.audit.append(
            "report.refused", actor="engine", data={"file": file.name, "why": why}
        )
        self._emit(ReportRefused(file.name, why))
