"""A parameter's name in quotes where the parameter was meant: `md5('text')` in a function of `text`.

Only for a parameter that the function reads nowhere else as a value, so that the quoted word is the one place where it
can have been meant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import parameters
from selfheal_tui.repair.rules.spans import whole
from selfheal_tui.repair.rules.support import STRONG, FunctionNode, Site, edited, parents, site_of

NAME = "quoted-name"
_BYTES = r"must be encoded|bytes-like object"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the parameter without quotes, encoded where bytes are asked for."""
    site = site_of(context)
    if site is None:
        return
    up = parents(site.tree)
    calls = site.nodes(ast.Call)
    for node in {id(a): a for c in calls for a in (*c.args, *(k.value for k in c.keywords))}.values():
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        function = site.function(node)
        if (
            function is None
            or node.value not in {p.arg for p in parameters(function)}
            or not isinstance(up.get(node), ast.Call | ast.keyword)
        ):
            continue
        if _is_read(function, node.value):
            continue
        new = node.value
        value = next((v for v in site.frame.locals if v.name == new), None)
        if value is not None and value.type == "str" and re.search(_BYTES, context.error.message):
            new = f"{new}.encode()"
        yield from _emit(context, site, function.name, node, new)


def _emit(
    context: RepairContext, site: Site, function: str, node: ast.Constant, new: str
) -> Iterator[Finding]:
    reason = f"`{function}` takes `{node.value!s}` and hands on the word instead of the value"
    fix = edited(context, NAME, reason, STRONG + 0.1, {site.path: [whole(node, new)]})
    if fix is not None:
        yield fix


def _is_read(function: FunctionNode, name: str) -> bool:
    """Whether the parameter is used for more than to ask whether it is there."""
    up: dict[ast.AST, ast.AST] = {c: n for n in ast.walk(function) for c in ast.iter_child_nodes(n)}
    for n in ast.walk(function):
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load):
            holder = up.get(n)
            asked = (isinstance(holder, ast.If | ast.IfExp | ast.While) and holder.test is n) or (
                isinstance(holder, ast.UnaryOp) and isinstance(holder.op, ast.Not)
            )
            if not asked:
                return True
    return False


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError", "AttributeError", "ValueError"), apply),)
