"""Takes a small fix apart into edits: the smallest code that differs, before and after, as terms.

Pure. An edit is never smaller than says something: a name that became another is shown with what it is part of, a
statement that came or went with its neighbour.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from selfheal_tui.source.position import definitions
from selfheal_tui.source.terms import LIST, Hole, Node, NotATermError, Term, concrete, fields_of, to_term

MAX_FUNCTIONS = 2
MAX_CONCRETE = 60
"""Edits that say more than that fit nowhere else."""
_BLOCKS = frozenset({"body", "orelse", "finalbody", "handlers", "cases"})
_FIRST_BLOCK = 1000
"""Holes of blocks that an edit leaves alone are numbered from here, apart from all others."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit.

    Attributes:
        before: What stood there: an expression, or a list of statements.
        after: What took its place, of the same sort.
    """

    before: Term
    after: Term

    @property
    def whole(self) -> Node:
        """Both sides as one term, so that what they share stays shared."""
        return Node("edit", (self.before, self.after))


def edits_of(before: str, after: str) -> list[Edit]:
    """Takes the change of a file apart.

    Args:
        before: Its text before.
        after: Its text after.

    Returns:
        The edits inside functions; none when something else changed as well, or too much.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old, new = ast.parse(before), ast.parse(after)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    pairs = list(_changed_functions(old, new))
    if not 1 <= len(pairs) <= MAX_FUNCTIONS:
        return []
    found: list[Edit] = []
    for one, other in pairs:
        for left, right in _differing(one, other):
            edit = _edit(left, right)
            if edit is not None:
                found.append(edit)
    return found


def _changed_functions(old: ast.Module, new: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Functions, innermost only, that are there before and after and differ."""
    before = {name: node for name, node in definitions(old) if isinstance(node, _Function)}
    after = {name: node for name, node in definitions(new) if isinstance(node, _Function)}
    changed = [name for name in before.keys() & after.keys() if _said(before[name]) != _said(after[name])]
    for name in sorted(changed):
        if not any(other.startswith(f"{name}.") for other in changed):
            yield before[name], after[name]


def _said(node: Any) -> str:
    if isinstance(node, list):
        return "\0".join(_said(item) for item in node)
    return ast.dump(node) if isinstance(node, ast.AST) else repr(node)


_Part = ast.AST | list[ast.stmt]


def _differing(a: ast.AST, b: ast.AST) -> Iterator[tuple[_Part, _Part]]:
    """Descends while only one part of a node differs, and the difference still says something."""
    if type(a) is not type(b):
        yield a, b
        return
    fields = [n for n in fields_of(type(a).__name__) if _said(getattr(a, n)) != _said(getattr(b, n))]
    if len(fields) != 1:
        if all(isinstance(getattr(a, n), list) and n in _BLOCKS for n in fields):
            for name in fields:
                yield from _lists(getattr(a, name), getattr(b, name))
        else:
            yield a, b
        return
    one, other = getattr(a, fields[0]), getattr(b, fields[0])
    if isinstance(one, list) and isinstance(other, list):
        if fields[0] in _BLOCKS:
            yield from _lists(one, other)
            return
        unlike = [(x, y) for x, y in zip(one, other, strict=False) if _said(x) != _said(y)]
        if len(one) != len(other) or len(unlike) != 1:
            yield a, b
            return
        one, other = unlike[0]
    if not (isinstance(one, ast.AST) and isinstance(other, ast.AST)) or _leaf(one):
        yield a, b
    else:
        pairs = [_within(a, b, pair) for pair in _differing(one, other)]
        yield from pairs
        # What was wrapped tells little by itself: where it stood may be what edits have in common.
        if pairs and pairs[0][0] is one and isinstance(a, ast.expr):
            yield a, b


def _within(a: ast.AST, b: ast.AST, pair: tuple[_Part, _Part]) -> tuple[_Part, _Part]:
    """A pair that is no expression and no statement (an argument list, an operator) is shown with its owner."""
    fits = all(
        isinstance(part, list | ast.expr | ast.stmt) and not isinstance(part, ast.Slice | ast.Starred)
        for part in pair
    )
    return pair if fits else (a, b)


def _leaf(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Constant) or not node._fields


def _lists(one: list[Any], other: list[Any]) -> Iterator[tuple[_Part, _Part]]:
    """Compares two blocks statement by statement."""
    left, right = [_said(s) for s in one], [_said(s) for s in other]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "replace" and i2 - i1 == j2 - j1:
            for x, y in zip(one[i1:i2], other[j1:j2], strict=True):
                yield from _differing(x, y)
        elif tag != "equal":
            after = 1 if i2 < len(one) and j2 < len(other) else 0
            before = 0 if after or not (i1 and j1) else 1
            yield one[i1 - before : i2 + after], other[j1 - before : j2 + after]


def _edit(left: _Part, right: _Part) -> Edit | None:
    if isinstance(left, ast.stmt) and isinstance(right, ast.stmt):
        left, right = [left], [right]
    if not left or not right:
        return None
    if isinstance(left, list) != isinstance(right, list):
        return None
    if not isinstance(left, list) and not (isinstance(left, ast.expr) and isinstance(right, ast.expr)):
        return None
    try:
        blocks: dict[str, int] = {}
        shared = _blocks(left) & _blocks(right)
        edit = Edit(_term(left, shared, blocks), _term(right, shared, blocks))
    except (NotATermError, RecursionError):
        return None
    if edit.before == edit.after or max(concrete(edit.before), concrete(edit.after)) > MAX_CONCRETE:
        return None
    return edit


def _blocks(part: _Part) -> set[str]:
    return {
        _said(getattr(statement, name))
        for statement in (part if isinstance(part, list) else [])
        for name in _BLOCKS
        if getattr(statement, name, None)
    }


def _term(part: _Part, shared: set[str], blocks: dict[str, int]) -> Term:
    """A term in which blocks that both sides have are holes: the edit is about the heads."""
    if not isinstance(part, list):
        return to_term(part)
    return Node(LIST, tuple(_statement(statement, shared, blocks) for statement in part))


def _statement(statement: ast.stmt, shared: set[str], blocks: dict[str, int]) -> Term:
    names = fields_of(type(statement).__name__)
    children: list[Term] = []
    for name in names:
        value = getattr(statement, name, None)
        said = _said(value)
        if name in _BLOCKS and value and said in shared:
            children.append(Hole(blocks.setdefault(said, _FIRST_BLOCK + len(blocks)), LIST))
        else:
            children.append(to_term(value))
    return Node(type(statement).__name__, tuple(children))
