"""Hangs on the ladder: an early end proves nothing, a checked one does, and tests that hang cost little."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from checks_world import candidate_of, crash, edit_of, make_context

from selfheal_tui.checks import replay, tests
from selfheal_tui.checks.endings import doubt_about_ending
from selfheal_tui.model.crash import CrashReport, Frame
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.ports import ReplayPlan, ReplayResult, ReplayStatus, TestRun

LOOP = """\
def f(items):
    at = 0
    while at < len(items):
        if items[at]:
            at += 1
    return at
"""
STEP = LOOP.replace("            at += 1\n", "            at += 1\n        else:\n            at += 1\n")
BROKEN_OFF = LOOP.replace("            at += 1\n", "            at += 1\n        else:\n            break\n")
CHECKED = "from app import f\n\nassert f([0, 1]) == 2\n"
UNCHECKED = "from app import f\n\nprint(f([0, 1]))\n"
PLAN = ReplayPlan("command", argv=("python", "main.py"), hang_seconds=1.0)


def hang(function: str = "f", message: str = "still running after 3 s", line: int = 4) -> CrashReport:
    report = crash("TimeoutError", message, qualname=function, line=line, source="if items[at]:")
    main = Frame("/main.py", "<module>", 3, path="main.py", in_app=True)
    handler = Frame("/main.py", "late", 1, path="main.py", in_app=True, by_signal=True)
    frames = (main, report.raised.frames[-1], handler)
    return report.with_chain((replace(report.raised, frames=frames),))


def rung(tmp_path: Path, after: str, main: str, end: ReplayResult | None = None) -> RungReport:
    (tmp_path / "main.py").write_text(main)
    context, workspace = make_context(
        tmp_path,
        candidate=candidate_of(edit_of("app.py", LOOP, after)),
        before={"app.py": LOOP.encode()},
        plans=(PLAN,),
        report=hang(),
    )
    red = ReplayResult(ReplayStatus.CRASHED, replace(hang(line=3), kind="hang"), -9)
    green = end or ReplayResult(ReplayStatus.FINISHED, exit_code=0)
    workspace.replays = lambda plan, fixed, count: green if fixed else red
    report = replay.CHECK.run(context)
    assert workspace.files == {"app.py": LOOP.encode()}
    return report


def test_a_loop_that_gets_on_and_is_checked_is_proved(tmp_path: Path) -> None:
    assert rung(tmp_path, STEP, CHECKED).verdict is Verdict.PASS


def test_the_same_without_anybody_who_checks_it_is_flagged(tmp_path: Path) -> None:
    report = rung(tmp_path, STEP, UNCHECKED)
    assert report.verdict is Verdict.WARN
    assert "nothing checks" in report.summary


def test_a_loop_that_is_broken_off_is_flagged_however_it_is_checked(tmp_path: Path) -> None:
    report = rung(tmp_path, BROKEN_OFF, CHECKED)
    assert report.verdict is Verdict.WARN
    assert "leaves the loop early" in report.summary


def test_hanging_in_another_line_of_the_same_loop_is_no_progress(tmp_path: Path) -> None:
    other = replace(hang(line=3), kind="hang")
    shorter = other.with_chain((replace(other.raised, frames=other.raised.frames[1:2]),))
    report = rung(tmp_path, STEP, CHECKED, ReplayResult(ReplayStatus.CRASHED, shorter, -9))
    assert report.verdict is Verdict.FAIL
    assert "the same crash" in report.summary


def test_other_crashes_are_not_doubted(tmp_path: Path) -> None:
    assert doubt_about_ending(make_context(tmp_path)[0]) == ""


def judged(tmp_path: Path, after: TestRun, before: TestRun) -> tuple[RungReport, list[tuple[str, ...]]]:
    context, workspace = make_context(
        tmp_path,
        candidate=candidate_of(edit_of("app.py", LOOP, STEP)),
        before={"app.py": LOOP.encode()},
        report=hang(),
    )
    unfixed: list[tuple[str, ...]] = []

    def answer(fixed: bool, only: tuple[str, ...], count: int) -> TestRun:
        if not fixed:
            unfixed.append(only)
        return after if fixed else before

    workspace.tests = answer
    report = tests.CHECK.run(context)
    assert workspace.files == {"app.py": LOOP.encode()}
    return report, unfixed


def test_the_tests_of_a_hang_are_not_all_run_without_the_fix(tmp_path: Path) -> None:
    names = frozenset(f"main.py::test_f[{n}]" for n in range(30))
    after = TestRun(ran=True, passed=names)
    report, unfixed = judged(tmp_path, after, TestRun(ran=True, failed=frozenset(sorted(names)[:4])))
    assert report.verdict is Verdict.PASS
    assert report.cured == 4
    assert [len(only) for only in unfixed] == [4]


def test_tests_that_still_fail_beside_some_that_pass_are_told(tmp_path: Path) -> None:
    after = TestRun(ran=True, passed=frozenset({"t.py::a"}), failed=frozenset({"t.py::b"}))
    report, unfixed = judged(tmp_path, after, TestRun(ran=True, failed=frozenset({"t.py::b"})))
    assert unfixed == [("t.py::b",)]
    assert report.verdict is Verdict.WARN


def test_a_test_that_only_the_fix_breaks_refuses_it(tmp_path: Path) -> None:
    after = TestRun(ran=True, passed=frozenset({"t.py::a"}), failed=frozenset({"t.py::b"}))
    report, _ = judged(tmp_path, after, TestRun(ran=True, passed=frozenset({"t.py::b"})))
    assert report.verdict is Verdict.FAIL
