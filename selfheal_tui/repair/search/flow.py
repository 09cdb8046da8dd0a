"""Operators on statements: moved, left out, returned, and the ones that are missing. Pure.

None of them makes a special case of a value: what is inserted repeats or joins what the function does anyway.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.rules.spans import start_of, whole
from selfheal_tui.repair.search.place import LOOPS, MOST_NAMES, FunctionNode, Place
from selfheal_tui.source.edits import TextEdit

_ENDS = ast.Return | ast.Raise | ast.Continue | ast.Break
_GROWERS = {"list": "append", "set": "add", "deque": "append"}


def of_statements(place: Place) -> Iterator[Mutant]:
    """Everything that is done to the statements of a function."""
    yield from _moves(place)
    yield from _left_out(place)
    yield from _returns(place)
    yield from _updates(place)
    yield from _growth(place)
    yield from _fenceposts(place)
    yield from _base_cases(place)
    yield from _branches(place)


def _moves(place: Place) -> Iterator[Mutant]:
    for holder, block in place.blocks:
        for first, second in pairwise(block):
            if not (place.stands_alone(first) and place.stands_alone(second)) or isinstance(
                first, FunctionNode
            ):
                continue
            if not isinstance(first, _ENDS | ast.Import | ast.ImportFrom):
                indent = place.indent(first)
                text = place.text_of(second, indent) + place.text_of(first, indent)
                last = second.end_lineno or second.lineno
                if last < len(place.lines) and first.lineno < second.lineno:
                    edit = TextEdit((first.lineno, 0), (last + 1, 0), text)
                    why = f"`{_head(place, first)}` comes after the next statement"
                    yield Mutant(
                        "order", first.lineno, (edit,), why, 0.2 if not isinstance(second, _ENDS) else 0.05
                    )
            if isinstance(first, LOOPS | ast.If) and not isinstance(second, LOOPS | ast.If | FunctionNode):
                inner = first.orelse or first.body
                if not place.stands_alone(inner[-1]) or inner[-1].lineno == first.lineno:
                    continue
                indent = place.indent(inner[0])
                edits = (
                    TextEdit((second.lineno, 0), (second.lineno, 0), place.text_of(second, indent)),
                    place.removed(second),
                )
                moved = TextEdit(edits[1].start, edits[1].end, edits[0].new)
                why = f"`{_head(place, second)}` belongs to the block before it"
                yield Mutant("indentation", second.lineno, (moved,), why, 0.25)
        last_one = block[-1]
        if isinstance(holder, LOOPS | ast.If) and len(block) > 1 and place.stands_alone(last_one):
            if block != getattr(holder, "body", None) or getattr(holder, "orelse", None):
                continue
            moved = TextEdit(
                place.removed(last_one).start,
                place.removed(last_one).end,
                place.text_of(last_one, place.indent(holder)),
            )
            yield Mutant(
                "indentation",
                last_one.lineno,
                (moved,),
                f"`{_head(place, last_one)}` comes after the block",
                0.25,
            )


def _left_out(place: Place) -> Iterator[Mutant]:
    for _, block in place.blocks:
        if len(block) < 2:
            continue
        for node in block:
            if isinstance(
                node, ast.Expr | ast.Assign | ast.AugAssign | ast.Continue | ast.Break | ast.If
            ) and (place.stands_alone(node) and place.ran(node)):
                why = f"`{_head(place, node)}` is left out"
                yield Mutant("left-out", node.lineno, (place.removed(node),), why, 0.12)


def _returns(place: Place) -> Iterator[Mutant]:
    body = place.function.body
    if not isinstance(body[-1], ast.Return | ast.Raise) and place.stands_alone(body[-1]):
        for name in reversed(place.names[-MOST_NAMES:]):
            edit = place.after(body[-1], f"return {name}")
            yield Mutant("return", body[-1].lineno, (edit,), f"`{name}` is returned at the end", 0.3)
    for node in place.statements:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield) and node.value.value is not None:
            inner = place.source(node.value.value)
            yield Mutant(
                "yield", node.lineno, (whole(node, f"yield from {inner}"),), "it yields each item", 0.3
            )
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.YieldFrom):
            inner = place.source(node.value.value)
            yield Mutant("yield", node.lineno, (whole(node, f"yield {inner}"),), "it yields the whole", 0.3)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            edit = TextEdit(start_of(node), start_of(node), "return ")
            called = node.value.func
            own = isinstance(called, ast.Name) and called.id == place.function.name
            yield Mutant("return", node.lineno, (edit,), "the value is returned", 0.4 if own else 0.1)


def _stored(node: ast.AST) -> dict[str, None]:
    return {n.id: None for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _updates(place: Place) -> Iterator[Mutant]:
    """A variable that a loop should carry on: it is set before the loop, and never in it."""
    for loop in place.statements:
        if not isinstance(loop, LOOPS):
            continue
        inside = _stored(loop)
        before = [
            n
            for s in place.statements
            if s.lineno < loop.lineno and isinstance(s, ast.Assign | ast.AnnAssign)
            for n in _stored(s)
        ]
        for name in dict.fromkeys(n for n in [*before, *place.parameters] if n not in inside):
            sources = [n for n in inside if n != name]
            for block in [b for h, b in place.blocks if h is loop or loop in place.loops_around(b[0])]:
                spots = [s for s in block if place.stands_alone(s) and not isinstance(s, _ENDS)]
                for other in sources[:5]:
                    fixed = 0.25 if name in before else 0.06
                    for spot in spots[-3:]:
                        code = f"{name} = {other}"
                        why = f"`{code}` carries it on"
                        yield Mutant("update", spot.lineno, (place.before(spot, code),), why, fixed)
                    if spots and spots[-1] is block[-1]:
                        yield Mutant(
                            "update",
                            spots[-1].lineno,
                            (place.after(spots[-1], f"{name} = {other}"),),
                            f"`{name} = {other}` carries it on",
                            fixed,
                        )
                if spots and spots[-1] is block[-1] and name in before:
                    for code in (f"{name} += 1", f"{name} -= 1"):
                        yield Mutant(
                            "update",
                            spots[-1].lineno,
                            (place.after(spots[-1], code),),
                            f"`{code}` is done each time",
                            0.12,
                        )


def _growth(place: Place) -> Iterator[Mutant]:
    """A collection that is started empty and read, but misses something that should be put into it."""
    kinds = _collections(place)
    if not kinds:
        return
    for holder, block in place.blocks:
        last = block[-1]
        spot_after = not isinstance(last, _ENDS) and place.stands_alone(last)
        loops = [holder, *place.loops_around(holder)] if isinstance(holder, ast.stmt) else []
        items = {n: None for loop in loops if isinstance(loop, ast.For) for n in _stored(loop.target)}
        stored = {n: None for s in block for n in _stored(s)}
        for name, method in kinds.items():
            for other in list({**items, **stored})[:4]:
                if other == name:
                    continue
                code = f"{name}.{method}({other})"
                why = f"`{code}` is missing"
                if spot_after and loops:
                    yield Mutant("growth", last.lineno, (place.after(last, code),), why, 0.16)
                elif isinstance(last, _ENDS) and place.stands_alone(last):
                    yield Mutant("growth", last.lineno, (place.before(last, code),), why, 0.14)


def _collections(place: Place) -> dict[str, str]:
    """Variables that are started with a collection, and the method that puts one item into it."""
    kinds: dict[str, str] = {}
    for node in place.statements:
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        value, name = node.value, node.targets[0].id
        if isinstance(value, ast.List | ast.Set):
            kinds[name] = "append" if isinstance(value, ast.List) else "add"
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name | ast.Attribute):
            called = value.func.id if isinstance(value.func, ast.Name) else value.func.attr
            if called in _GROWERS:
                kinds[name] = _GROWERS[called]
    return kinds


def _fenceposts(place: Place) -> Iterator[Mutant]:
    """What a loop does for each item is done once more, after it for the last one or before it for the first."""
    for loop in place.statements:
        if (
            not isinstance(loop, ast.For)
            or not isinstance(loop.target, ast.Name)
            or not place.stands_alone(loop.body[-1])
        ):
            continue
        base = loop.iter.value if isinstance(loop.iter, ast.Subscript) else loop.iter
        if not isinstance(base, ast.Name | ast.Attribute):
            continue
        indent = place.indent(loop)
        for node in loop.body:
            if (
                isinstance(node, ast.Expr | ast.AugAssign)
                and node.lineno == node.end_lineno
                and place.stands_alone(node)
            ):
                for end, weight in (("-1", 0.15), ("0", 0.05)):
                    code = _renamed(place, node, loop.target.id, f"{place.source(base)}[{end}]")
                    if code == place.source(node):
                        continue
                    why = f"`{code}` is done once more after the loop"
                    yield Mutant("fencepost", loop.lineno, (place.after(loop, code, indent),), why, weight)
                    yield Mutant(
                        "fencepost",
                        loop.lineno,
                        (place.before(loop, code),),
                        f"`{code}` is done before the loop",
                        weight / 2,
                    )
        for node in loop.body:
            if (
                isinstance(node, ast.If)
                and not node.orelse
                and len(node.body) <= 3
                and place.stands_alone(node)
            ):
                code = place.text_of(node, indent).rstrip("\r\n")[len(indent) :]
                why = f"`{_head(place, node)}` is asked once more after the loop"
                yield Mutant("fencepost", loop.lineno, (place.after(loop, code, indent),), why, 0.06)


def _renamed(place: Place, node: ast.stmt, name: str, new: str) -> str:
    raw = place.source(node).encode()
    spots = sorted(
        (n.col_offset - node.col_offset for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == name),
        reverse=True,
    )
    for spot in spots:
        raw = raw[:spot] + new.encode() + raw[spot + len(name.encode()) :]
    return raw.decode()


def _base_cases(place: Place) -> Iterator[Mutant]:
    """An end of the recursion: for nothing left, what the function answers elsewhere, or its neutral value."""
    calls = [
        n
        for n in ast.walk(place.function)
        if isinstance(n, ast.Call)
        and getattr(n.func, "id", getattr(n.func, "attr", "")) == place.function.name
    ]
    if not calls or not place.parameters:
        return
    first = next((s for s in place.function.body if s in place.statements), None)
    if first is None or not place.stands_alone(first):
        return
    known = [
        place.source(n.value)
        for n in place.statements
        if isinstance(n, ast.Return) and isinstance(n.value, ast.Constant)
    ]
    for name in place.parameters[:3]:
        answers = dict.fromkeys([*known, name, *place.parameters[:3], "[]", "0", "1", "''", "True", "False"])
        for test in (f"not {name}", f"{name} <= 1", f"len({name}) <= 1"):
            for answer in answers:
                indent = place.indent(first)
                code = f"if {test}:{place.newline}{indent}    return {answer}"
                why = f"the recursion ends when `{test}`"
                yield Mutant("base-case", first.lineno, (place.before(first, code),), why, 0.1)


def _branches(place: Place) -> Iterator[Mutant]:
    """`if` for `elif` and back, a loop that should be left or go on, a condition that always or never holds."""
    for node in place.statements:
        if not isinstance(node, ast.If):
            continue
        word = place.lines[node.lineno - 1].lstrip()
        if word.startswith("elif "):
            start = len(place.indent(node).encode())
            edit = TextEdit((node.lineno, start), (node.lineno, start + 2), "")
            yield Mutant("branch", node.lineno, (edit,), "`elif` becomes `if`", 0.25)
        last = node.body[-1]
        if (
            place.loops_around(node)
            and not isinstance(last, _ENDS)
            and place.stands_alone(last)
            and last.lineno > node.lineno
        ):
            for code, weight in (("break", 0.15), ("continue", 0.12)):
                yield Mutant(
                    "loop-exit", last.lineno, (place.after(last, code),), f"`{code}` ends the branch", weight
                )
        for value, weight in (("True", 0.06), ("False", 0.08)):
            yield place.put("condition", node.test, value, weight, loose=False)
    for _, block in place.blocks:
        for first, second in pairwise(block):
            if isinstance(first, ast.If) and isinstance(second, ast.If) and place.stands_alone(second):
                line = place.lines[second.lineno - 1].lstrip()
                if line.startswith("if ") and not first.orelse:
                    start = len(place.indent(second).encode())
                    edit = TextEdit((second.lineno, start), (second.lineno, start), "el")
                    yield Mutant("branch", second.lineno, (edit,), "`if` becomes `elif`", 0.25)


def _head(place: Place, node: ast.stmt) -> str:
    return place.source(node).splitlines()[0][:60]
