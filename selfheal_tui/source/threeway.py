"""Merges two changes of one text, line by line (diff3).

Rolling a fix back after later edits, and applying one over edits that were made while it was being
proved, must lose neither side. Where both changed the same lines differently, both are kept between
conflict markers, and the number of such places is told. Algorithm: S. Khanna, K. Kunal, B. C. Pierce,
"A Formal Investigation of Diff3" (2007), with matches by `matching`. May not decide who is right.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.source.matching import opcodes
from selfheal_tui.source.text import dominant_newline, split_lines


@dataclass(frozen=True, slots=True)
class ThreeWay:
    """The result of a merge.

    Attributes:
        text: The merged text, with conflict markers where both sides changed the same lines.
        conflicts: How many such places there are; 0 is a clean merge.
    """

    text: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Change:
    start: int
    end: int
    lines: tuple[str, ...]


def merge_three(base: str, ours: str, theirs: str) -> ThreeWay:
    """Merges two changed versions of a text.

    Args:
        base: What both started from.
        ours: One changed version.
        theirs: The other.

    Returns:
        The merged text. Changes of different lines are both taken; equal changes are taken once.
    """
    if ours == theirs or theirs == base:
        return ThreeWay(ours, 0)
    if ours == base:
        return ThreeWay(theirs, 0)
    lines = split_lines(base)
    left, right = _changes(lines, split_lines(ours)), _changes(lines, split_lines(theirs))
    out: list[str] = []
    at = conflicts = 0
    while left or right:
        start = min(side[0].start for side in (left, right) if side)
        ours_here, theirs_here, end = _overlapping(left, right, start)
        out += lines[at:start]
        mine = _applied(lines, ours_here, start, end)
        yours = _applied(lines, theirs_here, start, end)
        if not theirs_here or mine == yours:
            out += mine
        elif not ours_here:
            out += yours
        else:
            out += _conflict(mine, yours, dominant_newline(ours))
            conflicts += 1
        at = end
    return ThreeWay("".join([*out, *lines[at:]]), conflicts)


def _changes(base: list[str], changed: list[str]) -> list[_Change]:
    return [
        _Change(i1, i2, tuple(changed[j1:j2]))
        for tag, i1, i2, j1, j2 in opcodes(base, changed)
        if tag != "equal"
    ]


def _overlapping(
    left: list[_Change], right: list[_Change], start: int
) -> tuple[list[_Change], list[_Change], int]:
    """Takes off both lists the changes of one connected region of the base."""
    taken: tuple[list[_Change], list[_Change]] = ([], [])
    end = start
    grown = True
    while grown:
        grown = False
        for side, mine in ((left, taken[0]), (right, taken[1])):
            while side and _touches(side[0], start, end, first=not (taken[0] or taken[1])):
                change = side.pop(0)
                mine.append(change)
                end = max(end, change.end)
                grown = True
    return taken[0], taken[1], end


def _touches(change: _Change, start: int, end: int, *, first: bool) -> bool:
    if first:
        return change.start == start
    if change.start < end:
        return True
    # Two insertions at one place, or an insertion right at a changed range, have no order of their own.
    return change.start == end and (change.start == change.end or start == end)


def _applied(base: list[str], changes: list[_Change], start: int, end: int) -> list[str]:
    out: list[str] = []
    at = start
    for change in changes:
        out += [*base[at : change.start], *change.lines]
        at = change.end
    return [*out, *base[at:end]]


def _conflict(ours: list[str], theirs: list[str], newline: str) -> list[str]:
    return [
        f"<<<<<<< ours{newline}",
        *_ended(ours, newline),
        f"======={newline}",
        *_ended(theirs, newline),
        f">>>>>>> theirs{newline}",
    ]


def _ended(lines: list[str], newline: str) -> list[str]:
    if lines and not lines[-1].endswith(("\n", "\r")):
        return [*lines[:-1], lines[-1] + newline]
    return lines
