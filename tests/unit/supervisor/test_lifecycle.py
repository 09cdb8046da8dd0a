"""Programs change state only along the machine, and policies say what follows an end."""

from __future__ import annotations

import itertools

import pytest

from selfheal_tui.model.kinds import Restart
from selfheal_tui.supervisor.lifecycle import (
    AT_REST,
    TRANSITIONS,
    IllegalProgramStepError,
    ProgramSnapshot,
    ProgramState,
    starts_again,
)
from selfheal_tui.supervisor.program import ProgramExit


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ProgramState, repeat=2)))
def test_only_the_steps_of_the_machine_are_possible(before, after):
    program = ProgramSnapshot("a", ("x",), Restart.NEVER, state=before, next_start=9.0)
    if after in TRANSITIONS[before]:
        stepped = program.advance(after, 3.0)
        assert (stepped.state, stepped.since, stepped.next_start) == (after, 3.0, 0.0)
    else:
        with pytest.raises(IllegalProgramStepError, match="program a"):
            program.advance(after, 3.0)


def test_every_state_can_come_to_rest_and_start_again():
    for state in ProgramState:
        reached, frontier = set(), {state}
        while frontier:
            reached |= frontier
            frontier = {n for s in frontier for n in TRANSITIONS[s]} - reached
        assert reached >= AT_REST - {ProgramState.BROKEN}
        assert ProgramState.STARTING in reached


OK, FAILED = ProgramExit(0, None, 1.0), ProgramExit(3, None, 1.0)


@pytest.mark.parametrize(
    ("policy", "after_ok", "after_failure"),
    [(Restart.NEVER, False, False), (Restart.ON_CRASH, False, True), (Restart.ALWAYS, True, True)],
)
def test_the_policy_decides_unless_it_was_our_doing(policy, after_ok, after_failure):
    assert starts_again(policy, OK, by_us=False) is after_ok
    assert starts_again(policy, FAILED, by_us=False) is after_failure
    assert starts_again(policy, OK, by_us=True) is False
    assert starts_again(policy, FAILED, by_us=True) is False


def test_an_end_that_was_our_doing_counts_as_success():
    program = ProgramSnapshot("a", ("x",), Restart.NEVER, exit=FAILED)
    assert program.code == 3
    assert ProgramSnapshot("a", ("x",), Restart.NEVER, exit=FAILED, by_us=True).code == 0
    assert ProgramSnapshot("a", ("x",), Restart.NEVER).code == 0


def test_a_program_that_its_breaker_kept_from_starting_is_no_success():
    assert ProgramSnapshot("a", ("x",), Restart.NEVER, state=ProgramState.BROKEN).code == 77
