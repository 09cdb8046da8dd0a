"""What follows a fix on disk: it goes into every living program, those who wait are told, and then it is watched.

Runs on the service's thread, except for the errands into programs, which may take their time. It decides nothing
about a fix: `probation.py` judges, `run_loop.take_back` reverts. What was taken back, by whomever, is followed the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import psutil

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.pipeline.intake import TakenIn
from selfheal_tui.pipeline.system import Engine
from selfheal_tui.supervisor import probation
from selfheal_tui.supervisor.channels import Channel, live_programs
from selfheal_tui.supervisor.delivery import Errand, Report, run_errand, waiters_of
from selfheal_tui.supervisor.events import (
    Event,
    IncidentClosed,
    ProbationBegan,
    ProgramSwapped,
    RestartNeeded,
    ServiceProblem,
    WaitersAnswered,
)
from selfheal_tui.supervisor.probation import Watch
from selfheal_tui.supervisor.queue import Waiter
from selfheal_tui.supervisor.retreats import DELIVERED as RETREATED
from selfheal_tui.supervisor.retreats import (
    Retreat,
    Retreats,
    errand_of,
    is_settled,
    is_watched_anew,
    reach_of,
)
from selfheal_tui.supervisor.run_loop import take_back

_MOST_WATCHES = 500
_MOST_NAMES = 100

Post = Callable[[Callable[[], None]], None]
"""Has something done on the service's thread; may be called from any."""


