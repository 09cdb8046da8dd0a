"""A function that fails on an empty argument, where a sibling function guards against just that.

The guard is taken over only with what the sibling returns, and only where both functions return the same kind of value;
otherwise the answer for an empty argument is not evident.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes, parameters
from selfheal_tui.repair.rules.support import STRONG, FunctionNode, Site, edited, failing_site, parents

NAME = "sibling-guard"
_EMPTY = re.compile(
    r"division by zero|empty sequence|is empty|requires? (?:at least one|a non-empty)|index out of range|iterable argument is empty"
)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the sibling's guard at the beginning of the failing function."""
    site = failing_site(context)
    if site is None or not _EMPTY.search(context.error.message):
        return
    function = next((n for n in ast.walk(site.tree) if isinstance(n, FunctionNode) and runs(site, n)), None)
    if function is None:
        return
    names = {a.arg for a in parameters(function)}
    empty = [v.name for v in site.frame.locals if v.name in names and v.size == 0]
    if len(empty) != 1 or _guard(function, empty[0]) is not None:
        return
    wanted = kind_of(function)
    found: set[str] = set()
    for sibling in siblings(site, function):
        for name in (a.arg for a in parameters(sibling)):
            value = _guard(sibling, name)
            if value is not None and wanted and kind_of(sibling) == wanted:
                found.add(value)
    if len(found) != 1:
        return
    value = found.pop()
    text = f"if not {empty[0]}:\n    return {value}"
    newline = flow.line_before(site, flow.body_start(function), text)
    reason = f"`{empty[0]}` is empty; functions beside `{function.name}` return `{value}` then, and so does this one now"
    fix = edited(context, NAME, reason, STRONG, {site.path: [newline]})
    if fix is not None:
        yield fix


def runs(site: Site, function: FunctionNode) -> bool:
    """Whether a function is the one that the site's frame was in."""
    return function.name == site.frame.function and function.lineno <= site.frame.line <= (
        function.end_lineno or 0
    )


def siblings(site: Site, function: FunctionNode) -> Iterator[FunctionNode]:
    """Other functions of the same module or class."""
    holder = parents(site.tree).get(function)
    for node in getattr(holder, "body", []):
        if isinstance(node, FunctionNode) and node is not function:
            yield node


def _guard(function: FunctionNode, name: str) -> str | None:
    """What a function returns when a parameter is empty, if its first statement says so and the value is a literal."""
    first = flow.body_start(function)
    if not (isinstance(first, ast.If) and not first.orelse and len(first.body) == 1):
        return None
    test, inner = ast.unparse(first.test), first.body[0]
    if test not in (f"not {name}", f"len({name}) == 0", f"not len({name})") or not isinstance(
        inner, ast.Return
    ):
        return None
    if inner.value is None or not _is_plain(inner.value):
        return None
    return ast.unparse(inner.value)


def _is_plain(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is not None
    return isinstance(node, ast.List | ast.Tuple | ast.Dict) and ast.unparse(node) in ("[]", "()", "{}")


def kind_of(function: FunctionNode) -> str:
    """What sort of value a function returns, apart from its guard; empty when its returns do not say.

    A number, a display's type, or the shape of the returned call with all names but the arguments' left out.
    """
    values = [n.value for n in own_nodes(function) if isinstance(n, ast.Return) and n.value is not None]
    kinds = {_kind(v) for v in values if not _is_plain(v)}
    return kinds.pop() if len(kinds) == 1 else ""


def _kind(value: ast.expr) -> str:
    if isinstance(value, ast.BinOp):
        return "number" if isinstance(value.op, ast.Div | ast.FloorDiv | ast.Pow | ast.Mod) else ""
    if isinstance(value, ast.List | ast.ListComp):
        return "list"
    if isinstance(value, ast.Dict | ast.DictComp):
        return "dict"
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        name = value.func.id
        if name in ("max", "min"):
            return f"one of {[k.arg for k in value.keywords]} {len(value.args)}"
        return {
            "len": "number",
            "round": "number",
            "sum": "number",
            "str": "text",
            "sorted": "list",
            "list": "list",
        }.get(name, "")
    return "text" if isinstance(value, ast.JoinedStr) else ""


RULES: tuple[Rule, ...] = (Rule(NAME, ("ZeroDivisionError", "ValueError", "IndexError"), apply),)
