"""Climbs the proof ladder: all rungs in order, up to the first that fails.

A check that breaks is a failed check: nothing here may turn a problem of ours into a pass.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfheal_tui.checks import coverage, honesty, imports, replay, safety, scope, syntax, tests
from selfheal_tui.checks.base import Check, CheckContext
from selfheal_tui.checks.findings import make_report
from selfheal_tui.model.evidence import RUNGS, RungReport
from selfheal_tui.model.kinds import Verdict

CHECKS: tuple[Check, ...] = (
    syntax.CHECK,
    scope.CHECK,
    safety.CHECK,
    honesty.CHECK,
    imports.CHECK,
    coverage.CHECK,
    replay.CHECK,
    tests.CHECK,
)
"""All checks, in the order of `RUNGS`."""


def run_check(check: Check, context: CheckContext) -> RungReport:
    """Runs one check, and measures it.

    Args:
        check: The check.
        context: What it may look at.

    Returns:
        Its report; a failure that says why when the check itself broke or answered for another rung.
    """
    started = time.perf_counter()
    try:
        report = check.run(context)
    except Exception as error:  # noqa: BLE001 - whatever breaks in a check must end as a failed rung
        what = f"{type(error).__name__}: {error}"
        report = make_report(check.name, Verdict.FAIL, f"the check itself broke: {what}", [what])
    if report.rung != check.name:
        report = make_report(check.name, Verdict.FAIL, f"the check answered for {report.rung}")
    return replace(report, seconds=time.perf_counter() - started)


def climb(context: CheckContext, checks: Sequence[Check] = CHECKS) -> Iterator[RungReport]:
    """Climbs the ladder.

    Args:
        context: What the checks may look at.
        checks: The checks, cheapest first.

    Yields:
        Each rung's report as it ends; the first failure is the last report.
    """
    for check in sorted(checks, key=lambda c: RUNGS.index(c.name)):
        report = run_check(check, context)
        yield report
        if report.verdict is Verdict.FAIL:
            return
