"""The tests rung: the project's own tests, without and with the fix, compared as sets.

What failed before is no reproach; what passed before and does not now is. Runs programs in the isolated
copy only, and puts the original bytes back.
"""

from __future__ import annotations

from dataclasses import replace

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.findings import clip, make_report
from selfheal_tui.checks.judged import judging_test
from selfheal_tui.checks.renamed import renamed
from selfheal_tui.checks.written import written
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Isolation, Verdict
from selfheal_tui.model.ports import TestRun

_MAX_LISTED = 20
TEST_SECONDS_OF_HANG = 10.0
"""Time limit of one test, in seconds, with the fix of a hang."""
MOST_TELLING = 4
"""So many tests that pass with the fix of a hang are run without it: each may cost its whole limit."""
BASELINE_SECONDS_OF_HANG = 2.0
"""Time limit of one test, in seconds, without it: there tests are expected to hang."""


def _not_possible(reason: str, isolation: Isolation | None = None, output: str = "") -> RungReport:
    details = [clip(output.strip())] if output.strip() else []
    return make_report("tests", Verdict.NOT_POSSIBLE, reason, details, isolation=isolation)


def _run(context: CheckContext, seconds: float) -> TestRun:
    if context.report.stuck:
        return context.workspace.run_tests(seconds=seconds, each_seconds=BASELINE_SECONDS_OF_HANG)
    return context.workspace.run_tests(seconds=seconds)


def _baseline(context: CheckContext) -> TestRun:
    if context.baseline.tests is None:
        seconds = context.settings.sandbox.test_seconds
        context.baseline.tests = _run(context, seconds)
    return context.baseline.tests


def _cures_all(context: CheckContext) -> RungReport | None:
    """Runs the tests with the fix of a hang first, since without it they would hang one after the other.

    Returns:
        A pass if no test fails; else None, and the baseline knows how those that fail do without the fix.
    """
    seconds = context.settings.sandbox.test_seconds
    with written(context):
        after = context.workspace.run_tests(seconds=seconds, each_seconds=TEST_SECONDS_OF_HANG)
    if not after.ran or not after.passed:
        return None
    # Those that pass with the fix are run without it only to see whether they tell the difference.
    only = sorted(after.failed) or _telling(context, after.passed)
    before = TestRun(ran=True)
    if only:
        before = context.workspace.run_tests(
            seconds=seconds, only=only, each_seconds=BASELINE_SECONDS_OF_HANG
        )
    if not after.failed:
        return judge(before, after, None, context.workspace.isolation)
    if not before.ran:
        return None
    # Those that pass with the fix need no comparison.
    cured = [name for name in after.passed if _same_file(name, after.failed)]
    report = judge(before, after, None, context.workspace.isolation)
    if report.verdict is Verdict.PASS and cured:
        text = f"{report.summary}: beside tests that pass"
        return replace(report, verdict=Verdict.WARN, summary=text)
    return report


def _telling(context: CheckContext, names: frozenset[str]) -> list[str]:
    """A few tests that are likely to hang without the fix: neighbours of the test that did, or named like the function."""
    frames = [frame for info in context.report.chain for frame in info.frames if frame.path]
    files = {frame.path for frame in frames}
    functions = {frame.function.strip("_") for frame in frames if frame.in_app}
    near = [name for name in sorted(names) if name.partition("::")[0] in files]
    tests = {frame.function for frame in frames if frame.function.startswith("test")}
    near.sort(key=lambda name: name.rpartition("::")[2].partition("[")[0] not in tests)
    if not near:
        near = [name for name in sorted(names) if any(len(f) > 2 and f in name for f in functions)]
    return near[:MOST_TELLING]


def _same_file(name: str, others: frozenset[str]) -> bool:
    return name.partition("::")[0] in {other.partition("::")[0] for other in others}


def why_unusable(before: TestRun) -> str:
    """Says why a run on the unfixed copy is nothing to compare with; empty when it is."""
    if before.timed_out:
        return "the tests run into the time limit without the fix; raise sandbox.test_seconds"
    if not before.ran:
        return before.reason or "the tests could not be run"
    if not before.passed and not before.failed:
        return before.reason or "there are no tests"
    return ""


def broken(before: TestRun, after: TestRun) -> set[str]:
    """Names the tests that are worse off: newly failing, or passed before and now are nowhere."""
    newly = set(after.failed) - set(before.failed)
    vanished = set(before.passed) - set(after.passed) - set(after.failed)
    return (newly | vanished) - renamed(before, after)


def summary_of(before: TestRun, after: TestRun) -> str:
    """Counts, such as `52/52` or `51/52, 1 failed before too`."""
    total = len(after.passed) + len(after.failed)
    old = len(after.failed & before.failed)
    text = f"{len(after.passed)}/{total}"
    if old:
        text += f", {old} failed before too"
    cured = len(before.failed & after.passed)
    return text + (f", {cured} failed before and pass now" if cured else "")


