"""Remedies for an index outside of its sequence: conditions, ends of loops, answers at once. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant, replaced
from selfheal_tui.repair.mutations.remedy_steps import (
    atom,
    constants,
    only_if,
    present,
    subscripts,
)
from selfheal_tui.repair.mutations.spot import Spot, answers
from selfheal_tui.repair.rules.spans import whole
from selfheal_tui.source.edits import TextEdit


def of_bounds(spot: Spot) -> Iterator[Mutant]:
    """See the module; of the failing statement."""
    for node in subscripts(spot)[:2]:
        if not isinstance(node.slice, ast.Slice):
            yield from _of_index(spot, node)
    for call in (n for n in spot.parts() if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)):
        assert isinstance(call.func, ast.Attribute)
        if call.func.attr in ("pop", "popleft") and len(call.args) < 2:
            base = spot.at.source(call.func.value)
            yield from only_if(spot, base, 0.5)
            for answer, weight in answers(spot):
                yield from present(spot.guard(f"not {base}", answer, weight * 0.9))


def _of_index(spot: Spot, node: ast.Subscript) -> Iterator[Mutant]:
    at = spot.at
    base, index = atom(at.source(node.value), node.value), at.source(node.slice)
    inside, outside = _conditions(base, node.slice, index)
    yield from only_if(spot, inside, 0.5)
    yield from _as_slice(spot, node, base, "-1" if ast.unparse(node.slice) == "-1" else index)
    loops = list(spot.loops())
    for loop in loops[:2]:
        if isinstance(loop, ast.While):
            truth = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
            new = inside if truth else f"{inside} and {at.source(loop.test)}"
            why = f"the loop ends where `{outside}`"
            yield Mutant("condition", loop.lineno, (whole(loop.test, new),), why, 0.55)
    yield from _look_ahead(spot, node)
    yield from spot.skips(outside)
    for answer, weight in answers(spot):
        yield from present(spot.guard(outside, answer, weight * 0.9))
    counted = at.up.get(node)
    if isinstance(counted, ast.Call) and ast.unparse(counted.func) == "len":
        yield replaced(at, "default", counted, f"({at.source(counted)} if {inside} else 0)", 0.45)
    for text in ("None", "''", *constants(spot)):
        yield replaced(at, "default", node, f"({at.source(node)} if {inside} else {text})", 0.3)


def _conditions(base: str, at: ast.expr, index: str) -> tuple[str, str]:
    """When the index lies inside of the sequence, and when outside."""
    if _is_end(at):
        return base, f"not {base}"
    if isinstance(at, ast.Constant) and isinstance(at.value, int):
        return f"len({base}) > {at.value}", f"len({base}) <= {at.value}"
    return f"{index} < len({base})", f"{index} >= len({base})"


def _as_slice(spot: Spot, node: ast.Subscript, base: str, index: str) -> Iterator[Mutant]:
    """`x[0]` as `x[:1]`, which is empty where `x` is."""
    value = spot.local(base)
    if _is_end(node.slice) and value is not None and value.type == "str":
        # One character is a text, too, so that nothing else changes where there is one.
        yield from _asked_of_text(spot, node, base, index)
        yield replaced(spot.at, "text-slice", node, f"{base}[{'-1:' if index == '-1' else ':1'}]", 0.5)
    elif _is_end(node.slice):
        yield replaced(spot.at, "slice", node, f"{base}[{'-1:' if index == '-1' else ':1'}]", 0.4)
    elif isinstance(node.slice, ast.Constant):
        yield replaced(spot.at, "slice", node, f"{base}[{index}:]", 0.3)


def _asked_of_text(spot: Spot, node: ast.Subscript, base: str, index: str) -> Iterator[Mutant]:
    """`x[-1] == "."` as `x.endswith(".")`, which is false where `x` is empty."""
    test = spot.at.up.get(node)
    if not (
        isinstance(test, ast.Compare) and test.left is node and isinstance(test.ops[0], ast.Eq | ast.NotEq)
    ):
        return
    other = test.comparators[0]
    if (
        len(test.ops) == 1
        and isinstance(other, ast.Constant)
        and isinstance(other.value, str)
        and len(other.value) == 1
    ):
        method = "endswith" if index == "-1" else "startswith"
        denied = "not " if isinstance(test.ops[0], ast.NotEq) else ""
        new = f"{denied}{base}.{method}({spot.at.source(other)})"
        nested = denied and isinstance(spot.at.up.get(test), ast.UnaryOp | ast.Compare | ast.BinOp)
        yield replaced(spot.at, "text-slice", test, f"({new})" if nested else new, 0.55)


def _is_end(index: ast.expr) -> bool:
    text = ast.unparse(index)
    return text in ("0", "-1")


def _look_ahead(spot: Spot, node: ast.Subscript) -> Iterator[Mutant]:
    """Every test of the loop that looks into the sequence by the same variable is made to look before."""
    variable = next((n.id for n in ast.walk(node.slice) if isinstance(n, ast.Name)), "")
    base = ast.unparse(node.value)
    loop = next(iter(spot.loops()), None)
    if not variable or loop is None:
        return
    edits: dict[int, TextEdit] = {}
    for inner in ast.walk(loop):
        if not isinstance(inner, ast.If | ast.While):
            continue
        for part in ast.walk(inner.test):
            if (
                isinstance(part, ast.Subscript)
                and ast.unparse(part.value) == base
                and not isinstance(part.slice, ast.Slice)
            ):
                index = spot.at.source(part.slice)
                edits[inner.lineno] = whole(
                    inner.test, f"{index} < len({base}) and {spot.at.source(inner.test)}"
                )
    if isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and loop.test.value:
        edits[loop.lineno] = whole(loop.test, f"{variable} < len({base})")
    if len(edits) > 1:
        why = f"`{base}` is looked into by `{variable}` only where it has something"
        yield Mutant("condition", min(edits), tuple(edits.values()), why, 0.5)
