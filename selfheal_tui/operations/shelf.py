"""What a desk keeps of the past between two questions, so that only what is new is read. Owned by the clerk's thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from selfheal_tui.model.incident import IncidentState
from selfheal_tui.operations import exports, histories, insights
from selfheal_tui.operations.answers import Answer, Came
from selfheal_tui.operations.clerk import Room
from selfheal_tui.operations.histories import HistoryReader
from selfheal_tui.operations.insights import Ledger, insights_of
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import History, Insights
from selfheal_tui.store import StoreError, Verification

PATIENCE_SECONDS = 30.0
"""A check that took long is not repeated sooner: while it reads, nobody else can write."""
_LONG_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Checked:
    """How the audit trail was found, and as of when."""

    signature: tuple[int, int]
    ok: bool
    text: str
    at: float
    seconds: float


class Shelf:
    """History and insights of one project.

    Args:
        clock: Unix time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._reader = HistoryReader()
        self._ledger = Ledger()
        self._checked: _Checked | None = None
        self._checking = False

    def history(self, room: Room) -> History:
        """Returns all attempts, newest first, and whether the audit trail is whole, if that is known."""
        store = room.opened.engine.store
        closer = room.opened.engine.closer
        watched = [
            histories.applied_of(one, closer.diff_of(one.chosen_attempt) if one.chosen_attempt else "")
            for one in store.incidents.in_states([IncidentState.ON_PROBATION])
        ]
        rows = (*watched[::-1], *self._reader.rows(store.attempts)[::-1])
        checked = self._checked
        if checked is None or (checked.signature != store.trail.signature() and not self._keeps(checked)):
            return History(rows)
        return History(rows, checked.ok, checked.text)

    def check(self, room: Room, done: Callable[[], None]) -> None:
        """Has the audit trail checked on a thread of its own, where it changed since the last time.

        Args:
            room: The project.
            done: Called on that thread when it is known.
        """
        audit = room.opened.engine.store.audit
        signature, checked = room.opened.engine.store.trail.signature(), self._checked
        if self._checking or (
            checked is not None and (checked.signature == signature or self._keeps(checked))
        ):
            return
        self._checking = True

        def run() -> None:
            began = time.monotonic()
            try:
                found = audit.verify()
            except StoreError as error:
                found = Verification(ok=False, records=0, problem=str(error))
            text = f"{found.records} records, " + (
                "the chain is whole" if found.ok else f"BROKEN: {found.problem}"
            )
            took = time.monotonic() - began
            self._checked = _Checked(signature, found.ok, line(text, 500), self._clock(), took)
            self._checking = False
            done()

        threading.Thread(target=run, name="selfheal-verify", daemon=True).start()

    def insights(self, room: Room) -> Insights:
        """Returns the numbers."""
        store = room.opened.engine.store
        self._ledger.read(store.trail)
        return insights_of(
            [row.first_seen for row in room.watcher.rows({})],
            self._reader.rows(store.attempts),
            learned=store.learning.all(),
            proven=store.learning.proven(),
            ledger=self._ledger,
            now=self._clock(),
        )

    def export(self, room: Room, kind: str, form: str, file: str, text: str) -> Answer:
        """Writes something to a file.

        Args:
            room: The project.
            kind: `history`, `insights` or `screenshot`.
            form: `json`, `csv`, `md` or `svg`.
            file: Where to.
            text: The drawing, for `svg`.
        """
        root = room.opened.engine.project.root
        try:
            content = self._content(room, kind, form, text)
            place = exports.write_export(root, file, content)
        except (exports.ExportRefusedError, ValueError) as error:
            return Answer(ok=False, text=str(error), came=Came.REFUSED)
        except OSError as error:
            return Answer(ok=False, text=f"{file}: {error.strerror or error}", came=Came.REFUSED)
        return Answer(ok=True, text=f"written to {place}")

    def _content(self, room: Room, kind: str, form: str, text: str) -> str:
        project, now = line(room.opened.engine.project.root.name, 100), self._clock()
        if form == "svg" and kind in ("insights", "screenshot"):
            return exports.signed_svg(text)
        if kind == "history":
            return histories.exported(self.history(room).rows, form, project=project, at=now)
        if kind == "insights" and form == "json":
            return insights.exported(self.insights(room), project=project, at=now)
        raise ValueError(f"{kind} cannot be written as {form}")

    def _keeps(self, checked: _Checked) -> bool:
        return checked.seconds > _LONG_SECONDS and self._clock() - checked.at < PATIENCE_SECONDS
