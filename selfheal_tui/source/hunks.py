"""The changes between two texts, one by one, so that a person can take some and leave others. Pure functions.

A hunk is a run of changed lines; two are always parted by at least one line that is the same in both texts, so each
can be taken or left without the others. May not read files, and may not decide which are taken.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from selfheal_tui.source.matching import opcodes
from selfheal_tui.source.text import split_lines


@dataclass(frozen=True, slots=True)
class Hunk:
    """One run of changed lines.

    Attributes:
        number: 1-based, in the order of the text.
        start: 0-based index of its first line in the text before.
        before: The lines that it takes out, with their ends.
        after_start: 0-based index of its first line in the text after.
        after: The lines that it puts in, with their ends.
    """

    number: int
    start: int
    before: tuple[str, ...]
    after_start: int
    after: tuple[str, ...]

    @property
    def stop(self) -> int:
        """Index behind its last line in the text before."""
        return self.start + len(self.before)


def hunks_of(before: str, after: str) -> tuple[Hunk, ...]:
    """Finds what changed between two texts.

    Args:
        before: Old text; empty for a new file.
        after: New text.

    Returns:
        The hunks in order; none when the texts are the same.
    """
    old, new = split_lines(before), split_lines(after)
    changed = [code for code in opcodes(old, new) if code[0] != "equal"]
    runs: list[tuple[int, int, int, int]] = []
    for _, i1, i2, j1, j2 in changed:
        if runs and runs[-1][1] == i1 and runs[-1][3] == j1:  # such as a deletion right before an insertion
            runs[-1] = (runs[-1][0], i2, runs[-1][2], j2)
        else:
            runs.append((i1, i2, j1, j2))
    return tuple(
        Hunk(number, i1, tuple(old[i1:i2]), j1, tuple(new[j1:j2]))
        for number, (i1, i2, j1, j2) in enumerate(runs, start=1)
    )


def apply_hunks(before: str, hunks: Sequence[Hunk], chosen: Collection[int]) -> str:
    """Takes some changes and leaves the others.

    Args:
        before: The text that the hunks were made from.
        hunks: All of them, from `hunks_of`.
        chosen: Numbers of those to take.

    Returns:
        The text with the chosen changes.

    Raises:
        ValueError: A number is unknown, or the hunks were made from another text.
    """
    unknown = sorted(set(chosen) - {hunk.number for hunk in hunks})
    if unknown:
        raise ValueError(f"there is no hunk {', '.join(map(str, unknown))}; there are {len(hunks)}")
    lines = split_lines(before)
    out: list[str] = []
    at = 0
    for hunk in hunks:
        if hunk.start < at or tuple(lines[hunk.start : hunk.stop]) != hunk.before:
            raise ValueError("these hunks were made from another text")
        out += lines[at : hunk.start]
        out += hunk.after if hunk.number in chosen else hunk.before
        at = hunk.stop
    return "".join([*out, *lines[at:]])
