"""A parameter that defaults to None and is used as if it had a value: what it stands for when it is left out.

Other functions of the project that take the same parameter say it best; after them the container that the use asks for.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_source import Spot, none_spot
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import visible
from selfheal_tui.repair.rules.support import STRONG, FunctionNode, Site, ancestors, edited, site_of
from selfheal_tui.source.origins import is_none
from selfheal_tui.source.position import definitions

NAME = "none-parameter"
_OTHERS, _IDIOM = STRONG, 0.64
_FILLED = {
    **dict.fromkeys(("append", "extend", "insert", "sort", "reverse"), "[]"),
    **dict.fromkeys(("add", "discard", "union"), "set()"),
    **dict.fromkeys(("update", "setdefault", "items", "keys", "values", "get"), "{}"),
}


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields `if parameter is None: parameter = …` at the beginning of the function."""
    if "NoneType" not in context.error.message:
        return
    spot, site = none_spot(context), site_of(context)
    if spot is None or site is None or spot.path != site.path or not isinstance(spot.node, ast.Name):
        return
    name, function = spot.node.id, site.function(spot.node)
    if function is None or not _defaults_to_none(function, name) or _rebound(function, spot.node):
        return
    told = _told_by_others(context, site, function, name)
    if told:
        value, where = told
        reason = f"`{where}` takes `{value}` when `{name}` is left out, and so does `{function.name}` now"
        yield from _start(context, site, function, name, value, reason, _OTHERS)
    value = _asked_for(site, spot)
    if value and not told:
        reason = f"`{name}` is left out, and is used as `{value}` would be"
        yield from _start(context, site, function, name, value, reason, _IDIOM)


def _start(
    context: RepairContext,
    site: Site,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    name: str,
    value: str,
    reason: str,
    confidence: float,
) -> Iterator[Finding]:
    edit = flow.line_before(site, flow.body_start(function), f"if {name} is None:\n    {name} = {value}")
    fix = edited(context, NAME, reason, confidence, {site.path: [edit]}, guess=True)
    if fix is not None:
        yield fix


def defaults_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    """Default values of a function's parameters, by name."""
    positional = [*function.args.posonlyargs, *function.args.args]
    found = {a.arg: d for a, d in zip(positional[::-1], function.args.defaults[::-1], strict=False)}
    found |= {
        a.arg: d
        for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        if d is not None
    }
    return found


def _defaults_to_none(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    default = defaults_of(function).get(name)
    return default is not None and is_none(default)


def _rebound(function: ast.AST, use: ast.Name) -> bool:
    return any(
        isinstance(n, ast.Name) and n.id == use.id and isinstance(n.ctx, ast.Store) and n.lineno <= use.lineno
        for n in ast.walk(function)
    )


def stands_for(function: ast.AST, name: str) -> str:
    """What a function takes for a parameter that is None; empty when it does not say.

    Args:
        function: The function.
        name: The parameter.

    Returns:
        The expression, as Python writes it.
    """
    for node in ast.walk(function):
        if (
            isinstance(node, ast.If)
            and ast.unparse(node.test) in (f"{name} is None", f"not {name}")
            and len(node.body) == 1
        ):
            first = node.body[0]
            if isinstance(first, ast.Assign) and ast.unparse(first.targets[0]) in (name, f"self.{name}"):
                return ast.unparse(first.value)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in (name, f"self.{name}"):
            value = node.value
            either = value.values if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) else []
            if len(either) == 2 and ast.unparse(either[0]) == name:
                return ast.unparse(either[1])
            if isinstance(value, ast.IfExp) and ast.unparse(value.test) in (
                f"{name} is None",
                f"{name} is not None",
            ):
                return ast.unparse(value.body if "not" not in ast.unparse(value.test) else value.orelse)
    return ""


def _told_by_others(
    context: RepairContext, site: Site, function: ast.AST, name: str
) -> tuple[str, str] | None:
    """The one thing that other functions with that parameter take for None, if its names can be seen here, too."""
    found: Counter[str] = Counter()
    where: dict[str, str] = {}
    for path, _text, tree in files(context.project, name):
        if context.project.protected(path):
            continue
        for qualname, other in definitions(tree):
            if not isinstance(other, FunctionNode) or (
                path == site.path and other.name == getattr(function, "name", "")
            ):
                continue
            if name not in {
                a.arg for a in (*other.args.posonlyargs, *other.args.args, *other.args.kwonlyargs)
            }:
                continue
            value = stands_for(other, name)
            if value and value != "None":
                found[value] += 1
                where.setdefault(value, qualname)
    if len(found) != 1:
        return None
    value = next(iter(found))
    names = {n.id for n in ast.walk(ast.parse(value, mode="eval")) if isinstance(n, ast.Name)}
    start = getattr(function, "body", [site.tree])[0]
    return (value, where[value]) if names <= visible(site.tree, start).keys() else None


def _asked_for(site: Site, spot: Spot) -> str:
    """The empty container that the use of a parameter asks for."""
    up = next(iter(ancestors(site.tree, spot.node)), None)
    if isinstance(up, ast.Attribute):
        return _FILLED.get(up.attr, "")
    if isinstance(up, ast.For | ast.comprehension) and up.iter is spot.node:
        return "()"
    if isinstance(up, ast.Subscript) and isinstance(up.ctx, ast.Store):
        return "{}"
    if isinstance(up, ast.keyword) and up.arg is None:
        return "{}"
    return "()" if isinstance(up, ast.Starred) else ""


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError", "TypeError"), apply),)
