"""The tests rung's state machine, without running anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from checks_world import BEFORE, make_context

from selfheal_tui.checks import tests as tests_rung
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.ports import TestRun
from selfheal_tui.model.settings import ProjectSettings, Settings

FAIL, WARN, PASS, NOPE = Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.NOT_POSSIBLE


def ran(passed: str = "", failed: str = "", **more: object) -> TestRun:
    run = TestRun(True, "pytest", frozenset(passed.split()), frozenset(failed.split()))
    return replace(run, **more)  # type: ignore[arg-type]


DID_NOT = TestRun(False, reason="no pytest in the project's interpreter")


def run(tmp_path: Path, before: TestRun, *after: TestRun) -> RungReport:
    context, workspace = make_context(tmp_path)
    workspace.tests = lambda fixed, only, count: after[min(count, len(after) - 1)] if fixed else before
    report = tests_rung.CHECK.run(context)
    assert workspace.files == {"app.py": BEFORE.encode()}
    return report


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (ran("a b"), [ran("a b")], PASS),
        (ran("a", "b"), [ran("a", "b")], PASS),
        (ran("a", "b"), [ran("a b")], PASS),
        (ran("a b"), [ran("a", "b"), ran("", "b")], FAIL),
        (ran("a b"), [ran("a", "b"), ran("b")], WARN),
        (ran("a b c"), [ran("a", "b c"), ran("b", "c")], FAIL),
        (ran("a b"), [ran("a"), ran()], FAIL),
        (ran("a b"), [ran("a"), ran("b")], WARN),
        (ran("a"), [ran("a", "new"), ran("", "new")], FAIL),
        (ran("a b"), [ran("a", timed_out=True)], FAIL),
        (ran("a b"), [DID_NOT, DID_NOT], FAIL),
        (ran("a b"), [DID_NOT, ran("a b")], PASS),
        (DID_NOT, [ran("a b")], NOPE),
        (ran(), [ran()], NOPE),
        (ran("a", timed_out=True), [ran("a")], NOPE),
        (ran("", "a b"), [ran("", "a b")], NOPE),
        (ran("", "a b"), [ran("a b")], PASS),
        (ran("", "collect"), [ran("a", "b")], NOPE),
    ],
)
def test_runs_are_compared_as_sets(
    tmp_path: Path, before: TestRun, after: list[TestRun], verdict: Verdict
) -> None:
    report = run(tmp_path, before, *after)
    assert report.verdict is verdict, report


def test_the_summary_counts_and_forgives_old_failures(tmp_path: Path) -> None:
    assert run(tmp_path, ran("a b", "c"), ran("a b", "c")).summary == "2/3, 1 failed before too"


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (ran("t[1] t[2]", "c"), ran("t[3] t[4]", "c"), Verdict.PASS),
        (ran("t[1]", "t[2]"), ran("t[3] t[4]"), Verdict.PASS),
        (ran("t[1] t[2]"), ran("t[3]", "t[4]"), Verdict.FAIL),
        (ran("t[1] t[2]"), ran("t[3]"), Verdict.FAIL),
        (ran("t[1] u[1]"), ran("t[1] v[1]"), Verdict.FAIL),
        (ran("t u"), ran("t v"), Verdict.FAIL),
    ],
    ids=["other names", "one cured", "one fails", "one gone", "another test", "no cases"],
)
def test_cases_that_only_go_by_another_name_did_not_vanish(
    tmp_path: Path, before: TestRun, after: TestRun, verdict: Verdict
) -> None:
    assert run(tmp_path, before, after, after).verdict is verdict


def test_the_tests_left_failing_are_counted_and_named(tmp_path: Path) -> None:
    report = run(tmp_path, ran("a", "d c"), ran("a", "d c"))
    assert (report.left_failing, report.left) == (2, ("c", "d"))


def test_the_summary_tells_what_passes_now(tmp_path: Path) -> None:
    report = run(tmp_path, ran("a", "b"), ran("a b"))
    assert report.summary == "2/2, 1 failed before and pass now"
    assert "passes now: b" in report.details


def test_a_worse_test_is_named(tmp_path: Path) -> None:
    report = run(tmp_path, ran("a b"), ran("a", "b"), ran("", "b"))
    assert "fails now: b" in report.details


def test_switched_off_is_never_a_pass(tmp_path: Path) -> None:
    settings = Settings(project=ProjectSettings(run_tests=False))
    context, _ = make_context(tmp_path, settings=settings)
    assert tests_rung.CHECK.run(context).verdict is NOPE


def test_the_baseline_is_run_once_and_only_worse_tests_are_run_again(tmp_path: Path) -> None:
    context, workspace = make_context(tmp_path)
    asked: list[tuple[str, ...]] = []

    def answer(fixed: bool, only: tuple[str, ...], count: int) -> TestRun:
        asked.append(only)
        return ran("", "b") if only else ran("a", "b") if fixed else ran("a b")

    workspace.tests = answer
    tests_rung.CHECK.run(context)
    tests_rung.CHECK.run(context)
    assert asked == [(), (), ("b",), (), ("b",)]
