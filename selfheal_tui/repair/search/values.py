"""Operators on expressions: terms, conditions, constants and attributes exchanged or dropped. Pure."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.rules.spans import end_of, rename_attribute
from selfheal_tui.repair.search import shapes
from selfheal_tui.repair.search.invocations import of_call
from selfheal_tui.repair.search.place import MOST_NAMES, Place, is_load

_MOST_ATTRIBUTES = 6
_PRECEDENCE = {ast.Pow: 4, ast.Mult: 3, ast.Div: 3, ast.FloorDiv: 3, ast.Mod: 3, ast.Add: 2, ast.Sub: 2}
_SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
}  # fmt: skip


def of_expressions(place: Place) -> Iterator[Mutant]:
    """Everything that is done to the expressions of a function."""
    for node in place.expressions:
        if not is_load(node):
            continue
        if isinstance(node, ast.BinOp):
            yield from _binary(place, node)
        elif isinstance(node, ast.BoolOp):
            yield from _boolean(place, node)
        elif isinstance(node, ast.Subscript):
            yield from shapes.subscript(place, node)
        elif isinstance(node, ast.Constant):
            yield from _constant(place, node)
        elif isinstance(node, ast.Attribute):
            yield from _attribute(place, node)
        elif isinstance(node, ast.Call):
            yield from of_call(place, node)
        elif isinstance(node, ast.Tuple | ast.List):
            yield from shapes.display(place, node)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            yield from _comprehension(place, node)
        if _is_value(place, node):
            yield from shapes.wrapped(place, node)
            yield from _terms(place, node)
        yield from shapes.like_siblings(place, node)
        yield from shapes.by_name(place, node)


def _is_value(place: Place, node: ast.expr) -> bool:
    """What is returned, assigned, iterated over, passed on or compared."""
    up = place.at.up.get(node)
    if isinstance(up, ast.Call):
        return up.func is not node
    if isinstance(up, ast.For | ast.comprehension):
        return up.iter is node
    return isinstance(
        up, ast.Return | ast.Assign | ast.AugAssign | ast.Compare | ast.Yield | ast.YieldFrom | ast.BinOp
    )


def _terms(place: Place, node: ast.expr) -> Iterator[Mutant]:
    """A term or factor that was dropped: one that the function has at hand."""
    up = place.at.up.get(node)
    if isinstance(up, ast.Call | ast.For | ast.comprehension) or isinstance(
        node, ast.Compare | ast.BoolOp | ast.Lambda
    ):
        return
    atom = place.atom(node)
    numbers = {
        repr(n.value)
        for n in ast.walk(place.function)
        if isinstance(n, ast.Constant) and type(n.value) is int and abs(n.value) > 1
    }
    for other in [*place.names[:MOST_NAMES], *sorted(numbers)[:4], "2"]:
        if other == place.source(node):
            continue
        for sign in ("+", "-", "*", "//", "%", "**"):
            if sign == "**" and not other.isdigit():
                continue
            yield place.put("term", node, f"{atom} {sign} {other}", 0.06)


def _binary(place: Place, node: ast.BinOp) -> Iterator[Mutant]:
    sign = _SIGNS.get(type(node.op))
    if sign is None:
        return
    left, right = place.source(node.left), place.source(node.right)
    if isinstance(node.op, ast.Add | ast.Mult) and left != right and not isinstance(node.left, ast.BinOp):
        yield place.put("operands", node, f"{place.atom(node.right)} {sign} {left}", 0.3)
    yield place.put("dropped-operand", node, right, 0.2)
    strength = _PRECEDENCE[type(node.op)]
    inner = node.right
    loose = isinstance(inner, ast.BinOp) and "(" not in place.at.gap(node.left, inner)
    if isinstance(inner, ast.BinOp) and loose and _PRECEDENCE.get(type(inner.op), 0) > strength:
        new = (
            f"({left} {sign} {place.source(inner.left)}) {_SIGNS[type(inner.op)]} {place.source(inner.right)}"
        )
        yield place.put("precedence", node, new, 0.3)
    inner = node.left
    if (
        isinstance(inner, ast.BinOp)
        and type(inner.op) in _SIGNS
        and place.at.gap(inner, node.right).count(")") == 0
    ):
        new = f"{place.source(inner.left)} {_SIGNS[type(inner.op)]} ({place.source(inner.right)} {sign} {right})"
        yield place.put("precedence", node, new, 0.2)


def _boolean(place: Place, node: ast.BoolOp) -> Iterator[Mutant]:
    if len(node.values) > 2:
        word = " and " if isinstance(node.op, ast.And) else " or "
        for dropped in node.values:
            kept = [place.source(v) for v in node.values if v is not dropped]
            yield place.put("dropped-condition", node, word.join(kept), 0.25)
    for value in node.values:
        text = place.source(value)
        yield place.put(
            "negation", value, f"not {text}" if not isinstance(value, ast.BoolOp) else f"not ({text})", 0.25
        )


def _constant(place: Place, node: ast.Constant) -> Iterator[Mutant]:
    value = node.value
    fellows = {
        n.value: None
        for n in place.expressions
        if isinstance(n, ast.Constant) and type(n.value) is type(value) and n.value != value
    }
    if isinstance(value, str):
        for other in list(fellows)[:5]:
            yield place.put("text", node, repr(other), 0.2, loose=False)
        tried = [
            value.upper(),
            value.lower(),
            value.strip(),
            value + " ",
            " " + value,
            value.rstrip(),
            value[:-1],
            value[1:],
        ]
        if value in ("", " ", ","):
            tried += ["", " ", ",", ", "]
        for other in dict.fromkeys(tried):
            if other != value:
                yield place.put("text", node, repr(other), 0.12, loose=False)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(place.at.up.get(node), ast.UnaryOp):
            return
        extra: list[float] = [value - 2, value * 2, value * 10]
        extra += [value / 2, value + 1.0, value - 1.0] if isinstance(value, float) else [value // 2]
        extra += [value // 10] if isinstance(value, int) and value % 10 == 0 else []
        for other, weight in [*((f, 0.2) for f in list(fellows)[:5]), *((e, 0.08) for e in extra)]:
            if other != value:
                text = repr(other)
                yield place.put("constant", node, text, weight if not text.startswith("-") else weight / 2)


def _attribute(place: Place, node: ast.Attribute) -> Iterator[Mutant]:
    """Another attribute that objects of the project have, the most alike first."""
    ranked = sorted(
        (a for a in place.attributes if a != node.attr),
        key=lambda a: -difflib.SequenceMatcher(None, a, node.attr, autojunk=False).ratio(),
    )
    for rank, other in enumerate(ranked[:_MOST_ATTRIBUTES]):
        why = f"`.{node.attr}` becomes `.{other}`"
        yield Mutant("attribute", end_of(node)[0], (rename_attribute(node, other),), why, 0.3 - 0.03 * rank)


def _comprehension(
    place: Place, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
) -> Iterator[Mutant]:
    for generator in node.generators:
        for test in generator.ifs:
            yield place.put("negation", test, f"not ({place.source(test)})", 0.25, loose=False)
            yield place.put("dropped-condition", test, "True", 0.2, loose=False)
