"""The one thread that reads the store for a desk: it answers questions, notices changes, and makes the boards.

It alone owns its open project: what TinyDB holds in memory is no business of other threads. It never works on
anything long; decisions are errands. What it cannot read it tells, and tries again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from selfheal_tui.config import ConfigError
from selfheal_tui.model.candidate import sha256_hex
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.operations import standings
from selfheal_tui.operations.desk import Answered, BoardChanged, DeskEvent, DetailReady
from selfheal_tui.operations.details import detail_of, request_of
from selfheal_tui.operations.opening import Session
from selfheal_tui.operations.rows import gist_of, row_of
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import Board, EngineView, IncidentDetail, ProgramView
from selfheal_tui.operations.watcher import Watcher
from selfheal_tui.pipeline.binding import current_bytes
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.source.project import OutsideRootError
from selfheal_tui.store import StoreError

_LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.3
"""How often other processes' doings are looked for without being called."""
BOARD_SECONDS = 0.1
"""Shortest time between two boards."""
SLICE_SECONDS = 0.02
"""How long incidents are read at a stretch."""
BREATH_SECONDS = 0.004
"""How long the processor is left to others between two stretches."""
NOBODY = EngineView(standings.ENGINE_STARTING)


@dataclass(frozen=True, slots=True)
class Around:
    """What a board shows beside incidents, known by others than the clerk.

    Attributes:
        engine: The engine.
        notes: By incident, what is going on there.
        programs: The supervised programs.
        problems: What failed in the tool itself, newest last.
    """

    engine: EngineView = NOBODY
    notes: dict[str, str] = field(default_factory=dict)
    programs: tuple[ProgramView, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """What questions are answered from; only ever used on the clerk's thread."""

    opened: Opened
    watcher: Watcher


@dataclass(frozen=True, slots=True)
class ClerkCalls:
    """Whom the clerk speaks to, from its thread.

    Attributes:
        tell: Takes events.
        opened: Called once when the project is open.
        around: Says what a board shows beside incidents.
    """

    tell: Callable[[DeskEvent], None]
    opened: Callable[[Room], None]
    around: Callable[[], Around]


Question = Callable[[Room], object]


class Clerk:
    """Reads for a desk.

    Args:
        session: The project.
        read_only: Whether decisions are refused; for the board.
        calls: Whom to speak to.
    """

    def __init__(self, session: Session, *, read_only: bool, calls: ClerkCalls) -> None:
        self._session = session
        self._calls = calls
        self._questions: queue.SimpleQueue[tuple[str, Question] | None] = queue.SimpleQueue()
        self._waiting: set[str] = set()
        self._called = threading.Event()
        self._ended = threading.Event()
        self._looked_at = ""
        self._shown: tuple[object, ...] = ()
        self._detail: IncidentDetail | None = None
        self._problem = ""
        self._board = Board(
            revision=0,
            project=line(session.root.name or str(session.root), 100),
            root=line(str(session.root), 1000),
            environment="",
            read_only=read_only,
            engine=NOBODY,
            loading=True,
        )
        self._thread = threading.Thread(target=self._work, name="selfheal-clerk", daemon=True)

    # -- from any thread ----------------------------------------------------------------------------

    def start(self) -> None:
        """Begins; the first board says that nothing has been read yet."""
        self._thread.start()

    def stop(self) -> None:
        """Has it end; returns at once."""
        self._ended.set()
        self._questions.put(None)

    def join(self, seconds: float) -> bool:
        """Waits for its end; returns whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def ask(self, name: str, question: Question) -> None:
        """Puts a question; one of the same name that still waits is not put twice.

        Args:
            name: What is asked.
            question: Answers it, on the clerk's thread.
        """
        if name not in self._waiting:
            self._waiting.add(name)
            self._questions.put((name, question))

    def call(self) -> None:
        """Has it look at once, because something has changed."""
        if not self._called.is_set():
            self._called.set()
            self._questions.put(None)

    def incident_of(self, request_id: str) -> str:
        """Returns the incident of an open question as ` #a1b2`, for a sentence; empty when it is not known."""
        found = (r.incident_id for r in self._board.requests if r.request_id == request_id)
        return next((f" #{incident_id}" for incident_id in found), "")

    def look_at(self, incident_id: str) -> None:
        """Tells an incident in full now, and whenever it changes; an empty id ends that."""
        self._looked_at = incident_id
        if incident_id:
            self.ask(f"look at {incident_id}", lambda room: self._show(room, incident_id, asked=True))

    # -- the clerk's thread -------------------------------------------------------------------------

    def _work(self) -> None:
        self._calls.tell(BoardChanged(self._board))
        try:
            with self._session.opened() as opened:
                room = Room(opened, Watcher(opened))
                environment = opened.loaded.settings.environment.value
                self._board = replace(self._board, environment=environment)
                self._calls.opened(room)
                self._serve(room)
        except (ConfigError, StoreError, OSError) as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - told to the operator and logged
            _LOG.exception("the desk of %s failed", self._session.root)
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        text = line(f"the project cannot be read: {error}", 1000)
        self._board = replace(
            self._board,
            revision=self._board.revision + 1,
            engine=EngineView(standings.ENGINE_FAILED, text),
            problems=(*self._board.problems, text)[-20:],
            loading=False,
        )
        self._calls.tell(BoardChanged(self._board))

    def _serve(self, room: Room) -> None:
        watcher = room.watcher
        next_poll = next_board = 0.0
        stale = True
        while not self._ended.is_set():
            now = time.monotonic()
            if now >= next_poll or (self._called.is_set() and now >= next_board):
                self._called.clear()
                self._guarded("looking at the store", watcher.poll)
                next_poll, stale = now + POLL_SECONDS, True
            if watcher.behind or not watcher.complete:
                self._guarded("reading incidents", lambda: watcher.read(SLICE_SECONDS))
                stale = True
            if stale and time.monotonic() >= next_board:
                stale = False
                next_board = time.monotonic() + BOARD_SECONDS
                self._guarded("making the board", lambda: self._tell_board(room))
                self._guarded("making the detail", lambda: self._show(room, self._looked_at))
            wait = next_poll - time.monotonic()
            if stale or self._called.is_set():
                wait = min(wait, next_board - time.monotonic())
            self._answer(room, BREATH_SECONDS if watcher.behind else max(wait, 0.0))

    def _answer(self, room: Room, wait: float) -> None:
        try:
            found = self._questions.get(timeout=max(wait, BREATH_SECONDS))
        except queue.Empty:
            return
        if found is not None:
            name, question = found
            self._waiting.discard(name)
            self._guarded(name, lambda: question(room))

    def _guarded(self, what: str, act: Callable[[], object]) -> None:
        try:
            act()
            if self._problem.startswith(what):
                self._problem = ""
        except (StoreError, OSError) as error:
            self._problem = line(f"{what}: {error}", 500)
        except Exception as error:  # noqa: BLE001 - told on the board and logged
            _LOG.exception("%s failed", what)
            self._problem = line(f"{what}: {type(error).__name__}: {error}", 500)

    def _tell_board(self, room: Room) -> None:
        around = self._calls.around()
        paused = room.opened.engine.store.pause.status()
        engine = around.engine
        if paused is not None:
            why = f": {paused.reason}" if paused.reason else ""
            detail = line(f"paused by {paused.by}{why}; nothing is changed until it is resumed")
            engine = replace(engine, standing=standings.ENGINE_PAUSED, detail=detail)
        problems = (*room.watcher.problems(), *around.problems)
        board = replace(
            self._board,
            engine=engine,
            rows=room.watcher.rows(around.notes),
            requests=room.watcher.requests(),
            programs=around.programs,
            problems=(*problems, self._problem)[-20:] if self._problem else problems[-20:],
            loading=not room.watcher.complete,
        )
        if board != self._board or not board.revision:
            self._board = replace(board, revision=board.revision + 1)
            self._calls.tell(BoardChanged(self._board))

    # -- an incident in full ------------------------------------------------------------------------

    def _show(self, room: Room, incident_id: str, *, asked: bool = False) -> None:
        if not incident_id or incident_id != self._looked_at:
            return
        store = room.opened.engine.store
        seen = (incident_id, room.watcher.revision(incident_id), store.trail.signature())
        if not asked and seen == self._shown:
            return
        self._shown = seen
        try:
            detail = self._detail_of(room, store.incidents.get(incident_id))
        except StoreError as error:
            if asked:
                self._calls.tell(Answered(incident_id, ok=False, text=line(str(error), 500)))
            return
        if asked or detail != self._detail:
            self._detail = detail
            self._calls.tell(DetailReady(detail))

    def _detail_of(self, room: Room, incident: Incident) -> IncidentDetail:
        engine = room.opened.engine
        store = engine.store
        before = [engine.closer.texts_before(attempt) for attempt in incident.attempts]
        chosen = before[incident.chosen] if 0 <= incident.chosen < len(before) else {}
        request = state = view = None
        if incident.state is IncidentState.AWAITING_APPROVAL and incident.request_id:
            request = store.approvals.get(incident.request_id)
            state = store.approvals.state(incident.request_id)
            view = request_of(request, state, incident, chosen)
        row = room.watcher.row(incident.incident_id)
        since = row.since if row is not None else incident.last_seen
        row = row_of(gist_of(incident), since=since, request=request, request_state=state)
        notes = _drifted(room.opened, incident) if view is not None else {}
        timeline = store.trail.of_incident(incident.incident_id)
        return detail_of(incident, row, before=before, notes=notes, request=view, timeline=timeline)


def _drifted(opened: Opened, incident: Incident) -> dict[str, str]:
    """Returns which files of a proposed fix changed since it was made."""
    attempt = incident.chosen_attempt
    notes: dict[str, str] = {}
    for edit in attempt.candidate.edits if attempt else ():
        try:
            now = current_bytes(opened.engine.project, edit.path)
        except (OSError, OutsideRootError):
            now = None
        if (None if now is None else sha256_hex(now)) != edit.before_sha256:
            notes[edit.path] = "changed since the fix was made; an approval would be asked anew"
    return notes
