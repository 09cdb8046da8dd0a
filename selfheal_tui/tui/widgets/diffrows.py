"""Which rows a diff has, for any layout and any amount of context. Pure, and quick to lay out anew.

Texts are compared once; words inside lines are compared when a row is drawn, because a patch of thousands of changed
lines would take seconds. May not draw, and may not change a text: a row only says where its lines are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.source.hunks import Hunk, hunks_of
from selfheal_tui.source.text import split_lines

RowKind = Literal["list", "file", "hunk", "gap", "equal", "change", "delete", "insert", "note"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A file, compared.

    Attributes:
        path: Its path.
        note: What is to be known of it.
        old: Lines before, with their ends.
        new: Lines after, with their ends.
        hunks: What differs, in order.
    """

    path: str
    note: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    hunks: tuple[Hunk, ...]

    @property
    def added(self) -> int:
        """Lines added; a changed one is removed and added."""
        return sum(len(hunk.after) for hunk in self.hunks)

    @property
    def removed(self) -> int:
        """Lines removed."""
        return sum(len(hunk.before) for hunk in self.hunks)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the view.

    Attributes:
        kind: `list` is a line of the file list, `note` says something about a file; a `delete` or `insert` of a
            unified view names its partner on the other side too, if it has one.
        file: Index of the file.
        hunk: Index of the hunk in its file; -1 for none.
        left: Index in `old`; -1 for none.
        right: Index in `new`; -1 for none.
        count: How many equal lines a gap leaves out.
    """

    kind: RowKind
    file: int
    hunk: int = -1
    left: int = -1
    right: int = -1
    count: int = 0


def patch_key(changes: Sequence[FileChange]) -> str:
    """Identifies what is shown, by paths and texts."""
    digest = hashlib.sha256()
    for change in changes:
        for part in (change.path, change.before, change.after):
            raw = part.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def compare(change: FileChange) -> Compared:
    """Compares a file's texts; takes up to some tenths of a second for long, repetitive ones."""
    old, new = split_lines(change.before), split_lines(change.after)
    return Compared(change.path, change.note, tuple(old), tuple(new), hunks_of(change.before, change.after))


def lay_out(files: Sequence[Compared], *, context: int | None, unified: bool) -> list[Row]:
    """Makes the rows.

    Args:
        files: The files.
        context: Equal lines around each change; None for all.
        unified: Whether removed lines come above added ones instead of beside them.

    Returns:
        The rows; a list of the files comes first where there are several.
    """
    rows = [Row("list", index) for index in range(len(files))] if len(files) > 1 else []
    for index, file in enumerate(files):
        rows.append(Row("file", index))
        rows += _file_rows(file, index, context, unified=unified)
    return rows


def _file_rows(file: Compared, index: int, context: int | None, *, unified: bool) -> list[Row]:
    if not file.hunks:
        return [Row("note", index)]
    rows: list[Row] = []
    done = 0  # lines of `old` that have been laid out
    for number, hunk in enumerate(file.hunks):
        shift = hunk.after_start - hunk.start
        trail = 0 if number == 0 else context
        rows += _equal_rows(index, done, hunk.start, shift, trail, context, Row("hunk", index, number))
        rows += _changed_rows(index, number, hunk, unified=unified)
        done = hunk.stop
    shift = len(file.new) - len(file.old)
    rows += _equal_rows(index, done, len(file.old), shift, context, 0, None)
    return rows


def _equal_rows(
    file: int, start: int, stop: int, shift: int, trail: int | None, lead: int | None, header: Row | None
) -> list[Row]:
    """Lays out equal lines: context of the change above, a gap, the next hunk's header, context of that one."""

    def equal(first: int, last: int) -> list[Row]:
        return [Row("equal", file, left=n, right=n + shift) for n in range(first, last)]

    heading = [header] if header else []
    # A gap of one line hides nothing worth it.
    if trail is None or lead is None or stop - start <= trail + lead + 1:
        first_of_file = start == 0 and trail == 0
        return [*heading, *equal(start, stop)] if first_of_file else [*equal(start, stop), *heading]
    gap = Row("gap", file, count=stop - start - trail - lead, left=start + trail, right=start + trail + shift)
    return [*equal(start, start + trail), gap, *heading, *equal(stop - lead, stop)]


def _changed_rows(file: int, number: int, hunk: Hunk, *, unified: bool) -> list[Row]:
    lefts = range(hunk.start, hunk.stop)
    rights = range(hunk.after_start, hunk.after_start + len(hunk.after))
    paired = min(len(lefts), len(rights))
    if unified:
        return [
            *(Row("delete", file, number, i, rights[n] if n < paired else -1) for n, i in enumerate(lefts)),
            *(Row("insert", file, number, lefts[n] if n < paired else -1, j) for n, j in enumerate(rights)),
        ]
    return [
        *(Row("change", file, number, i, j) for i, j in zip(lefts, rights, strict=False)),
        *(Row("delete", file, number, i) for i in lefts[paired:]),
        *(Row("insert", file, number, right=j) for j in rights[paired:]),
    ]
