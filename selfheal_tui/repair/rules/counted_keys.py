"""Keys that are counted up or filled in a dict which starts empty: the first round has nothing to add to.

Only for dicts that the same function starts empty. A key that is missing from data which came from elsewhere is another
matter, and a default there would hide it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import STRONG, Site, failing_site, parents

NAME = "counted-keys"
_SYMBOLS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.BitOr: "|"}
_FILLS = {"append": "[]", "extend": "[]", "add": "set()", "update": "{}"}


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the access that starts a new key by itself."""
    site = failing_site(context)
    if site is None:
        return
    subscript = flow.only(site.nodes(ast.Subscript, lambda n: isinstance(n.value, ast.Name)))
    if subscript is None or not isinstance(subscript.value, ast.Name):
        found = [
            n for n in ast.walk(site.tree) if isinstance(n, ast.AugAssign) and n.lineno == site.frame.line
        ]
        target = found[0].target if len(found) == 1 else None
        subscript = target if isinstance(target, ast.Subscript) else None
    if subscript is None or not _starts_empty(site, subscript):
        return
    holder = parents(site.tree).get(subscript)
    mapping, key = source_of(site.text, subscript.value), source_of(site.text, subscript.slice)
    if isinstance(holder, ast.AugAssign) and holder.target is subscript:
        counted = [
            n
            for n in own_nodes(flow.scope_of(site, subscript))
            if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Subscript)
            and type(n.op) in _SYMBOLS and source_of(site.text, n.target.value) == mapping
        ]  # fmt: skip
        edits: list[tuple[ast.AST, str]] = [(n, _counted(site, n, mapping)) for n in counted]
        yield from _emit(context, site, edits, f"`{mapping}` starts empty and its keys are counted up")
    elif isinstance(holder, ast.BinOp) and _stores_same(site, holder, subscript):
        other = holder.right if holder.left is subscript else holder.left
        new = f"{mapping}.get({key}, {_zero(site, other)})"
        yield from _emit(
            context, site, [(subscript, new)], f"`{mapping}` starts empty and its keys are counted up"
        )
    elif isinstance(holder, ast.Attribute) and holder.attr in _FILLS:
        statement = parents(site.tree).get(parents(site.tree).get(holder, holder))
        if isinstance(statement, ast.Expr):
            new = f"{mapping}.setdefault({key}, {_FILLS[holder.attr]})"
            yield from _emit(
                context, site, [(subscript, new)], f"`{mapping}` starts empty and its keys are filled"
            )


def _counted(site: Site, node: ast.AugAssign, mapping: str) -> str:
    assert isinstance(node.target, ast.Subscript)
    key, step = source_of(site.text, node.target.slice), source_of(site.text, node.value)
    zero = "set()" if isinstance(node.op, ast.BitOr) else _zero(site, node.value)
    return f"{mapping}[{key}] = {mapping}.get({key}, {zero}) {_SYMBOLS[type(node.op)]} {step}"


def _emit(
    context: RepairContext, site: Site, edits: list[tuple[ast.AST, str]], reason: str
) -> Iterator[Finding]:
    made = [whole(node, text) for node, text in edits]
    if not made:
        return
    yield from flow.one_file(context, site, NAME, f"{reason}: a new key starts from nothing", STRONG, made)


def _starts_empty(site: Site, subscript: ast.Subscript) -> bool:
    if not isinstance(subscript.value, ast.Name):
        return False
    name = subscript.value.id
    values = [
        n.value
        for n in own_nodes(flow.scope_of(site, subscript))
        if isinstance(n, ast.Assign | ast.AnnAssign)
        for t in (n.targets if isinstance(n, ast.Assign) else [n.target])
        if isinstance(t, ast.Name) and t.id == name
    ]
    return bool(values) and all(v is not None and ast.unparse(v) in ("{}", "dict()") for v in values)


def _stores_same(site: Site, operation: ast.BinOp, subscript: ast.Subscript) -> bool:
    statement = flow.statement_of(site, operation)
    return (
        isinstance(statement, ast.Assign)
        and statement.value is operation
        and len(statement.targets) == 1
        and ast.unparse(statement.targets[0]) == ast.unparse(subscript)
    )


def _zero(site: Site, step: ast.expr) -> str:
    return {"str": '""', "list": "[]", "tuple": "()", "float": "0.0"}.get(flow.type_of(site, step), "0")


RULES: tuple[Rule, ...] = (Rule(NAME, ("KeyError",), apply),)
