"""Endless `while` loops in which nothing changes what their condition reads: the step that was forgotten.

Yields the counter's step, the next link, the next read, or the taking from a queue that is only looked at. It never
breaks a loop off.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.endless import (
    bounds_of,
    exit_tests,
    fill,
    gaps,
    local_type,
    place,
    read_places,
    stored_places,
    stuck_loops,
)
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import GUESS, PLAUSIBLE, STRONG, Site
from selfheal_tui.source.edits import TextEdit

NAME = "loop-standstill"
_LINKS = (
    "next",
    "next_node",
    "parent",
    "tail",
    "rest",
    "child",
    "left",
    "right",
    "prev",
    "previous",
    "outer",
    "base",
)
_SEQUENCES = frozenset({"list", "deque", "bytearray"})
_RANK_COST = 0.05

_Idea = tuple[str, float, list[TextEdit]]


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the step that the loop lacks."""
    for stuck in stuck_loops(context):
        loop = stuck.loop
        if not isinstance(loop, ast.While):
            continue
        stored = stored_places(loop.test).union(*(stored_places(statement) for statement in loop.body))
        # A flag that is set somewhere may hide that what is counted is not.
        still = [test for test in exit_tests(loop) if not read_places(test) & stored]
        for reason, confidence, edits in _never(stuck.site, loop, still):
            lower = max(0.2, confidence - _RANK_COST * min(stuck.rank, 3))
            yield from flow.one_file(context, stuck.site, NAME, reason, lower, edits)


def _never(site: Site, loop: ast.While, tests: list[ast.expr]) -> Iterator[_Idea]:
    """Nothing that the loop's end hangs on ever changes."""
    seen: set[str] = set()
    for compare, side, op, _bound in bounds_of([t for t in tests if t is loop.test]):
        name = place(side)
        if not name or name in seen or local_type(site, name) not in ("int", "float", ""):
            continue
        rising = isinstance(op, ast.Lt | ast.LtE | ast.NotEq)
        if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.NotEq) and _is_counter(
            site, loop, name, rising
        ):
            seen.add(name)
            yield from _added(site, loop, f"{name} {'+' if rising else '-'}= 1", PLAUSIBLE + 0.1)
        yield from _other_variable(loop, compare, name)
    if loop.test in tests:
        yield from _by_truth(site, loop)
    for test in tests:
        if test is not loop.test:
            for _compare, side, op, _bound in bounds_of([test]):
                name = place(side)
                if (
                    name
                    and name not in seen
                    and local_type(site, name) in ("int", "float")
                    and isinstance(op, ast.Gt | ast.GtE | ast.Eq)
                ):
                    seen.add(name)
                    yield from _added(site, loop, f"{name} += 1", PLAUSIBLE)


def _is_counter(site: Site, loop: ast.While, name: str, rising: bool) -> bool:
    """Whether a name is the side that is to move: a local number that was started before the loop."""
    function = site.function(loop)
    for node in ast.walk(function or site.tree):
        if isinstance(node, ast.Assign) and node.lineno < loop.lineno:
            for target, value in _pairs(node):
                if place(target) == name:
                    return not (isinstance(value, ast.Call) and flow.calls(value, "len"))
    parameters = [a.arg for a in function.args.args] if function else []
    return name in parameters and not rising


def _pairs(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """What an assignment gives to each of its targets; `a, b = 0, 1` gives two."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs += list(zip(target.elts, node.value.elts, strict=False))
        else:
            pairs.append((target, node.value))
    return pairs


def _added(site: Site, loop: ast.While, text: str, confidence: float) -> Iterator[_Idea]:
    name = text.split(maxsplit=1)[0]
    ends = gaps(loop, {name})
    edits = [edit for gap in ends if (edit := fill(site, gap, text)) is not None]
    if edits:
        yield f"nothing in the loop changes `{name}`, on which its end depends", confidence, edits


def _other_variable(loop: ast.While, compare: ast.Compare, name: str) -> Iterator[_Idea]:
    """The loop counts another variable than it asks for."""
    if "." in name or name in stored_places(loop):
        return
    for node in loop.body:
        if not (isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)):
            continue
        counted = node.target.id
        if counted in read_places(compare) or not isinstance(node.value, ast.Constant):
            continue
        reason = f"the loop counts `{counted}` and asks for `{name}`"
        yield reason, PLAUSIBLE, [whole(node.target, name)]
        side = next((s for s in (compare.left, *compare.comparators) if place(s) == name), None)
        if side is not None and any(counted in read_places(s) for s in loop.body if s is not node):
            yield reason, PLAUSIBLE, [whole(side, counted)]


def _by_truth(site: Site, loop: ast.While) -> Iterator[_Idea]:
    """`while x:` and `while x is not None:` with an `x` that stays as it is."""
    test = loop.test
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot):
        test = test.left
    if isinstance(test, ast.BoolOp):
        test = test.values[0]
    if (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Call)
        and flow.calls(test.left, "len")
        and test.left.args
    ):
        test = test.left.args[0]
    name = place(test)
    kind = local_type(site, name)
    if not name:
        return
    if kind in ("int", "float"):
        yield from _added(site, loop, f"{name} -= 1", PLAUSIBLE + 0.1)
        return
    yield from _again(site, loop, name)
    if kind in _SEQUENCES or _peeks(loop, name):
        yield from _taken(site, loop, name, kind)
    if kind not in {*_SEQUENCES, "str", "bytes", "dict", "set", "bool"}:
        attributes = {n.attr for n in ast.walk(site.tree) if isinstance(n, ast.Attribute)}
        for link in _LINKS:
            if link in attributes:
                yield from _added(
                    site, loop, f"{name} = {name}.{link}", PLAUSIBLE + (0.1 if link == "next" else 0)
                )


def _again(site: Site, loop: ast.While, name: str) -> Iterator[_Idea]:
    """`chunk = source.read()` before the loop, and not in it."""
    before: ast.Assign | None = None
    for node in ast.walk(site.function(loop) or site.tree):
        if isinstance(node, ast.Assign) and node.lineno < loop.lineno and place(node.targets[0]) == name:
            before = node if before is None or node.lineno > before.lineno else before
    if before is not None and isinstance(before.value, ast.Call):
        text = source_of(site.text, before)
        if "\n" not in text:
            yield from _added(site, loop, text, PLAUSIBLE + 0.15)


def _peeks(loop: ast.While, name: str) -> list[ast.Subscript]:
    """`x[0]` and `x[-1]` in the loop."""
    found: list[ast.Subscript] = []
    for node in ast.walk(loop):
        read = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
        if read and isinstance(node, ast.Subscript) and place(node.value) == name:
            found += [node] if ast.unparse(node.slice) in ("0", "-1") else []
    return found


def _taken(site: Site, loop: ast.While, name: str, kind: str) -> Iterator[_Idea]:
    """A queue that is looked at, and from which nothing is taken."""
    peeks = _peeks(loop, name)
    if len(peeks) == 1:
        first = ast.unparse(peeks[0].slice) == "0"
        pop = "popleft()" if kind == "deque" and first else "pop(0)" if first else "pop()"
        yield f"nothing is taken from `{name}`", STRONG, [whole(peeks[0], f"{name}.{pop}")]
    elif not peeks:
        yield from _added(site, loop, f"{name}.pop()", GUESS)


RULES: tuple[Rule, ...] = (Rule(NAME, ("BaseException",), apply),)
