"""Endless `while` loops whose condition does not change: on no way, on some way, or away from its end.

Yields the update that is missing, the result that was dropped, or the direction turned round. It never breaks a
loop off: a loop that is left early ends too, and is wrong.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.endless import (
    Stuck,
    bounds_of,
    exit_tests,
    fill,
    gaps,
    indent_text,
    number_of,
    place,
    read_places,
    stored_places,
    stuck_loops,
)
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, Site
from selfheal_tui.source.edits import TextEdit

NAME = "loop-progress"
_PURE = frozenset(
    [
        "strip",
        "lstrip",
        "rstrip",
        "replace",
        "removeprefix",
        "removesuffix",
        "upper",
        "lower",
        "title",
        "casefold",
        "translate",
        "union",
        "difference",
        "intersection",
        "symmetric_difference",
        "lstrip",
        "zfill",
        "expandtabs",
        "with_suffix",
        "with_name",
        "joinpath",
    ]
)
_SEARCHES = frozenset({"find", "index", "rfind"})
_RANK_COST = 0.05


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields ways in which the loop gets on."""
    for stuck in stuck_loops(context):
        for reason, confidence, edits in _mended(stuck):
            lower = max(0.2, confidence - _RANK_COST * min(stuck.rank, 3))
            yield from flow.one_file(context, stuck.site, NAME, reason, lower, edits)


_Idea = tuple[str, float, list[TextEdit]]


def _mended(stuck: Stuck) -> Iterator[_Idea]:
    loop, site = stuck.loop, stuck.site
    tests = exit_tests(loop)
    watched = set().union(*(read_places(test) for test in tests)) if tests else set()
    if not isinstance(loop, ast.While) or not watched:
        return
    stored = set().union(*(stored_places(statement) for statement in loop.body))
    stored |= stored_places(loop.test)
    yield from _dropped(site, loop, watched)
    yield from _turned(site, loop)
    yield from _searching(site, loop, watched)
    moving = watched & stored
    if moving:
        yield from _in_gaps(site, loop, moving)
        yield from _reset(site, loop, moving)


