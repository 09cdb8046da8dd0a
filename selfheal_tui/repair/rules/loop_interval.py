"""Endless loops over an interval that does not shrink, and guards that let a negative number through to them.

Binary search with bounds that stay where they are, and start conditions such as `if not n:` or `n == 0` that a
number below zero passes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.endless import (
    Stuck,
    function_at,
    number_of,
    own_frames,
    place,
    stuck_loops,
)
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import insert_after, source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, FunctionNode, Site, site_of
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.origins import terminates

INTERVAL = "loop-interval"
SIGN = "guard-sign"
MAX_FRAMES = 4


def intervals(context: RepairContext) -> Iterator[Finding]:
    """Yields bounds that come nearer to each other."""
    for stuck in stuck_loops(context):
        if isinstance(stuck.loop, ast.While):
            for reason, confidence, edits in _closing(stuck, stuck.loop):
                yield from flow.one_file(context, stuck.site, INTERVAL, reason, confidence, edits)


def _closing(stuck: Stuck, loop: ast.While) -> Iterator[tuple[str, float, list[TextEdit]]]:
    middle = _middle(loop)
    if middle is None:
        return
    mid, low, high = middle
    moved: dict[str, list[ast.Assign]] = {low: [], high: []}
    for node in ast.walk(loop):
        plain = isinstance(node, ast.Assign) and len(node.targets) == 1 and place(node.value) == mid
        if plain and isinstance(node, ast.Assign) and place(node.targets[0]) in moved:
            moved[place(node.targets[0])].append(node)
    compare = next(
        (
            n
            for n in ast.walk(loop.test)
            if isinstance(n, ast.Compare)
            and len(n.ops) == 1
            and {place(n.left), place(n.comparators[0])} == {low, high}
        ),
        None,
    )
    closed = compare is not None and isinstance(compare.ops[0], ast.LtE | ast.GtE)
    up = [insert_after(node.value, " + 1") for node in moved[low]]
    down = [insert_after(node.value, " - 1") for node in moved[high]]
    if closed and up and down:
        yield (
            f"neither bound gets past `{mid}`, so the interval does not shrink to nothing",
            STRONG,
            [*up, *down],
        )
    if up:
        yield f"`{low} = {mid}` leaves an interval of two as it is", STRONG, up
    if closed and down:
        yield f"`{high} = {mid}` leaves an interval of one as it is", STRONG, down
        if compare is not None:
            strict = "<" if isinstance(compare.ops[0], ast.LtE) else ">"
            text = f"{source_of(stuck.site.text, compare.left)} {strict} {source_of(stuck.site.text, compare.comparators[0])}"
            yield "the loop goes on with an interval of one", PLAUSIBLE, [whole(compare, text)]
    if up and compare is not None and not closed:
        text = f"{high} - {low} > 1"
        yield f"`{low} = {mid}` cannot shrink an interval of two", PLAUSIBLE - 0.1, [whole(compare, text)]


def _middle(loop: ast.While) -> tuple[str, str, str] | None:
    """Reads `mid = (low + high) // 2` and `mid = low + (high - low) // 2`."""
    for node in ast.walk(loop):
        if not (isinstance(node, ast.Assign) and place(node.targets[0])):
            continue
        for half in ast.walk(node.value):
            halved = (
                isinstance(half, ast.BinOp)
                and isinstance(half.op, ast.FloorDiv | ast.Div | ast.RShift)
                and isinstance(half.right, ast.Constant)
                and half.right.value in (1, 2)
                and isinstance(half.left, ast.BinOp)
            )
            if not halved or not isinstance(half, ast.BinOp) or not isinstance(half.left, ast.BinOp):
                continue
            first, second = place(half.left.left), place(half.left.right)
            if first and second and isinstance(half.left.op, ast.Add):
                return place(node.targets[0]), first, second
            if first and second and isinstance(half.left.op, ast.Sub):
                return place(node.targets[0]), second, first
    return None


def signs(context: RepairContext) -> Iterator[Finding]:
    """Yields guards for zero that take numbers below zero, too, where such a one came through."""
    if not (context.report.stuck or context.error.bare_type == "RecursionError"):
        return
    for frame in own_frames(context)[:MAX_FRAMES]:
        site = site_of(context, frame)
        function = function_at(site) if site is not None else None
        if site is None or function is None:
            continue
        for name, test in _zero_guards(function):
            number = number_of(site, name)
            if number is None or number >= 0:
                continue
            reason = f"`{source_of(site.text, test)}` lets `{name}` = {number:g} through"
            confidence = STRONG if _came_in_negative(context, site, name) else PLAUSIBLE
            yield from flow.one_file(context, site, SIGN, reason, confidence, [whole(test, f"{name} <= 0")])


def _came_in_negative(context: RepairContext, site: Site, name: str) -> bool:
    """Whether the outermost call of the function had the number below zero already."""
    for frame in context.error.frames:
        if (frame.path, frame.qualname) == (site.path, site.frame.qualname):
            value = next((v.repr for v in frame.locals if v.name == name), "")
            return value.startswith("-")
    return False


def _zero_guards(function: FunctionNode) -> Iterator[tuple[str, ast.expr]]:
    """Tests for zero of statements that end the function, and of loops: `not n`, `n == 0`; `n`, `n != 0`."""
    for node in ast.walk(function):
        if not (isinstance(node, ast.If) and terminates(node.body)):
            continue
        test = node.test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and place(test.operand):
            yield place(test.operand), test
        elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            bound = test.comparators[0]
            if isinstance(bound, ast.Constant) and bound.value == 0 and place(test.left):
                yield place(test.left), test


def loop_signs(context: RepairContext) -> Iterator[Finding]:
    """Yields `while n > 0` for `while n` and `while n != 0` where the number has gone below zero."""
    for stuck in stuck_loops(context):
        loop, site = stuck.loop, stuck.site
        if not isinstance(loop, ast.While):
            continue
        name, test = _truth(loop.test)
        number = number_of(site, name) if name else None
        falls = any(
            isinstance(n, ast.AugAssign) and place(n.target) == name and isinstance(n.op, ast.Sub)
            for n in ast.walk(loop)
        )
        if number is not None and number < 0 and falls:
            reason = f"`{name}` stepped over zero to {number:g}"
            yield from flow.one_file(context, site, SIGN, reason, STRONG, [whole(test, f"{name} > 0")])


def _truth(test: ast.expr) -> tuple[str, ast.expr]:
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.NotEq):
        bound = test.comparators[0]
        return (
            (place(test.left), test) if isinstance(bound, ast.Constant) and bound.value == 0 else ("", test)
        )
    return place(test), test


RULES: tuple[Rule, ...] = (
    Rule(INTERVAL, ("BaseException",), intervals),
    Rule(SIGN, ("BaseException",), signs),
    Rule("loop-sign", ("BaseException",), loop_signs),
)
