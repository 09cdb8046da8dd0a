"""The replay rung's state machine, without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from checks_world import BEFORE, crash, make_context

from selfheal_tui.checks import replay
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Isolation, Verdict
from selfheal_tui.model.ports import ReplayPlan, ReplayResult, ReplayStatus

CALL = ReplayPlan("call", module="app", qualname="f", payload="/p")
COMMAND = ReplayPlan("command", argv=("python", "app.py"))

RED = ReplayResult(ReplayStatus.CRASHED, crash(), 1)
ALIKE = ReplayResult(ReplayStatus.CRASHED, crash(source=""), 1)
GREEN = ReplayResult(ReplayStatus.FINISHED, exit_code=0)
EXIT_3 = ReplayResult(ReplayStatus.FINISHED, exit_code=3)
TIMEOUT = ReplayResult(ReplayStatus.TIMEOUT)
NO = ReplayResult(ReplayStatus.NOT_POSSIBLE, reason="it cannot be unpickled")
MOVED = ReplayResult(ReplayStatus.CRASHED, crash("TypeError", "other"), 1)
SAME_TYPE = ReplayResult(ReplayStatus.CRASHED, crash(message="'X' object has no attribute 'zzz'"), 1)
ELSEWHERE = ReplayResult(ReplayStatus.CRASHED, crash("TypeError", "other", qualname="g", line=9), 1)
ASSERTED = ReplayResult(ReplayStatus.CRASHED, crash("AssertionError", "1 == 2", qualname="check", line=30), 1)
UNSEEN = ReplayResult(ReplayStatus.CRASHED, None, -11)


def run(
    tmp_path: Path,
    before: dict[str, ReplayResult],
    after: dict[str, ReplayResult | list[ReplayResult]],
    plans: tuple[ReplayPlan, ...] = (CALL,),
) -> RungReport:
    context, workspace = make_context(tmp_path, plans=plans)

    def answer(plan: ReplayPlan, fixed: bool, count: int) -> ReplayResult:
        found = after[plan.kind] if fixed else before[plan.kind]
        return found if isinstance(found, ReplayResult) else found[min(count, len(found) - 1)]

    workspace.replays = answer
    report = replay.CHECK.run(context)
    assert workspace.files == {"app.py": BEFORE.encode()}, "the original bytes must be put back"
    return report


FAIL, WARN, PASS, NOPE = Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.NOT_POSSIBLE


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (RED, GREEN, PASS),
        (ALIKE, GREEN, PASS),
        (RED, RED, FAIL),
        (RED, ALIKE, FAIL),
        (RED, TIMEOUT, FAIL),
        (RED, MOVED, FAIL),
        (RED, SAME_TYPE, FAIL),
        (RED, ELSEWHERE, WARN),
        (RED, UNSEEN, WARN),
        (RED, EXIT_3, WARN),
        (RED, NO, NOPE),
        (GREEN, GREEN, NOPE),
        (TIMEOUT, GREEN, NOPE),
        (NO, GREEN, NOPE),
        (ELSEWHERE, GREEN, NOPE),
        (UNSEEN, GREEN, NOPE),
        (RED, [GREEN, RED], WARN),
        (RED, [GREEN, TIMEOUT], WARN),
        (RED, [GREEN, GREEN], PASS),
    ],
)
@pytest.mark.parametrize("plan", [CALL, COMMAND])
def test_one_plan_ends_as_the_table_says(
    tmp_path: Path,
    plan: ReplayPlan,
    before: ReplayResult,
    after: ReplayResult | list[ReplayResult],
    verdict: Verdict,
) -> None:
    report = run(tmp_path, {plan.kind: before}, {plan.kind: after}, (plan,))
    assert report.verdict is verdict, report


@pytest.mark.parametrize(
    ("command", "call", "verdict"),
    [
        ((RED, GREEN), (RED, GREEN), PASS),
        ((RED, GREEN), (GREEN, GREEN), PASS),
        ((GREEN, GREEN), (RED, GREEN), PASS),
        ((RED, ELSEWHERE), (RED, GREEN), PASS),
        ((RED, ELSEWHERE), (GREEN, GREEN), WARN),
        ((RED, GREEN), (RED, RED), WARN),
        ((RED, ASSERTED), (RED, GREEN), WARN),
        ((RED, RED), (RED, GREEN), FAIL),
        ((RED, EXIT_3), (RED, GREEN), WARN),
        ((GREEN, GREEN), (NO, NO), NOPE),
        ((RED, NO), (RED, GREEN), PASS),
        ((RED, MOVED), (RED, GREEN), FAIL),
    ],
)
def test_two_plans_add_up_as_the_table_says(
    tmp_path: Path,
    command: tuple[ReplayResult, ReplayResult],
    call: tuple[ReplayResult, ReplayResult],
    verdict: Verdict,
) -> None:
    before = {"command": command[0], "call": call[0]}
    after: dict[str, ReplayResult | list[ReplayResult]] = {"command": command[1], "call": call[1]}
    report = run(tmp_path, before, after, (COMMAND, CALL))
    assert report.verdict is verdict, report


def test_without_plans_it_is_not_possible_and_says_why(tmp_path: Path) -> None:
    report = run(tmp_path, {}, {}, ())
    assert report.verdict is NOPE
    assert "no command" in report.summary


def test_the_baseline_is_measured_once_per_incident(tmp_path: Path) -> None:
    context, workspace = make_context(tmp_path, plans=(CALL,))
    workspace.replays = lambda plan, fixed, count: GREEN if fixed else RED
    replay.CHECK.run(context)
    replay.CHECK.run(context)
    assert workspace.log.count("replay call False") == 1
    assert workspace.log.count("replay call True") == 4


def test_a_slow_green_is_not_run_again(tmp_path: Path) -> None:
    context, workspace = make_context(tmp_path, plans=(CALL,))
    slow = ReplayResult(ReplayStatus.CRASHED, crash(), 1, seconds=6.0)
    workspace.replays = lambda plan, fixed, count: GREEN if fixed else slow
    assert replay.CHECK.run(context).verdict is PASS
    assert workspace.log.count("replay call True") == 1


def test_a_crash_captured_differently_is_said_to_be(tmp_path: Path) -> None:
    report = run(tmp_path, {"call": ALIKE}, {"call": GREEN})
    assert any("captured differently" in d for d in report.details)


def test_the_isolation_is_on_record_and_secrets_are_masked(tmp_path: Path) -> None:
    leak = ReplayResult(ReplayStatus.CRASHED, crash(), 1, output="password=hunter2hunter2")
    report = run(tmp_path, {"call": RED}, {"call": leak})
    assert report.isolation is Isolation.BUBBLEWRAP
    assert not any("hunter2hunter2" in d for d in report.details)


def test_the_original_is_put_back_even_when_the_sandbox_breaks(tmp_path: Path) -> None:
    context, workspace = make_context(tmp_path, plans=(CALL,))

    def answer(plan: ReplayPlan, fixed: bool, count: int) -> ReplayResult:
        if fixed:
            raise OSError("gone")
        return RED

    workspace.replays = answer
    with pytest.raises(OSError, match="gone"):
        replay.CHECK.run(context)
    assert workspace.files == {"app.py": BEFORE.encode()}


def test_a_call_that_still_crashes_on_its_old_arguments_does_not_speak_against_a_fix_in_its_caller(
    tmp_path: Path,
) -> None:
    inner = ReplayPlan("call", module="app", qualname="callee", payload="/p")
    report = run(tmp_path, {"command": RED, "call": RED}, {"command": GREEN, "call": RED}, (COMMAND, inner))
    assert report.verdict is PASS
    assert any("callee" in line for line in report.details)
