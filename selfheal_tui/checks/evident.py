"""Honesty: start values that the code itself shows, which are therefore not made up.

A default is evident where nothing else can be meant: a flag that is only ever set the other way, a variable that its own
function asks for None, a count or list in a container that the same function starts empty, a guard that a sibling has
word for word. Pure functions over syntax trees; everything else stays a finding of `defaults`.
"""

from __future__ import annotations

import ast
from itertools import pairwise

from selfheal_tui.checks.definitions import MODULE, definitions, own_nodes
from selfheal_tui.checks.statements import call_name

_GROWERS = frozenset({"append", "add", "extend", "update", "insert", "setdefault", "appendleft"})
_EMPTY = frozenset({"{}", "dict()"})
_STARTS = frozenset({"0", "0.0", "1", "''", "b''", "[]", "()", "{}", "set()"})
_ZEROS = frozenset({"0", "0.0", "''", "[]", "set()"})


def _body(tree: ast.Module, scope: str, *, attribute: bool) -> list[ast.AST]:
    """Nodes of a scope; for an attribute those of all methods of the class."""
    if not attribute and scope == MODULE:
        return list(own_nodes(tree))
    owner = scope.rpartition(".")[0] if attribute else scope
    found: list[ast.AST] = []
    for qualname, entries in definitions(tree).items():
        inside = qualname.rpartition(".")[0] == owner if attribute else qualname == owner
        if inside:
            found += [n for entry in entries if entry.is_function for n in own_nodes(entry.node)]
    return found


def _is(node: ast.AST | None, name: str, *, attribute: bool) -> bool:
    if attribute:
        return isinstance(node, ast.Attribute) and node.attr == name and call_name(node.value) == "self"
    return isinstance(node, ast.Name) and node.id == name


def _is_flag(values: list[ast.expr], start: bool) -> bool:
    """All other values are the opposite constant."""
    others = [v for v in values if not (isinstance(v, ast.Constant) and v.value is start)]
    return bool(others) and all(isinstance(v, ast.Constant) and v.value is (not start) for v in others)


def is_evident_start(
    tree: ast.Module, scope: str, name: str, value: ast.expr, *, attribute: bool = False
) -> bool:
    """Says whether a start value follows from how a function (or class) uses the name.

    Args:
        tree: The patched module.
        scope: Qualified name of the function that now starts it.
        name: The variable, or the attribute of `self`.
        value: The value.
        attribute: Whether it is an attribute.
    """
    nodes = _body(tree, scope, attribute=attribute)
    values = [
        n.value
        for n in nodes
        if isinstance(n, ast.Assign) and any(_is(t, name, attribute=attribute) for t in n.targets)
    ]
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        return _is_flag(values, value.value)
    if isinstance(value, ast.Constant) and value.value is None:
        asked = any(
            isinstance(n, ast.Compare) and _is(n.left, name, attribute=attribute)
            and isinstance(n.ops[0], ast.Is | ast.IsNot)
            and isinstance(n.comparators[0], ast.Constant) and n.comparators[0].value is None
            for n in nodes
        )  # fmt: skip
        return asked and any(not (isinstance(v, ast.Constant) and v.value is None) for v in values)
    return ast.unparse(value) in _STARTS and any(_adds_to(n, name, attribute=attribute) for n in nodes)


def _adds_to(node: ast.AST, name: str, *, attribute: bool) -> bool:
    if isinstance(node, ast.AugAssign):
        return _is(node.target, name, attribute=attribute)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return _is(node.value, name, attribute=attribute)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _GROWERS
        and _is(node.func.value, name, attribute=attribute)
    )


def evident_counts(tree: ast.Module) -> set[int]:
    """Ids of `.get()` and `.setdefault()` calls that start a key in a dict which the same function starts empty.

    `counts[word] = counts.get(word, 0) + 1` and `groups.setdefault(key, []).append(item)`.
    """
    found: set[int] = set()
    for entries in definitions(tree).values():
        for entry in entries:
            nodes = list(own_nodes(entry.node))
            started = _started_empty(nodes)
            for node in nodes:
                if isinstance(node, ast.Assign):
                    found |= _counting(node, started)
                elif isinstance(node, ast.Expr):
                    found |= _filling(node, started)
    return found


