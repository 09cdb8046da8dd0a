"""Quick trials of many candidates, by which a proposer that searches finds those worth proving. Types only.

What a trial says is a hint and never a proof: whatever is offered climbs the whole ladder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.laboratory import Behaviour

LEAST_ANSWERS = 3
"""From so many answers of the unchanged code on, it says something that a change left them all alone."""


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
        behaviour: What the changed code made of recorded arguments and their neighbours; None when not known.
        before: The same of the unchanged code.
        inputs: How many different arguments were recorded.
        unreadable: Calls whose arguments cannot be compared.
    """

    candidate: Candidate
    outcome: TrialOutcome
    why: str = ""
    behaviour: Behaviour | None = None
    before: Behaviour | None = None
    inputs: int = 0
    unreadable: int = 0

    @property
    def spares(self) -> bool:
        """Whether it was seen to answer as before wherever the unchanged code had an answer."""
        if self.behaviour is None or self.before is None:
            return False
        pairs = [
            *zip(self.before.real, self.behaviour.real, strict=False),
            *zip(self.before.near, self.behaviour.near, strict=False),
        ]
        answered = [(a, b) for a, b in pairs if a[:1] not in ("!", "?") and b[:1] != "?"]
        return len(answered) >= LEAST_ANSWERS and all(a == b for a, b in answered)


Trials = Callable[[Iterable[Candidate], float], Iterator[TrialResult]]
"""Tries candidates in order until that many seconds are over."""
