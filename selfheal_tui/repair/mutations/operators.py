"""Mutants of operators, conditions and constants: comparisons, arithmetic, `not`, `and`/`or`, off by one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Field, Mutant, replaced, swap_gap
from selfheal_tui.repair.rules.spans import start_of
from selfheal_tui.source.edits import TextEdit

_COMPARES: dict[type[ast.cmpop], tuple[str, tuple[tuple[str, float], ...]]] = {
    ast.Lt: ("<", (("<=", 0.8), (">", 0.6), (">=", 0.5), ("!=", 0.3))),
    ast.LtE: ("<=", (("<", 0.8), (">=", 0.6), (">", 0.5))),
    ast.Gt: (">", ((">=", 0.8), ("<", 0.6), ("<=", 0.5), ("!=", 0.3))),
    ast.GtE: (">=", ((">", 0.8), ("<=", 0.6), ("<", 0.5))),
    ast.Eq: ("==", (("!=", 0.7), ("<=", 0.4), (">=", 0.4), ("<", 0.3), (">", 0.3))),
    ast.NotEq: ("!=", (("==", 0.7), ("<", 0.3), (">", 0.3))),
    ast.Is: ("is", (("is not", 0.7),)),
    ast.IsNot: ("is not", (("is", 0.7),)),
    ast.In: ("in", (("not in", 0.7),)),
    ast.NotIn: ("not in", (("in", 0.7),)),
}
_BINARY: dict[type[ast.operator], tuple[str, tuple[tuple[str, float], ...]]] = {
    ast.Add: ("+", (("-", 0.7), ("*", 0.3))),
    ast.Sub: ("-", (("+", 0.7), ("%", 0.2))),
    ast.Mult: ("*", (("+", 0.4), ("/", 0.4), ("**", 0.3), ("//", 0.3))),
    ast.Div: ("/", (("//", 0.7), ("*", 0.5), ("%", 0.2))),
    ast.FloorDiv: ("//", (("%", 0.6), ("/", 0.5), ("*", 0.3))),
    ast.Mod: ("%", (("//", 0.6), ("+", 0.2))),
    ast.Pow: ("**", (("*", 0.5),)),
    ast.BitAnd: ("&", (("|", 0.6), ("^", 0.3))),
    ast.BitOr: ("|", (("&", 0.6), ("^", 0.3))),
    ast.BitXor: ("^", (("&", 0.5), ("|", 0.4))),
    ast.LShift: ("<<", ((">>", 0.6),)),
    ast.RShift: (">>", (("<<", 0.6),)),
}


def of_compare(at: Field, node: ast.Compare) -> Iterator[Mutant]:
    """Each comparison operator exchanged for its kin."""
    sides = [node.left, *node.comparators]
    for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
        old, others = _COMPARES[type(op)]
        for new, weight in others:
            edit = swap_gap(at, left, right, old, new)
            if edit is not None:
                yield Mutant("comparison", start_of(right)[0], (edit,), f"`{old}` becomes `{new}`", weight)


def of_binary(at: Field, node: ast.BinOp) -> Iterator[Mutant]:
    """Each arithmetic operator exchanged; the operands exchanged; one operand left out."""
    old, others = _BINARY.get(type(node.op), ("", ()))
    for new, weight in others:
        edit = swap_gap(at, node.left, node.right, old, new)
        if edit is not None:
            yield Mutant("arithmetic", start_of(node)[0], (edit,), f"`{old}` becomes `{new}`", weight)
    if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod | ast.Pow):
        left, right = at.source(node.left), at.source(node.right)
        if not isinstance(node.left, ast.BinOp) and not isinstance(node.right, ast.BinOp):
            yield replaced(at, "operands", node, f"{right} {old} {left}", 0.35)
    if isinstance(node.right, ast.Constant) and node.right.value == 1:
        yield replaced(at, "off-by-one", node, at.source(node.left), 0.6)
    elif not isinstance(node.op, ast.Mod) and not isinstance(node.left, ast.Constant):
        yield replaced(at, "dropped-operand", node, at.source(node.left), 0.2)


def of_augmented(at: Field, node: ast.AugAssign) -> Iterator[Mutant]:
    """`+=` exchanged for `-=` or `=`, and its kin."""
    old, others = _BINARY.get(type(node.op), ("", ()))
    for new, weight in (*((f"{n}=", w) for n, w in others), ("=", 0.3)):
        edit = swap_gap(at, node.target, node.value, f"{old}=", new)
        if edit is not None:
            yield Mutant("augmented", node.lineno, (edit,), f"`{old}=` becomes `{new}`", weight)


def of_assignment(at: Field, node: ast.Assign) -> Iterator[Mutant]:
    """`=` that should have added to what is there, in a loop only."""
    target = node.targets[0]
    inside = at.up.get(node)
    while inside is not None and not isinstance(inside, ast.For | ast.While | ast.FunctionDef):
        inside = at.up.get(inside)
    plain = isinstance(target, ast.Name | ast.Attribute | ast.Subscript) and len(node.targets) == 1
    if plain and isinstance(inside, ast.For | ast.While):
        edit = swap_gap(at, target, node.value, "=", "+=")
        if edit is not None:
            yield Mutant("augmented", node.lineno, (edit,), "`=` becomes `+=`", 0.2)


def of_boolean(at: Field, node: ast.BoolOp) -> Iterator[Mutant]:
    """`and` for `or`, and an operand left out."""
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    edits = [
        swap_gap(at, a, b, f" {old} ", f" {new} ") for a, b in zip(node.values, node.values[1:], strict=False)
    ]
    if all(edit is not None for edit in edits):
        found = tuple(edit for edit in edits if edit is not None)
        yield Mutant("boolean", start_of(node)[0], found, f"`{old}` becomes `{new}`", 0.6)
    if len(node.values) == 2:
        for kept in node.values:
            yield replaced(at, "dropped-condition", node, at.source(kept), 0.25)


def of_unary(at: Field, node: ast.UnaryOp) -> Iterator[Mutant]:
    """`not` or a sign left out."""
    if isinstance(node.op, ast.Not | ast.USub | ast.Invert) and not (
        isinstance(node.operand, ast.Constant) and isinstance(node.op, ast.USub)
    ):
        edit = TextEdit(start_of(node), start_of(node.operand), "")
        if at.gap_is_plain(node):
            what = "not" if isinstance(node.op, ast.Not) else "-"
            yield Mutant("negation", start_of(node)[0], (edit,), f"`{what}` is left out", 0.6)


def of_condition(at: Field, test: ast.expr) -> Iterator[Mutant]:
    """A condition turned around, where no operator of it says the opposite by itself."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return
    text = at.source(test)
    plain = isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    yield replaced(at, "negation", test, f"not {text}" if plain else f"not ({text})", 0.55)