class Aftercare:
    """Delivery and probation of fixes.

    Args:
        engine: The engine.
        emit: Told what happens.
        post: Brings results of errands back to the service's thread.
        clock: Unix time in seconds.
    """

    def __init__(
        self, engine: Engine, emit: Callable[[Event], None], post: Post, clock: Callable[[], float]
    ) -> None:
        self._engine = engine
        self._emit = emit
        self._post = post
        self._clock = clock
        self._watches: dict[str, Watch] = {}
        self._on_probation: dict[str, None] = {}
        self._errands: dict[str, int] = {}
        self._retreats = Retreats(engine.store)
        self._unsettled: list[Retreat] = []
        self._taken_back: dict[str, float] = {}
        self._reached: dict[str, list[Report]] = {}
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="programs")

    @property
    def busy(self) -> frozenset[str]:
        """Incidents, and changes that were taken back, for which something is on its way into a program."""
        return frozenset(self._errands) | {retreat.transaction for retreat in self._unsettled}

    def close(self) -> None:
        """Waits for the errands that are under way; each ends by itself within seconds."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    # -- a fix is on disk ---------------------------------------------------------------------------

    def begin(self, incident: Incident, waiters: Sequence[Waiter]) -> None:
        """Brings an applied fix into the living programs, and begins or takes up the watch over it.

        Args:
            incident: On probation, or closed as healed by somebody else.
            waiters: Who waits for the verdict.
        """
        watch = self._watch(incident)
        if watch is None:
            return
        if incident.state is IncidentState.ON_PROBATION:
            self._on_probation[incident.incident_id] = None
            until = watch.until(self._engine.settings.supervision)
            self._emit(ProbationBegan(incident, until))
        if watch.delivered and not waiters:
            return
        channels = self._live()
        for channel in channels:
            self._send(self._errand(channel, incident, waiters))
        if not channels:
            self._delivered(incident.incident_id)

    def serve_outdated(self, incident: Incident, waiters: Sequence[Waiter]) -> None:
        """Brings a fix once more into programs that still crash with the code before it."""
        wanted = {waiter.channel for waiter in waiters}
        for channel in self._live():
            if channel.address in wanted:
                self._send(self._errand(channel, incident, waiters))

    def refuse(self, incident: Incident, waiters: Sequence[Waiter], message: str) -> None:
        """Tells those who wait that their crash is not healed."""
        if not waiters:
            return
        for channel in self._live():
            ours = waiters_of(channel, waiters)
            if ours:
                self._send(Errand(channel, incident.incident_id, waiters=ours, message=message))

    # -- the watch ----------------------------------------------------------------------------------

    def is_watched(self, incident: Incident) -> bool:
        """Returns whether the watch over an incident's fix is known."""
        watch = self._watches.get(incident.incident_id)
        return watch is not None and watch.transaction_id == incident.transaction_id

    def is_outdated(self, incident: Incident, report: CrashReport) -> bool:
        """Returns whether a report comes from code from before the incident's fix."""
        return probation.is_outdated(self._watch(incident), incident, report)

    def judge(self, taken: Sequence[TakenIn]) -> list[Incident]:
        """Takes back every fix that new crashes speak against.

        Args:
            taken: The new crashes.

        Returns:
            The incidents whose fix was taken back, or should have been; closed.
        """
        ended = []
        for fixed, watch in self._watched():
            problem = probation.speaks_against(watch, fixed, taken)
            if problem:
                ended.append(self._take_back(fixed, problem))
        return ended

    def _take_back(self, fixed: Incident, problem: str) -> Incident:
        closed = take_back(self._engine, fixed, problem)
        self._watches.pop(fixed.incident_id, None)
        if closed.state is not IncidentState.CLOSED:
            remedy = f"selfheal rollback {fixed.incident_id} --overwrite"
            why = f"{problem}; later edits kept it from being taken back: {remedy}"
            closed = self._engine.closer.close(closed, Outcome.FAILED, why)
        else:
            self.follow()
        self._emit(IncidentClosed(closed))
        return closed

    # -- what was taken back, by whomever ------------------------------------------------------------

    def follow(self) -> None:
        """Brings what was taken back or put back on disk into the living programs, and ends or begins the watch.

        Raises:
            CorruptStoreError: The audit trail is damaged.
        """
        for retreat in self._retreats.new():
            self._unsettled.append(retreat)
            if retreat.whole_fix:
                self._taken_back[retreat.incident_id] = retreat.at
        waiting, self._unsettled = self._unsettled, []
        for retreat in waiting:
            incident = self._retreats.incident(retreat)
            if is_settled(retreat, incident, self._clock()):
                self._follow(retreat, incident)
            else:
                self._unsettled.append(retreat)

    def _follow(self, retreat: Retreat, incident: Incident | None) -> None:
        if incident is not None and is_watched_anew(retreat, incident):
            self.begin(incident, ())
            return
        if incident is not None and retreat.whole_fix and retreat.actor != "engine":
            self._on_probation.pop(incident.incident_id, None)
            if incident.state is IncidentState.CLOSED:
                self._emit(IncidentClosed(incident))
        channels = self._live()
        for channel in channels:
            self._send(errand_of(retreat, self._engine.project, channel))
        if not channels:
            self._retreated(retreat.transaction, retreat.incident_id)

    def _retreated(self, transaction: str, incident_id: str) -> None:
        """Puts on record what became of all living programs; whoever took something back may wait for it."""
        facts = {"transaction": transaction, **reach_of(self._reached.pop(transaction, ()))}
        self._engine.store.audit.append(RETREATED, actor="engine", incident_id=incident_id, data=facts)

    def ran_well(self, pid: int, started_at: float, calls: int) -> None:
        """Counts runs without a crash for the fixes that they ran with.

        Args:
            pid: The process.
            started_at: Unix time in seconds at which it started.
            calls: How many runs.
        """
        for _, watch in self._watched():
            if started_at >= watch.applied_at or pid in watch.current:
                self._record(watch, probation.RAN_WELL, {"pid": pid, "calls": calls})

    def tick(self) -> list[Incident]:
        """Ends the watches whose time is over, and reaches programs that were not reached before.

        Returns:
            The incidents that are healed now.
        """
        settings = self._engine.settings.supervision
        ended = []
        for fixed, watch in self._watched():
            if fixed.incident_id in self._errands:
                continue
            evidence = probation.verdict_at_end(watch, settings, self._clock())
            if evidence:
                healed = self._engine.closer.confirm(fixed, evidence)
                self._emit(IncidentClosed(healed))
                ended.append(healed)
            elif watch.delivered:
                self._reach_late(fixed, watch)
        return ended

    def _watched(self) -> list[tuple[Incident, Watch]]:
        """The fixes on probation; what somebody else ended meanwhile is watched no more."""
        found = []
        for incident_id in list(self._on_probation):
            fixed = self._engine.store.incidents.get(incident_id)
            watch = self._watch(fixed)
            if watch is not None and watch.applied_at <= self._taken_back.get(incident_id, 0.0):
                continue  # it is off the disk; who took it back has not said so in the incident yet
            if fixed.state is IncidentState.ON_PROBATION and watch is not None:
                found.append((fixed, watch))
            else:
                del self._on_probation[incident_id]
        return found

    def _reach_late(self, fixed: Incident, watch: Watch) -> None:
        """A program may have read the old code, and opened its door only after the fix was delivered."""
        for channel in self._live():
            known = channel.pid in watch.current or channel.pid in watch.behind
            if not known and _started_at(channel.pid) < watch.applied_at:
                self._send(self._errand(channel, fixed, ()))

    # -- errands ------------------------------------------------------------------------------------

    def _live(self) -> list[Channel]:
        try:
            return live_programs(self._engine.project.root)
        except OSError as error:
            self._emit(ServiceProblem("finding live programs", str(error)))
            return []

    def _errand(self, channel: Channel, incident: Incident, waiters: Sequence[Waiter]) -> Errand:
        attempt = incident.chosen_attempt
        paths = [edit.path for edit in attempt.candidate.edits] if attempt else []
        return Errand(
            channel=channel,
            incident_id=incident.incident_id,
            files=tuple(self._engine.project.absolute(path) for path in paths),
            waiters=waiters_of(channel, waiters),
            healed=True,
            message=incident.message,
            transaction=incident.transaction_id,
        )

    def _send(self, errand: Errand) -> None:
        self._errands[errand.about] = self._errands.get(errand.about, 0) + 1
        future = self._pool.submit(run_errand, errand)
        future.add_done_callback(lambda done: self._post(lambda: self._came_back(errand, done)))

    def _came_back(self, errand: Errand, done: Future[Report]) -> None:
        left = self._errands[errand.about] - 1
        if left:
            self._errands[errand.about] = left
        else:
            del self._errands[errand.about]
        error = done.exception()
        report = Report(errand, problem=f"{type(error).__name__}: {error}") if error else done.result()
        self._note(report)
        if errand.retreat:
            self._reached.setdefault(errand.transaction, []).append(report)
            if not left:
                self._retreated(errand.transaction, errand.incident_id)
        elif not left and errand.transaction:
            self._delivered(errand.incident_id)

    def _note(self, report: Report) -> None:
        errand, answer = report.errand, report.answer
        pid = errand.channel.pid
        if report.problem:
            self._emit(ServiceProblem(f"reaching program {pid}", report.problem))
        if answer is not None:
            kind = probation.SWAPPED if answer.current else probation.RESTART_NEEDED
            facts = {
                "pid": pid,
                "transaction": errand.transaction,
                "swapped": list(answer.swapped[:_MOST_NAMES]),
                "restart_needed": [f"{r.what}: {r.why}" for r in answer.restart_needed[:_MOST_NAMES]],
                "restored": errand.restored,
            }
            self._record_of(errand, kind, facts)
            self._emit(self._swap_event(errand, report))
        if report.verdict:
            self._emit(WaitersAnswered(errand.incident_id, pid, len(errand.waiters), report.verdict))

    def _swap_event(self, errand: Errand, report: Report) -> Event:
        answer = report.answer
        assert answer is not None
        if answer.current:
            return ProgramSwapped(
                errand.incident_id, errand.channel.pid, answer.swapped, restored=errand.restored
            )
        files = tuple(self._engine.project.relative(file) or file.name for file in errand.files)
        return RestartNeeded(
            errand.incident_id, errand.channel.pid, answer.restart_needed, files, restored=errand.restored
        )

    def _record_of(self, errand: Errand, kind: str, facts: Mapping[str, object]) -> None:
        watch = self._watches.get(errand.incident_id)
        if watch is not None and watch.transaction_id == errand.transaction and not errand.retreat:
            self._record(watch, kind, facts)
        else:
            self._engine.store.audit.append(kind, actor="engine", incident_id=errand.incident_id, data=facts)

    def _delivered(self, incident_id: str) -> None:
        watch = self._watches.get(incident_id)
        if watch is not None and not watch.delivered:
            facts = {"programs": len(watch.current), "restart_needed": len(watch.behind)}
            self._record(watch, probation.DELIVERED, facts)

    def _record(self, watch: Watch, kind: str, facts: Mapping[str, object]) -> None:
        """Puts something about a fix on record, and takes it into the watch exactly as it will be read again."""
        record = self._engine.store.audit.append(
            kind,
            actor="engine",
            incident_id=watch.incident_id,
            data={**facts, "transaction": watch.transaction_id},
        )
        latest = self._watches.get(watch.incident_id, watch)
        self._watches[watch.incident_id] = latest.after(record)

    def _watch(self, incident: Incident) -> Watch | None:
        if not incident.transaction_id:
            return None
        if not self.is_watched(incident):
            watch = probation.watch_over(self._engine.store, incident)
            if watch is None:
                return None
            self._watches[incident.incident_id] = watch
            self._forget_oldest()
        return self._watches[incident.incident_id]

    def _forget_oldest(self) -> None:
        """Watches over healed incidents are kept only to save reading the audit trail again."""
        for incident_id in list(self._watches)[: max(0, len(self._watches) - _MOST_WATCHES)]:
            if incident_id not in self._on_probation:
                del self._watches[incident_id]


def _started_at(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return float("inf")
