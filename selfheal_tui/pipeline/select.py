"""Chooses among judged candidates, and tells when the choice is a person's.

Pure functions over proofs; they rank evidence and never look at the code itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.pipeline.policy import is_thin, is_unjudged, is_untested

RIVAL_MARGIN = 0.1
"""A later candidate is tested for rivalry only if it was about as promising as the best one."""

RIVAL_CHECKS = 3
"""At most so many candidates are judged in all once one is proved, so that certainty stays affordable."""


SET_ASIDE = "set aside by "
"""How the note of a proposal begins that an operator put aside for another one, without rejecting it."""


def is_free(attempt: Attempt) -> bool:
    """Returns whether an attempt may be proposed again: nothing failed, and nobody said no to it."""
    return not attempt.proof.failed and (not attempt.note or attempt.note.startswith(SET_ASIDE))


def vouched(attempt: Attempt) -> bool:
    """Returns whether a fix stands for itself: derived, not tried; or tried, and judged by tests that failed before."""
    candidate, proof = attempt.candidate, attempt.proof
    doubtful = is_unjudged(candidate.guess, proof) or is_thin(candidate.doubt, proof)
    return not (doubtful or is_untested(candidate.sweeping, proof))


def strength(attempt: Attempt) -> tuple[int, int, int, int, int, float]:
    """Returns a sort key: how much was shown for a candidate, then how few doubts there are."""
    proof = attempt.proof
    tests = proof.verdict("tests") is Verdict.PASS
    doubts = -len(proof.warnings)
    shown = (int(proof.proved), int(vouched(attempt)), doubts, int(tests), -proof.left_failing)
    return (*shown, attempt.candidate.confidence)


def better(best: Attempt | None, other: Attempt) -> Attempt | None:
    """Returns the stronger of two attempts; one that failed is never chosen."""
    if not other.proof.acceptable:
        return best
    if best is None or strength(other) > strength(best):
        return other
    return best


def settled(best: Attempt | None) -> bool:
    """Returns whether nothing better can be hoped for: proved, and nothing flagged."""
    return best is not None and best.proof.proved and not best.proof.flagged


def worth_a_rival_check(best: Attempt, candidate: Candidate, judged: int) -> bool:
    """Returns whether another candidate should be judged although one is at hand.

    Args:
        best: The strongest so far.
        candidate: The next one.
        judged: How many were judged.
    """
    if not settled(best):
        return True
    if candidate.proposer != best.candidate.proposer:
        return not vouched(
            best
        )  # what has to be asked about must not keep the next proposer from being heard
    if judged >= RIVAL_CHECKS and not (candidate.guess and vouched(best)):
        return False
    return candidate.confidence >= best.candidate.confidence - RIVAL_MARGIN


def rivals_of(best: Attempt | None, tried: Sequence[Attempt]) -> int:
    """Counts the other candidates that were proved just as well as the best.

    One that leaves more tests failing than the best does is no rival: the tests have told them apart.

    Args:
        best: The chosen one.
        tried: All that were judged in this walk.
    """
    if best is None:
        return 0
    return sum(
        1
        for attempt in tried
        if attempt is not best
        and settled(attempt)
        and attempt.proof.left_failing <= best.proof.left_failing
        and attempt.candidate.confidence >= best.candidate.confidence - RIVAL_MARGIN
    )
