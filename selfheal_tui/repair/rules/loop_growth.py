"""Loops that feed themselves: a container that grows while it is gone through, a walk that forgets where it was.

Yields a copy to go through, or the marking that keeps a walk over a graph from going round in circles.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.endless import (
    Stuck,
    after_line,
    enclosing_call,
    function_at,
    indent_text,
    own_frames,
    place,
    stuck_loops,
)
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import CERTAIN, PLAUSIBLE, STRONG, FunctionNode, Site, site_of
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.origins import terminates

GROWTH = "loop-growth"
VISITED = "graph-visited"
_GROWERS = frozenset({"append", "extend", "add", "insert", "update", "appendleft", "extendleft"})
_TAKERS = frozenset({"pop", "popleft", "get", "get_nowait"})
_SEEN_NAMES = ("seen", "visited", "done", "marked", "explored", "closed", "discovered")


def growth(context: RepairContext) -> Iterator[Finding]:
    """Yields loops over a copy of what grows in them."""
    if not (context.report.stuck or context.error.bare_type == "MemoryError"):
        return
    for frame in own_frames(context)[:4]:
        site = site_of(context, frame)
        function = function_at(site) if site is not None else None
        if site is None:
            continue
        for node in ast.walk(function or site.tree):
            inside = getattr(node, "lineno", 0) <= frame.line <= (getattr(node, "end_lineno", 0) or 0)
            if isinstance(node, ast.For) and inside:
                grown = _grown_in(node)
                yield from _copied(context, site, node.iter, grown)
            elif isinstance(node, ast.GeneratorExp) and inside:
                for call in enclosing_call(site, node):
                    if isinstance(call.func, ast.Attribute) and call.func.attr in _GROWERS:
                        yield from _copied(context, site, node.generators[0].iter, [call.func.value])
                        break


def _grown_in(loop: ast.For) -> list[ast.expr]:
    return [
        node.func.value
        for node in ast.walk(loop)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _GROWERS
    ]


def _copied(context: RepairContext, site: Site, source: ast.expr, grown: list[ast.expr]) -> Iterator[Finding]:
    if isinstance(source, ast.Call):
        return
    name = place(source)
    for container in grown:
        other = place(container)
        if not name or not other:
            continue
        text = source_of(site.text, source)
        if name == other:
            reason = f"`{text}` grows while the loop goes through it"
        elif "." in name and "." in other and name.rpartition(".")[2] == other.rpartition(".")[2]:
            reason = f"`{text}` grows while the loop goes through it, if `{other}` is the same"
        else:
            continue
        alike = [n for n in _sources(site.tree) if ast.dump(n) == ast.dump(source)]
        if len(alike) > 1:
            edits = [whole(n, f"list({text})") for n in alike]
            yield from flow.one_file(context, site, GROWTH, reason, STRONG, edits)
        yield from flow.one_file(
            context, site, GROWTH, reason, STRONG - 0.02, [whole(source, f"list({text})")]
        )
        return


def _sources(tree: ast.Module) -> Iterator[ast.expr]:
    """What is gone through by loops and generators that feed a container of the same name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and any(_alike(node.iter, grown) for grown in _grown_in(node)):
            yield node.iter
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _GROWERS
            and len(node.args) == 1
            and isinstance(node.args[0], ast.GeneratorExp)
            and _alike(node.args[0].generators[0].iter, node.func.value)
        ):
            yield node.args[0].generators[0].iter


def _alike(source: ast.expr, grown: ast.expr) -> bool:
    name, other = place(source), place(grown)
    return bool(name) and name.rpartition(".")[2] == other.rpartition(".")[2]


def visited(context: RepairContext) -> Iterator[Finding]:
    """Yields the marking of places that a walk has been to."""
    for stuck in stuck_loops(context):
        if isinstance(stuck.loop, ast.While):
            yield from _walk(context, stuck, stuck.loop)
    if context.error.bare_type == "RecursionError":
        for frame in own_frames(context)[:4]:
            site = site_of(context, frame)
            function = function_at(site) if site is not None else None
            if site is not None and function is not None:
                yield from _unmarked(context, site, function)


