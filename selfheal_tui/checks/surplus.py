"""What one version of a file has more of than the other, when order and place do not matter.

Code that only moved is not new, and code that was rewritten in place is altered rather than new. Pure
functions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """Something that was seen in code.

    Attributes:
        kind: What it is; an item of the same kind in the same function may replace it unremarked.
        key: What makes two of a kind the same, usually the code without positions.
        scope: Qualified name of the function it was seen in.
        line: 1-based line.
        message: What to say about it when it is new or lost.
    """

    kind: Hashable
    key: Hashable
    scope: str
    line: int
    message: str = ""


def _unpaired(
    items: Iterable[Item], others: list[Item], *, scoped: bool, exact: bool
) -> tuple[list[Item], list[Item]]:
    """Pairs items of two sides off and returns what is left of each."""

    def identity(item: Item) -> Hashable:
        return (item.kind, item.key if exact else None, item.scope if scoped else None)

    there = Counter(identity(other) for other in others)
    left = []
    for item in items:
        if there[identity(item)] > 0:
            there[identity(item)] -= 1
        else:
            left.append(item)
    rest = []
    for other in reversed(others):
        if there[identity(other)] > 0:
            there[identity(other)] -= 1
            rest.append(other)
    return left, rest[::-1]


def surplus(have: Iterable[Item], other: Iterable[Item], *, coarse: bool = True) -> list[Item]:
    """Lists the items of one side that the other has no partner for.

    Partners are sought in this order: the same code in the same function; the same code anywhere in the
    file (it moved); another item of the kind in the same function (it was rewritten).

    Args:
        have: Items of the side in question.
        other: Items of the other side.
        coarse: Whether the last kind of partner counts.

    Returns:
        Items of `have` without a partner, in order.
    """
    left, rest = _unpaired(have, list(other), scoped=True, exact=True)
    left, rest = _unpaired(left, rest, scoped=False, exact=True)
    if coarse:
        left, rest = _unpaired(left, rest, scoped=True, exact=False)
    return left
