"""Doubts about what was meant, and the tests that settle them, or do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from checks_world import make_context

from selfheal_tui.checks import tests as tests_rung
from selfheal_tui.checks.findings import Finding, conclude, doubt, warn
from selfheal_tui.checks.honesty import honesty_findings
from selfheal_tui.checks.judged import is_test_file, judging_test
from selfheal_tui.checks.pairs import make_pair
from selfheal_tui.checks.replay import Effect, Outcome, settled_by_command
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.evidence import RUNGS, Proof, RungReport
from selfheal_tui.model.kinds import CaptureSource, Verdict
from selfheal_tui.model.ports import ReplayPlan, TestRun


def proof_of(**changed: RungReport) -> Proof:
    return Proof("c", "0", tuple(changed.get(name, RungReport(name, Verdict.PASS, "")) for name in RUNGS))


GUARD = RungReport("honesty", Verdict.WARN, "a guard", settleable=True)
JUDGED = RungReport("replay", Verdict.PASS, "red → green", judged="test_app.py::test_f")


def test_a_doubt_is_settled_by_a_test_that_the_crash_broke_off() -> None:
    assert not proof_of(honesty=GUARD, replay=JUDGED).flagged


@pytest.mark.parametrize(
    "reports",
    [
        {"honesty": GUARD},
        {"honesty": replace(GUARD, settleable=False), "replay": JUDGED},
        {"honesty": replace(GUARD, verdict=Verdict.FAIL), "replay": JUDGED},
        {"honesty": GUARD, "replay": replace(JUDGED, verdict=Verdict.WARN)},
        {"honesty": GUARD, "replay": replace(JUDGED, verdict=Verdict.FAIL)},
        {"honesty": GUARD, "replay": JUDGED, "coverage": RungReport("coverage", Verdict.WARN, "far away")},
        {"honesty": GUARD, "replay": JUDGED, "tests": RungReport("tests", Verdict.FAIL, "worse")},
    ],
)
def test_nothing_less_settles_it(reports: dict[str, RungReport]) -> None:
    assert proof_of(**reports).flagged


def test_one_plain_warning_keeps_a_rung_from_being_settled() -> None:
    assert conclude("honesty", [doubt("a.py", 1, "guard")], "").settleable
    assert not conclude("honesty", [doubt("a.py", 1, "guard"), warn("a.py", 2, "other")], "").settleable


def found(before: str, after: str) -> list[Finding]:
    return honesty_findings(make_pair("app.py", before, after))


GUARDED = "def f(x):\n    if x is None:\n        return None\n    return x.a\n"


@pytest.mark.parametrize(
    ("before", "after", "settleable"),
    [
        ("def f(x):\n    return x.a\n", GUARDED, True),
        (
            "def f(x):\n    try:\n        return int(x)\n    except ValueError:\n        return 0\n",
            "def f(x):\n    try:\n        return int(x)\n    except (ValueError, TypeError):\n        return 0\n",
            True,
        ),
        (
            "def f(user):\n    go(user)\n",
            "def f(user):\n    if not user.allowed:\n        return\n    go(user)\n",
            False,
        ),
        (
            "def f(p):\n    if not p.approved:\n        raise ValueError\n    go()\n",
            "def f(p):\n    if p.x and not p.approved:\n        raise ValueError\n    go()\n",
            False,
        ),
    ],
)
def test_guards_can_be_settled_and_permissions_cannot(before: str, after: str, settleable: bool) -> None:
    findings = found(before, after)
    assert findings
    assert all(f.settleable for f in findings) is settleable


TEST = "from app import f\n\n\ndef test_f():\n    assert f(1) == 1\n\n\ndef test_only_runs():\n    f(1)\n\n\ndef test_early():\n    assert f\n    f(1)\n"


def beneath(line: int, function: str, path: str = "test_app.py") -> CrashReport:
    frames = (
        Frame(file="/p/" + path, qualname=function, line=line, path=path, in_app=True),
        Frame(file="/p/app.py", qualname="f", line=5, path="app.py", in_app=True),
    )
    return CrashReport("0" * 32, 0.0, CaptureSource.PROBE, (ExceptionInfo("TypeError", "x", frames),))


@pytest.mark.parametrize(
    ("line", "function", "judges"),
    [(5, "test_f", True), (9, "test_only_runs", False), (14, "test_early", False), (5, "helper", False)],
)
def test_only_a_test_that_goes_on_to_assert_judges(
    tmp_path: Path, line: int, function: str, judges: bool
) -> None:
    context, _ = make_context(tmp_path, report=beneath(line, function))
    (tmp_path / "test_app.py").write_text(TEST)
    assert bool(judging_test(context)) is judges


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/test_a.py", True),
        ("a_test.py", True),
        ("contest.py", False),
        ("testing.py", False),
        ("test_a.txt", False),
    ],
)
def test_test_files_are_known_by_their_names(path: str, expected: bool) -> None:
    assert is_test_file(path) is expected


def runs(at: str) -> tuple[TestRun, TestRun]:
    before = TestRun(True, "pytest", frozenset({"t.py::a"}), frozenset({"t.py::b", "t.py::c"}))
    after = replace(before, passed=frozenset({"t.py::a", "t.py::b"}), failed=frozenset({"t.py::c"}))
    return before, replace(after, failed_at=(("t.py::c", at),))


@pytest.mark.parametrize(
    ("at", "verdict"), [("app.py", Verdict.WARN), ("other.py", Verdict.PASS), ("", Verdict.PASS)]
)
def test_a_fix_that_may_be_half_of_one_asks(tmp_path: Path, at: str, verdict: Verdict) -> None:
    context, workspace = make_context(tmp_path)
    before, after = runs(at)
    workspace.tests = lambda fixed, only, count: after if fixed else before
    report = tests_rung.CHECK.run(context)
    assert report.verdict is verdict
    assert bool(report.judged) is (verdict is Verdict.PASS)
    assert not report.settleable


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("t.py::c", Verdict.WARN), ("other.py::c", Verdict.PASS)],
    ids=["beside", "elsewhere"],
)
def test_a_test_that_crashed_in_what_was_changed_and_now_finds_a_wrong_answer_asks(
    tmp_path: Path, name: str, verdict: Verdict
) -> None:
    context, workspace = make_context(tmp_path)
    before, after = runs("t.py")
    before = replace(before, failed=frozenset({"t.py::b", name}), failed_at=((name, "app.py"),))
    after = replace(after, failed=frozenset({name}), failed_at=((name, name.partition("::")[0]),))
    workspace.tests = lambda fixed, only, count: after if fixed else before
    report = tests_rung.CHECK.run(context)
    assert report.verdict is verdict
    assert bool(report.judged) is (verdict is Verdict.PASS)


CALL, COMMAND = ReplayPlan(kind="call", qualname="f"), ReplayPlan(kind="command", argv=("python", "x.py"))


@pytest.mark.parametrize(
    ("effect", "warned"), [(Effect.RED, False), (Effect.MOVED, False), (Effect.TIMEOUT, True)]
)
def test_an_asserting_test_outweighs_a_repeated_call(tmp_path: Path, effect: Effect, warned: bool) -> None:
    context, _ = make_context(tmp_path, report=beneath(5, "test_f"))
    (tmp_path / "test_app.py").write_text(TEST)
    (tmp_path / "app.py").write_text(
        "import os\n\n\ndef f(x):\n    return x.nmae\n\n\ndef g(x):\n    return f(x)\n"
    )
    outcomes = [Outcome(COMMAND, Effect.GREEN, ""), Outcome(CALL, effect, "")]
    assert bool(settled_by_command(context, outcomes)[1]) is warned


def test_without_one_a_repeated_call_that_crashes_asks(tmp_path: Path) -> None:
    context, _ = make_context(tmp_path)
    outcomes = [Outcome(COMMAND, Effect.GREEN, ""), Outcome(CALL, Effect.MOVED, "")]
    assert settled_by_command(context, outcomes)[1]
