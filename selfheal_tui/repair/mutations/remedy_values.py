"""Remedies for values that a function refuses: clamps, defaults for nothing, conversions, divisors. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant, replaced
from selfheal_tui.repair.mutations.remedy_steps import (
    atom,
    constants,
    only_if,
    present,
    renamed,
)
from selfheal_tui.repair.mutations.spot import Spot, answers

_NEGATIVE = re.compile(
    r"non-?negative|negative|>= ?0|0 ?<=|must be positive|must be in range|out of range|should be 1 or more",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"substring not found|is not in (?:list|deque)|not in tuple|x not in ")


def of_values(spot: Spot) -> Iterator[Mutant]:
    """See the module; of the failing statement."""
    for call in (n for n in spot.parts() if isinstance(n, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if _NEGATIVE.search(spot.error.message):
            yield from _clamped(spot, call)
        if name in ("max", "min") and "empty" in spot.error.message and len(call.args) == 1:
            beside = _defaults_beside(spot)
            for text in dict.fromkeys((*beside, "0", "None", "''", *constants(spot))):
                weight = 0.6 if text in beside else (0.5 if text == "0" else 0.4)
                yield _with_keyword(spot, call, f"default={text}", weight)
        if name in ("int", "float") and len(call.args) == 1:
            yield from _numbers(spot, call, name)
        if name in ("index", "remove") and call.args and _ABSENT.search(spot.error.message):
            yield from _absent(spot, call)
        if name in ("strptime", "fromisoformat", "loads") and call.args:
            text = atom(spot.at.source(call.args[0]), call.args[0])
            yield replaced(spot.at, "method-step", call.args[0], f"{text}.strip()", 0.4)


def _defaults_beside(spot: Spot) -> list[str]:
    """What other calls of the file name as default."""
    return [
        ast.unparse(node.value)
        for node in ast.walk(spot.site.tree)
        if isinstance(node, ast.keyword) and node.arg == "default" and isinstance(node.value, ast.Constant)
    ][:3]


def _clamped(spot: Spot, call: ast.Call) -> Iterator[Mutant]:
    for argument in call.args:
        if isinstance(argument, ast.Name | ast.Attribute | ast.BinOp | ast.Call | ast.Subscript):
            text = spot.at.source(argument)
            yield replaced(spot.at, "clamp", argument, f"max(0, {text})", 0.5)
            yield replaced(spot.at, "clamp", argument, f"max(1, {text})", 0.3)
            if isinstance(argument, ast.Name | ast.Attribute) and "None" in spot.error.message:
                new = f"None if {text} is None else max(0, {text})"
                yield replaced(spot.at, "clamp", argument, new, 0.6)


def _numbers(spot: Spot, call: ast.Call, name: str) -> Iterator[Mutant]:
    at, argument = spot.at, call.args[0]
    text = at.source(argument)
    inner = atom(text, argument)
    if name == "int":
        yield replaced(at, "conversion", argument, f"float({text})", 0.45)
    yield replaced(at, "conversion", argument, f"{inner}.strip() or 0", 0.3)
    for mark in (",", "_", "%", "$"):
        if mark in spot.error.message:
            yield replaced(at, "conversion", argument, f"{inner}.replace({mark!r}, '')", 0.4)
    yield from spot.skips(f"not {inner}.strip()")


def _absent(spot: Spot, call: ast.Call) -> Iterator[Mutant]:
    if not isinstance(call.func, ast.Attribute):
        return
    base, what = spot.at.source(call.func.value), spot.at.source(call.args[0])
    if call.func.attr == "index":
        yield renamed(call.func, "find", 0.4)
    yield from only_if(spot, f"{what} in {base}", 0.5)
    for answer, weight in answers(spot):
        yield from present(spot.guard(f"{what} not in {base}", answer, weight * 0.9))


def _with_keyword(spot: Spot, call: ast.Call, keyword: str, weight: float) -> Mutant:
    argument = call.args[-1]
    text = spot.at.source(argument)
    if isinstance(argument, ast.GeneratorExp) and not text.startswith("("):
        text = f"({text})"
    elif isinstance(argument, ast.GeneratorExp):
        return replaced(spot.at, "default", call, f"{spot.at.source(call.func)}({text}, {keyword})", weight)
    return replaced(spot.at, "default", argument, f"{text}, {keyword}", weight)


def of_divisions(spot: Spot) -> Iterator[Mutant]:
    """See the module; of the failing statement."""
    at = spot.at
    for node in (n for n in spot.parts() if isinstance(n, ast.BinOp | ast.AugAssign)):
        if not isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            continue
        divisor = node.right if isinstance(node, ast.BinOp) else node.value
        text = at.source(divisor)
        for answer, weight in answers(spot):
            yield from present(spot.guard(f"not {atom(text, divisor)}", answer, weight))
        if isinstance(node, ast.BinOp):
            for value in ("0", *constants(spot)):
                yield replaced(at, "default", node, f"({at.source(node)} if {text} else {value})", 0.4)
        yield replaced(at, "clamp", divisor, f"max(1, {text})", 0.3)
        yield replaced(at, "clamp", divisor, f"({text} or 1)", 0.35)
        yield from spot.skips(f"not {atom(text, divisor)}")
