"""Differences of source texts, for people (unified, side by side) and for rules (what changed).

Diffs are always derived from two whole texts and never applied. May not read files.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from selfheal_tui.source.matching import Opcode, opcodes
from selfheal_tui.source.position import MODULE, definitions
from selfheal_tui.source.text import split_lines

RowKind = Literal["equal", "change", "delete", "insert", "gap"]
Span = tuple[int, int]

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_MAX_WORDS = 400
"""Longer lines are data; marking words in them takes long and helps nobody."""
_ALIKE = 0.4
"""Share of characters that two lines must have in common for words to be marked (else: all new)."""


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row of a side-by-side view.

    Attributes:
        left_no: 1-based line number before; None where there is no such line.
        left: Text before, without its newline.
        right_no: Line number after.
        right: Text after.
        kind: `gap` stands for equal lines that are left out.
        left_spans: Character ranges of the changed words in `left`.
        right_spans: The same in `right`.
    """

    left_no: int | None
    left: str
    right_no: int | None
    right: str
    kind: RowKind
    left_spans: tuple[Span, ...] = ()
    right_spans: tuple[Span, ...] = ()


def unified_diff(before: str, after: str, path: str, context: int = 3) -> str:
    r"""Writes a unified diff as `patch` and git read it.

    Args:
        before: Old text; empty for a new file.
        after: New text.
        path: Name of the file in the header.
        context: Equal lines around each change.

    Returns:
        The diff, with `\n` newlines between its lines (a `\r` of the source stays); "" when nothing differs.
    """
    if before == after:
        return ""
    old, new = _patch_lines(before), _patch_lines(after)
    out = [
        f"--- {_named(f'a/{path}')}" if before else "--- /dev/null",
        f"+++ {_named(f'b/{path}')}" if after else "+++ /dev/null",
    ]
    for group in _hunks(opcodes(old, new), context):
        first, last = group[0], group[-1]
        out.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                out += _marked(" ", old[i1:i2])
            else:
                out += [*_marked("-", old[i1:i2]), *_marked("+", new[j1:j2])]
    return "\n".join(out) + "\n"


def _named(path: str) -> str:
    """Quotes a name as git does if it could pass for lines of the diff."""
    return json.dumps(path, ensure_ascii=False) if any(c < " " or c in '"\\' for c in path) else path


