"""Indexes one past the end: loops that run once too often, neighbours of the last element, lists that shrink.

Only where the loop itself shows the bound; an empty sequence is explained, never given a made-up element.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import end_of, insert_after, source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, Site, ancestors, explained, site_of
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.origins import terminates

NAME = "index-bounds"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the loop or index that stays inside."""
    site = site_of(context)
    if site is None:
        return
    if "pop from" in context.error.message:
        yield from _emptied(context, site)
        return
    places: list[tuple[ast.expr, ast.expr]] = [(n.value, n.slice) for n in site.nodes(ast.Subscript)]
    places += [
        (n.func.value, n.args[0])
        for n in site.nodes(ast.Call, lambda n: flow.calls(n, "pop") and len(n.args) == 1)
        if isinstance(n.func, ast.Attribute)
    ]
    for sequence, index in places:
        findings = list(_one(context, site, sequence, index)) or list(
            _guarded(context, site, sequence, index)
        )
        if findings:
            yield from findings
            return
    if places:
        yield _explain(site, *places[0])


def _one(context: RepairContext, site: Site, sequence: ast.expr, index: ast.expr) -> Iterator[Finding]:
    name = ast.unparse(sequence)
    if _is_length(site, index, name):
        reason = f"`{name}` ends one before `{ast.unparse(index)}`"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [insert_after(index, " - 1")])
        return
    variable, offset = _variable(index)
    if not variable:
        return
    for up in ancestors(site.tree, index):
        if isinstance(up, ast.For) and isinstance(up.target, ast.Name) and up.target.id == variable:
            yield from _for(context, site, up, up.iter, name, index, offset)
            return
        if isinstance(up, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            for loop in up.generators:
                if isinstance(loop.target, ast.Name) and loop.target.id == variable:
                    yield from _for(context, site, up, loop.iter, name, index, offset)
                    return
        if isinstance(up, ast.While):
            yield from _while(context, site, up, name, variable, offset)
            return


def _guarded(context: RepairContext, site: Site, sequence: ast.expr, index: ast.expr) -> Iterator[Finding]:
    """A test of the index against the length that lets the length itself through: `i > len(x)`, `i <= len(x)`."""
    name, at = ast.unparse(sequence), ast.unparse(index)
    statement = flow.statement_of(site, index)
    if statement is None:
        return
    block = flow.block_of(site, statement)
    before = (
        [s for s in block[: block.index(statement)] if isinstance(s, ast.If) and terminates(s.body)]
        if block
        else []
    )
    around = [
        up
        for up in ancestors(site.tree, statement)
        if isinstance(up, ast.If | ast.While) and statement in up.body
    ]
    for tests, wrong, right in ((before, ast.Gt, ">="), (around, ast.LtE, "<")):
        for holder in tests:
            for test in ast.walk(holder.test):
                if (
                    isinstance(test, ast.Compare)
                    and len(test.ops) == 1
                    and isinstance(test.ops[0], wrong)
                    and ast.unparse(test.left) == at
                    and _is_length(site, test.comparators[0], name)
                ):
                    bound = source_of(site.text, test.comparators[0])
                    text = f"{source_of(site.text, test.left)} {right} {bound}"
                    reason = f"the test lets `{at}` be the length of `{name}`, whose last index is one less"
                    yield from flow.one_file(context, site, NAME, reason, STRONG, [whole(test, text)])
                    return


def _variable(index: ast.expr) -> tuple[str, int]:
    """Reads `i`, `i + 1`, `i - 1`: the variable and the offset."""
    if isinstance(index, ast.Name):
        return index.id, 0
    simple = isinstance(index, ast.BinOp) and isinstance(index.op, ast.Add | ast.Sub)
    if not simple or not isinstance(index, ast.BinOp):
        return "", 0
    left, right = index.left, index.right
    if isinstance(left, ast.Name) and isinstance(right, ast.Constant) and isinstance(right.value, int):
        return left.id, right.value if isinstance(index.op, ast.Add) else -right.value
    return "", 0


def _is_length(site: Site, node: ast.expr, name: str) -> bool:
    """Whether an expression is `len(name)`, or a variable that was set to it."""
    if isinstance(node, ast.Name) and (origin := flow.last_value(site, node)) is not None:
        node = origin
    return (
        isinstance(node, ast.Call)
        and flow.calls(node, "len")
        and len(node.args) == 1
        and ast.unparse(node.args[0]) == name
    )


def _past_end(site: Site, node: ast.expr, name: str) -> int | None:
    """How far a bound lies past `len(name)`; None when it is no such bound."""
    if _is_length(site, node, name):
        return 0
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.right, ast.Constant)
        and isinstance(node.right.value, int)
        and _is_length(site, node.left, name)
    ):
        return (
            node.right.value
            if isinstance(node.op, ast.Add)
            else -node.right.value
            if isinstance(node.op, ast.Sub)
            else None
        )
    return None


