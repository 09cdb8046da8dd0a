"""Searches for a fix: candidate after candidate onto the ladder, until one is proved or all have run dry.

It judges by `select` and decides nothing: what a proof is worth is governance's business.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from selfheal_tui.checks.base import Baseline, CheckContext
from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.diagnosis import Diagnosis
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Attempt, Incident, IncidentState
from selfheal_tui.model.laboratory import Laboratory
from selfheal_tui.model.ports import ReplayPlan, Sandbox, Workspace
from selfheal_tui.model.settings import Settings
from selfheal_tui.model.trial import Trials
from selfheal_tui.pipeline.binding import contents_before
from selfheal_tui.pipeline.learn import FactChecker, add_costs, keys_of
from selfheal_tui.pipeline.propose import Told, candidate_key, candidates
from selfheal_tui.pipeline.select import better, is_free, rivals_of, settled, vouched, worth_a_rival_check
from selfheal_tui.pipeline.sequels import Sequels
from selfheal_tui.pipeline.steps import Judged, Proposed, RungEnded, Step
from selfheal_tui.pipeline.trials import ReplayTrials
from selfheal_tui.pipeline.validate import replay_plans, validate
from selfheal_tui.repair.base import Proposer, RepairContext
from selfheal_tui.source.fingerprint import fingerprint
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

MODEL = "llm"
"""Name of the proposer that asks a model."""
RULES = "rules"
"""Name of the proposer that derives fixes."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the engine works with.

    Attributes:
        sandbox: Makes isolated copies.
        proposers: In the order in which they are asked.
        interpreter: The project's Python.
    """

    sandbox: Sandbox
    proposers: Sequence[Proposer]
    interpreter: str


class Search:
    """Finds the best-proved candidate for an incident.

    Args:
        project: The project.
        settings: All settings.
        store: The store.
        quiet: Leaves the incident on disk as it is: whoever searches keeps what comes of it. For searches beside an
            open question, which must stand whatever becomes of them.
    """

    def __init__(self, project: Project, settings: Settings, store: Store, *, quiet: bool = False) -> None:
        self._project = project
        self._settings = settings
        self._store = store
        self._quiet = quiet
        self._facts = FactChecker(store)

    def __call__(
        self,
        tools: Tools,
        workspace: Workspace,
        incident: Incident,
        told: Told,
        *,
        skip: Callable[[Candidate], bool] | None = None,
    ) -> Generator[Step, object, tuple[Incident, Attempt | None, int]]:
        """Proposes and validates.

        Args:
            tools: Proposers and interpreter.
            workspace: The isolated copy.
            incident: In state `proposing`, with its diagnosis.
            told: Collects what proposers said besides candidates.
            skip: Given for another candidate than all that were tried; tells which are the same over again.

        Yields:
            Steps.

        Returns:
            The incident with its attempts; the best attempt, or None; how many rivals it has.
        """
        diagnosis = incident.diagnosis
        assert diagnosis is not None
        plans = replay_plans(self._store, self._project, incident.report, self._settings, tools.interpreter)
        baseline = Baseline()
        tried: list[Attempt] = []
        best: Attempt | None = None
        context_of = partial(
            CheckContext,
            self._project,
            incident.report,
            incident.fingerprint,
            lambda other: fingerprint(self._project.localise(other)),
            diagnosis,
            settings=self._settings,
            plans=plans,
            baseline=baseline,
            workspace=workspace,
        )
        trials = ReplayTrials(context_of, self._project)
        sequels = Sequels(
            self._project,
            lambda c: context_of(candidate=c, before=contents_before(self._project, c)),
            [p for p in tools.proposers if p.name == RULES],
            tools.interpreter,
        )
        stream = self._candidates(
            tools,
            incident,
            diagnosis,
            told,
            skip,
            trials if plans else None,
            lambda: best is not None and settled(best) and vouched(best),
            workspace,
            plans,
        )
        most = self._settings.limits.attempts_per_incident
        kept = self._settings.model.candidates if any(p.name == MODEL for p in tools.proposers) else 0
        told_last: Attempt | None = None
        wholes: list[Candidate] = []
        while len(tried) < most:
            whole = wholes.pop(0) if wholes else None
            if whole is not None:
                candidate = whole
            else:
                try:
                    candidate = stream.send(told_last)
                except StopIteration:
                    break
                told_last = None
            if best is not None and not worth_a_rival_check(best, candidate, len(tried)):
                if vouched(best):
                    break
                continue
            if candidate.guess and candidate.proposer != MODEL and len(tried) >= most - kept:
                continue  # so that guesses do not use up what a model may try
            incident = self._put(incident.advance(IncidentState.VALIDATING))
            incident, attempt = yield from self._put_to_proof(
                incident, candidate, diagnosis, workspace, plans, baseline
            )
            tried.append(attempt)
            told_last = attempt if whole is None else told_last
            best = better(best, attempt)
            if not settled(best):
                wholes += self._untried(sequels.of(attempt), incident, skip)
            incident = self._put(incident.advance(IncidentState.PROPOSING))
        stream.close()
        incident = self._billed(incident, told)
        if best is not None:
            incident = self._put(incident.advance(IncidentState.VALIDATING))
        return incident, best, rivals_of(best, tried)

    def _untried(
        self, found: Sequence[Candidate], incident: Incident, skip: Callable[[Candidate], bool] | None
    ) -> list[Candidate]:
        barred = {*self._store.learning.blacklisted(incident.fingerprint.value)}
        barred |= {attempt.ast_key for attempt in incident.attempts}
        return [c for c in found if candidate_key(c) not in barred and not (skip is not None and skip(c))]

    def prove(
        self, tools: Tools, workspace: Workspace, incident: Incident, candidate: Candidate
    ) -> Generator[Step, object, tuple[Incident, Attempt]]:
        """Puts one given candidate to the whole proof.

        Args:
            tools: The interpreter.
            workspace: The isolated copy.
            incident: With its diagnosis.
            candidate: The fix.

        Yields:
            Steps.

        Returns:
            The incident with the attempt at its end, and the attempt.
        """
        diagnosis = incident.diagnosis
        assert diagnosis is not None
        plans = replay_plans(self._store, self._project, incident.report, self._settings, tools.interpreter)
        return (yield from self._put_to_proof(incident, candidate, diagnosis, workspace, plans, Baseline()))

    def _put_to_proof(
        self,
        incident: Incident,
        candidate: Candidate,
        diagnosis: Diagnosis,
        workspace: Workspace,
        plans: tuple[ReplayPlan, ...],
        baseline: Baseline,
    ) -> Generator[Step, object, tuple[Incident, Attempt]]:
        yield Proposed(incident, candidate)
        proof = yield from self._climb(incident, candidate, diagnosis, workspace, plans, baseline)
        attempt = Attempt(candidate=candidate, proof=proof, ast_key=candidate_key(candidate))
        incident = self._judged(incident, attempt)
        yield Judged(incident, candidate, proof)
        return incident, attempt

    def _candidates(
        self,
        tools: Tools,
        incident: Incident,
        diagnosis: Diagnosis,
        told: Told,
        skip: Callable[[Candidate], bool] | None,
        trials: Trials | None,
        enough: Callable[[], bool],
        workspace: Workspace,
        plans: tuple[ReplayPlan, ...],
    ) -> Generator[Candidate, Attempt | None, None]:
        crash = incident.fingerprint.value
        # One that nobody decided on (the request expired, the files drifted) is free to be proposed again.
        free = () if skip is not None else tuple(a for a in incident.attempts if is_free(a))
        earlier = tuple(a for a in incident.attempts if a not in free)
        context = RepairContext(
            project=self._project,
            report=incident.report,
            diagnosis=diagnosis,
            settings=self._settings,
            interpreter=tools.interpreter,
            attempts=earlier,
            rejections=tuple(a.note for a in earlier if a.note.startswith("rejected")),
            trials=trials,
            laboratory=workspace if isinstance(workspace, Laboratory) else None,
            plans=plans,
        )
        barred = set(self._store.learning.blacklisted(crash))
        barred |= {a.ast_key for a in earlier if a.proof.failed or skip is not None}
        return candidates(
            tools.proposers,
            context,
            barred=barred,
            record=lambda c: self._facts.success_rate(keys_of(c, crash)[0]),
            told=told,
            skip=skip or (lambda _candidate: False),
            enough=enough,
        )

    def _climb(
        self,
        incident: Incident,
        candidate: Candidate,
        diagnosis: Diagnosis,
        workspace: Workspace,
        plans: tuple[ReplayPlan, ...],
        baseline: Baseline,
    ) -> Generator[Step, object, Proof]:
        reports = []
        for rung in validate(
            workspace,
            self._project,
            candidate,
            report=incident.report,
            crash=incident.fingerprint,
            diagnosis=diagnosis,
            settings=self._settings,
            plans=plans,
            baseline=baseline,
        ):
            reports.append(rung)
            yield RungEnded(incident, candidate, rung)
        return Proof(candidate.candidate_id, candidate.patch_sha256, tuple(reports))

    def _judged(self, incident: Incident, attempt: Attempt) -> Incident:
        candidate, proof = attempt.candidate, attempt.proof
        self._store.audit.append(
            "candidate.judged",
            actor="engine",
            incident_id=incident.incident_id,
            data={
                "candidate": candidate.candidate_id,
                "proposer": candidate.proposer,
                "rule": candidate.rule,
                "patch_sha256": candidate.patch_sha256,
                "rungs": {r.rung: r.verdict.value for r in proof.reports},
                "isolation": next((r.isolation.value for r in proof.reports if r.isolation), ""),
                "tokens": candidate.cost.prompt_tokens + candidate.cost.completion_tokens,
                "usd": candidate.cost.usd,
            },
        )
        if proof.failed:
            self._facts.record_failure(keys_of(candidate, "")[0], proof.reports[-1].summary)
        return self._put(
            replace(
                incident,
                attempts=(*incident.attempts, attempt),
                cost=add_costs(incident.cost, candidate.cost),
            )
        )

    def _billed(self, incident: Incident, told: Told) -> Incident:
        """Puts questions that brought no candidate on the bill: they cost as much as the others."""
        for refusal in told.refusals:
            cost = refusal.cost
            if not (cost.prompt_tokens or cost.completion_tokens or cost.usd):
                continue
            self._store.audit.append(
                "model.asked",
                actor="engine",
                incident_id=incident.incident_id,
                data={
                    "reason": refusal.reason,
                    "tokens": cost.prompt_tokens + cost.completion_tokens,
                    "usd": cost.usd,
                },
            )
            incident = replace(incident, cost=add_costs(incident.cost, cost))
        return self._put(incident)

    def _put(self, incident: Incident) -> Incident:
        if not self._quiet:
            self._store.incidents.put(incident)
        return incident
