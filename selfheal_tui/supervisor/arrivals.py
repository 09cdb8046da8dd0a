"""What a report that came in leads to: a place in the queue, an answer at once, or only a count.

Apart from the walks because it decides before them, and from the reception because it knows the incident's past.
Runs on the service's thread; it starts no workers and reads no inbox.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.pipeline.intake import TakenIn
from selfheal_tui.pipeline.system import Engine
from selfheal_tui.supervisor.aftercare import Aftercare
from selfheal_tui.supervisor.aftermath import UNFINISHED, has_fix
from selfheal_tui.supervisor.events import CrashSeen, Event, JobMoved
from selfheal_tui.supervisor.queue import ENDED, IncidentQueue, Priority, Waiter, priority_of

_S = IncidentState


class Arrivals:
    """Takes crashes to the queue and to whatever looks after fixes.

    Args:
        engine: The engine.
        queue: The queue.
        care: What follows a fix.
        emit: Told what happens.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        queue: IncidentQueue,
        care: Aftercare,
        emit: Callable[[Event], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._care = care
        self._emit = emit
        self._clock = clock
        self._walked_at: dict[str, float] = {}

    def walked(self, incident_id: str) -> None:
        """Notes that the walk of an incident ended just now."""
        self._walked_at[incident_id] = self._clock()

    def counts_only(self, incident: Incident, report: CrashReport) -> bool:
        """Returns whether a report opens nothing anew: its code was replaced, or was looked at just now in vain."""
        if self._care.is_outdated(incident, report):
            return True
        return incident.state is _S.CLOSED and self._looked_at_just_now(incident, report)

    def _looked_at_just_now(self, incident: Incident, report: CrashReport) -> bool:
        walked = self._walked_at.get(incident.incident_id)
        if walked is None or self._clock() - walked >= self._engine.settings.limits.cool_down_seconds:
            return False
        return not any(self._changed_since(path, walked) for path in _paths(report))

    def _changed_since(self, path: str, at: float) -> bool:
        try:
            return self._engine.project.absolute(path).stat().st_mtime > at
        except OSError:
            return True

    def arrived(self, taken: Sequence[TakenIn]) -> None:
        """Queues what came in, and lets fixes on probation be judged by it."""
        self._judge([one for one in taken if one.fresh and not one.counts_only])
        for incident_id in dict.fromkeys(one.incident.incident_id for one in taken):
            ours = [one for one in taken if one.incident.incident_id == incident_id]
            self._arrived(self._engine.store.incidents.get(incident_id), ours)

    def _arrived(self, incident: Incident, taken: Sequence[TakenIn]) -> None:
        now = self._clock()
        fresh = [one for one in taken if one.fresh]
        if fresh:
            last = fresh[-1].report
            times = sum(max(1, one.report.count) for one in fresh)
            late = all(one.counts_only for one in fresh)
            self._emit(CrashSeen(incident, last.kind, last.process.pid, times, late))
        waiters = [
            Waiter(one.report.report_id, one.report.channel, one.report.waits_until)
            for one in taken
            if one.report.channel and one.report.waits_until > now
        ]
        rank = min(priority_of(one.report, incident.environment, now=now) for one in taken)
        if incident.state in UNFINISHED or incident.state is _S.AWAITING_APPROVAL:
            self.queue_up(incident, rank, waiters)
        elif has_fix(incident):
            self._care.serve_outdated(incident, waiters)
        else:
            self._care.refuse(incident, waiters, incident.message)

    def queue_up(self, incident: Incident, rank: Priority, waiters: Sequence[Waiter]) -> None:
        """Puts an incident into the queue, parked where it waits for a person."""
        before = self._queue.get(incident.incident_id)
        if incident.state is _S.AWAITING_APPROVAL and (before is None or before.state in ENDED):
            self._queue.park(incident.incident_id, rank, incident.message)
        job = self._queue.add(incident.incident_id, rank, waiters=waiters)
        if before is None or before.state is not job.state:
            self._emit(JobMoved(job))

    def _judge(self, taken: Sequence[TakenIn]) -> None:
        for closed in self._care.judge(taken) if taken else ():
            again = [one for one in taken if one.incident.incident_id == closed.incident_id]
            if again:
                self._reopen(closed, again[-1].report)

    def _reopen(self, closed: Incident, report: CrashReport) -> None:
        """A crash that its fix did not cure is healed anew; it was counted when it came in."""
        reopened = replace(
            closed,
            state=_S.DETECTED,
            outcome=None,
            report=report,
            chosen=-1,
            message="the crash returned after its fix, which was taken back",
        )
        self._engine.store.incidents.put(reopened)
        self._engine.store.audit.append(
            "incident.reopened",
            actor="engine",
            incident_id=closed.incident_id,
            data={"report": report.report_id, "why": closed.message},
        )


def _paths(report: CrashReport) -> set[str]:
    return {frame.path for info in report.chain for frame in info.frames if frame.in_app and frame.path}
