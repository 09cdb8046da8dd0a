"""Probation: which crashes speak against a fix, when the watch ends, and that a restart does not forget it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, ProcessFacts
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Attempt, Fingerprint, Incident, IncidentState
from selfheal_tui.model.kinds import CaptureSource, Environment, Outcome
from selfheal_tui.model.settings import SupervisionSettings
from selfheal_tui.pipeline.intake import TakenIn
from selfheal_tui.probe.reporter import REPEATS_OF
from selfheal_tui.store import Store
from selfheal_tui.supervisor.probation import (
    Watch,
    is_outdated,
    speaks_against,
    verdict_at_end,
    watch_over,
)

APPLIED_AT = 1000.0


def a_report(at: float, *, pid: int = 7, seconds: float = 0.0, function: str = "total") -> CrashReport:
    frame = Frame(file="/p/app.py", qualname=function, line=2, path="app.py", in_app=True)
    return CrashReport(
        "r",
        at,
        CaptureSource.PROBE,
        (ExceptionInfo("NameError", "x", (frame,)),),
        process=ProcessFacts(pid=pid, seconds=seconds),
    )


def an_incident(print_: str = "f" * 16, report: CrashReport | None = None, **changes: Any) -> Incident:
    candidate = Candidate(
        "rules", "r", "why", 0.9, (FileEdit("app.py", None, "x"),), (Location("app.py", "total", 1),)
    )
    values: dict[str, Any] = {
        "state": IncidentState.ON_PROBATION,
        "transaction_id": "t1",
        "attempts": (Attempt(candidate, Proof(candidate.candidate_id, "", ())),),
        "chosen": 0,
    }
    incident = Incident(
        print_[:4], Fingerprint(print_, 1), report or a_report(1.0), Environment.LOCAL, 1.0, 1.0
    )
    return replace(incident, **(values | changes))


def taken(incident: Incident, report: CrashReport, *, fresh: bool = True) -> list[TakenIn]:
    return [TakenIn(incident, report, fresh=fresh)]


WATCH = Watch("ffff", "t1", APPLIED_AT, current={7: 1005.0})


@pytest.mark.parametrize(
    ("report", "runs"),
    [
        (a_report(1006.0, pid=7, seconds=500.0), True),  # swapped before it crashed
        (a_report(1004.0, pid=7, seconds=500.0), False),  # crashed before it was swapped
        (a_report(1006.0, pid=8, seconds=500.0), False),  # started before the fix, never swapped
        (a_report(1006.0, pid=8, seconds=2.0), True),  # started after the fix
        (a_report(1006.0, pid=0), True),  # nothing is known: the safe side
        (a_report(999.0, pid=0), False),  # before the fix
        (a_report(1004.0, pid=7, seconds=1.0), False),  # a repeat tells the run time of the first of its kind
        (replace(a_report(1006.0, pid=8, seconds=2.0), context={REPEATS_OF: "r0"}), False),
        (replace(a_report(1006.0, pid=7, seconds=2.0), context={REPEATS_OF: "r0"}), True),
    ],
)
def test_only_a_crash_of_code_with_the_fix_counts_against_it(report: CrashReport, runs: bool) -> None:
    fixed = an_incident()
    assert WATCH.runs_it(report) is runs
    assert bool(speaks_against(WATCH, fixed, taken(fixed, report))) is runs
    assert is_outdated(WATCH, fixed, report) is not runs


def test_a_new_crash_inside_the_changed_function_counts_and_one_elsewhere_does_not() -> None:
    fixed, other = an_incident(), an_incident("e" * 16, state=IncidentState.DETECTED)
    inside, elsewhere = a_report(1006.0), a_report(1006.0, function="other")
    assert "changed function total" in speaks_against(WATCH, fixed, taken(other, inside))
    assert speaks_against(WATCH, fixed, taken(other, elsewhere)) == ""


def test_a_report_that_is_delivered_again_does_not_count() -> None:
    fixed = an_incident()
    assert speaks_against(WATCH, fixed, taken(fixed, a_report(1006.0), fresh=False)) == ""


def test_a_healed_crash_that_old_code_repeats_is_outdated_and_one_of_new_code_is_not() -> None:
    healed = an_incident(state=IncidentState.CLOSED, outcome=Outcome.HEALED)
    assert is_outdated(WATCH, healed, a_report(1006.0, pid=8, seconds=500.0))
    assert not is_outdated(WATCH, healed, a_report(1006.0, pid=8, seconds=1.0))
    reverted = an_incident(state=IncidentState.CLOSED, outcome=Outcome.ROLLED_BACK)
    assert not is_outdated(WATCH, reverted, a_report(1006.0, pid=8, seconds=500.0))


def test_time_ends_the_watch_and_so_do_enough_good_runs_if_asked_for() -> None:
    settings = SupervisionSettings(probation_seconds=60.0)
    assert verdict_at_end(WATCH, settings, APPLIED_AT + 59.0) == ""
    assert "60 s of probation" in verdict_at_end(WATCH, settings, APPLIED_AT + 60.0)
    ran = replace(WATCH, good_calls=3)
    assert verdict_at_end(ran, settings, APPLIED_AT + 1.0) == ""
    calls = SupervisionSettings(probation_seconds=60.0, probation_calls=3)
    assert "3 runs" in verdict_at_end(ran, calls, APPLIED_AT + 1.0)


def test_a_program_that_never_got_the_fix_is_named_when_the_watch_ends() -> None:
    behind = replace(WATCH, behind=frozenset({31, 9}))
    assert "restart process 9, 31" in verdict_at_end(behind, SupervisionSettings(), APPLIED_AT + 600.0)


def test_the_watch_is_the_same_after_a_restart_of_the_service(tmp_path: Path) -> None:
    now = [APPLIED_AT]

    def clock() -> float:
        now[0] += 1.0
        return now[0]

    incident = an_incident()
    with Store.open(tmp_path, clock=clock) as store:
        watch = None
        for kind, data in (
            ("change.applied", {}),
            ("program.restart_needed", {"pid": 7}),
            ("program.restart_needed", {"pid": 8}),
            ("program.swapped", {"pid": 7}),
            ("program.swapped", {"pid": 9, "restored": True}),
            ("program.ran_well", {"pid": 7, "calls": 4}),
            ("program.swapped", {"pid": 5, "transaction": "another"}),
            ("fix.delivered", {}),
        ):
            facts = {"transaction": "t1", **data}
            store.audit.append(kind, actor="engine", incident_id="ffff", data=facts)
    with Store.open(tmp_path) as store:
        watch = watch_over(store, incident)
        assert watch == Watch(
            "ffff", "t1", APPLIED_AT + 1, {7: APPLIED_AT + 4}, frozenset({8}), good_calls=4, delivered=True
        )
        assert watch_over(store, replace(incident, transaction_id="")) is None
        assert watch_over(store, replace(incident, transaction_id="unknown")) is None
