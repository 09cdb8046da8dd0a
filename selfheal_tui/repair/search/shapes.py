"""Operators that give an expression another shape: wrapped, cut, or made like what stands beside it. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.rules.spans import start_of, whole
from selfheal_tui.repair.search.place import MOST_NAMES, Place


def wrapped(place: Place, node: ast.expr) -> Iterator[Mutant]:
    """A value that is put through something, cut, or moved by one."""
    if isinstance(node, ast.Constant | ast.Compare | ast.BoolOp | ast.Lambda | ast.JoinedStr):
        return
    text, atom = place.source(node), place.atom(node)
    up = place.at.up.get(node)
    if isinstance(up, ast.Return | ast.Assign | ast.Yield):
        yield from _result(place, node, text, atom)
    if isinstance(up, ast.For | ast.comprehension):
        for new, weight in ((f"sorted({text})", 0.15), (f"reversed({text})", 0.15), (f"list({text})", 0.1)):
            yield place.put("wrap", node, new, weight, loose=False)
    if isinstance(up, ast.Return | ast.Call | ast.Yield):
        yield place.put("wrap", node, f"[{text}]", 0.15, loose=False)
    if not isinstance(node, ast.BinOp) and not isinstance(up, ast.For | ast.comprehension):
        yield place.put("off-by-one", node, f"{atom} + 1", 0.3)
        yield place.put("off-by-one", node, f"{atom} - 1", 0.3)
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(
        up, ast.For | ast.comprehension | ast.Call | ast.Return
    ):
        yield place.put("slice", node, f"{text}[1:]", 0.3, loose=False)
        yield place.put("slice", node, f"{text}[:-1]", 0.25, loose=False)
        for name in place.names[:MOST_NAMES]:
            if name != text:
                yield place.put("slice", node, f"{text}[{name}:]", 0.15, loose=False)
                yield place.put("slice", node, f"{text}[:{name}]", 0.13, loose=False)


def _result(place: Place, node: ast.expr, text: str, atom: str) -> Iterator[Mutant]:
    for name, weight in (("sorted", 0.25), ("abs", 0.15), ("list", 0.2), ("set", 0.08)):
        yield place.put("wrap", node, f"{name}({text})", weight)
    yield place.put("wrap", node, f"not {atom}", 0.15)
    for key, weight in (("key=len", 0.1), ("reverse=True", 0.12)):
        yield place.put("wrap", node, f"sorted({text}, {key})", weight)
    yield place.put("slice", node, f"{atom}[::-1]", 0.15, loose=False)
    if isinstance(node, ast.Name):
        yield place.put("wrap", node, f"{text}.copy()", 0.15, loose=False)


def subscript(place: Place, node: ast.Subscript) -> Iterator[Mutant]:
    """Another index or slice, or none."""
    base = place.source(node.value)
    if isinstance(node.slice, ast.Slice):
        lower = place.source(node.slice.lower) if node.slice.lower else ""
        upper = place.source(node.slice.upper) if node.slice.upper else ""
        if node.slice.step is None:
            yield place.put("slice", node, base, 0.3, loose=False)
            if bool(lower) != bool(upper):
                yield place.put("slice", node, f"{base}[{upper}:{lower}]", 0.35, loose=False)
            if lower and upper:
                yield place.put("slice", node, f"{base}[{lower}:]", 0.3, loose=False)
                yield place.put("slice", node, f"{base}[:{upper}]", 0.3, loose=False)
            yield place.put("slice", node, f"{base}[{lower}:{upper}:-1]", 0.1, loose=False)
            if not lower:
                yield place.put("slice", node, f"{base}[1:{upper}]", 0.25, loose=False)
            if not upper:
                yield place.put("slice", node, f"{base}[{lower}:-1]", 0.2, loose=False)
        else:
            yield place.put(
                "slice", node, f"{base}[{lower}:{upper}]" if lower or upper else base, 0.3, loose=False
            )
        return
    index = place.source(node.slice)
    other = {"0": "-1", "-1": "0", "1": "-1"}.get(index)
    if other:
        yield place.put("index", node, f"{base}[{other}]", 0.35, loose=False)
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        first, second = (place.source(e) for e in node.slice.elts)
        yield place.put("index-order", node.slice, f"{second}, {first}", 0.45, loose=False)
    if isinstance(node.value, ast.Subscript) and not isinstance(node.value.slice, ast.Slice):
        deep = place.source(node.value.value)
        yield place.put(
            "index-order", node, f"{deep}[{index}][{place.source(node.value.slice)}]", 0.35, loose=False
        )
        yield place.put("index", node, base, 0.15, loose=False)
    if not isinstance(node.slice, ast.Constant | ast.UnaryOp | ast.BinOp | ast.Tuple):
        yield place.put("index", node, f"{base}[-{place.atom(node.slice)} - 1]", 0.1, loose=False)


def display(place: Place, node: ast.Tuple | ast.List) -> Iterator[Mutant]:
    """Elements in another order, and what a list starts with."""
    if isinstance(place.at.up.get(node), ast.Subscript):
        return
    for i, first in enumerate(node.elts):
        for second in node.elts[i + 1 : i + 3]:
            a, b = place.source(first), place.source(second)
            if a != b and len(node.elts) <= 6:
                why = f"`{a[:30]}` and `{b[:30]}` are exchanged"
                yield Mutant(
                    "element-order", start_of(node)[0], (whole(first, b), whole(second, a)), why, 0.25
                )
    if not node.elts and isinstance(node, ast.List):
        up = place.at.up.get(node)
        if isinstance(up, ast.Return | ast.Assign | ast.Call):
            yield place.put("start", node, "[[]]", 0.25, loose=False)
            for name in place.names[:MOST_NAMES]:
                yield place.put(
                    "start", node, f"[{name}]", 0.3 if isinstance(up, ast.Return) else 0.15, loose=False
                )
            for number in ("0", "1"):
                yield place.put("start", node, f"[{number}]", 0.1, loose=False)
    if len(node.elts) == 1 and isinstance(node, ast.List):
        yield place.put("unwrapped", node, place.source(node.elts[0]), 0.2)
        yield place.put("unwrapped", node, "[]", 0.1, loose=False)


def like_siblings(place: Place, node: ast.expr) -> Iterator[Mutant]:
    """What is done to one argument, operand or element is done to its neighbour, which was left as it is."""
    up = place.at.up.get(node)
    if not isinstance(node, ast.Name) or node.id not in place.names:
        return
    siblings: list[ast.expr] = []
    if isinstance(up, ast.Call):
        siblings = [a for a in up.args if a is not node] if up.func is not node else []
    elif isinstance(up, ast.Tuple | ast.List):
        siblings = [e for e in up.elts if e is not node]
    elif isinstance(up, ast.Compare):
        siblings = [e for e in (up.left, *up.comparators) if e is not node]
    elif isinstance(up, ast.BinOp):
        siblings = [up.left if up.right is node else up.right]
    for sibling in siblings:
        inner = [n for n in ast.walk(sibling) if isinstance(n, ast.Name) and n.id in place.names]
        if len(inner) != 1 or isinstance(sibling, ast.Name) or inner[0].lineno != sibling.lineno:
            continue
        text = place.source(sibling)
        at = inner[0].col_offset - sibling.col_offset
        raw = text.encode()
        new = (raw[:at] + node.id.encode() + raw[at + len(inner[0].id.encode()) :]).decode()
        yield place.put("like-sibling", node, new, 0.4)


def by_name(place: Place, node: ast.expr) -> Iterator[Mutant]:
    """A variable in place of an expression or constant."""
    up = place.at.up.get(node)
    if isinstance(node, ast.Name | ast.Slice | ast.Lambda | ast.Tuple) or isinstance(
        up, ast.Expr | ast.JoinedStr
    ):
        return
    if (
        (isinstance(up, ast.Call) and up.func is node)
        or isinstance(up, ast.Attribute)
        or isinstance(node, ast.BoolOp)
    ):
        return
    weight = 0.25 if isinstance(up, ast.Return) else 0.14
    inside = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    for name in place.names[:MOST_NAMES]:
        yield place.put("by-name", node, name, weight - (0.02 if name in inside else 0.0), loose=False)