def marking_guards(tree: ast.Module) -> set[int]:
    """Ids of `if x in seen: continue` (or a bare `return`) whose next statement marks `x` as seen.

    A walk that comes by a place again has done its work there; nothing is made up.
    """
    found: set[int] = set()
    for owner in ast.walk(tree):
        block = getattr(owner, "body", None)
        for first, second in pairwise(block if isinstance(block, list) else []):
            if isinstance(first, ast.If) and not first.orelse and len(first.body) == 1:
                leaves = isinstance(first.body[0], ast.Continue) or (
                    isinstance(first.body[0], ast.Return) and first.body[0].value is None
                )
                if leaves and _marks(first.test, second):
                    found.add(id(first))
    return found


def _marks(test: ast.expr, statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], ast.In)
        and isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"add", "append"}
        and len(call.args) == 1
        and ast.dump(call.args[0]) == ast.dump(test.left)
        and ast.dump(call.func.value) == ast.dump(test.comparators[0])
    )


def asked_for_none(tree: ast.Module) -> set[int]:
    """Ids of calls whose result is given to a variable which the very next statement asks for None."""
    found: set[int] = set()
    for owner in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(owner, name, None)
            for first, second in pairwise(block if isinstance(block, list) else []):
                if isinstance(first, ast.Assign) and isinstance(second, ast.If) and _asks(first, second.test):
                    found.add(id(first.value))
    return found


def _asks(assigned: ast.Assign, test: ast.expr) -> bool:
    target = assigned.targets[0]
    return (
        isinstance(target, ast.Name)
        and isinstance(test, ast.Compare)
        and _is(test.left, target.id, attribute=False)
        and isinstance(test.ops[0], ast.Is | ast.IsNot)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value is None
    )


def _started_empty(nodes: list[ast.AST]) -> set[str]:
    empty: set[str] = set()
    other: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    (empty if ast.unparse(node.value) in _EMPTY else other).add(target.id)
    return empty - other


def _counting(node: ast.Assign, started: set[str]) -> set[int]:
    target = node.targets[0]
    if not (isinstance(target, ast.Subscript) and call_name(target.value) in started):
        return set()
    if not isinstance(node.value, ast.BinOp):
        return set()
    return {
        id(side)
        for side in (node.value.left, node.value.right)
        if isinstance(side, ast.Call) and call_name(side) == f"{call_name(target.value)}.get" and len(side.args) == 2
        and ast.dump(side.args[0]) == ast.dump(target.slice) and ast.unparse(side.args[1]) in _ZEROS
    }  # fmt: skip


def _filling(node: ast.Expr, started: set[str]) -> set[int]:
    call = node.value
    inner = call.func.value if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else None
    if isinstance(inner, ast.Call) and len(inner.args) == 2 and ast.unparse(inner.args[1]) in {*_ZEROS, "{}"}:
        base, _, method = call_name(inner).rpartition(".")
        if method == "setdefault" and base in started:
            return {id(inner)}
    return set()


def sibling_guards(tree: ast.Module) -> set[tuple[str, str]]:
    """Guards on an empty parameter with which functions of a module begin.

    Args:
        tree: The module before the patch, so that a patch cannot vouch for itself.

    Returns:
        Pairs of the functions' owner and the guard as `guard_key` describes it.
    """
    return {
        (qualname.rpartition(".")[0], key)
        for qualname, entries in definitions(tree).items()
        for entry in entries
        if entry.is_function
        for node in entry.node.body[:2]
        if isinstance(node, ast.If) and (key := guard_key(node))
    }


def guard_key(node: ast.If) -> str:
    """Describes a guard `if not name: return literal`; empty for any other condition, and where None is returned."""
    if not (isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)):
        return ""
    if not isinstance(node.test.operand, ast.Name) or node.orelse or len(node.body) != 1:
        return ""
    answer = node.body[0]
    if not isinstance(answer, ast.Return) or answer.value is None:
        return ""
    if isinstance(answer.value, ast.Constant) and answer.value.value is None:
        return ""
    return f"{node.test.operand.id} {ast.dump(answer)}"
