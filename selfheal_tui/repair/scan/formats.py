"""Literal formats that ask for more than they are given, and literal values that are unpacked into other numbers."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator

from selfheal_tui.repair.scan.finding import STRONG, Fault, fault
from selfheal_tui.repair.scan.kinds import kind_of
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World

_FIELD = re.compile(
    r"%(?:\((?P<name>[^)]*)\))?[#0\- +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+))?[hlL]?(?P<type>.)",
    re.DOTALL,
)


def misfitting_formats(view: View, _world: World) -> Iterator[Fault]:
    """Finds literal formats that ask for more than they are given."""
    for node in view.nodes:
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mod)
            and isinstance(node.left, ast.Constant)
        ):
            if isinstance(node.left.value, str):
                yield from _percent(view, node, node.left.value)
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
        ):
            text = node.func.value
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield from _braces(view, node, text.value)


def _percent(view: View, node: ast.BinOp, text: str) -> Iterator[Fault]:
    fields = [m for m in _FIELD.finditer(text) if m["type"] != "%"]
    if any(m["type"] not in "diouxXeEfFgGcrsa" for m in fields):
        return
    given = node.right
    if any(m["name"] is not None for m in fields):
        if isinstance(given, ast.Dict) and all(isinstance(k, ast.Constant) for k in given.keys):
            keys = {k.value for k in given.keys if isinstance(k, ast.Constant)}
            for m in fields:
                if m["name"] is not None and m["name"] not in keys:
                    yield from fault(view, node, "KeyError", repr(m["name"]), "format-fields")
                    return
        elif isinstance(given, ast.Tuple) and given.elts:
            yield from fault(view, node, "TypeError", "format requires a mapping", "format-fields")
        return
    wanted = len(fields) + sum((m["width"] == "*") + (m["precision"] == "*") for m in fields)
    if isinstance(given, ast.Tuple):
        if any(isinstance(e, ast.Starred) for e in given.elts):
            return
        count = len(given.elts)
    elif kind_of(view, given) in ("str", "int", "float", "bool"):
        count = 1
    else:
        return
    if count < wanted:
        yield from fault(view, node, "TypeError", "not enough arguments for format string", "format-fields")
    elif count > wanted and kind_of(view, given) != "dict":
        message = "not all arguments converted during string formatting"
        yield from fault(view, node, "TypeError", message, "format-fields")


def _braces(view: View, node: ast.Call, text: str) -> Iterator[Fault]:
    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
        return
    try:
        fields = [
            name
            for _, name, spec, _ in string.Formatter().parse(text)
            if name is not None and "{" not in (spec or "")
        ]
        nested = [spec for _, _, spec, _ in string.Formatter().parse(text) if spec and "{" in spec]
    except ValueError:
        return
    if nested:
        return
    names = [re.split(r"[.\[]", field, maxsplit=1)[0] for field in fields]
    automatic = sum(name == "" for name in names)
    if automatic and any(name.isdigit() for name in names):
        message = "cannot switch from manual field specification to automatic field numbering"
        yield from fault(view, node, "ValueError", message, "format-fields", STRONG)
        return
    highest = max([automatic - 1, *(int(name) for name in names if name.isdigit())])
    if highest >= len(node.args):
        message = f"Replacement index {len(node.args)} out of range for positional args tuple"
        yield from fault(view, node, "IndexError", message, "format-fields")
        return
    keywords = {k.arg for k in node.keywords}
    for name in names:
        if name and not name.isdigit() and name not in keywords:
            yield from fault(view, node, "KeyError", repr(name), "format-fields")
            return


def wrong_counts(view: View, _world: World) -> Iterator[Fault]:
    """Finds literal values that are unpacked into another number of variables."""
    for node in view.of(ast.Assign):
        assert isinstance(node, ast.Assign)
        if isinstance(node.value, ast.Tuple | ast.List):
            for target in node.targets:
                message = count_problem(target, len(node.value.elts))
                if message and not any(isinstance(e, ast.Starred) for e in node.value.elts):
                    yield from fault(view, target, "ValueError", message, "unpack-count")


def count_problem(target: ast.expr, count: int) -> str:
    """Says what unpacking that many values into a target raises; empty when they fit."""
    if not isinstance(target, ast.Tuple | ast.List) or any(isinstance(e, ast.Starred) for e in target.elts):
        return ""
    wanted = len(target.elts)
    if count > wanted:
        return f"too many values to unpack (expected {wanted})"
    return f"not enough values to unpack (expected {wanted}, got {count})" if count < wanted else ""


DETECTORS = (misfitting_formats, wrong_counts)
