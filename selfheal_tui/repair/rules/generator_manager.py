"""A generator function that is used in a `with` statement: the decorator that makes it a context manager is missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.arguments import definition_of_call
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.support import CERTAIN, candidate, parse, site_of
from selfheal_tui.source.edits import add_import, insert_before_line

NAME = "generator-as-manager"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields `@contextmanager` on the generator function that a `with` statement calls."""
    message, site = context.error.message, site_of(context)
    kind = "async_generator" if "async_generator" in message else "generator"
    told = f"'{kind}' object" in message and "context manager protocol" in message
    if site is None or not (told or message in ("__enter__", "__aenter__")):
        return
    items = [
        item
        for n in ast.walk(site.tree)
        if isinstance(n, ast.With | ast.AsyncWith) and n.lineno <= site.frame.line <= n.body[0].lineno
        for item in n.items
    ]
    item = flow.only(items)
    call = item.context_expr if item is not None else None
    if not isinstance(call, ast.Call):
        return
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    found = definition_of_call(context, site, call, name)
    if found is None or found.node.decorator_list or parse(found.text) is None:
        return
    yields = [n for n in own_nodes(found.node) if isinstance(n, ast.Yield)]
    if len(yields) != 1:
        return
    decorator = "asynccontextmanager" if isinstance(found.node, ast.AsyncFunctionDef) else "contextmanager"
    line = found.node.lineno
    indent = " " * found.node.col_offset
    changed = insert_before_line(found.text, line, f"{indent}@{decorator}")
    changed = add_import(changed, f"from contextlib import {decorator}")
    reason = f"`{found.qualname}` is a generator that a `with` statement uses: it needs `@{decorator}`"
    yield candidate(context, NAME, reason, CERTAIN, {found.path: changed}, adds_imports=("contextlib",))


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError", "AttributeError"), apply),)
