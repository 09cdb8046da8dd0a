"""A strict lookup of a key where the code around it shows that a missing one was reckoned with.

Evidence is one of three: the looked-up value is asked for None right after (here, or by the caller that gets it), or the
same mapping is read elsewhere with a default for the same key, or filled by `setdefault`. The default is never made up.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, Site, failing_site, parents, site_of

NAME = "lenient-lookup"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields `.get()` with the default that the code itself shows."""
    site = failing_site(context)
    if site is None:
        return
    subscript = flow.only(site.nodes(ast.Subscript, lambda n: isinstance(n.ctx, ast.Load)))
    if subscript is None:
        return
    mapping, key = source_of(site.text, subscript.value), source_of(site.text, subscript.slice)
    default, why, confidence = _default(context, site, subscript, mapping)
    if default is None:
        return
    new = f"{mapping}.get({key})" if default == "None" else f"{mapping}.get({key}, {default})"
    reason = f"`{mapping}[{key}]` may lack its key: {why}"
    yield from flow.one_file(context, site, NAME, reason, confidence, [whole(subscript, new)])


def _default(
    context: RepairContext, site: Site, subscript: ast.Subscript, mapping: str
) -> tuple[str | None, str, float]:
    elsewhere = _other_reads(site, mapping, ast.dump(subscript.slice))
    if elsewhere is not None:
        return elsewhere, "it is read with that default elsewhere", STRONG
    if _asked_here(site, subscript) or _asked_by_caller(context, site, subscript):
        return "None", "the value is asked for None right after", STRONG
    started = _started(context, subscript)
    if started is not None and _is_walked(site, subscript):
        return started, f"its keys are started with `{started}` elsewhere", PLAUSIBLE
    return None, "", 0.0


def _other_reads(site: Site, mapping: str, key: str) -> str | None:
    """The one default with which the same key of the same mapping is read elsewhere in the file."""
    found = {
        ast.unparse(n.args[1])
        for n in ast.walk(site.tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "get"
        and len(n.args) == 2 and ast.dump(n.args[0]) == key and ast.unparse(n.func.value) == mapping
    }  # fmt: skip
    return found.pop() if len(found) == 1 else None


def asks_for_none(test: ast.expr, name: str) -> bool:
    """Whether a condition asks if a variable is None, or is empty: `x is None`, `not x`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return isinstance(test.operand, ast.Name) and test.operand.id == name
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == name
        and isinstance(test.ops[0], ast.Is | ast.IsNot)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value is None
    )


def _next_asks(site: Site, statement: ast.stmt | None, value: ast.expr) -> bool:
    """`x = value` followed by `if x is None:`."""
    if not isinstance(statement, ast.Assign) or statement.value is not value or len(statement.targets) != 1:
        return False
    target = statement.targets[0]
    block = flow.block_of(site, statement)
    after = block[block.index(statement) + 1 :][:1] if block else []
    return (
        isinstance(target, ast.Name)
        and bool(after)
        and isinstance(after[0], ast.If)
        and asks_for_none(after[0].test, target.id)
    )


def _asked_here(site: Site, subscript: ast.Subscript) -> bool:
    return _next_asks(site, flow.statement_of(site, subscript), subscript)


def _asked_by_caller(context: RepairContext, site: Site, subscript: ast.Subscript) -> bool:
    """The function returns the looked-up value, and its caller asks whether that is None."""
    if not isinstance(parents(site.tree).get(subscript), ast.Return):
        return False
    function = site.function(subscript)
    frames = [f for f in context.error.frames if f.in_app]
    caller = site_of(context, frames[-2]) if len(frames) > 1 else None
    if function is None or caller is None:
        return False
    call = flow.only(caller.nodes(ast.Call, lambda n: flow.calls(n, function.name)))
    return call is not None and _next_asks(caller, flow.statement_of(caller, call), call)


def _started(context: RepairContext, subscript: ast.Subscript) -> str | None:
    """The one literal that `setdefault` puts into the same attribute or variable."""
    base = subscript.value
    name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
    found: set[str] = set()
    for _path, _text, tree in files(context.project, "setdefault", name) if name else ():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and flow.calls(node, "setdefault") and len(node.args) == 2:
                owner = node.func.value if isinstance(node.func, ast.Attribute) else None
                called = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if called == name:
                    found.add(ast.unparse(node.args[1]))
    return found.pop() if len(found) == 1 and found <= {"[]", "{}", "set()", "()"} else None


def _is_walked(site: Site, subscript: ast.Subscript) -> bool:
    """Whether the looked-up value is only walked over or counted, where an empty one is as good as none."""
    holder = parents(site.tree).get(subscript)
    if isinstance(holder, ast.Call):
        return flow.calls(holder, "len") or flow.calls(holder, "list") or flow.calls(holder, "sorted")
    walked = [
        n.iter
        for n in own_nodes(flow.scope_of(site, subscript))
        if isinstance(n, ast.For | ast.comprehension)
    ]
    return any(node is subscript for node in walked)


RULES: tuple[Rule, ...] = (Rule(NAME, ("KeyError",), apply),)
