"""Makes all mutants at given lines of a file, most plausible first. Pure; worth is shown by running them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from selfheal_tui.repair.mutations import calls, names, operators, regexes, statements
from selfheal_tui.repair.mutations.mutant import Field, Mutant
from selfheal_tui.repair.rules.support import parents
from selfheal_tui.source.edits import EditError, apply_edits


def mutants(
    text: str, tree: ast.Module, lines: Collection[int], types: Mapping[str, str] | None = None
) -> list[Mutant]:
    """Makes the mutants of everything that stands on some lines.

    Args:
        text: The file.
        tree: Its tree, from `repair.rules.support.parse`.
        lines: 1-based lines at which nodes may be changed.
        types: Types of variables at the crash, where known.

    Returns:
        Mutants that parse and differ, highest weight first; equal weights in source order.
    """
    at = Field(text, tree, types or {}, parents(tree))
    wanted = frozenset(lines)
    seen: set[str] = set()
    found = []
    for node in ast.walk(tree):
        if getattr(node, "lineno", None) not in wanted or _is_outside(at, node):
            continue
        for mutant in _of(at, node):
            try:
                after = apply_edits(text, mutant.edits)
            except EditError:
                continue
            if after not in seen and after != text:
                seen.add(after)
                found.append(mutant)
    found.sort(key=lambda m: (-m.weight, m.line))
    return found


def _is_outside(at: Field, node: ast.AST) -> bool:
    """Annotations, decorators, docstrings and the insides of f-strings are left alone."""
    inner: ast.AST = node
    up = at.up.get(inner)
    while up is not None:
        if isinstance(up, ast.JoinedStr):
            return True
        if isinstance(up, ast.FunctionDef | ast.AsyncFunctionDef) and (
            inner is up.returns or inner in up.decorator_list
        ):
            return True
        if isinstance(up, ast.arg | ast.AnnAssign) and inner is up.annotation:
            return True
        inner, up = up, at.up.get(up)
    return False


_MAKERS: tuple[tuple[type[ast.AST], Callable[[Field, Any], Iterator[Mutant]]], ...] = (
    (ast.Compare, operators.of_compare),
    (ast.BinOp, operators.of_binary),
    (ast.AugAssign, operators.of_augmented),
    (ast.Assign, operators.of_assignment),
    (ast.BoolOp, operators.of_boolean),
    (ast.UnaryOp, operators.of_unary),
    (ast.Constant, operators.of_constant),
    (ast.Call, calls.of_call),
    (ast.Call, regexes.of_pattern),
    (ast.Attribute, names.of_attribute),
    (ast.Name, names.of_name),
    (ast.keyword, names.of_keyword),
    (ast.Subscript, operators.of_index),
    (ast.Subscript, calls.of_lookup),
    (ast.stmt, statements.of_statement),
)


def _of(at: Field, node: ast.AST) -> Iterator[Mutant]:
    for kind, make in _MAKERS:
        if isinstance(node, kind):
            yield from make(at, node)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield from operators.of_condition(at, node.test)
    if isinstance(node, ast.expr) and _is_used_value(at, node):
        yield from calls.of_wrapping(at, node)


def _is_used_value(at: Field, node: ast.expr) -> bool:
    """Values that meet something which may need another type: operands, arguments, indices, returned values."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        return False
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return False
    up = at.up.get(node)
    if isinstance(up, ast.Call):
        return up.func is not node
    if isinstance(up, ast.Subscript):
        return up.slice is node
    return isinstance(up, ast.BinOp | ast.Compare | ast.Return | ast.Assign | ast.For | ast.comprehension)