def _dropped(site: Site, loop: ast.While, watched: set[str]) -> Iterator[_Idea]:
    """Statements that compute the next value and let it fall."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Expr):
            value, text = node.value, source_of(site.text, node)
            if (
                isinstance(value, ast.Call)
                and isinstance(value.func, ast.Attribute)
                and value.func.attr in _PURE
                and place(value.func.value) in watched
            ):
                name = source_of(site.text, value.func.value)
                reason = f"`{value.func.attr}()` returns the new value and does not change `{name}`"
                yield reason, STRONG + 0.1, [whole(node, f"{name} = {text}")]
            elif isinstance(value, ast.BinOp) and place(value.left) in watched:
                name = source_of(site.text, value.left)
                yield f"`{text}` is computed and dropped", STRONG + 0.1, [whole(node, f"{name} = {text}")]
            elif (
                isinstance(value, ast.Compare)
                and isinstance(value.ops[0], ast.Eq)
                and place(value.left) in watched
            ):
                left, right = source_of(site.text, value.left), source_of(site.text, value.comparators[0])
                yield (
                    f"`{text}` compares where it is to assign",
                    STRONG + 0.1,
                    [whole(node, f"{left} = {right}")],
                )
        elif (
            isinstance(node, ast.Assign)
            and place(node.targets[0]) in watched
            and isinstance(node.value, ast.UnaryOp)
            and isinstance(node.value.op, ast.UAdd | ast.USub)
        ):
            sign = "+" if isinstance(node.value.op, ast.UAdd) else "-"
            name, step = source_of(site.text, node.targets[0]), source_of(site.text, node.value.operand)
            if node.value.col_offset and source_of(site.text, node).replace(" ", "").startswith(
                f"{name}={sign}"
            ):
                yield (
                    f"`={sign}` assigns a sign instead of counting",
                    STRONG + 0.05,
                    [whole(node, f"{name} {sign}= {step}")],
                )


def _steps(loop: ast.While, name: str) -> list[tuple[ast.stmt, ast.operator, ast.expr]]:
    """Statements `x += step` and `x = x + step` with their operator and step."""
    found: list[tuple[ast.stmt, ast.operator, ast.expr]] = []
    for node in ast.walk(loop):
        if isinstance(node, ast.AugAssign) and place(node.target) == name:
            found.append((node, node.op, node.value))
        elif (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and place(node.targets[0]) == name
            and isinstance(node.value, ast.BinOp)
            and place(node.value.left) == name
        ):
            found.append((node, node.value.op, node.value.right))
    return found


def _turned(site: Site, loop: ast.While) -> Iterator[_Idea]:
    """Steps away from the bound, past it, or ever smaller ones towards it."""
    for compare, side, op, bound in bounds_of([loop.test]):
        name = place(side)
        steps = _steps(loop, name) if name else []
        if len(steps) != 1:
            continue
        statement, step_op, step = steps[0]
        text = source_of(site.text, statement)
        rising = isinstance(op, ast.Lt | ast.LtE)
        falling = isinstance(op, ast.Gt | ast.GtE)
        positive = not isinstance(step, ast.UnaryOp)
        if (rising and isinstance(step_op, ast.Sub)) or (falling and isinstance(step_op, ast.Add)):
            right = "+" if rising else "-"
            edit = whole(statement, _with_operator(site, statement, step, right))
            yield f"`{text}` leads away from the end of the loop", STRONG, [edit]
        signed = number_of(site, place(step)) if place(step) else None
        if rising and isinstance(step_op, ast.Add) and signed is not None and signed < 0:
            test, step_text = source_of(site.text, compare), source_of(site.text, step)
            other = f"{source_of(site.text, side)} {'>' if isinstance(op, ast.Lt) else '>='} {source_of(site.text, bound)}"
            both = f"({test} if {step_text} > 0 else {other})"
            both = both[1:-1] if compare is loop.test else both
            yield (
                f"with a negative `{step_text}` the loop counts downwards",
                PLAUSIBLE,
                [whole(compare, both)],
            )
        stepped = isinstance(op, ast.NotEq) and isinstance(step_op, ast.Add | ast.Sub) and positive
        if stepped and compare.left is side:
            new = f"{source_of(site.text, side)} {'<' if isinstance(step_op, ast.Add) else '>'} {source_of(site.text, bound)}"
            yield f"`{text}` can step over the value that ends the loop", PLAUSIBLE, [whole(compare, new)]
    names = {place(n) for n in ast.walk(loop.test) if isinstance(n, ast.Name | ast.Attribute)} - {""}
    for name in sorted(names):
        for statement, step_op, step in _steps(loop, name):
            if isinstance(step_op, ast.Div):
                edit = whole(statement, _with_operator(site, statement, step, "//"))
                yield (
                    f"`{name}` becomes a fraction that takes very long to be zero, or never is",
                    STRONG,
                    [edit],
                )


def _with_operator(site: Site, statement: ast.stmt, step: ast.expr, right: str) -> str:
    step_text = source_of(site.text, step)
    if isinstance(statement, ast.AugAssign):
        return f"{source_of(site.text, statement.target)} {right}= {step_text}"
    assert isinstance(statement, ast.Assign)
    name = source_of(site.text, statement.targets[0])
    return f"{name} = {name} {right} {step_text}"


def _searching(site: Site, loop: ast.While, watched: set[str]) -> Iterator[_Idea]:
    """`pos = text.find(word, pos)` finds the same place again."""
    for node in ast.walk(loop):
        if not isinstance(node, ast.Assign | ast.NamedExpr) or not isinstance(node.value, ast.Call):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        call, name = node.value, place(target)
        if not (
            name in watched
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in _SEARCHES
            and call.args
        ):
            continue
        what = call.args[0]
        length = len(what.value) if isinstance(what, ast.Constant) and isinstance(what.value, str) else 0
        further = (
            [f"{name} + 1"] if length == 1 else [f"{name} + len({source_of(site.text, what)})", f"{name} + 1"]
        )
        reason = f"`{call.func.attr}()` finds the same place again"
        if len(call.args) == 1:
            for text in further:
                words = f"{source_of(site.text, call.func)}({source_of(site.text, what)}, {text})"
                yield reason, PLAUSIBLE, [whole(call, words)]
        elif place(call.args[1]) == name:
            for text in further:
                yield reason, PLAUSIBLE, [whole(call.args[1], text)]


def _in_gaps(site: Site, loop: ast.While, moving: set[str]) -> Iterator[_Idea]:
    """Ways through the body that miss the update which the others have."""
    open_ends = gaps(loop, moving)
    if not open_ends:
        return
    for text, cost in _updates(site, loop, moving):
        every = [edit for gap in open_ends if (edit := fill(site, gap, text)) is not None]
        if len(every) != len(open_ends):
            continue
        where = f"on {len(every)} ways through the loop" if len(every) > 1 else "on one way through the loop"
        yield f"`{text}` is missing {where}", STRONG - cost, every
        if len(every) > 1:
            for edit in every:
                yield f"`{text}` is missing on one way through the loop", STRONG - 0.05 - cost, [edit]


def _updates(site: Site, loop: ast.While, moving: set[str]) -> list[tuple[str, float]]:
    """Updates that the loop makes elsewhere, as statements; the smallest step is the likeliest, others cost confidence."""
    found: dict[str, None] = {}
    for node in ast.walk(loop):
        if isinstance(node, ast.AugAssign) and place(node.target) in moving:
            found[source_of(site.text, node)] = None
        elif isinstance(node, ast.Assign | ast.NamedExpr):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            name = place(target)
            if name in moving and name in read_places(node.value):
                found[_as_step(site, name, node.value)] = None
        elif isinstance(node, ast.Expr) and stored_places(node) & moving and isinstance(node.value, ast.Call):
            found[source_of(site.text, node)] = None
    plain = [text for text in found if "\n" not in text]
    plain.sort(key=lambda text: (not text.endswith("= 1"), len(text)))
    return [(text, 0.0 if at == 0 else 0.2) for at, text in enumerate(plain[:3])]


def _as_step(site: Site, name: str, value: ast.expr) -> str:
    """Spells `x = x + step` as `x += step`, so that alike updates are one."""
    if isinstance(value, ast.BinOp) and place(value.left) == name and isinstance(value.op, ast.Add | ast.Sub):
        return f"{name} {'+' if isinstance(value.op, ast.Add) else '-'}= {source_of(site.text, value.right)}"
    return f"{name} = {source_of(site.text, value)}"


def _reset(site: Site, loop: ast.While, moving: set[str]) -> Iterator[_Idea]:
    """A start value that is given anew in each round."""
    for statement in loop.body:
        if not (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.value, ast.Constant)
        ):
            continue
        name = place(statement.targets[0])
        indent = indent_text(site, loop)
        if (
            name in moving
            and indent is not None
            and isinstance(statement.value.value, int)
            and _steps(loop, name)
        ):
            text = source_of(site.text, statement)
            line = statement.lineno
            if len(loop.body) < 2 or loop.body[-1] is statement or (statement.end_lineno or line) != line:
                continue
            edits = [flow.line_before(site, loop, text), TextEdit((line, 0), (line + 1, 0), "")]
            yield f"`{text}` starts `{name}` anew in each round", PLAUSIBLE, edits


RULES: tuple[Rule, ...] = (Rule(NAME, ("BaseException",), apply),)
