"""Recursions whose argument does not come nearer to the case in which they stop, or steps past it.

Yields the next smaller argument, as the function's own tests and its other calls show it, or a base case that is
not stepped over. Judged by the replay and the tests like everything else; a depth limit is never offered.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.endless import function_at, local_type, own_frames, place
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import insert_before, source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, FunctionNode, Site, ancestors, site_of
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.origins import terminates

ARGUMENTS = "recursion-arguments"
BASE = "recursion-base"
_MAX_FRAMES = 4
_NEXT = ("next", "parent", "tail", "rest", "left", "right", "child", "prev", "previous", "next_node")

_Idea = tuple[str, float, list[TextEdit]]


def arguments(context: RepairContext) -> Iterator[Finding]:
    """Yields recursive calls with an argument that gets on."""
    for site, function in _recursive(context):
        calls = _self_calls(site, function)
        ideas: list[_Idea] = []
        for call in calls:
            ideas += _for_call(site, function, call)
        for reason, confidence, edits in ideas:
            yield from flow.one_file(context, site, ARGUMENTS, reason, confidence, edits)


def bases(context: RepairContext) -> Iterator[Finding]:
    """Yields base cases that are reached."""
    for site, function in _recursive(context):
        for reason, confidence, edits in _base_cases(site, function):
            yield from flow.one_file(context, site, BASE, reason, confidence, edits)


def _recursive(context: RepairContext) -> Iterator[tuple[Site, FunctionNode]]:
    if context.error.bare_type != "RecursionError":
        return
    counted: dict[tuple[str, str], int] = {}
    for frame in context.error.frames:
        key = (frame.path or "", frame.qualname)
        counted[key] = counted.get(key, 0) + 1
    for frame in own_frames(context):
        if counted.get((frame.path or "", frame.qualname), 0) < 3:
            continue
        site = site_of(context, frame)
        function = function_at(site) if site is not None else None
        if site is not None and function is not None:
            yield site, function
            counted[frame.path or "", frame.qualname] = 0
            if sum(value == 0 for value in counted.values()) >= _MAX_FRAMES:
                return


def _parameters(function: FunctionNode) -> list[str]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names and names[0] in ("self", "cls") else names


def _self_calls(site: Site, function: FunctionNode) -> list[ast.Call]:
    """Calls of the function by itself, those on the line that ran first."""
    found = [n for n in ast.walk(function) if isinstance(n, ast.Call) and flow.calls(n, function.name)]
    line = site.frame.line
    found.sort(key=lambda n: not n.lineno <= line <= (n.end_lineno or n.lineno))
    return found


def _for_call(site: Site, function: FunctionNode, call: ast.Call) -> Iterator[_Idea]:
    names = _parameters(function)
    passed = list(zip(names, call.args, strict=False))
    passed += [(k.arg, k.value) for k in call.keywords if k.arg in names]
    text = source_of(site.text, call)
    same = [(name, value) for name, value in passed if place(value) == name]
    if same and len(same) == len(passed):
        yield from _loop_variable(site, function, call, same)
        for name, value in same:
            yield from _smaller(site, function, name, value, text)
    for name, value in passed:
        if place(value) != name:
            yield from _turned(site, name, value, text)
    if len(same) < len(passed):
        for name, value in same:
            if len(same) == 1 and _is_tested(function, name):
                yield from _smaller(site, function, name, value, text)
    plain = [a for a in call.args if not isinstance(a, ast.Starred)]
    if len(plain) == len(call.args) and 2 <= len(plain) <= 4:
        for first, second in combinations(plain, 2):
            one, two = source_of(site.text, first), source_of(site.text, second)
            if ast.dump(first) != ast.dump(second) and _same_kind(site, names, call.args, first, second):
                reason = f"`{text}` hands on `{one}` and `{two}` the wrong way round"
                yield reason, PLAUSIBLE, [whole(first, two), whole(second, one)]
    for name, value in passed:
        yield from _interval(function, name, value)


def _same_kind(site: Site, names: list[str], args: list[ast.expr], first: ast.expr, second: ast.expr) -> bool:
    kinds = [
        local_type(site, names[args.index(a)]) if args.index(a) < len(names) else "" for a in (first, second)
    ]
    return kinds[0] == kinds[1]


def _is_tested(function: FunctionNode, name: str) -> bool:
    return any(
        name in {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
        for node in ast.walk(function)
        if isinstance(node, ast.If | ast.IfExp | ast.While)
    )


def _loop_variable(
    site: Site, function: FunctionNode, call: ast.Call, same: list[tuple[str, ast.expr]]
) -> Iterator[_Idea]:
    """`for child in node.children: walk(node)`."""
    for up in ancestors(site.tree, call):
        if up is function:
            return
        loops: list[ast.For | ast.comprehension] = []
        if isinstance(up, ast.For):
            loops = [up]
        elif isinstance(up, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            loops = list(up.generators)
        for loop in loops:
            if not isinstance(loop.target, ast.Name):
                continue
            for name, value in same:
                if any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(loop.iter)):
                    reason = f"the call for each `{loop.target.id}` goes to `{name}` again"
                    yield reason, STRONG + 0.1, [whole(value, loop.target.id)]


def _smaller(site: Site, function: FunctionNode, name: str, value: ast.expr, text: str) -> Iterator[_Idea]:
    """What `f(x)` was to hand on instead of the same `x`."""
    kind = local_type(site, name)
    reason = f"`{text}` hands on the same `{name}` again"
    if kind in ("int", "float"):
        yield reason, PLAUSIBLE, [whole(value, f"{name} - 1")]
        if _rises(function, name):
            yield reason, PLAUSIBLE, [whole(value, f"{name} + 1")]
        if any(
            isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mod) and place(n.left) == name
            for n in ast.walk(function)
        ):
            mod = next(
                source_of(site.text, n.right)
                for n in ast.walk(function)
                if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mod) and place(n.left) == name
            )
            yield reason, PLAUSIBLE + 0.05, [whole(value, f"{name} // {mod}")]
        return
    if kind in ("list", "str", "tuple", "bytes"):
        ends = {
            ast.unparse(n.slice)
            for n in ast.walk(function)
            if isinstance(n, ast.Subscript) and place(n.value) == name
        }
        if "-1" in ends and "0" not in ends:
            yield reason, PLAUSIBLE + 0.1, [whole(value, f"{name}[:-1]")]
        elif "0" in ends and "-1" in ends:
            yield reason, PLAUSIBLE + 0.1, [whole(value, f"{name}[1:-1]")]
        else:
            yield reason, PLAUSIBLE + (0.1 if "0" in ends else 0), [whole(value, f"{name}[1:]")]
        return
    links = [
        n.attr
        for n in ast.walk(site.tree)
        if isinstance(n, ast.Attribute) and n.attr in _NEXT and not isinstance(n.ctx, ast.Del)
    ]
    elsewhere = {
        a.attr
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and flow.calls(call, function.name)
        for a in call.args
        if isinstance(a, ast.Attribute)
    }
    for link in dict.fromkeys(links):
        if link not in elsewhere:
            yield reason, PLAUSIBLE, [whole(value, f"{name}.{link}")]


def _rises(function: FunctionNode, name: str) -> bool:
    """Whether a test asks for the parameter being as large as something."""
    for node in ast.walk(function):
        about = isinstance(node, ast.Compare) and len(node.ops) == 1 and place(node.left) == name
        if about and isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Gt | ast.GtE | ast.Eq):
            bound = node.comparators[0]
            return not (isinstance(bound, ast.Constant) and bound.value in (0, 1))
    return False


def _turned(site: Site, name: str, value: ast.expr, text: str) -> Iterator[_Idea]:
    """`f(n + 1)` where the base case is below, `f(items[0:])` which is all of it."""
    if isinstance(value, ast.BinOp) and place(value.left) == name and isinstance(value.op, ast.Add | ast.Sub):
        right = "-" if isinstance(value.op, ast.Add) else "+"
        step = source_of(site.text, value.right)
        if isinstance(value.right, ast.Constant):
            yield (
                f"`{text}` leads away from the base case",
                PLAUSIBLE + 0.1,
                [whole(value, f"{name} {right} {step}")],
            )
    elif isinstance(value, ast.BinOp) and place(value.left) == name and isinstance(value.op, ast.Div):
        step = source_of(site.text, value.right)
        yield f"`{text}` divides into fractions", STRONG, [whole(value, f"{name} // {step}")]
    elif (
        isinstance(value, ast.Subscript) and place(value.value) == name and isinstance(value.slice, ast.Slice)
    ):
        lower, upper = value.slice.lower, value.slice.upper
        if upper is None and (lower is None or (isinstance(lower, ast.Constant) and lower.value == 0)):
            yield (
                f"`{source_of(site.text, value)}` is all of `{name}` again",
                STRONG,
                [whole(value, f"{name}[1:]")],
            )
        elif lower is None and isinstance(upper, ast.Call) and flow.calls(upper, "len"):
            yield (
                f"`{source_of(site.text, value)}` is all of `{name}` again",
                STRONG,
                [whole(value, f"{name}[:-1]")],
            )


def _interval(function: FunctionNode, name: str, value: ast.expr) -> Iterator[_Idea]:
    """`search(items, mid, high)`: the middle was looked at and is left out."""
    middle = place(value)
    if not middle or middle in _parameters(function):
        return
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and place(node.targets[0]) == middle:
            halves = [
                n for n in ast.walk(node.value) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.FloorDiv)
            ]
            used = [
                n.id
                for n in ast.walk(node.value)
                if isinstance(n, ast.Name) and n.id in _parameters(function)
            ]
            if halves and name in used:
                low = name == used[0]
                text = f"{middle} {'+' if low else '-'} 1"
                yield f"`{middle}` was looked at and stays in the interval", STRONG, [whole(value, text)]


def _base_cases(site: Site, function: FunctionNode) -> Iterator[_Idea]:
    names = _parameters(function)
    calls = _self_calls(site, function)
    for node in ast.walk(function):
        if not isinstance(node, ast.If):
            continue
        # A value that is computed where it was to be returned.
        last = node.body[-1]
        if (
            isinstance(last, ast.Expr)
            and not isinstance(last.value, ast.Yield | ast.YieldFrom | ast.Await)
            and not (isinstance(last.value, ast.Call) and not flow.calls(last.value, function.name))
            and not (isinstance(last.value, ast.Constant) and last.value.value is ...)
            and any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(function))
        ):
            text = source_of(site.text, last)
            yield f"`{text}` is computed and not returned", STRONG + 0.1, [insert_before(last, "return ")]
        if not terminates(node.body):
            continue
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            name = place(test.left)
            falling = _direction(calls, name)
            if (
                name in names
                and falling
                and isinstance(test.comparators[0], ast.Constant | ast.Name | ast.Call)
            ):
                sign = "<=" if falling < 0 else ">="
                text = f"{name} {sign} {source_of(site.text, test.comparators[0])}"
                yield f"`{name}` can step past the base case", PLAUSIBLE + 0.15, [whole(test, text)]
    yield from _late(site, function, calls)


def _direction(calls: list[ast.Call], name: str) -> int:
    """-1 where the recursive calls make a parameter smaller, 1 where larger, 0 where that is not plain."""
    found = {
        -1 if isinstance(a.op, ast.Sub | ast.FloorDiv | ast.Div) else 1
        for call in calls
        for a in call.args
        if isinstance(a, ast.BinOp)
        and isinstance(a.op, ast.Sub | ast.Add | ast.FloorDiv | ast.Div)
        and place(a.left) == name
    }
    return found.pop() if len(found) == 1 else 0


def _late(site: Site, function: FunctionNode, calls: list[ast.Call]) -> Iterator[_Idea]:
    """A base case that stands after the recursive call."""
    for index, statement in enumerate(function.body):
        if not (isinstance(statement, ast.If) and terminates(statement.body) and not statement.orelse):
            continue
        before = function.body[:index]
        first = next((s for s in before if any(c in list(ast.walk(s)) for c in calls)), None)
        if first is None or any(n in _parameters(function) for s in before for n in _assigned(s)):
            continue
        used = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        if used & {n for s in before for n in _assigned(s)} or statement.lineno == first.lineno:
            continue
        lines = "".join(
            site.text.splitlines(keepends=True)[
                statement.lineno - 1 : statement.end_lineno or statement.lineno
            ]
        )
        start, end = (statement.lineno, 0), ((statement.end_lineno or statement.lineno) + 1, 0)
        if index == len(function.body) - 1:
            continue
        edits = [TextEdit((first.lineno, 0), (first.lineno, 0), lines), TextEdit(start, end, "")]
        yield "the base case stands after the call that it is to prevent", STRONG, edits


def _assigned(statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


RULES: tuple[Rule, ...] = (
    Rule(ARGUMENTS, ("RecursionError",), arguments),
    Rule(BASE, ("RecursionError",), bases),
)