def _for(
    context: RepairContext,
    site: Site,
    loop: ast.AST,
    iterable: ast.expr,
    name: str,
    index: ast.expr,
    offset: int,
) -> Iterator[Finding]:
    if not (
        isinstance(iterable, ast.Call) and flow.calls(iterable, "range") and 1 <= len(iterable.args) <= 2
    ):
        return
    stop = iterable.args[-1]
    past = _past_end(site, stop, name)
    if past is None:
        past = _past_first_row(site, stop, name, index)
    if past is None:
        return
    start = iterable.args[0] if len(iterable.args) == 2 else None
    if past + offset == 0 and _shrinks(loop, name):
        reason = f"`{name}` gets shorter while the loop counts up to its old length: go from its end"
        yield from flow.one_file(
            context, site, NAME, reason, STRONG, [flow.wrapped(site, iterable, "reversed")]
        )
        return
    surplus = past + offset
    if surplus <= 0:
        return
    if isinstance(start, ast.Constant) and start.value == 1 and past == 1 and offset == 0:
        reason = f"the loop counts from 1 to the length of `{name}`, whose indexes go from 0"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [insert_after(index, " - 1")])
        reason = f"`{name}` ends one before the last index of the loop"
        yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [_shorter(site, stop, surplus)])
        return
    reason = f"the loop goes {surplus} past the end of `{name}`"
    yield from flow.one_file(context, site, NAME, reason, STRONG, [_shorter(site, stop, surplus)])


def _past_first_row(site: Site, stop: ast.expr, name: str, index: ast.expr) -> int | None:
    """`row[i] for row in rows` with a bound of `len(rows[0])`: how far it lies past the length of a row."""
    loop = flow.loop_source(site, name, index)
    rows = ast.unparse(loop.iter) if loop is not None else ""
    return _past_end(site, stop, f"{rows}[0]") if rows else None


def _shorter(site: Site, stop: ast.expr, surplus: int) -> TextEdit:
    """Takes a number off a bound: `len(x) + 1` becomes `len(x)`, `len(x)` becomes `len(x) - 1`."""
    if (
        isinstance(stop, ast.BinOp)
        and isinstance(stop.op, ast.Add)
        and isinstance(stop.right, ast.Constant)
        and stop.right.value == surplus
    ):
        return TextEdit(end_of(stop.left), end_of(stop), "")
    return whole(stop, f"{source_of(site.text, stop)} - {surplus}")


def _shrinks(loop: ast.AST, name: str) -> bool:
    for node in ast.walk(loop):
        if isinstance(node, ast.Delete) and any(
            isinstance(t, ast.Subscript) and ast.unparse(t.value) == name for t in node.targets
        ):
            return True
        taken = isinstance(node, ast.Call) and (flow.calls(node, "pop") or flow.calls(node, "remove"))
        base = (
            node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
        )
        if taken and base is not None and ast.unparse(base) == name:
            return True
    return False


def _while(
    context: RepairContext, site: Site, loop: ast.While, name: str, variable: str, offset: int
) -> Iterator[Finding]:
    for test in ast.walk(loop.test):
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and ast.unparse(test.left) == variable):
            continue
        bound = test.comparators[0]
        past = _past_end(site, bound, name)
        if past is None:
            continue
        if isinstance(test.ops[0], ast.LtE) and past + offset == 0:
            text = f"{source_of(site.text, test.left)} < {source_of(site.text, bound)}"
            yield from flow.one_file(
                context,
                site,
                NAME,
                f"the loop goes one past the end of `{name}`",
                STRONG,
                [whole(test, text)],
            )
        elif isinstance(test.ops[0], ast.Lt) and past + offset > 0:
            reason = f"the loop looks {past + offset} past the end of `{name}`"
            yield from flow.one_file(
                context, site, NAME, reason, STRONG, [_shorter(site, bound, past + offset)]
            )
        return


def _emptied(context: RepairContext, site: Site) -> Iterator[Finding]:
    """`while True:` around a `pop()`: the loop ends when there is nothing left."""
    for call in site.nodes(ast.Call, lambda n: flow.calls(n, "pop") or flow.calls(n, "popleft"))[:1]:
        base = call.func.value if isinstance(call.func, ast.Attribute) else None
        loop = next((up for up in ancestors(site.tree, call) if isinstance(up, ast.While)), None)
        endless = loop is not None and isinstance(loop.test, ast.Constant) and bool(loop.test.value)
        first = loop is not None and any(n is call for n in ast.walk(loop.body[0]))
        if base is not None and loop is not None and endless and first:
            name = source_of(site.text, base)
            reason = f"the loop takes from `{name}` without end: it goes on while there is something left"
            yield from flow.one_file(context, site, NAME, reason, STRONG, [whole(loop.test, name)])
            return
    yield explained("there is nothing left to take", "Check that the container is not empty before `pop()`.")


def _explain(site: Site, sequence: ast.expr, index: ast.expr) -> Finding:
    name, at = source_of(site.text, sequence), source_of(site.text, index)
    if name == "sys.argv":
        return explained(
            f"the command line has no argument number {at}",
            "Start the program with it, or read arguments with argparse.",
        )
    value = flow.local(site, sequence)
    size = f" of length {value.size}" if value is not None and value.size is not None else ""
    return explained(
        f"`{name}`{size} has no index `{at}`",
        "Decide what shall happen then: the bound that is meant is not evident.",
    )


RULES: tuple[Rule, ...] = (Rule(NAME, ("IndexError",), apply),)
