"""Knows every incident of a project as a row, and reads anew only what has changed.

One thread owns it, together with the open project. Bodies are dropped as soon as their row is made. Reading is cut
into slices, so that whoever draws gets the processor in between. It changes nothing in the store.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from selfheal_tui.model.approval import ApprovalRequest, RequestState
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.operations.details import request_of
from selfheal_tui.operations.rows import order_of, row_of
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import IncidentRow, RequestView
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.store import StoreError, UnknownIncidentError, UnknownRequestError
from selfheal_tui.store.gist import IncidentGist, IncidentHead

_CLOSED = IncidentState.CLOSED.value


@dataclass(slots=True)
class _Question:
    """An incident that waits for a person: what is needed to make its row anew when its question moves."""

    gist: IncidentGist
    since: float
    request: ApprovalRequest
    view: RequestView
    state: RequestState


class Watcher:
    """The incidents of an open project.

    Args:
        opened: The project, owned by the calling thread.
        clock: Unix time in seconds.
    """

    def __init__(self, opened: Opened, clock: Callable[[], float] = time.time) -> None:
        self._opened = opened
        self._store = opened.engine.store
        self._clock = clock
        self._signature: tuple[int, int] | None = None
        self._revisions: dict[str, str] = {}
        self._rows: dict[str, IncidentRow] = {}
        self._questions: dict[str, _Question] = {}
        self._unread: list[IncidentHead] = []
        self._whole = True
        self._order: list[tuple[int, float, str]] = []
        self._ranked: list[IncidentRow] = []
        self._sorted: tuple[IncidentRow, ...] | None = ()
        self._corrupt: dict[str, str] = {}
        self.complete = False

    # -- reading ------------------------------------------------------------------------------------

    def poll(self) -> bool:
        """Notices what any process did since the last time.

        Returns:
            Whether anything may look different; what is to be read for that is read by `read`.

        Raises:
            StoreError: The store cannot be read.
        """
        signature = self._store.incidents.signature()
        if signature == self._signature:
            return self._move_questions()
        known = self._revisions
        changed = self._store.incidents.changed_heads()
        self._whole = self._whole or changed is None  # until it was really read
        heads = self._store.incidents.heads() if self._whole or changed is None else changed
        self._signature = signature
        unread = [head for head in heads if known.get(head.incident_id) != head.revision]
        if self._whole:
            self._whole = False
            if len(heads) < len(known):
                self._forget(set(known) - {head.incident_id for head in heads})
        else:
            anew = {head.incident_id for head in unread}
            unread += [head for head in self._unread if head.incident_id not in anew]
        # Taken from the end: open ones first, then those seen last.
        unread.sort(key=lambda head: (head.state != _CLOSED, head.last_seen))
        self._unread = unread
        self._move_questions()
        return True

    @property
    def behind(self) -> bool:
        """Whether something is still to be read."""
        return bool(self._unread)

    def read(self, seconds: float) -> bool:
        """Reads what has changed, for a while.

        Args:
            seconds: After how long to stop, so that others get their turn.

        Returns:
            Whether any row changed.
        """
        until = time.monotonic() + seconds
        moved = False
        while self._unread:
            self._take(self._unread.pop())
            moved = True
            if time.monotonic() >= until:
                break
        if not self._unread and self._signature is not None:
            moved = moved or not self.complete
            self.complete = True
        return moved

    def _take(self, head: IncidentHead) -> None:
        try:
            head, gist, written = self._store.incidents.gist(head)
            before = self._rows.get(head.incident_id)
            row = self._row(gist, written)
        except UnknownIncidentError:
            self._forget({head.incident_id})
            return
        except StoreError as error:
            # One that cannot be read must not hide the others; it is told, and tried again when it changes.
            self._corrupt[head.incident_id] = line(str(error))
            self._revisions[head.incident_id] = head.revision
            return
        self._corrupt.pop(head.incident_id, None)
        if before is not None and before.standing is row.standing and not row.needs_person:
            row = replace(row, since=before.since)
        self._revisions[head.incident_id] = head.revision
        self._put(row)

    def _row(self, gist: IncidentGist, written: float) -> IncidentRow:
        self._questions.pop(gist.incident_id, None)
        if gist.state is not IncidentState.AWAITING_APPROVAL or not gist.request_id:
            return row_of(gist, since=written)
        try:
            request = self._store.approvals.get(gist.request_id)
        except UnknownRequestError:
            return row_of(gist, since=written)
        state = self._store.approvals.state(gist.request_id)
        incident = self._store.incidents.get(gist.incident_id)
        before = self._opened.engine.closer.texts_before(incident.chosen_attempt)
        view = request_of(request, state, incident, before, evidence=False)
        self._questions[gist.incident_id] = _Question(gist, written, request, view, state)
        return row_of(gist, since=written, request=request, request_state=state)

    def _move_questions(self) -> bool:
        """Follows questions that were answered, or that have expired by the clock."""
        moved = False
        for question in self._questions.values():
            state = self._store.approvals.state(question.request.request_id)
            if state is question.state:
                continue
            moved = True
            question.state = state
            question.view = replace(question.view, state=state.value)
            self._put(
                row_of(question.gist, since=self._clock(), request=question.request, request_state=state)
            )
        return moved

    def _put(self, row: IncidentRow) -> None:
        """Puts a row in its place; a list of thousands is not sorted anew for each change."""
        before = self._rows.get(row.incident_id)
        rank = order_of(row)
        if before is not None and order_of(before) == rank:
            self._ranked[bisect_left(self._order, rank)] = row
        else:
            self._take_out(before)
            place = bisect_left(self._order, rank)
            self._order.insert(place, rank)
            self._ranked.insert(place, row)
        self._rows[row.incident_id] = row
        self._sorted = None

    def _take_out(self, row: IncidentRow | None) -> None:
        if row is not None:
            place = bisect_left(self._order, order_of(row))
            del self._order[place], self._ranked[place]

    def _forget(self, incident_ids: set[str]) -> None:
        for incident_id in incident_ids:
            self._take_out(self._rows.get(incident_id))
            for known in (self._revisions, self._rows, self._questions, self._corrupt):
                known.pop(incident_id, None)
        self._sorted = None

    # -- for boards ---------------------------------------------------------------------------------

    def rows(self, notes: Mapping[str, str]) -> tuple[IncidentRow, ...]:
        """Returns all rows that were read so far, in the order of the list.

        Args:
            notes: By incident, what is going on there right now.
        """
        if self._sorted is None:
            self._sorted = tuple(self._ranked)
        if not notes:
            return self._sorted
        return tuple(
            replace(row, note=notes[row.incident_id]) if row.open and row.incident_id in notes else row
            for row in self._sorted
        )

    def requests(self) -> tuple[RequestView, ...]:
        """Returns the open questions, oldest first."""
        views = [q.view for q in self._questions.values() if q.state is RequestState.OPEN]
        return tuple(sorted(views, key=lambda view: (view.created_at, view.request_id)))

    def row(self, incident_id: str) -> IncidentRow | None:
        """Returns a row that was read, if it was."""
        return self._rows.get(incident_id)

    def revision(self, incident_id: str) -> str:
        """Returns what changes with every change of an incident; empty while it was not read."""
        question = self._questions.get(incident_id)
        return self._revisions.get(incident_id, "") + (f" {question.state}" if question else "")

    def request_state(self, incident_id: str) -> RequestState | None:
        """Returns where the question of an incident stands, if it waits for a person."""
        question = self._questions.get(incident_id)
        return question.state if question else None

    def problems(self) -> tuple[str, ...]:
        """Returns which incidents cannot be read, a sentence each."""
        return tuple(list(self._corrupt.values())[:20])
