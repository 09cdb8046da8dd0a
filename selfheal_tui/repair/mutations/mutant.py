"""What a mutant is, and the few text tools that all makers of mutants share. Pure; no judgement of worth."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from selfheal_tui.repair.rules.spans import end_of, start_of, whole
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.text import split_lines


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change of a file.

    Attributes:
        kind: Family, in kebab case: `comparison`, `constant`, `name`, …
        line: 1-based line of what is changed.
        edits: Edits against the text it was made from.
        why: A clause for the operator.
        weight: 0 to 1, how often a change of this kind is what was meant.
    """

    kind: str
    line: int
    edits: tuple[TextEdit, ...]
    why: str
    weight: float


@dataclass(frozen=True, slots=True)
class Field:
    """The file that mutants are made in.

    Attributes:
        text: Its text.
        tree: Its tree.
        types: Types of variables at the moment of the crash, where known; a name is only exchanged for one
            of the same type then.
        up: The parent of each node.
    """

    text: str
    tree: ast.Module
    types: Mapping[str, str] = field(default_factory=dict)
    up: Mapping[ast.AST, ast.AST] = field(default_factory=dict)

    def source(self, node: ast.AST) -> str:
        """The node as it is written."""
        return _between(self.text, start_of(node), end_of(node))

    def gap_is_plain(self, node: ast.UnaryOp) -> bool:
        """Whether nothing but the operator stands before the operand of a unary operation."""
        before = _between(self.text, start_of(node), start_of(node.operand)).strip()
        return before in ("not", "-", "~")

    def gap(self, left: ast.AST, right: ast.AST) -> str:
        """What is written between two nodes."""
        return _between(self.text, end_of(left), start_of(right))


@lru_cache(maxsize=16)
def _lines(text: str) -> tuple[bytes, ...]:
    return tuple(line.encode("utf-8", "surrogatepass") for line in split_lines(text))


def _between(text: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    """A part of a text; `ast.get_source_segment` splits the whole file anew each time."""
    raw = list(_lines(text)[start[0] - 1 : end[0]])
    if not raw:
        return ""
    raw[-1] = raw[-1][: end[1]]
    raw[0] = raw[0][start[1] :]
    return b"".join(raw).decode("utf-8", "surrogatepass")


def swap_gap(at: Field, left: ast.AST, right: ast.AST, old: str, new: str) -> TextEdit | None:
    """Exchanges an operator between two operands; None when it does not stand there plainly."""
    gap = at.gap(left, right)
    if gap.count(old) != 1 or "#" in gap:
        return None
    return TextEdit(end_of(left), start_of(right), gap.replace(old, new))


def replaced(at: Field, kind: str, node: ast.AST, new: str, weight: float) -> Mutant:
    """A mutant that writes a node anew."""
    old = at.source(node)
    line = start_of(node)[0]
    return Mutant(kind, line, (whole(node, new),), f"`{old[:60]}` becomes `{new[:60]}`", weight)
