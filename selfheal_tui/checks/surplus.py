"""What one version of a file has more of than the other, when order and place do not matter.

Code that only moved is not new. Pure functions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """Something that was seen in code.

    Attributes:
        kind: What it is.
        key: What makes two of them the same, beside the kind.
        scope: Qualified name of the function it was seen in.
        line: 1-based line.
        message: What to say about it when it is new or lost.
        grade: Free for the one who collects it.
    """

    kind: str
    key: Hashable
    scope: str
    line: int
    message: str = ""
    grade: str = ""

    @property
    def identity(self) -> tuple[str, Hashable]:
        """Kind and key."""
        return self.kind, self.key


def surplus(have: Iterable[Item], other: Iterable[Item]) -> list[Item]:
    """Lists the items that one side has more of, naming those in the functions where they are more.

    Args:
        have: Items of the side in question.
        other: Items of the other side.

    Returns:
        Items of `have` without a partner in `other`; partners in the same function go first.
    """
    here: Sequence[Item] = tuple(have)
    there = Counter((item.scope, item.identity) for item in other)
    unmatched = []
    for item in here:
        if there[item.scope, item.identity] > 0:
            there[item.scope, item.identity] -= 1
        else:
            unmatched.append(item)
    rest: Counter[tuple[str, Hashable]] = Counter()
    for (_, identity), count in there.items():
        rest[identity] += count
    found = []
    for item in unmatched:
        if rest[item.identity] > 0:
            rest[item.identity] -= 1
        else:
            found.append(item)
    return found
