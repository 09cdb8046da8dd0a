"""Choosing among judged candidates."""

from __future__ import annotations

from dataclasses import replace

from making import AFTER, a_candidate, a_proof

from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.pipeline.select import better, rivals_of, worth_a_rival_check


def attempt(
    suffix: str = "", confidence: float = 0.9, proposer: str = "rules", **verdicts: Verdict
) -> Attempt:
    candidate = a_candidate(after=AFTER + suffix, confidence=confidence, proposer=proposer)
    return Attempt(candidate, a_proof(candidate, **verdicts), ast_key=suffix)


def test_what_failed_is_never_chosen() -> None:
    assert better(None, attempt(safety=Verdict.FAIL)) is None


def test_a_proof_that_stopped_early_is_never_chosen() -> None:
    whole = attempt()
    cut = replace(whole, proof=replace(whole.proof, reports=whole.proof.reports[:3]))
    assert better(None, cut) is None


def test_proved_beats_unproven_whatever_the_confidence() -> None:
    unproven = attempt("a = 1\n", 0.99, replay=Verdict.NOT_POSSIBLE)
    proved = attempt("b = 1\n", 0.4)
    assert better(unproven, proved) is proved
    assert better(proved, unproven) is proved


def test_fewer_warnings_beat_confidence() -> None:
    warned = attempt("a = 1\n", 0.99, honesty=Verdict.WARN)
    clean = attempt("b = 1\n", 0.4)
    assert better(warned, clean) is clean


def test_a_second_proved_fix_of_the_same_promise_is_a_rival() -> None:
    best, other = attempt("a = 1\n", 0.9), attempt("b = 1\n", 0.85)
    assert rivals_of(best, [best, other]) == 1


def test_a_long_shot_or_an_unproven_fix_is_no_rival() -> None:
    best = attempt("a = 1\n", 0.95)
    assert rivals_of(best, [best, attempt("b = 1\n", 0.6)]) == 0
    assert rivals_of(best, [best, attempt("c = 1\n", 0.95, replay=Verdict.NOT_POSSIBLE)]) == 0
    assert rivals_of(None, []) == 0


def test_rivalry_is_checked_only_among_equals_and_only_so_often() -> None:
    best = attempt("a = 1\n", 0.9)
    near, far = a_candidate(confidence=0.85), a_candidate(confidence=0.5)
    assert worth_a_rival_check(best, near, 1)
    assert not worth_a_rival_check(best, far, 1)
    assert not worth_a_rival_check(best, near, 3)
    assert not worth_a_rival_check(best, a_candidate(proposer="llm"), 1)
    assert worth_a_rival_check(attempt("a = 1\n", replay=Verdict.NOT_POSSIBLE), far, 5)


def leaving(attempt_made: Attempt, failing: int) -> Attempt:
    reports = tuple(
        replace(r, left_failing=failing if r.rung == "tests" else 0) for r in attempt_made.proof.reports
    )
    return replace(attempt_made, proof=replace(attempt_made.proof, reports=reports))


def test_the_tests_tell_two_proved_fixes_apart() -> None:
    fewer, more = leaving(attempt("a = 1\n", 0.8), 0), leaving(attempt("b = 1\n", 0.85), 2)
    assert better(more, fewer) is fewer
    assert rivals_of(fewer, [fewer, more]) == 0
    assert rivals_of(more, [fewer, more]) == 1