def _patch_lines(text: str) -> list[str]:
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line.removesuffix("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _range(start: int, stop: int) -> str:
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _hunks(codes: list[Opcode], context: int) -> Iterator[list[Opcode]]:
    """Groups changes that are near each other, as `SequenceMatcher.get_grouped_opcodes` does."""
    group: list[Opcode] = []
    for index, (tag, i1, i2, j1, j2) in enumerate(codes):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        lead = 0 if index == 0 else context
        trail = 0 if index == len(codes) - 1 else context
        if i2 - i1 <= lead + trail:
            group.append((tag, i1, i2, j1, j2))
            continue
        if lead and index:
            group.append((tag, i1, i1 + lead, j1, j1 + lead))
        if any(code[0] != "equal" for code in group):
            yield group
        group = [(tag, i2 - trail, i2, j2 - trail, j2)] if trail else []
    if any(code[0] != "equal" for code in group):
        yield group


def side_by_side(before: str, after: str, *, context: int | None = 3) -> tuple[DiffRow, ...]:
    """Lays two texts out beside each other.

    Args:
        before: Old text.
        after: New text.
        context: Equal lines kept around each change; None keeps all.

    Returns:
        The rows; lines left out are one `gap` row each time.
    """
    old, new = split_lines(before), split_lines(after)
    codes = opcodes(old, new)
    rows: list[DiffRow] = []
    for index, (tag, i1, i2, j1, j2) in enumerate(codes):
        if tag != "equal":
            rows += _changed_rows(old, new, (i1, i2), (j1, j2))
            continue
        lead, trail = _context(i2 - i1, context, first=index == 0, last=index == len(codes) - 1)
        rows += [_equal_row(old[i1 + n], i1 + n, j1 + n) for n in range(lead)]
        if lead + trail < i2 - i1:
            rows.append(DiffRow(None, "", None, "", "gap"))
        rows += [_equal_row(old[i2 - n], i2 - n, j2 - n) for n in range(trail, 0, -1)]
    return tuple(rows)


def _context(length: int, context: int | None, *, first: bool, last: bool) -> tuple[int, int]:
    """Returns how many equal lines to keep at the start and at the end of a run."""
    if context is None:
        return length, 0
    lead, trail = 0 if first else context, 0 if last else context
    short = length <= lead + trail + 1 and not (first and last)  # a gap of one line hides nothing worth it
    return (length, 0) if short else (lead, trail)


def _equal_row(line: str, i: int, j: int) -> DiffRow:
    shown = line.rstrip("\r\n")
    return DiffRow(i + 1, shown, j + 1, shown, "equal")


_ENDS = {"\n": "␊", "\r\n": "␍␊", "\r": "␍", "": "∅"}
"""Shown where two lines differ in nothing but how they end."""


def _ending(line: str) -> str:
    return _ENDS[line[len(line.rstrip("\r\n")) :]]


def _changed_rows(old: list[str], new: list[str], left: Span, right: Span) -> Iterator[DiffRow]:
    paired = min(left[1] - left[0], right[1] - right[0])
    for offset in range(paired):
        i, j = left[0] + offset, right[0] + offset
        before, after = old[i].rstrip("\r\n"), new[j].rstrip("\r\n")
        if before == after:
            before, after = before + _ending(old[i]), after + _ending(new[j])
        left_spans, right_spans = word_spans(before, after)
        yield DiffRow(i + 1, before, j + 1, after, "change", left_spans, right_spans)
    for i in range(left[0] + paired, left[1]):
        yield DiffRow(i + 1, old[i].rstrip("\r\n"), None, "", "delete")
    for j in range(right[0] + paired, right[1]):
        yield DiffRow(None, "", j + 1, new[j].rstrip("\r\n"), "insert")


def word_spans(left: str, right: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Finds the words that differ between two lines.

    Returns:
        Character ranges in each line; the whole lines where they have little in common.
    """
    old, new = _WORDS.findall(left), _WORDS.findall(right)
    whole = (((0, len(left)),) if left else (), ((0, len(right)),) if right else ())
    if len(old) > _MAX_WORDS or len(new) > _MAX_WORDS:
        return whole
    codes = opcodes(old, new)
    common = sum(len("".join(old[i1:i2]).strip()) for tag, i1, i2, _, _ in codes if tag == "equal")
    if common < _ALIKE * max(len(left.strip()), len(right.strip())):
        return whole
    changed = [code for code in codes if code[0] != "equal"]
    return _spans(old, [c[1:3] for c in changed]), _spans(new, [c[3:5] for c in changed])


def _spans(words: list[str], ranges: Sequence[Span]) -> tuple[Span, ...]:
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    return tuple((starts[a], starts[b]) for a, b in ranges if b > a)


def changed_line_count(before: str, after: str) -> int:
    """Counts lines removed plus lines added; a changed line counts twice, as in `git diff --stat`."""
    codes = opcodes(split_lines(before), split_lines(after))
    return sum((i2 - i1) + (j2 - j1) for tag, i1, i2, j1, j2 in codes if tag != "equal")


def changed_definitions(before: str, after: str) -> frozenset[str]:
    """Names the definitions whose code differs, was added or removed.

    Comments and formatting do not count. A change inside a method names the method, not its class;
    a change of the class's own statements, bases or decorators names the class.

    Args:
        before: Old text.
        after: New text.

    Returns:
        Qualified names, and `<module>` for statements outside of any definition.

    Raises:
        SyntaxError: One of the texts does not parse.
    """
    old, new = _shapes(ast.parse(before)), _shapes(ast.parse(after))
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _shapes(tree: ast.Module) -> dict[str, list[str]]:
    """Maps each qualified name to the dumps of its definitions, inner definitions cut out."""
    shapes: dict[str, list[str]] = {}
    for qualname, node in [(MODULE, tree), *definitions(tree)]:
        shapes.setdefault(qualname, []).append(ast.dump(_hollow(node)))
    return shapes


def _hollow(node: ast.AST, *, outermost: bool = True) -> ast.AST:
    """Copies a node without the definitions directly inside it.

    Definitions under `if`, `try` and the like leave their name, so that moving one to another branch is
    a change of what surrounds it.
    """
    fields: dict[str, object] = {}
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            kept = [_hollow_item(item, outermost=outermost) for item in value]
            fields[name] = [item for item in kept if item is not None]
        else:
            fields[name] = _hollow(value, outermost=False) if isinstance(value, ast.AST) else value
    return type(node)(**fields)


def _hollow_item(item: object, *, outermost: bool) -> object:
    if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None if outermost else ast.Constant(value=f"definition {item.name}")
    return _hollow(item, outermost=False) if isinstance(item, ast.AST) else item


def ast_key(edits: Sequence[tuple[str, str]]) -> str:
    """Identifies a fix by what it does, so that the same fix is never tried twice.

    Args:
        edits: Path and new text of each file.

    Returns:
        32 hexadecimal digits; equal for texts that differ only in comments and formatting.
    """
    digest = hashlib.sha256()
    for path, text in sorted(edits):
        try:
            shape = ast.dump(ast.parse(text))
        except (SyntaxError, ValueError, RecursionError):
            shape = text
        for part in (path, shape):
            raw = part.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()[:32]


def changed_range(before: str, after: str) -> tuple[int, int, str]:
    """Finds the one range in which two texts differ.

    Returns:
        Where it begins and ends in the text before, in characters, and what stands there after.
    """
    head = _shared(before, after)
    tail = _shared(before[head:][::-1], after[head:][::-1])
    return head, len(before) - tail, after[head : len(after) - tail]


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginnings, by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
