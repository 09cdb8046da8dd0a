"""The queue of incidents: who is healed next, who waits for whom, and where each job is. No I/O, no threads started.

One job per incident and thus per fingerprint: however many threads report one crash, it is walked once and all who
wait are answered alike. What may follow what is written down once, in `TRANSITIONS`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.kinds import Environment


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = JobState
TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    _S.QUEUED: frozenset({_S.RUNNING, _S.PARKED, _S.DONE, _S.CANCELLED}),
    _S.RUNNING: frozenset({_S.QUEUED, _S.PARKED, _S.DONE, _S.FAILED, _S.CANCELLED}),
    _S.PARKED: frozenset({_S.QUEUED, _S.DONE, _S.FAILED, _S.CANCELLED}),
    _S.DONE: frozenset({_S.QUEUED, _S.PARKED}),
    _S.FAILED: frozenset({_S.QUEUED, _S.PARKED}),
    _S.CANCELLED: frozenset({_S.QUEUED, _S.PARKED}),
}
"""Allowed steps. A parked job waits for a person or for the end of a pause; an ended one opens anew when its
crash returns; a running one goes back when another process holds its incident."""

ENDED = frozenset({_S.DONE, _S.FAILED, _S.CANCELLED})
"""States in which nothing is to be done."""

_WARNINGS = frozenset({"warning", "blocked-loop"})
_HANDLED = frozenset({"logged", "log-failure", "swallowed", "guard", "hang", "unraisable"})


class IllegalJobStepError(RuntimeError):
    """A job was asked to take a step that its state machine does not have."""


class Priority(IntEnum):
    """Who goes first; the smallest number."""

    UNCAUGHT_IN_PRODUCTION = 0
    UNCAUGHT = 1
    WAITED_FOR = 2
    HANDLED = 3
    WARNING = 4


def priority_of(report: CrashReport, environment: Environment, *, now: float) -> Priority:
    """Ranks a report.

    Args:
        report: The report.
        environment: Where it happened.
        now: Unix time in seconds.
    """
    if report.kind in _WARNINGS:
        return Priority.WARNING
    if not report.process.handled and report.kind not in _HANDLED:
        production = environment is Environment.PRODUCTION
        return Priority.UNCAUGHT_IN_PRODUCTION if production else Priority.UNCAUGHT
    return Priority.WAITED_FOR if report.waits_until > now else Priority.HANDLED


@dataclass(frozen=True, slots=True)
class Waiter:
    """A guard in a program that waits for the verdict on its report.

    Attributes:
        report_id: Its report.
        channel: Address of the program's channel, as the report has it.
        until: Unix time in seconds until which it waits.
    """

    report_id: str
    channel: str
    until: float


@dataclass(frozen=True, slots=True)
class Job:
    """One incident in the queue, at one moment.

    Attributes:
        incident_id: The incident.
        state: Where it is.
        priority: Its rank.
        order: Number of its arrival, for those of one rank.
        not_before: Unix time in seconds before which it is not started.
        waiters: Who waits for its verdict.
        reason: Why it is where it is, for the operator.
    """

    incident_id: str
    state: JobState
    priority: Priority
    order: int
    not_before: float = 0.0
    waiters: tuple[Waiter, ...] = ()
    reason: str = ""


class IncidentQueue:
    """All jobs of one engine; safe to look at from any thread."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._order = itertools.count()
        self._lock = threading.Lock()

    def add(
        self, incident_id: str, priority: Priority, *, waiters: Iterable[Waiter] = (), not_before: float = 0.0
    ) -> Job:
        """Queues an incident; a job that is under way already only gets more waiters, and a better rank.

        Args:
            incident_id: The incident.
            priority: Rank of what was reported.
            waiters: Who waits for the verdict.
            not_before: Unix time in seconds before which it is not to be started.

        Returns:
            The job.
        """
        with self._lock:
            job = self._jobs.get(incident_id)
            if job is None or job.state in ENDED:
                kept = job.waiters if job else ()
                job = Job(incident_id, _S.QUEUED, priority, next(self._order), not_before, kept)
            better = min(job.priority, priority)
            known = {waiter.report_id for waiter in job.waiters}
            more = tuple(waiter for waiter in waiters if waiter.report_id not in known)
            return self._put(replace(job, priority=better, waiters=job.waiters + more))

    def park(self, incident_id: str, priority: Priority, reason: str) -> Job:
        """Adds an incident that waits for something else than a worker, or lets a queued one wait."""
        with self._lock:
            job = self._jobs.get(incident_id) or Job(incident_id, _S.DONE, priority, next(self._order))
            return self._step(job, _S.PARKED, reason)

    def start_next(self, now: float) -> Job | None:
        """Takes the next job into work, by rank and then by arrival.

        Args:
            now: Unix time in seconds.

        Returns:
            The job, running; None when nothing is due.
        """
        with self._lock:
            due = [j for j in self._jobs.values() if j.state is _S.QUEUED and j.not_before <= now]
            if not due:
                return None
            return self._step(min(due, key=lambda job: (job.priority, job.order)), _S.RUNNING, "")

    def move(self, incident_id: str, state: JobState, reason: str = "", *, not_before: float = 0.0) -> Job:
        """Takes a step with a job.

        Args:
            incident_id: The incident.
            state: Where to.
            reason: Why, for the operator.
            not_before: When it may be started, for `queued`.

        Raises:
            KeyError: There is no such job.
            IllegalJobStepError: It cannot go there.
        """
        with self._lock:
            return self._step(replace(self._jobs[incident_id], not_before=not_before), state, reason)

    def take_waiters(self, incident_id: str, *, now: float) -> tuple[Waiter, ...]:
        """Takes the waiters off a job, to be answered; those who wait no longer are left out."""
        with self._lock:
            job = self._jobs.get(incident_id)
            if job is None or not job.waiters:
                return ()
            self._put(replace(job, waiters=()))
            return tuple(waiter for waiter in job.waiters if waiter.until > now)

    def get(self, incident_id: str) -> Job | None:
        """Returns a job as it stands."""
        with self._lock:
            return self._jobs.get(incident_id)

    def jobs(self) -> tuple[Job, ...]:
        """Returns all jobs, in the order in which they are or would be started."""
        with self._lock:
            return tuple(sorted(self._jobs.values(), key=lambda job: (job.priority, job.order)))

    def in_state(self, *states: JobState) -> tuple[Job, ...]:
        """Returns the jobs in some states, in the same order."""
        return tuple(job for job in self.jobs() if job.state in states)

    def forget_ended(self, keep: int) -> None:
        """Drops the oldest ended jobs, so that a service that runs for months stays small."""
        with self._lock:
            ended = [job for job in self._jobs.values() if job.state in ENDED and not job.waiters]
            for job in sorted(ended, key=lambda job: job.order)[: max(0, len(ended) - keep)]:
                del self._jobs[job.incident_id]

    def _step(self, job: Job, state: JobState, reason: str) -> Job:
        if state is not job.state and state not in TRANSITIONS[job.state]:
            raise IllegalJobStepError(f"job {job.incident_id}: {job.state} → {state}")
        return self._put(replace(job, state=state, reason=reason))

    def _put(self, job: Job) -> Job:
        self._jobs[job.incident_id] = job
        return job
