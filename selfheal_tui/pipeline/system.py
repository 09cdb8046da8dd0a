"""The engine: walks an incident through the six steps and yields what happens on the way.

It never prints and never asks. Where a person is needed it yields `ApprovalNeeded`, and afterwards
believes only the store. Every state it passes through is on disk before the next one begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, TypeVar

from selfheal_tui.model.approval import ApprovalRequest, DecisionKind, RequestState
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Attempt, Incident, IncidentState
from selfheal_tui.model.kinds import Nature, Outcome
from selfheal_tui.model.ports import SandboxError
from selfheal_tui.model.settings import Settings
from selfheal_tui.pipeline.analyze import analyze
from selfheal_tui.pipeline.apply import ApplyError, DriftError, apply_candidate
from selfheal_tui.pipeline.asking import Asking
from selfheal_tui.pipeline.binding import bind
from selfheal_tui.pipeline.closing import Closer
from selfheal_tui.pipeline.drafts import draft
from selfheal_tui.pipeline.govern import Governance, RefusedError
from selfheal_tui.pipeline.intake import (
    NEVER_HEALED,
    Arrival,
    CountsOnly,
    TakenIn,
    never_counts_only,
    take_in_all,
)
from selfheal_tui.pipeline.lease import IncidentBusyError, lease
from selfheal_tui.pipeline.limits import cooling_down
from selfheal_tui.pipeline.propose import Told
from selfheal_tui.pipeline.regression import settle
from selfheal_tui.pipeline.search import Search, Tools
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Progressed, Step
from selfheal_tui.source.project import OutsideRootError, Project
from selfheal_tui.store import ApprovalConflictError, Store, StoreError

ROUNDS = 4
"""How often an incident is proposed anew because its files changed under an approval."""

LOOK_SECONDS = 0.2
"""Longest time for which somebody holds a lease only to see whether it is free."""

_S = IncidentState
T = TypeVar("T")


class Silence(Enum):
    """What becomes of a request that nobody has answered when the engine is told to go on."""

    DENY = "deny"
    LEAVE_OPEN = "leave open"


class Engine:
    """Heals the crashes of one project."""

    def __init__(
        self,
        project: Project,
        settings: Settings,
        store: Store,
        tools: Callable[[CrashReport], Tools],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.project = project
        self.settings = settings
        self.store = store
        self.governance = Governance(project, settings, store, clock=clock)
        self.closer = Closer(project, store, clock=clock)
        self.make_tools = tools
        self.clock = clock
        self.asking = Asking(settings, store, self.governance, clock=clock)
        self._search = Search(project, settings, store)

    def take_in(self, report: CrashReport) -> Incident:
        """Finds or makes the incident of a report."""
        return self.take_in_all([Arrival(report)])[0].incident

    def take_in_all(
        self, arrivals: Sequence[Arrival], *, counts_only: CountsOnly = never_counts_only
    ) -> list[TakenIn]:
        """Takes in several reports as one write; see `intake.take_in_all`."""
        return take_in_all(
            self.store,
            self.project,
            arrivals,
            environment=self.settings.environment,
            now=self.clock(),
            counts_only=counts_only,
        )

    def walk(self, incident: Incident) -> Generator[Step, Silence | None, Incident]:
        """Walks an incident as far as it can go: to `on probation`, closed, or waiting for a person.

        Args:
            incident: As `take_in` returned it.

        Yields:
            Steps; after `ApprovalNeeded`, send what silence means (None denies).

        Returns:
            The incident as it stands.

        Raises:
            IncidentBusyError: Another process is working on it.
        """
        with lease(self.store.directory, incident.incident_id, wait_seconds=LOOK_SECONDS):
            current = self.store.incidents.get(incident.incident_id)
            asked = self._still_asked(current)
            if asked is not None:
                walked, drifted = yield from self._asked(current, *asked)
                if not drifted:
                    return walked
                current = walked
            if current.state not in (_S.DETECTED, _S.ANALYZED):
                current = replace(current, state=_S.DETECTED, request_id="", chosen=-1)
            ready = yield from self._analyzed(current)
            if ready.state is _S.CLOSED:
                return ready
            paused = self.store.pause.status()
            if paused is not None:
                why = f"healing is paused by {paused.by}; `selfheal resume` allows it"
                ready = self._put(replace(ready, message=f"{ready.message} · {why}"))
                yield Held(ready)
                return ready
            for _ in range(ROUNDS):
                ready, drifted = yield from self._round(ready)
                if not drifted:
                    return ready
            return self.closer.close(
                ready, Outcome.FAILED, "the files kept changing while the fix was being approved"
            )

    def explain(self, incident: Incident) -> Generator[Step, Silence | None, Incident]:
        """Analyses an incident that nobody has looked at yet, and goes no further.

        Raises:
            IncidentBusyError: Another process is working on it.
        """
        with lease(self.store.directory, incident.incident_id, wait_seconds=LOOK_SECONDS):
            current = self.store.incidents.get(incident.incident_id)
            if current.state is not _S.DETECTED:
                return current
            return (yield from self._analyzed(current))

    def resume(self, incident: Incident) -> Generator[Step, Silence | None, Incident]:
        """Goes on with an incident whose request was answered while nobody waited.

        Raises:
            IncidentBusyError: A waiting process is about to do it.
        """
        with lease(self.store.directory, incident.incident_id, wait_seconds=0.5):
            current = self.store.incidents.get(incident.incident_id)
            attempt = current.chosen_attempt
            if current.state in (_S.APPLYING, _S.ON_PROBATION):
                raise IncidentBusyError(f"{current.incident_id} was taken on by another process")
            if current.state is not _S.AWAITING_APPROVAL or attempt is None:
                return current
            request = self.store.approvals.get(current.request_id)
            if self.store.approvals.state(request.request_id) is RequestState.OPEN:
                return current  # it asks something else by now
            result, drifted = yield from self._answered(current, request, attempt)
            if drifted:
                result, _ = yield from self._round(result)
            return result

    def regression(self, incident: Incident) -> Incident:
        """Sees to it that an incident's regression test was run, without and with its fix; writes nothing live.

        Raises:
            IncidentBusyError: Another process is working on it.
            SandboxError: There is no isolated copy to run it in.
        """
        with lease(self.store.directory, incident.incident_id, wait_seconds=LOOK_SECONDS):
            current = self.store.incidents.get(incident.incident_id)
            test = settle(self.project, self.closer, self.make_tools(current.report), current)
            return self._put(replace(current, regression=test))

    def _still_asked(self, incident: Incident) -> tuple[ApprovalRequest, Attempt] | None:
        """Returns the question that is open about an incident, if its answer would be worth anything now."""
        attempt = incident.chosen_attempt
        if incident.state is not _S.AWAITING_APPROVAL or attempt is None or self.store.pause.status():
            return None
        request = self.store.approvals.get(incident.request_id)
        if self.store.approvals.state(request.request_id) not in (RequestState.OPEN, RequestState.APPROVED):
            return None
        try:
            now = bind(self.project, attempt.candidate, self.governance.policy_version)
        except (OSError, OutsideRootError):
            return None
        return (request, attempt) if request.binding == now else None

    def _asked(
        self, incident: Incident, request: ApprovalRequest, attempt: Attempt
    ) -> Generator[Step, Silence | None, tuple[Incident, bool]]:
        if self.store.approvals.decision(request.request_id) is None:
            silence = yield ApprovalNeeded(incident, request, attempt.candidate, attempt.proof)
            if silence is Silence.LEAVE_OPEN and self.store.approvals.decision(request.request_id) is None:
                return incident, False
        return (yield from self._answered(incident, request, attempt))

    def _analyzed(self, incident: Incident) -> Generator[Step, Silence | None, Incident]:
        if incident.report.raised.bare_type in NEVER_HEALED:
            return self.closer.close(
                incident, Outcome.EXTERNAL, f"{incident.report.raised.bare_type} is never healed"
            )
        incident = self._as_files_are(incident)
        diagnosis = analyze(incident.report, self.project)
        if incident.state is _S.DETECTED:
            incident = incident.advance(_S.ANALYZED)
        incident = self._put(replace(incident, diagnosis=diagnosis, message=diagnosis.root_cause))
        self.store.audit.append(
            "incident.analyzed",
            actor="engine",
            incident_id=incident.incident_id,
            data={
                "signal": diagnosis.signal,
                "issue_type": diagnosis.issue_type.value,
                "severity": diagnosis.severity.value,
                "nature": diagnosis.nature.value,
                "root_cause": diagnosis.root_cause,
            },
        )
        yield Progressed(incident)
        if diagnosis.nature is Nature.TRANSIENT:
            return self.closer.close(incident, Outcome.TRANSIENT, diagnosis.root_cause)
        if diagnosis.nature is Nature.EXTERNAL:
            return self.closer.close(incident, Outcome.EXTERNAL, diagnosis.root_cause)
        left = cooling_down(
            self.store, self.settings.limits, fingerprint=incident.fingerprint.value, now=self.clock()
        )
        if left > 0:
            return self.closer.close(
                incident, Outcome.FAILED, f"cooling down after failed attempts: tried again in {left:.0f} s"
            )
        return incident

    def _round(self, incident: Incident) -> Generator[Step, Silence | None, tuple[Incident, bool]]:
        told = Told()
        incident = self._put(incident.advance(_S.PROPOSING))
        yield Progressed(incident)
        try:
            tools = self.make_tools(incident.report)
            with tools.sandbox.workspace() as workspace:
                incident, best, rivals = yield from self._search(tools, workspace, incident, told)
                if best is not None and best.proof.proved:
                    test = draft(self.store, self.project, incident.report, workspace)
                    incident = replace(incident, regression=test)
        except SandboxError as error:
            return self.closer.close(self._fresh(incident), Outcome.FAILED, str(error)), False
        if best is None:
            return self.closer.nothing_found(incident, told), False
        incident = self._put(replace(incident, chosen=incident.attempts.index(best)))
        gate = self.asking.judge(incident, best, rivals=rivals)
        try:
            request = self.governance.request(incident.incident_id, best.candidate, gate)
        except RefusedError as error:
            return self.closer.close(incident, Outcome.FAILED, f"refused: {error}"), False
        if gate.must_ask:
            incident = self._put(
                replace(
                    incident.advance(_S.AWAITING_APPROVAL, message="; ".join(gate.reasons)),
                    request_id=request.request_id,
                )
            )
            return (yield from self._asked(incident, request, best))
        return (yield from self._answered(incident, request, best))

    def _answered(
        self, incident: Incident, request: ApprovalRequest, attempt: Attempt
    ) -> Generator[Step, Silence | None, tuple[Incident, bool]]:
        decision = self.store.approvals.decision(request.request_id)
        if decision is None:
            why = "nobody answered in time; silence is a denial"
            try:
                self.governance.expire(request.request_id, why)
            except ApprovalConflictError:
                decision = self.store.approvals.decision(request.request_id)
            if decision is None:
                return self.closer.close(incident, Outcome.REJECTED, why), False
        if decision.kind is DecisionKind.WITHDRAWN:
            # Whoever put another proposal in its place was cut off before it stood there.
            return self._anew(incident, f"{decision.by} withdrew the question: {decision.reason}"), True
        if decision.kind is not DecisionKind.APPROVED:
            return self.closer.rejected(incident, decision), False
        incident = self._put(incident.advance(_S.APPLYING))
        yield Progressed(incident)
        try:
            applied = apply_candidate(
                self.store,
                self.project,
                attempt.candidate,
                request_id=request.request_id,
                policy=self.governance.policy_version,
                incident_id=incident.incident_id,
                fingerprint=incident.fingerprint.value,
            )
        except DriftError as error:
            self.store.audit.append(
                "approval.void", actor="engine", incident_id=incident.incident_id, data={"why": str(error)}
            )
            return self._anew(incident, str(error)), True
        except (ApplyError, StoreError) as error:
            return self.closer.close(incident, Outcome.FAILED, str(error)), False
        incident = self._put(
            replace(
                incident.advance(_S.ON_PROBATION, message=f"applied by {decision.by}"),
                transaction_id=applied.transaction_id,
                request_id="",
            )
        )
        yield Progressed(incident)
        return incident, False

    def _anew(self, incident: Incident, why: str) -> Incident:
        now = self._as_files_are(incident)
        return self._put(replace(now, state=_S.ANALYZED, request_id="", chosen=-1, message=why))

    def _as_files_are(self, incident: Incident) -> Incident:
        """Follows lines that moved since the crash was taken in, by this very engine's other fixes not least."""
        return replace(incident, report=self.project.localise(incident.report))

    def _put(self, incident: Incident) -> Incident:
        self.store.incidents.put(incident)
        return incident

    def _fresh(self, incident: Incident) -> Incident:
        return self.store.incidents.get(incident.incident_id)


def follow(walk: Generator[Any, Silence | None, T], answer: Callable[[Any], Silence | None]) -> T:
    """Runs a walk to its end.

    Args:
        walk: From `Engine.walk`, `Engine.resume`, or a loop around them.
        answer: Takes each step; what it returns for `ApprovalNeeded` says what silence means.

    Returns:
        What the walk returned.
    """
    try:
        step = next(walk)
        while True:
            step = walk.send(answer(step))
    except StopIteration as end:
        result: T = end.value
        return result
