"""Mutants of names: another variable of the scope, another attribute of the same object."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Field, Mutant, replaced
from selfheal_tui.repair.rules.scopes import own_nodes, parameters
from selfheal_tui.repair.rules.spans import end_of, rename_attribute, rename_keyword

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_MAX = 6
_ALIKE = 0.7


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _scope(at: Field, node: ast.AST) -> ast.AST:
    up = at.up.get(node)
    while up is not None and not isinstance(up, _FUNCTION | ast.Module):
        up = at.up.get(up)
    return up if up is not None else at.tree


def variables(at: Field, node: ast.AST) -> list[str]:
    """Names of the parameters and variables that a place can see, nearest binding last, without functions."""
    scope = _scope(at, node)
    found: dict[str, None] = {}
    if isinstance(scope, _FUNCTION):
        found.update(dict.fromkeys(a.arg for a in parameters(scope)))
    line = getattr(node, "lineno", 0)
    for inner in own_nodes(scope):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store) and inner.lineno <= line:
            found[inner.id] = None
    return list(found)


def of_name(at: Field, node: ast.Name) -> Iterator[Mutant]:
    """A variable exchanged for others of its scope, of the same type where types are known."""
    if not isinstance(node.ctx, ast.Load) or node.id in ("self", "cls"):
        return
    holder = at.up.get(node)
    if isinstance(holder, ast.Call) and holder.func is node:
        return
    names = variables(at, node)
    if node.id not in names:
        return
    others = [n for n in names if n not in (node.id, "self", "cls")]
    ranked = sorted(others, key=lambda n: -_likeness(n, node.id))
    for other in ranked[:_MAX]:
        types = (at.types.get(node.id), at.types.get(other))
        same = None not in types and types[0] == types[1]
        differs = None not in types and types[0] != types[1]
        weight = 0.4 + 0.15 * _likeness(other, node.id) + (0.1 if same else 0) - (0.15 if differs else 0)
        yield replaced(at, "name", node, other, weight)


def of_attribute(at: Field, node: ast.Attribute) -> Iterator[Mutant]:
    """An attribute exchanged for another that the same variable has elsewhere in the file."""
    read = isinstance(node.ctx, ast.Load) or isinstance(at.up.get(node), ast.AugAssign)
    if not isinstance(node.value, ast.Name) or not read:
        return
    base = node.value.id
    holder = at.up.get(node)
    called = isinstance(holder, ast.Call) and holder.func is node
    owner = _owner(at, node) if base in ("self", "cls") else _scope(at, node)
    others: dict[str, None] = {}
    for inner in ast.walk(owner):
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == base:
            up = at.up.get(inner)
            if called == (isinstance(up, ast.Call) and up.func is inner) and inner.attr != node.attr:
                others[inner.attr] = None
    ranked = sorted(others, key=lambda n: -_likeness(n, node.attr))
    for other in ranked[:_MAX]:
        weight = 0.3 + 0.2 * _likeness(other, node.attr)
        edit = rename_attribute(node, other)
        yield Mutant("attribute", end_of(node)[0], (edit,), f"`.{node.attr}` becomes `.{other}`", weight)


def _owner(at: Field, node: ast.AST) -> ast.AST:
    up = at.up.get(node)
    while up is not None and not isinstance(up, ast.ClassDef | ast.Module):
        up = at.up.get(up)
    return up if up is not None else at.tree


def of_keyword(at: Field, node: ast.keyword) -> Iterator[Mutant]:
    """A keyword argument's name exchanged for a name of the file that looks much like it."""
    if node.arg is None:
        return
    known: dict[str, None] = {}
    for inner in ast.walk(at.tree):
        if isinstance(inner, ast.Name):
            known[inner.id] = None
        elif isinstance(inner, ast.Attribute):
            known[inner.attr] = None
        elif isinstance(inner, ast.arg | ast.keyword) and inner.arg:
            known[inner.arg] = None
    for other in known:
        likeness = _likeness(other, node.arg)
        if other != node.arg and likeness >= _ALIKE:
            edit = rename_keyword(node, other)
            why = f"`{node.arg}=` becomes `{other}=`"
            yield Mutant("keyword-name", node.lineno, (edit,), why, 0.3 + 0.4 * likeness)
