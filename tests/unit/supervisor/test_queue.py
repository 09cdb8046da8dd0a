"""The queue of incidents: ranks, one job per incident, waiters, and the states a job may pass through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, ProcessFacts
from selfheal_tui.model.kinds import CaptureSource, Environment
from selfheal_tui.supervisor.queue import (
    ENDED,
    TRANSITIONS,
    IllegalJobStepError,
    IncidentQueue,
    JobState,
    Priority,
    Waiter,
    priority_of,
)


def a_report(kind: str = "exception", *, handled: bool = False, waits_until: float = 0.0) -> CrashReport:
    return CrashReport(
        "r",
        0.0,
        CaptureSource.PROBE,
        (ExceptionInfo("E", ""),),
        process=ProcessFacts(handled=handled),
        kind=kind,
        waits_until=waits_until,
    )


@pytest.mark.parametrize(
    ("report", "environment", "rank"),
    [
        (a_report(), Environment.PRODUCTION, Priority.UNCAUGHT_IN_PRODUCTION),
        (a_report("thread"), Environment.PRODUCTION, Priority.UNCAUGHT_IN_PRODUCTION),
        (a_report("task"), Environment.LOCAL, Priority.UNCAUGHT),
        (a_report("guard", handled=True, waits_until=9.0), Environment.PRODUCTION, Priority.WAITED_FOR),
        (a_report("guard", handled=True, waits_until=4.0), Environment.PRODUCTION, Priority.HANDLED),
        (a_report("logged", handled=True), Environment.PRODUCTION, Priority.HANDLED),
        (a_report("warning"), Environment.PRODUCTION, Priority.WARNING),
        (a_report("blocked-loop"), Environment.LOCAL, Priority.WARNING),
    ],
)
def test_what_nobody_caught_in_production_goes_first_and_warnings_go_last(
    report: CrashReport, environment: Environment, rank: Priority
) -> None:
    assert priority_of(report, environment, now=5.0) is rank


def test_jobs_start_by_rank_and_then_by_arrival() -> None:
    queue = IncidentQueue()
    queue.add("warning", Priority.WARNING)
    queue.add("first", Priority.UNCAUGHT)
    queue.add("second", Priority.UNCAUGHT)
    queue.add("urgent", Priority.UNCAUGHT_IN_PRODUCTION)
    order = []
    while job := queue.start_next(0.0):
        order.append(job.incident_id)
    assert order == ["urgent", "first", "second", "warning"]


def test_ten_threads_with_one_crash_make_one_job_whose_waiters_are_all_answered_once() -> None:
    queue = IncidentQueue()
    for number in range(10):
        waiters = [Waiter(f"r{number}", "there", 10.0)] if number else []
        queue.add("a1b2", Priority.WAITED_FOR, waiters=waiters)
        queue.add("a1b2", Priority.WAITED_FOR, waiters=waiters)  # delivered twice
        if number == 4:
            assert queue.start_next(0.0) is not None
    assert len(queue.jobs()) == 1
    assert [w.report_id for w in queue.take_waiters("a1b2", now=1.0)] == [f"r{n}" for n in range(1, 10)]
    assert queue.take_waiters("a1b2", now=1.0) == ()


def test_who_waits_no_longer_is_not_answered() -> None:
    queue = IncidentQueue()
    queue.add("a", Priority.HANDLED, waiters=[Waiter("old", "x", 1.0), Waiter("new", "x", 3.0)])
    assert [w.report_id for w in queue.take_waiters("a", now=2.0)] == ["new"]


def test_a_job_that_is_running_only_gets_a_better_rank_and_is_not_started_again() -> None:
    queue = IncidentQueue()
    queue.add("a", Priority.HANDLED)
    assert queue.start_next(0.0) is not None
    job = queue.add("a", Priority.UNCAUGHT)
    assert (job.state, job.priority) == (JobState.RUNNING, Priority.UNCAUGHT)
    assert queue.start_next(0.0) is None


def test_a_job_is_not_started_before_its_time() -> None:
    queue = IncidentQueue()
    queue.add("a", Priority.UNCAUGHT)
    queue.start_next(0.0)
    queue.move("a", JobState.QUEUED, "busy", not_before=5.0)
    assert queue.start_next(4.9) is None
    assert queue.start_next(5.0) is not None


def test_a_queued_job_can_be_cancelled_and_is_then_not_started() -> None:
    queue = IncidentQueue()
    queue.add("a", Priority.UNCAUGHT)
    queue.move("a", JobState.CANCELLED, "by kim")
    assert queue.start_next(0.0) is None
    assert queue.get("a").reason == "by kim"  # type: ignore[union-attr]


def test_a_crash_that_returns_opens_an_ended_job_anew_at_the_end_of_its_rank() -> None:
    queue = IncidentQueue()
    queue.add("a", Priority.UNCAUGHT)
    queue.start_next(0.0)
    queue.move("a", JobState.DONE)
    queue.add("b", Priority.UNCAUGHT)
    queue.add("a", Priority.UNCAUGHT)
    assert [job.incident_id for job in queue.in_state(JobState.QUEUED)] == ["b", "a"]


def test_only_ended_jobs_are_forgotten() -> None:
    queue = IncidentQueue()
    for name in "abcd":
        queue.add(name, Priority.UNCAUGHT)
    for _ in range(3):
        job = queue.start_next(0.0)
        assert job is not None
        queue.move(job.incident_id, JobState.DONE)
    queue.forget_ended(1)
    assert [job.incident_id for job in queue.jobs()] == ["c", "d"]


@given(st.lists(st.sampled_from(list(JobState)), max_size=12))
def test_a_job_takes_only_the_steps_of_its_state_machine(steps: list[JobState]) -> None:
    queue = IncidentQueue()
    state = queue.add("a", Priority.UNCAUGHT).state
    for step in steps:
        if step is state or step in TRANSITIONS[state]:
            state = queue.move("a", step).state
            assert state is step
        else:
            with pytest.raises(IllegalJobStepError):
                queue.move("a", step)
            assert queue.get("a").state is state  # type: ignore[union-attr]


def test_every_state_can_be_left_so_that_no_job_is_stuck() -> None:
    assert set(TRANSITIONS) == set(JobState)
    assert all(TRANSITIONS[state] for state in JobState)
    assert all(JobState.RUNNING not in TRANSITIONS[state] for state in ENDED)
