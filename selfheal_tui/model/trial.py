"""Quick trials of many candidates, by which a proposer that searches finds those worth proving. Types only.

What a trial says is a hint and never a proof: whatever is offered climbs the whole ladder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from selfheal_tui.model.candidate import Candidate


class TrialOutcome(StrEnum):
    """What became of the crash with a candidate in place."""

    GREEN = "green"
    FURTHER = "another crash further on"
    RED = "no better"
    REFUSED = "refused before it ran"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One trial.

    Attributes:
        candidate: What was tried.
        outcome: How it ended.
        why: A clause about it.
        behaviour: Marks of what the changed code made of recorded arguments and their neighbours: equal marks mean
            that two candidates could not be told apart. Empty when that is not known.
    """

    candidate: Candidate
    outcome: TrialOutcome
    why: str = ""
    behaviour: str = ""


Trials = Callable[[Iterable[Candidate], float], Iterator[TrialResult]]
"""Tries candidates in order until that many seconds are over."""
