"""The cases of one engine: who is walked when, and what is done when a walk has ended, one way or another.

Runs on the service's thread. It starts worker processes and never works itself; what comes in is `arrivals`,
what a fix leads to is `aftercare`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.serial import MalformedDocumentError
from selfheal_tui.pipeline import stale
from selfheal_tui.pipeline.lease import IncidentBusyError, is_leased
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Step
from selfheal_tui.pipeline.system import Engine, Silence, follow
from selfheal_tui.supervisor.aftercare import Aftercare
from selfheal_tui.supervisor.aftermath import (
    UNFINISHED,
    adopt_applied,
    cancel_waiting,
    has_fix,
    settle_unfinished,
)
from selfheal_tui.supervisor.arrivals import Arrivals
from selfheal_tui.supervisor.events import (
    Event,
    IncidentClosed,
    JobMoved,
    ServiceProblem,
    Stepped,
)
from selfheal_tui.supervisor.queue import (
    ENDED,
    IncidentQueue,
    JobState,
    Waiter,
    priority_of,
)
from selfheal_tui.supervisor.workers import Worker

_S = IncidentState
_OPEN = frozenset(set(IncidentState) - {_S.CLOSED})
_RETRY_SECONDS = 1.0
_START_RETRY_SECONDS = 5.0
_OTHERS_SECONDS = 2.0
"""How long whoever else made or answered an incident (`selfheal heal`, `approve`) is given to go on with it."""
_JOBS_KEPT = 1000
_MOST_ASKED_ANEW = 20
"""How often one engine proves an incident anew because its files changed; then its question just says so."""
PAUSED = "healing is paused"


@dataclass(frozen=True, slots=True)
class Means:
    """What walks are made with.

    Attributes:
        workers: How many at once; 0 takes crashes in and heals none.
        flags: Settings from the command line, by dotted key.
        env_file: A `.env` file, if one was asked for.
        environ: Environment of the workers.
    """

    workers: int
    flags: Mapping[str, str]
    env_file: Path | None
    environ: Mapping[str, str]


class Casework:
    """Queue, workers and their aftermath.

    Args:
        engine: The engine.
        queue: The queue.
        care: What follows a fix.
        means: What walks are made with.
        emit: Told what happens.
        clock: Unix time in seconds.

    Attributes:
        arrivals: Where crashes come in.
        workers: Those at work, by incident.
    """

    def __init__(
        self,
        engine: Engine,
        queue: IncidentQueue,
        care: Aftercare,
        means: Means,
        emit: Callable[[Event], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._care = care
        self._means = means
        self._emit = emit
        self._clock = clock
        self.arrivals = Arrivals(engine, queue, care, emit, clock)
        self.workers: dict[str, Worker] = {}
        self._seen = (-1, -1)
        self._stamps: dict[str, tuple[str, stale.Stamp]] = {}
        self._asked_anew: dict[str, int] = {}

    # -- walks --------------------------------------------------------------------------------------

    def dispatch(self) -> list[Worker]:
        """Starts workers while there is something due and room for it.

        Returns:
            The workers that were started.
        """
        started = []
        while len(self.workers) < self._means.workers:
            job = self._queue.start_next(self._clock())
            if job is None:
                break
            try:
                worker = self._start(job.incident_id)
            except OSError as error:
                later = self._clock() + _START_RETRY_SECONDS
                self._move(job.incident_id, JobState.QUEUED, f"no worker: {error}", not_before=later)
                self._emit(ServiceProblem("starting a worker", f"{error}; tried again in a few seconds"))
                break
            self.workers[job.incident_id] = worker
            self._emit(JobMoved(job))
            started.append(worker)
        return started

    def _start(self, incident_id: str) -> Worker:
        means = self._means
        return Worker(
            self._engine.project.root,
            incident_id,
            flags=means.flags,
            env_file=means.env_file,
            environ=means.environ,
        )

    def read_on(self, worker: Worker) -> bool:
        """Reads the steps of a worker that are there.

        Returns:
            Whether more may come; if not, `finish` is to be called.
        """
        try:
            steps, ended = worker.read()
        except MalformedDocumentError as error:
            worker.kill(f"the service: it does not speak our language ({error})")
            return False
        for step in steps:
            self._told(worker, step)
        return not ended

    def finish(self, worker: Worker) -> None:
        """Does what follows the end of a worker."""
        self.workers.pop(worker.incident_id, None)
        busy, failure = worker.finish()
        self._ended(worker, busy=busy, failure=failure)

    @property
    def unfinished(self) -> bool:
        """Whether there is work under way, or due with somebody to do it."""
        now = self._clock()
        due = any(job.not_before <= now for job in self._queue.in_state(JobState.QUEUED))
        return bool(self.workers) or (due and self._means.workers > 0)

    def note(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Puts something on record that belongs to no incident."""
        self._engine.store.audit.append(kind, actor="engine", data=facts)

    def _told(self, worker: Worker, step: Step) -> None:
        worker.held = isinstance(step, Held)
        self._emit(Stepped(step))
        if isinstance(step, ApprovalNeeded):
            self._queue.move(worker.incident_id, JobState.RUNNING, "; ".join(step.request.why))

    def _ended(self, worker: Worker, *, busy: bool, failure: str) -> None:
        incident_id = worker.incident_id
        if busy:
            later = self._clock() + _RETRY_SECONDS
            self._move(incident_id, JobState.QUEUED, "another process works on it", not_before=later)
            return
        if failure:
            incident = settle_unfinished(
                self._engine,
                incident_id,
                failure,
                outcome=Outcome.REJECTED if worker.cancelled_by else Outcome.FAILED,
            )
        else:
            incident = self._engine.store.incidents.get(incident_id)
        if incident.state in UNFINISHED:
            self._held_or_again(incident, held=worker.held)
            return
        ended = JobState.FAILED if failure else JobState.DONE
        self._settled(incident, JobState.CANCELLED if worker.cancelled_by else ended)

    def _held_or_again(self, incident: Incident, *, held: bool) -> None:
        if held:
            self._move(incident.incident_id, JobState.PARKED, PAUSED)
            self._care.refuse(incident, self._waiters(incident), incident.message)
        else:  # its crash came in anew in the moment in which its walk ended
            self._move(incident.incident_id, JobState.QUEUED)

    def _settled(self, incident: Incident, ended: JobState) -> None:
        """Goes on after an incident came to rest: in a fix, at a person, or closed."""
        incident_id = incident.incident_id
        if incident.state is _S.AWAITING_APPROVAL:
            self._move(incident_id, JobState.PARKED, incident.message)
            return
        self._move(incident_id, ended, incident.message)
        self.arrivals.walked(incident_id)
        waiters = self._waiters(incident)
        if has_fix(incident):
            self._care.begin(incident, waiters)
        else:
            self._care.refuse(incident, waiters, incident.message)
        if incident.state is _S.CLOSED:
            self._emit(IncidentClosed(incident))

    def _waiters(self, incident: Incident) -> tuple[Waiter, ...]:
        return self._queue.take_waiters(incident.incident_id, now=self._clock())

    # -- from outside -------------------------------------------------------------------------------

    def cancel(self, incident_id: str, by: str) -> None:
        """Ends the work on an incident; it is closed as rejected, on record."""
        worker = self.workers.get(incident_id)
        if worker is not None:
            worker.kill(by)
            return
        job = self._queue.get(incident_id)
        if job is None or job.state in ENDED:
            return
        incident = cancel_waiting(self._engine, self._engine.store.incidents.get(incident_id), by)
        if incident.state is _S.CLOSED:
            self._settled(incident, JobState.CANCELLED)

    def stop(self, reason: str) -> None:
        """Kills the workers; what they worked on is taken up by the next engine."""
        for worker in list(self.workers.values()):
            worker.kill(reason)
        for worker in list(self.workers.values()):
            worker.finish()
            self._put_back(worker.incident_id, reason)
        self.workers.clear()

    def _put_back(self, incident_id: str, reason: str) -> None:
        store = self._engine.store
        if store.transactions.pending():
            store.transactions.recover()
        incident = adopt_applied(self._engine, store.incidents.get(incident_id))
        if incident.state in UNFINISHED:
            message = f"its walk was cut off ({reason}); the next `selfheal serve` takes it up"
            store.incidents.put(replace(incident, state=_S.DETECTED, chosen=-1, message=message))

    def look(self) -> None:
        """Finds what other processes did: new incidents, answers, applied fixes, and the end of a pause."""
        signature = self._engine.store.incidents.signature()
        if signature != self._seen:
            first = self._seen == (-1, -1)
            self._seen = signature
            for incident in self._engine.store.incidents.in_states(_OPEN):
                self._found(incident, first=first)
        paused = self._engine.store.pause.status() is not None
        for job in self._queue.in_state(JobState.PARKED):
            if job.reason == PAUSED:
                if not paused:
                    self._move(job.incident_id, JobState.QUEUED)
            else:
                self._look_after(self._engine.store.incidents.get(job.incident_id))
        self._queue.forget_ended(_JOBS_KEPT)

    def _found(self, incident: Incident, *, first: bool) -> None:
        job = self._queue.get(incident.incident_id)
        active = job is not None and job.state not in ENDED
        if incident.state is _S.ON_PROBATION:
            if not active and not self._care.is_watched(incident):
                self._care.begin(incident, ())
        elif not active:
            recent = self._clock() - incident.last_seen < _OTHERS_SECONDS
            if (recent and not first) or is_leased(self._engine.store.directory, incident.incident_id):
                self._seen = (-1, 0)  # look again soon
                return
            adopted = adopt_applied(self._engine, incident)
            if adopted.state is _S.ON_PROBATION:
                self._care.begin(adopted, ())
            else:
                rank = priority_of(incident.report, incident.environment, now=self._clock())
                self.arrivals.queue_up(incident, rank, ())

    def _look_after(self, incident: Incident) -> None:
        """Goes on with an incident that waited for a person, once somebody answered or nobody did in time."""
        if incident.state is not _S.AWAITING_APPROVAL:
            if incident.state in UNFINISHED:
                if not is_leased(self._engine.store.directory, incident.incident_id):
                    self._move(incident.incident_id, JobState.QUEUED)
            else:
                self._settled(incident, JobState.DONE)
            return
        store = self._engine.store.approvals
        if store.state(incident.request_id) is RequestState.OPEN:
            self._keep_worth(incident)
            return
        decision = store.decision(incident.request_id)
        if decision is not None and self._clock() - decision.at < _OTHERS_SECONDS:
            return  # `selfheal approve` applies it by itself
        try:
            follow(self._engine.resume(incident), self._tell_resumed)
        except IncidentBusyError:
            return
        current = self._engine.store.incidents.get(incident.incident_id)
        if current.state is not _S.AWAITING_APPROVAL:
            self._look_after(current)

    def _keep_worth(self, incident: Incident) -> None:
        """Has a question asked anew whose files changed; a few times, since something else may write them all the time."""
        stamp = (incident.request_id, stale.stamp(self._engine, incident))
        if self._stamps.get(incident.incident_id) == stamp:
            return
        self._stamps[incident.incident_id] = stamp
        asked = self._asked_anew.get(incident.incident_id, 0)
        if asked >= _MOST_ASKED_ANEW or not stale.is_stale(self._engine, incident):
            return
        if not stale.take_back(self._engine, incident):
            self._stamps.pop(incident.incident_id)
            return
        self._asked_anew[incident.incident_id] = asked + 1
        self._move(incident.incident_id, JobState.QUEUED, "the files changed since its fix was proved")

    def _tell_resumed(self, step: Step) -> Silence | None:
        self._emit(Stepped(step))
        return Silence.LEAVE_OPEN if isinstance(step, ApprovalNeeded) else None

    def _move(self, incident_id: str, state: JobState, reason: str = "", *, not_before: float = 0.0) -> None:
        self._emit(JobMoved(self._queue.move(incident_id, state, reason, not_before=not_before)))
