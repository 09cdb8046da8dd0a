"""Tries candidates on the replay alone, so that a search can look at many before it offers a few.

Runs in the isolated copy only. Where the copy is a laboratory, one start of the program serves all of them;
else each is run by itself, and one that a check of its code would refuse is not run at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from selfheal_tui.checks import honesty, safety, scope
from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.ladder import run_check
from selfheal_tui.checks.replay import Effect, classify, reproduced
from selfheal_tui.checks.written import written
from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.laboratory import Laboratory, TrialPlan, TrialRun, Variant
from selfheal_tui.model.ports import ReplayPlan, ReplayResult
from selfheal_tui.model.trial import TrialOutcome, TrialResult
from selfheal_tui.pipeline.binding import contents_before
from selfheal_tui.source.diff import changed_range
from selfheal_tui.source.project import Project

SLOWEST_FACTOR, LEAST_SECONDS = 3.0, 4.0
"""A variant may take that much longer than the crash took; one that hangs must not eat up the budget."""

_OUTCOMES = {
    Effect.GREEN: TrialOutcome.GREEN,
    Effect.GREEN_BUT: TrialOutcome.FURTHER,
    Effect.PROGRESSED: TrialOutcome.FURTHER,
}
BUDGET_REPLAYS, LONGEST_BUDGET = 25.0, 60.0
"""On a slow machine, or with a slow program, the budget is that many runs of the crash, up to that many seconds."""
_UNCHANGED = -1
_ENOUGH = 24
"""Green ones after which no more are tried: a person does not choose among more."""


class ReplayTrials:
    """Tries candidates on the first replay that shows the crash.

    Args:
        context_of: Makes a check context of a candidate (`candidate`) and what its files were (`before`).
        project: The live project.
    """

    def __init__(self, context_of: Callable[..., CheckContext], project: Project) -> None:
        self._context_of = context_of
        self._project = project

    def __call__(self, candidates: Iterable[Candidate], seconds: float) -> Iterator[TrialResult]:
        """Tries candidates in order.

        Args:
            candidates: Most promising first.
            seconds: When to stop; later where the crash itself takes long.

        Yields:
            A result for each that was looked at; none when the crash cannot be reproduced.
        """
        waiting = list(candidates)
        if not waiting:
            return
        first = self._context(waiting[0])
        known = reproduced(first)
        if known is None:
            return
        slow = min(LONGEST_BUDGET, known[1].seconds * BUDGET_REPLAYS)
        ends = time.monotonic() + max(seconds, slow)
        if isinstance(first.workspace, Laboratory):
            run, tried = self._together(first, known, waiting, max(1.0, ends - time.monotonic()))
            if not run.problem:
                yield from _told(run, tried)
                return
        for candidate in waiting:
            context = self._context(candidate)
            refusal = _refusal(context)
            if refusal:
                yield TrialResult(candidate, TrialOutcome.REFUSED, refusal)
                continue
            yield _tried(context, *known)
            if time.monotonic() > ends:
                return

    def _context(self, candidate: Candidate) -> CheckContext:
        return self._context_of(candidate=candidate, before=contents_before(self._project, candidate))

    def _together(
        self,
        context: CheckContext,
        known: tuple[ReplayPlan, ReplayResult],
        candidates: Sequence[Candidate],
        budget: float,
    ) -> tuple[TrialRun, list[Candidate]]:
        tried, variants = [], []
        for candidate in candidates:
            variant = self._variant(candidate)
            if variant is not None:
                tried.append(candidate)
                variants.append(variant)
        assert isinstance(context.workspace, Laboratory)
        plan, before = known
        run = context.workspace.try_variants(
            TrialPlan(
                replay=plan,
                files=tuple(dict.fromkeys(v.path for v in variants)),
                waves=(tuple(variants),),
                seconds=max(LEAST_SECONDS, before.seconds * SLOWEST_FACTOR),
                budget=budget,
                enough=_ENOUGH,
            )
        )
        return run, tried

    def _variant(self, candidate: Candidate) -> Variant | None:
        """The one range that a candidate of one file changes."""
        if len(candidate.edits) != 1:
            return None
        edit = candidate.edits[0]
        old = self._project.read(edit.path).text
        return Variant(edit.path, (changed_range(old, edit.text),))


def _told(run: TrialRun, tried: Sequence[Candidate]) -> Iterator[TrialResult]:
    for number, candidate in enumerate(tried):
        status = run.statuses.get(number)
        if status is None:
            continue
        yield TrialResult(
            candidate,
            TrialOutcome.GREEN if status == "green" else TrialOutcome.RED,
            status,
            run.behaviour.get(number),
            run.behaviour.get(_UNCHANGED),
            run.inputs.get(number, 0),
            run.unreadable,
        )


def _refusal(context: CheckContext) -> str:
    for check in (scope.CHECK, safety.CHECK, honesty.CHECK):
        report = run_check(check, context)
        if report.verdict is Verdict.FAIL:
            return report.summary
    return ""


def _tried(context: CheckContext, plan: ReplayPlan, before: ReplayResult) -> TrialResult:
    limit = min(context.settings.sandbox.replay_seconds, max(LEAST_SECONDS, before.seconds * SLOWEST_FACTOR))
    with written(context):
        result = context.workspace.replay(plan, seconds=limit)
    effect, text = classify(context, plan, result)
    return TrialResult(context.candidate, _OUTCOMES.get(effect, TrialOutcome.RED), text)