def _listed(head: str, names: set[str] | frozenset[str]) -> list[str]:
    ordered = sorted(names)
    lines = [f"{head}: {name}" for name in ordered[:_MAX_LISTED]]
    more = len(ordered) - _MAX_LISTED
    return [*lines, f"{head}: … and {more} more"] if more > 0 else lines


def _run_fixed(context: CheckContext) -> tuple[TestRun, TestRun | None]:
    """Runs the tests with the fix, and those that got worse once more."""
    before = _baseline(context)
    seconds = context.settings.sandbox.test_seconds
    with written(context):
        after = context.workspace.run_tests(seconds=seconds)
        if not after.ran and not after.timed_out:
            after = context.workspace.run_tests(seconds=seconds)
        worse = broken(before, after)
        again = None
        if after.ran and not after.timed_out and worse:
            again = context.workspace.run_tests(seconds=seconds, only=sorted(worse))
    return after, again


def judge(before: TestRun, after: TestRun, again: TestRun | None, isolation: Isolation | None) -> RungReport:
    """Compares the runs.

    Args:
        before: Run on the unfixed copy.
        after: Run with the fix.
        again: Second run of the tests that got worse; None when there were none.
        isolation: How well the sandbox was walled off.

    Returns:
        The report.
    """
    output = [clip(after.output.strip())] if after.output.strip() else []

    def report(verdict: Verdict, text: str, details: list[str]) -> RungReport:
        cured = sorted(before.failed & after.passed)
        judged = cured[0] if cured and verdict is Verdict.PASS else ""
        return make_report(
            "tests",
            verdict,
            text,
            details,
            isolation=isolation,
            left_failing=after.failed & before.failed,
            judged=judged,
            cured=len(cured),
        )

    if after.timed_out:
        return report(Verdict.FAIL, "the tests no longer end with the fix", output)
    if not after.ran:
        why = after.reason or "they do not start"
        return report(Verdict.FAIL, f"the tests ran before, and cannot with the fix: {why}", output)
    worse = broken(before, after)
    cured = _listed("passes now", before.failed & after.passed)
    if not before.passed and (worse or not after.passed):
        return _not_possible("the tests were broken before the fix: none passed", isolation, before.output)
    summary = summary_of(before, after)
    if not worse:
        old = _listed("failed before too", after.failed & before.failed)
        return report(Verdict.PASS, summary, [*cured, *old])
    recovered = set(again.passed) if again is not None and again.ran else set()
    still = worse - recovered
    if still:
        failing, gone = still & set(after.failed), still - set(after.failed)
        details = [*_listed("fails now", failing), *_listed("no longer passes (skipped or gone)", gone)]
        flaky = _listed("failed once, passed when run again", worse - still)
        return report(Verdict.FAIL, f"{summary}; {len(still)} got worse", [*details, *flaky, *cured, *output])
    flaky = _listed("failed once, passed when run again", worse)
    return report(Verdict.WARN, f"{summary}; {len(worse)} flaky", [*flaky, *cured])


def half_done(context: CheckContext, before: TestRun, after: TestRun) -> list[str]:
    """Names tests beside the cured ones that failed in a changed file before and still fail, there or by now elsewhere.

    Whoever wrote these tests together meant one thing; a fix that serves only some of them may be half of it, or wrong:
    a test that crashed there and now finds a wrong answer says so. Tests of other files, and those that failed
    elsewhere all along (no network, an old dependency), say nothing about the fix.
    """
    changed = {edit.path for edit in context.candidate.edits}
    crashed = {name for name, place in before.failed_at if place in changed}
    judges = {name.partition("::")[0] for name in before.failed & after.passed}
    judges.add(judging_test(context).partition("::")[0])
    still = {name for name, place in after.failed_at if place in changed} | (crashed & after.failed)
    return sorted(name for name in still & before.failed if name.partition("::")[0] in judges - {""})


class _Tests:
    name = "tests"

    def run(self, context: CheckContext) -> RungReport:
        """Runs the project's tests without and with the fix."""
        if not context.settings.project.run_tests:
            return _not_possible("switched off by project.run_tests")
        isolation = context.workspace.isolation
        if context.report.stuck and (settled := _cures_all(context)) is not None:
            return settled
        before = _baseline(context)
        reason = why_unusable(before)
        if reason:
            return _not_possible(reason, isolation, before.output)
        after, again = _run_fixed(context)
        report = judge(before, after, again, isolation)
        left = half_done(context, before, after) if report.verdict is Verdict.PASS else []
        if not left:
            return report
        text = f"{report.summary}: {len(left)} beside those still fail in what was changed"
        return replace(report, verdict=Verdict.WARN, summary=text, judged="")


CHECK = _Tests()
