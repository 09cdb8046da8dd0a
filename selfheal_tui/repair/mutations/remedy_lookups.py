"""Remedies for what is not there: a default, a condition, an answer at once. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant, replaced
from selfheal_tui.repair.mutations.remedy_steps import (
    constants,
    only_if,
    present,
    renamed,
    subscripts,
)
from selfheal_tui.repair.mutations.spot import Spot, answers


def of_lookups(spot: Spot) -> Iterator[Mutant]:
    """See the module; of the failing statement."""
    at = spot.at
    for node in subscripts(spot)[:2]:
        if isinstance(node.slice, ast.Slice):
            continue
        base, key = at.source(node.value), at.source(node.slice)
        for text in constants(spot):
            yield replaced(at, "default", node, f"{base}.get({key}, {text})", 0.55)
        yield replaced(at, "default", node, f"{base}.get({key})", 0.3)
        if isinstance(node.slice, ast.Name | ast.Constant | ast.Attribute):
            yield replaced(at, "default", node, f"{base}.get({key}, {key})", 0.3)
        for text in ("0", "''", "[]", "{}", "False"):
            yield replaced(at, "default", node, f"{base}.get({key}, {text})", 0.25)
        yield from spot.skips(f"{key} not in {base}")
        for answer, weight in answers(spot):
            yield from present(spot.guard(f"{key} not in {base}", answer, weight * 0.8))
        yield from only_if(spot, f"{key} in {base}", 0.4)
    for call in (n for n in spot.parts() if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)):
        assert isinstance(call.func, ast.Attribute)
        if call.func.attr == "pop" and len(call.args) == 1:
            yield replaced(at, "default", call.args[0], f"{at.source(call.args[0])}, None", 0.55)
        elif call.func.attr == "remove":
            yield renamed(call.func, "discard", 0.55)


def of_exhausted(spot: Spot) -> Iterator[Mutant]:
    """See the module; of the failing statement."""
    for call in (n for n in spot.parts() if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id == "next" and len(call.args) == 1:
            source = spot.at.source(call.args[0])
            if isinstance(call.args[0], ast.GeneratorExp) and not source.startswith("("):
                source = f"({source})"
            thrown_away = isinstance(spot.at.up.get(call), ast.Expr)
            for text in ("None", *([] if thrown_away else ["''", *constants(spot)])):
                weight = 0.6 if text == "None" else 0.35
                yield replaced(spot.at, "default", call, f"next({source}, {text})", weight)
