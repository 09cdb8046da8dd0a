"""Which lines (or words) of two texts correspond, in bounded time.

`difflib` without its junk heuristic gives better matches but is quadratic on repetitive input: 5,000
repetitive lines took 20 s. Equal heads and tails are taken off first; what is left is matched by
`difflib` where the number of equal pairs, which is what its time goes with, is small; else by Myers'
algorithm where the differences are few; else by the lines that are rare, or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

_MAX_PAIRS = 400_000
"""Equal pairs of lines up to which exact matching takes at most some tenths of a second."""
_MAX_DISTANCE = 400
"""Removed plus added lines up to which Myers' algorithm is tried; its time goes with the square."""

Opcode = tuple[str, int, int, int, int]


def opcodes(before: Sequence[str], after: Sequence[str]) -> list[Opcode]:
    """Describes how to turn one sequence into the other.

    Args:
        before: Lines or words.
        after: Lines or words.

    Returns:
        As `difflib.SequenceMatcher.get_opcodes`: (`equal`, `replace`, `delete` or `insert`, start and end
        before, start and end after), covering both sequences.
    """
    shared = min(len(before), len(after))
    head = 0
    while head < shared and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < shared - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    out: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    out += [(tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in _middle(old, new)]
    if tail:
        out.append(("equal", len(before) - tail, len(before), len(after) - tail, len(after)))
    return out


def _middle(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    if not old or not new:
        tag = "delete" if old else "insert"
        return [(tag, 0, len(old), 0, len(new))] if old or new else []
    counts = Counter(new)
    if sum(counts[item] for item in old) <= _MAX_PAIRS:
        return _by_difflib(old, new, autojunk=False)
    found = _by_myers(old, new)
    if found is not None:
        return found
    popular = len(new) // 100 + 1  # what `autojunk` takes for junk
    if sum(counts[item] for item in old if counts[item] <= popular) <= _MAX_PAIRS:
        return _by_difflib(old, new, autojunk=True)
    return [("replace", 0, len(old), 0, len(new))]


def _by_difflib(old: Sequence[str], new: Sequence[str], *, autojunk: bool) -> list[Opcode]:
    matcher = SequenceMatcher(None, old, new, autojunk=autojunk)
    return [(tag, i1, i2, j1, j2) for tag, i1, i2, j1, j2 in matcher.get_opcodes()]


def _by_myers(old: Sequence[str], new: Sequence[str]) -> list[Opcode] | None:
    """Finds a shortest edit script, or None when it is long.

    E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): fast for few differences,
    however repetitive the texts are.
    """
    reach: dict[int, int] = {1: 0}
    trail: list[dict[int, int]] = []
    for distance in range(_MAX_DISTANCE + 1):
        trail.append(dict(reach))
        for diagonal in range(-distance, distance + 1, 2):
            down = diagonal == -distance or (
                diagonal != distance and reach.get(diagonal - 1, -1) < reach.get(diagonal + 1, -1)
            )
            x = reach.get(diagonal + 1, 0) if down else reach.get(diagonal - 1, 0) + 1
            y = x - diagonal
            while x < len(old) and 0 <= y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            reach[diagonal] = x
            if x >= len(old) and y >= len(new):
                return _script(trail, len(old), len(new))
    return None


def _script(trail: list[dict[int, int]], x: int, y: int) -> list[Opcode]:
    """Walks a Myers trail back and joins its steps."""
    sizes = (x, y)
    pairs: list[tuple[int, int]] = []
    for distance in range(len(trail) - 1, -1, -1):
        reach, diagonal = trail[distance], x - y
        down = diagonal == -distance or (
            diagonal != distance and reach.get(diagonal - 1, -1) < reach.get(diagonal + 1, -1)
        )
        before = diagonal + 1 if down else diagonal - 1
        start_x = reach.get(before, 0) if distance else 0
        start_y = start_x - before if distance else 0
        while x > start_x and y > start_y:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = start_x, start_y
    return _from_pairs(pairs[::-1], sizes)


def _from_pairs(pairs: list[tuple[int, int]], sizes: tuple[int, int]) -> list[Opcode]:
    out: list[Opcode] = []
    i = j = 0
    for x, y in [*pairs, sizes]:
        if (x, y) != (i, j):
            tag = "replace" if x > i and y > j else "delete" if x > i else "insert"
            out.append((tag, i, x, j, y))
        if (x, y) != sizes:
            if out and out[-1][0] == "equal" and out[-1][2] == x:
                out[-1] = ("equal", out[-1][1], x + 1, out[-1][3], y + 1)
            else:
                out.append(("equal", x, x + 1, y, y + 1))
        i, j = x + 1, y + 1
    return out