def of_constant(at: Field, node: ast.Constant) -> Iterator[Mutant]:
    """Numbers off by one, booleans the other way."""
    value = node.value
    if isinstance(value, bool):
        yield replaced(at, "boolean-constant", node, str(not value), 0.5)
    elif isinstance(value, int):
        holder = at.up.get(node)
        if isinstance(holder, ast.UnaryOp) and isinstance(holder.op, ast.USub):
            yield replaced(at, "constant", holder, str(-value + 1), 0.5)
            yield replaced(at, "constant", holder, str(-value - 1), 0.4)
            return
        for new, weight in ((value + 1, 0.65), (value - 1, 0.6), (value + 2, 0.25), (-value, 0.2)):
            if new != value and abs(value) < 1 << 31:
                yield replaced(at, "constant", node, str(new), weight if new >= 0 else weight - 0.2)


def of_index(at: Field, node: ast.Subscript) -> Iterator[Mutant]:
    """An index or slice bound off by one."""
    if isinstance(node.slice, ast.Slice):
        for bound in (node.slice.lower, node.slice.upper):
            if bound is not None and not isinstance(bound, ast.Constant | ast.UnaryOp):
                yield from shifted(at, "slice", bound)
        return
    if isinstance(node.slice, ast.Name | ast.Attribute | ast.Call):
        yield from shifted(at, "index", node.slice)


def shifted(at: Field, kind: str, node: ast.expr, weight: float = 0.5) -> Iterator[Mutant]:
    """An expression one lower and one higher."""
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
        return  # its constant varies by itself
    text = at.source(node)
    text = text if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) else f"({text})"
    yield replaced(at, kind, node, f"{text} - 1", weight)
    yield replaced(at, kind, node, f"{text} + 1", weight - 0.05)
