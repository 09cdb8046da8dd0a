"""Tries candidates on the replay alone, so that a search can look at many before it offers a few.

Runs in the isolated copy only; a candidate that a check of its code would refuse is not run at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from selfheal_tui.checks import honesty, safety, scope
from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.ladder import run_check
from selfheal_tui.checks.replay import Effect, classify, reproduced
from selfheal_tui.checks.written import written
from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.ports import ReplayPlan, ReplayResult
from selfheal_tui.model.trial import TrialOutcome, TrialResult
from selfheal_tui.pipeline.binding import contents_before
from selfheal_tui.source.project import Project

SLOWEST_FACTOR, LEAST_SECONDS = 3.0, 4.0
"""A variant may take that much longer than the crash took; one that hangs must not eat up the budget."""

_OUTCOMES = {
    Effect.GREEN: TrialOutcome.GREEN,
    Effect.GREEN_BUT: TrialOutcome.FURTHER,
    Effect.PROGRESSED: TrialOutcome.FURTHER,
}


class SerialTrials:
    """Tries one candidate after the other.

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
            seconds: When to stop.

        Yields:
            A result for each that was looked at; none when the crash cannot be reproduced.
        """
        ends = time.monotonic() + seconds
        known: tuple[ReplayPlan, ReplayResult] | None = None
        for candidate in candidates:
            context = self._context_of(candidate=candidate, before=contents_before(self._project, candidate))
            refusal = _refusal(context)
            if refusal:
                yield TrialResult(candidate, TrialOutcome.REFUSED, refusal)
                continue
            if known is None:
                known = reproduced(context)
                if known is None:
                    return
            yield _tried(context, *known)
            if time.monotonic() > ends:
                return


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