def _walk(context: RepairContext, stuck: Stuck, loop: ast.While) -> Iterator[Finding]:
    site = stuck.site
    taken = _taken(loop)
    if taken is None:
        return
    statement, node, queue = taken
    if not any(
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr in _GROWERS
        and place(n.func.value) == queue
        for n in ast.walk(loop)
    ):
        return
    scope = site.function(loop) or site.tree
    marks = _mark_sets(scope)
    for name in marks:
        tested = any(_tests_membership(n, name) for n in ast.walk(loop))
        added = any(_adds(n, name) for n in ast.walk(loop))
        if tested and not added:
            text = f"{indent_text(site, statement) or ''}{name}.{_adder(scope, name)}({node})"
            reason = f"`{name}` is asked for, and nothing is ever put into it"
            confidence = STRONG + 0.1
            yield from flow.one_file(
                context, site, VISITED, reason, confidence, [_after_skip(site, loop, statement, name, text)]
            )
        elif added and not tested:
            reason = f"`{name}` is filled, and never asked for"
            yield from flow.one_file(
                context, site, VISITED, reason, STRONG, [_skip(site, statement, node, name)]
            )
        if tested or added:
            return
    indent, outer = indent_text(site, statement), indent_text(site, loop)
    if indent is None or outer is None:
        return
    unit = indent[len(outer) :] or "    "
    name = "seen"
    lines = f"{indent}if {node} in {name}:\n{indent}{unit}continue\n{indent}{name}.add({node})"
    edits = [flow.line_before(site, loop, f"{name} = set()"), after_line(site, statement, lines)]
    reason = f"the walk comes back to a `{node}` that it has been to"
    yield from flow.one_file(context, site, VISITED, reason, PLAUSIBLE, edits)


def _taken(loop: ast.While) -> tuple[ast.Assign, str, str] | None:
    """`node = queue.pop()` at the top of a loop: the statement, the variable and the queue."""
    for statement in loop.body[:3]:
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.targets[0], ast.Name)
            and isinstance(statement.value, ast.Call)
            and isinstance(statement.value.func, ast.Attribute)
            and statement.value.func.attr in _TAKERS
        ):
            return statement, statement.targets[0].id, place(statement.value.func.value)
    return None


def _mark_sets(scope: ast.AST) -> list[str]:
    """Variables with the name of a marking, or that start as an empty set."""
    found: list[str] = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and any(word in node.id.lower() for word in _SEEN_NAMES):
            found.append(node.id)
        elif isinstance(node, ast.Assign) and ast.unparse(node.value) == "set()":
            found += [place(t) for t in node.targets if place(t)]
        elif isinstance(node, ast.arg) and any(word in node.arg.lower() for word in _SEEN_NAMES):
            found.append(node.arg)
    return list(dict.fromkeys(found))


def _tests_membership(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.In | ast.NotIn)
        and place(node.comparators[0]) == name
    )


def _adds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return place(node.value) == name
    if isinstance(node, ast.AugAssign):
        return place(node.target) == name
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _GROWERS
        and place(node.func.value) == name
    )


def _adder(scope: ast.AST, name: str) -> str:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(place(t) == name for t in targets) and isinstance(node.value, ast.List | ast.ListComp):
                return "append"
    return "add"


def _after_skip(site: Site, loop: ast.While, statement: ast.stmt, name: str, text: str) -> TextEdit:
    """Marks after the test that skips what is marked already, where the loop has one for the node itself."""
    for following in loop.body[:4]:
        if not (isinstance(following, ast.If) and terminates_round(following.body)):
            continue
        if any(_tests_membership(n, name) for n in ast.walk(following.test)):
            return after_line(site, following, text)
    return after_line(site, statement, text)


def terminates_round(body: list[ast.stmt]) -> bool:
    """Whether a block ends a round of its loop, or more."""
    return isinstance(body[-1], ast.Continue) or terminates(body)


def _skip(site: Site, statement: ast.stmt, node: str, name: str) -> TextEdit:
    indent = indent_text(site, statement) or ""
    unit = "\t" if indent.startswith("\t") else "    "
    return after_line(site, statement, f"{indent}if {node} in {name}:\n{indent}{unit}continue")


def _unmarked(context: RepairContext, site: Site, function: FunctionNode) -> Iterator[Finding]:
    """A recursive walk that asks for a mark which nothing sets."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and flow.calls(n, function.name)]
    if not calls:
        return
    for index, statement in enumerate(function.body):
        if not (isinstance(statement, ast.If) and terminates(statement.body)):
            continue
        for test in ast.walk(statement.test):
            if not (isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In) and place(test.left)):
                continue
            name, node = place(test.comparators[0]), source_of(site.text, test.left)
            if not name or any(_adds(n, name) for n in ast.walk(function)):
                continue
            indent = indent_text(site, statement)
            if indent is None or index + 1 >= len(function.body):
                continue
            text = f"{indent}{name}.{_adder(site.tree, name)}({node})"
            reason = f"`{name}` is asked for, and nothing is ever put into it"
            yield from flow.one_file(
                context, site, VISITED, reason, CERTAIN - 0.05, [after_line(site, statement, text)]
            )
            return


RULES: tuple[Rule, ...] = (
    Rule(GROWTH, ("BaseException",), growth),
    Rule(VISITED, ("BaseException",), visited),
)
