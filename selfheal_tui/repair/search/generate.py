"""All small changes of a function, and pairs of them, as exact edits with a weight. Pure; worth is shown by running them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from selfheal_tui.repair.mutations.mutant import Field, Mutant
from selfheal_tui.repair.mutations.mutate import mutants
from selfheal_tui.repair.rules.support import parents
from selfheal_tui.repair.search.flow import of_statements
from selfheal_tui.repair.search.place import FunctionNode, Place
from selfheal_tui.repair.search.values import of_expressions
from selfheal_tui.source.edits import EditError, TextEdit, apply_edits
from selfheal_tui.source.text import split_lines

_PAIRED = 60
"""Single changes of a function that are combined with each other."""


@dataclass(frozen=True, slots=True)
class Change:
    """One or two small changes of one function.

    Attributes:
        path: The file.
        qualname: The function.
        kinds: Families of the changes.
        line: 1-based line of the first.
        edits: Exact edits of the file.
        why: A clause for the operator.
        weight: How promising it is; for ordering only.
    """

    path: str
    qualname: str
    kinds: tuple[str, ...]
    line: int
    edits: tuple[TextEdit, ...]
    why: str
    weight: float


@dataclass(frozen=True, slots=True)
class Target:
    """A function that may hold the fault.

    Attributes:
        path: Its file.
        qualname: Its name.
        node: Its tree, of the file's own tree.
        suspicion: How likely the fault is in it, 0 to 1.
        lines: Lines of it that the failing run executed, with how suspicious each is.
        depth: How many calls of the project lie between it and the start of the program.
    """

    path: str
    qualname: str
    node: FunctionNode
    suspicion: float
    lines: Mapping[int, float]
    depth: int = 0


def changes(text: str, tree: ast.Module, target: Target, attributes: Sequence[str] = ()) -> list[Change]:
    """Makes all single changes of a function, most promising first.

    Args:
        text: The file.
        tree: Its tree.
        target: The function.
        attributes: Names of attributes that objects of the project have.
    """
    at = Field(text, tree, {}, parents(tree))
    place = Place(at, target.node, frozenset(target.lines), tuple(attributes))
    seen: set[tuple[TextEdit, ...]] = set()
    found = []
    for mutant in _mutants(place, text, tree):
        if mutant.edits in seen or not _is_code(place, mutant):
            continue
        seen.add(mutant.edits)
        nearby = max((target.lines.get(line, 0.0) for line in (mutant.line, mutant.line + 1)), default=0.0)
        weight = mutant.weight * (0.4 + 0.6 * (nearby or 0.5)) * (0.3 + 0.7 * target.suspicion)
        found.append(
            Change(
                target.path, target.qualname, (mutant.kind,), mutant.line, mutant.edits, mutant.why, weight
            )
        )
    found.sort(key=lambda c: (-c.weight, c.line))
    return found


def pairs(singles: Sequence[Change], most: int) -> Iterator[Change]:
    """Combines the most promising single changes of one function that do not touch each other.

    Args:
        singles: Changes of one function, most promising first.
        most: At most so many pairs.
    """
    made = 0
    chosen = singles[:_PAIRED]
    for total in range(1, 2 * len(chosen)):
        for i in range(max(0, total - len(chosen) + 1), (total + 1) // 2):
            first, second = chosen[i], chosen[total - i]
            if (first.line == second.line and first.kinds == second.kinds) or _overlap(
                first.edits, second.edits
            ):
                continue
            yield Change(
                first.path, first.qualname, first.kinds + second.kinds, min(first.line, second.line),
                first.edits + second.edits, f"{first.why}, and {second.why}", first.weight * second.weight,
            )  # fmt: skip
            made += 1
            if made >= most:
                return


def offsets(text: str, edits: Iterable[TextEdit]) -> tuple[tuple[int, int, str], ...]:
    """Turns edits into `(start, end, new)` in characters of the text.

    Raises:
        EditError: An edit lies outside of the text, or two overlap.
    """
    lines = split_lines(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(position: tuple[int, int]) -> int:
        number, column = position
        if number == len(lines) + 1 and column == 0:
            return starts[-1]
        if not 1 <= number <= len(lines):
            raise EditError(f"line {number} is outside the text")
        raw = lines[number - 1].encode("utf-8", "surrogatepass")
        return starts[number - 1] + len(raw[:column].decode("utf-8", "surrogatepass"))

    return tuple((offset(e.start), offset(e.end), e.new) for e in edits)


def applied(text: str, change: Change) -> str:
    """The file with a change.

    Raises:
        EditError: Edits overlap.
    """
    return apply_edits(text, change.edits)


def _mutants(place: Place, text: str, tree: ast.Module) -> Iterator[Mutant]:
    lines = {
        line
        for s in place.statements
        for line in range(s.lineno, (s.end_lineno or s.lineno) + 1)
        if not hasattr(s, "body") or line < s.body[0].lineno or line == s.lineno
    }
    first, last = place.function.lineno, place.function.end_lineno or place.function.lineno
    yield from (m for m in mutants(text, tree, lines) if first <= m.line <= last)
    yield from of_expressions(place)
    yield from of_statements(place)


def _is_code(place: Place, mutant: Mutant) -> bool:
    """Whether a change lies in the function and outside of its docstring."""
    first, last = place.function.lineno, (place.function.end_lineno or place.function.lineno) + 1
    if not all(first <= e.start[0] and e.end[0] <= last for e in mutant.edits):
        return False
    head = place.function.body[0]
    if (
        isinstance(head, ast.Expr)
        and isinstance(head.value, ast.Constant)
        and isinstance(head.value.value, str)
    ):
        return all(e.start[0] > (head.end_lineno or 0) or e.end[0] < head.lineno for e in mutant.edits)
    return True


def _overlap(one: Sequence[TextEdit], other: Sequence[TextEdit]) -> bool:
    return any(a.start <= b.end and b.start <= a.end for a in one for b in other)
