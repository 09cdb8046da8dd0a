"""Which of the green variants are one fix and which are rivals, and whether the evidence tells them apart. Pure.

A variant that satisfies one assertion has shown little. Variants are compared by what they make of the arguments that the
program passed, and of neighbours of these; those that cannot be told apart are one fix, written differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfheal_tui.model.laboratory import Behaviour, TrialRun
from selfheal_tui.repair.search.generate import Change

ENOUGH = ((3, 2), (5, 1))
"""Evidence is not thin from so many different arguments on that the program checks, so many of them answered wrongly before.

Measured on 38 programs with one or two injected faults and 1 to 8 assertions: of those with a single behaviour left, 24 of
25 first findings were right in all; what tells right from wrong is that nothing else is left, more than these numbers."""
RIVAL_SHARE = 0.2
"""A finding with less than that share of the first one's weight is no rival."""
TRIED_SHARE = 0.5
"""All changes with that share of the first one's weight must have been tried, for it to be called the only one."""
_UNCHANGED = -1
_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """Green variants that behave alike.

    Attributes:
        change: The most promising of them.
        alike: How many others there are.
        others: A few of these, most promising first.
        inputs: How many different arguments the green program passed to the changed code.
        changed: How many of these it answers differently than before.
        doubt: Why the evidence is thin; empty when it is not.
    """

    change: Change
    alike: int
    inputs: int
    changed: int
    doubt: str
    others: tuple[Change, ...] = ()


def findings(run: TrialRun, tried: Sequence[Change]) -> list[Finding]:
    """Groups the green variants of a run.

    Args:
        run: How the variants ended.
        tried: The variants, numbered as in the run.

    Returns:
        One finding for each behaviour, most promising first.
    """
    green = [n for n, status in run.statuses.items() if status == "green" and n < len(tried)]
    green.sort(key=lambda n: (-tried[n].weight, n))
    before = run.behaviour.get(_UNCHANGED)
    classes: list[list[int]] = []
    for number in green:
        mine = run.behaviour.get(number)
        for known in classes:
            if alike(run.behaviour.get(known[0]), mine, before):
                known.append(number)
                break
        else:
            classes.append([number])
    found = [_finding(run, tried, members, before) for members in classes]
    if found and (left := untried(run, tried, found[0].change.weight)):
        late = f"{left} changes that are about as likely were not tried in time"
        found = [replace(f, doubt=f.doubt or late) for f in found]
    return found


def untried(run: TrialRun, tried: Sequence[Change], weight: float) -> int:
    """Counts changes about as likely as the best green one that were not tried, of as many edits as that."""
    least = weight * TRIED_SHARE
    green = [n for n, status in run.statuses.items() if status == "green"]
    kinds = {len(tried[n].kinds) for n in green if n < len(tried)}
    return sum(
        change.weight >= least and number not in run.statuses
        for number, change in enumerate(tried)
        if len(change.kinds) in kinds
    )


def _finding(
    run: TrialRun, tried: Sequence[Change], members: Sequence[int], before: Behaviour | None
) -> Finding:
    number = members[0]
    inputs = max((run.inputs.get(n, 0) for n in members), default=0)
    changed = changed_inputs(before, run.behaviour.get(number))
    thin = doubt(inputs, changed, run.unreadable)
    others = tuple(tried[n] for n in members[1 : 1 + _OTHERS])
    return Finding(tried[number], len(members) - 1, inputs, changed, thin, others)


def doubt(inputs: int, changed: int, unreadable: int) -> str:
    """Says why what a run shows is little; empty when it is enough.

    Args:
        inputs: Different arguments that were passed.
        changed: How many of them are answered differently now.
        unreadable: Calls whose arguments cannot be compared.
    """
    if any(inputs >= least and changed >= wrong for least, wrong in ENOUGH):
        return ""
    if unreadable and not inputs:
        return "the arguments of the changed code cannot be compared, so that nothing else tells fixes apart"
    return f"the changed code was seen on {inputs} different arguments only, {changed} of them answered wrongly before"


def changed_inputs(before: Behaviour | None, after: Behaviour | None) -> int:
    """Counts recorded arguments that are answered differently than by the unchanged code."""
    if before is None or after is None:
        return 0
    return sum(a != b and "?" not in (a, b) for a, b in zip(before.real, after.real, strict=False))


def alike(one: Behaviour | None, other: Behaviour | None, before: Behaviour | None) -> bool:
    """Whether two variants cannot be told apart; what is not known tells them apart.

    A neighbour on which one of them raises counts only where the unchanged code has an answer: else it may not be
    anything that the function has to deal with.
    """
    if one is None or other is None or not one.real or not other.real:
        return False
    if any(a != b for a, b in zip(one.real, other.real, strict=False)):
        return False
    known = before.near if before is not None else ()
    for index, (a, b) in enumerate(zip(one.near, other.near, strict=False)):
        if a == b or "?" in (a, b):
            continue
        raised = a.startswith("!") or b.startswith("!")
        unanswered = index >= len(known) or known[index].startswith(("!", "?"))
        if not (raised and unanswered):
            return False
    return True


def rivals(found: Sequence[Finding], share: float = RIVAL_SHARE) -> list[Finding]:
    """The findings that have to be taken seriously beside the first one.

    Args:
        found: Findings, most promising first.
        share: A finding with less than that share of the first one's weight is no rival.
    """
    if not found:
        return []
    least = found[0].change.weight * share
    return [f for f in found if f.change.weight >= least]
