"""Mutants of calls: arguments in another order, methods for their twins, conversions lost or surplus, lookups."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Field, Mutant, replaced
from selfheal_tui.repair.mutations.operators import shifted
from selfheal_tui.repair.rules.scopes import BUILTIN_NAMES
from selfheal_tui.repair.rules.spans import (
    end_of,
    needs_parentheses,
    rename_attribute,
    start_of,
    whole,
)

_TWINS = (
    "min max", "any all", "append extend", "startswith endswith", "lstrip rstrip strip", "upper lower",
    "keys values items", "add update", "floor ceil", "pop popleft", "append appendleft", "find rfind index",
    "split rsplit", "partition rpartition", "match search fullmatch", "sort sorted", "isdigit isalpha isalnum",
    "encode decode", "union intersection difference", "issubset issuperset", "dumps loads", "dump load",
    "read readlines readline", "list tuple", "list set", "set frozenset", "int float", "str repr",
    "isinstance issubclass", "range enumerate", "copy deepcopy", "heappush heappop",
    "bisect_left bisect_right", "discard remove", "permutations combinations", "popleft popright",
)  # fmt: skip
"""Names of the standard library that do related things and are taken for one another."""
_TWIN_OF: dict[str, dict[str, None]] = {}
for _group in _TWINS:
    for _name in _group.split():
        _TWIN_OF.setdefault(_name, {}).update(dict.fromkeys(n for n in _group.split() if n != _name))

_WALKERS = frozenset(
    [
        "sum",
        "fsum",
        "min",
        "max",
        "sorted",
        "any",
        "all",
        "list",
        "tuple",
        "set",
        "map",
        "zip",
        "enumerate",
        "join",
        "mean",
        "fmean",
        "median",
        "extend",
        "update",
        "chain",
    ]
)
"""Calls that go through what they are given."""


def of_call(at: Field, node: ast.Call) -> Iterator[Mutant]:
    """Everything that is done to one call."""
    yield from _twins(at, node)
    yield from _order(at, node)
    yield from _unwrapped(at, node)
    if isinstance(node.func, ast.Name) and node.func.id == "len":
        yield from shifted(at, "index", node, 0.5)
    if isinstance(node.func, ast.Name) and node.func.id == "range":
        yield from _range(at, node)
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and len(node.args) == 1:
        base, key = at.source(node.func.value), at.source(node.args[0])
        yield replaced(at, "lookup", node, f"{base}[{key}]", 0.2)


def _twins(at: Field, node: ast.Call) -> Iterator[Mutant]:
    if isinstance(node.func, ast.Attribute):
        for twin in _TWIN_OF.get(node.func.attr, ()):
            if twin not in BUILTIN_NAMES:
                edit = rename_attribute(node.func, twin)
                yield Mutant(
                    "method", end_of(node.func)[0], (edit,), f"`.{node.func.attr}` becomes `.{twin}`", 0.5
                )
    elif isinstance(node.func, ast.Name):
        for twin in _TWIN_OF.get(node.func.id, ()):
            if twin in BUILTIN_NAMES:
                yield replaced(at, "function", node.func, twin, 0.45)


def _order(at: Field, node: ast.Call) -> Iterator[Mutant]:
    plain = [a for a in node.args if not isinstance(a, ast.Starred)]
    if len(plain) != len(node.args):
        return
    for i, first in enumerate(plain):
        for j in range(i + 1, len(plain)):
            second = plain[j]
            a, b = at.source(first), at.source(second)
            if a == b or (isinstance(first, ast.Constant) and isinstance(second, ast.Constant) and j - i > 1):
                continue
            edits = (whole(first, b), whole(second, a))
            why = f"the arguments `{a[:30]}` and `{b[:30]}` are exchanged"
            yield Mutant("argument-order", start_of(node)[0], edits, why, 0.55 if j - i == 1 else 0.35)


def _unwrapped(at: Field, node: ast.Call) -> Iterator[Mutant]:
    """`f(x)` that should have been `x`, `x.m()` that should have been `x`."""
    if isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
        argument = node.args[0]
        if not isinstance(argument, ast.Starred | ast.GeneratorExp):
            yield replaced(at, "unwrapped", node, at.source(argument), 0.25)
    elif isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
        if isinstance(at.up.get(node), ast.Expr):
            return
        yield replaced(at, "unwrapped", node, at.source(node.func.value), 0.25)


def _range(at: Field, node: ast.Call) -> Iterator[Mutant]:
    for argument in node.args[:2]:
        if not isinstance(argument, ast.Constant):
            yield from shifted(at, "range", argument, 0.6)
    if len(node.args) == 1:
        for start in ("1", "2"):
            new = f"{start}, {at.source(node.args[0])}"
            yield replaced(at, "range", node.args[0], new, 0.45 if start == "1" else 0.25)
    elif len(node.args) == 2:
        last = node.args[1]
        for step in ("2", "-1"):
            text = f"{at.source(last)}, {step}"
            yield replaced(at, "range", last, text, 0.2)


def of_wrapping(at: Field, node: ast.expr) -> Iterator[Mutant]:
    """A value put through a conversion that was lost: `int(x)`, `x.strip()`, `x.items()`."""
    text = at.source(node)
    kind = at.types.get(node.id, "").rpartition(".")[2] if isinstance(node, ast.Name) else ""
    inner = f"({text})" if needs_parentheses(node) else text
    for name in sorted(_conversions_for(kind)):
        yield replaced(at, "conversion", node, f"{name}({text})", 0.3 if kind else 0.15)
    walked = kind == "dict" and _is_walked(at, node)
    for name in sorted(_steps_for(kind)):
        weight = 0.6 if walked and name in ("values", "items") else 0.3 if kind else 0.1
        yield replaced(at, "method-step", node, f"{inner}.{name}()", weight)


def _is_walked(at: Field, node: ast.expr) -> bool:
    """Whether a value is gone through or summed up: of a mapping that gives keys, where values are often meant."""
    up = at.up.get(node)
    if isinstance(up, ast.For | ast.AsyncFor | ast.comprehension):
        return up.iter is node
    if not isinstance(up, ast.Call) or node not in up.args:
        return False
    name = up.func.id if isinstance(up.func, ast.Name) else getattr(up.func, "attr", "")
    return name in _WALKERS


def _conversions_for(kind: str) -> frozenset[str]:
    table = {
        "str": {"int", "float", "len", "list"}, "int": {"str", "abs", "range"}, "float": {"int", "round", "abs"},
        "list": {"len", "tuple", "set", "sorted"}, "tuple": {"len", "list", "set"}, "dict": {"len", "list"},
        "set": {"len", "list", "sorted"}, "bytes": {"len"}, "bool": {"int"}, "NoneType": set(),
    }  # fmt: skip
    return frozenset(table.get(kind, {"str", "int", "len", "list"} if not kind else {"str", "list"}))


def _steps_for(kind: str) -> frozenset[str]:
    table = {
        "str": {"strip", "lower", "split"},
        "dict": {"items", "values", "copy"},
        "list": {"copy"},
        "bytes": {"decode"},
    }
    return frozenset(table.get(kind, set()))


def of_lookup(at: Field, node: ast.Subscript) -> Iterator[Mutant]:
    """`d[k]` for `d.get(k)`: only where the very place takes None for an answer, which the tests must show."""
    if isinstance(node.slice, ast.Slice | ast.UnaryOp | ast.Tuple) or not isinstance(node.ctx, ast.Load):
        return
    base, key = at.source(node.value), at.source(node.slice)
    yield replaced(at, "lookup", node, f"{base}.get({key})", 0.3)
