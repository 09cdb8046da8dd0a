"""A parameter that functions beside this one bring into shape before they use it, and this one does not.

`if not isinstance(key, Key): key = Key(key)` at the head of three methods says what callers may pass to the fourth. Taken
over word for word, into whichever function on the traceback lacks it, if it applies to the value at hand.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from selfheal_tui.model.crash import LocalValue
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import parameters, visible
from selfheal_tui.repair.rules.sibling_guard import runs, siblings
from selfheal_tui.repair.rules.support import FunctionNode, Site, edited, site_of

NAME = "sibling-conversion"
_SURE, _STEP = 0.7, 0.04
"""Confidence where it crashed, and how much less each caller is worth."""
_FRAMES = 5
_HEAD = 3
"""A parameter is brought into shape in the first statements of a function or not at all."""
_OWN = frozenset({"self", "cls"})


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields what siblings do to a parameter of the same name, innermost function first."""
    depth = 0
    for frame in reversed(context.error.frames):
        if not frame.path:  # a library's, which crashed on what it was given
            continue
        if depth >= _FRAMES or context.project.protected(frame.path):
            break
        depth += 1
        site = site_of(context, frame) if frame.in_app else None
        function = _running(site) if site is not None else None
        if site is None or function is None:
            continue
        for text, name, count in _conversions(site, function):
            reason = f"{count} function(s) beside `{function.name}` begin with `{text.splitlines()[0]} …` for `{name}`"
            edit = flow.line_before(site, flow.body_start(function), text)
            confidence = _SURE - _STEP * (depth - 1)
            fix = edited(context, NAME, reason, confidence, {site.path: [edit]}, guess=True)
            if fix is not None:
                yield fix


def _running(site: Site) -> FunctionNode | None:
    found = [n for n in ast.walk(site.tree) if isinstance(n, FunctionNode) and runs(site, n)]
    return found[-1] if found else None


def _conversions(site: Site, function: FunctionNode) -> Iterator[tuple[str, str, int]]:
    """Statements with the parameter they are about, and how many siblings have each."""
    given = {p.arg for p in parameters(function)}
    own = given - _OWN
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    counts: dict[tuple[str, str], int] = {}
    for sibling in siblings(site, function):
        theirs = {p.arg for p in parameters(sibling)}
        for statement in sibling.body[: _HEAD + 1]:
            name = _converted(statement)
            if name not in own & theirs - stored or not _applies(statement, name, _local(site, name)):
                continue
            if _known(site, function, statement) <= given:
                key = (ast.unparse(statement), name)
                counts[key] = counts.get(key, 0) + 1
    for (text, name), count in sorted(counts.items(), key=lambda item: -item[1])[:2]:
        yield text, name, count


def _local(site: Site, name: str) -> LocalValue | None:
    return next((v for v in site.frame.locals if v.name == name), None)


def _converted(statement: ast.stmt) -> str:
    """The name that `if <test of x>: x = <something of x>` brings into shape; empty for other statements."""
    if not (isinstance(statement, ast.If) and not statement.orelse and len(statement.body) == 1):
        return ""
    inner = statement.body[0]
    if not (isinstance(inner, ast.Assign) and len(inner.targets) == 1):
        return ""
    target = inner.targets[0]
    asked = {n.id for n in ast.walk(statement.test) if isinstance(n, ast.Name)}
    return target.id if isinstance(target, ast.Name) and target.id in asked else ""


def _applies(statement: ast.stmt, name: str, value: LocalValue | None) -> bool:
    """Whether the statement would do something to the value that was there when it crashed."""
    assert isinstance(statement, ast.If)
    if value is None:
        return False
    test, denied = statement.test, False
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, denied = test.operand, True
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is):
        asked = f"{name} is None"
        return not denied and ast.unparse(test) == asked and value.repr == "None"
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "isinstance":
        if len(test.args) != 2 or ast.unparse(test.args[0]) != name:
            return False
        return (value.type.rpartition(".")[2] in _types(test.args[1])) != denied
    return False


def _types(node: ast.expr) -> set[str]:
    """Bare names of what `isinstance` is given: one type, a tuple of them, or `A | B`."""
    if isinstance(node, ast.Tuple):
        return {name for part in node.elts for name in _types(part)}
    if isinstance(node, ast.BinOp):
        return _types(node.left) | _types(node.right)
    return {ast.unparse(node).rpartition(".")[2]}


def _known(site: Site, function: FunctionNode, statement: ast.stmt) -> set[str]:
    """Names of a statement that neither the module nor the language has: parameters, it is to be hoped."""
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
    return names - set(visible(site.tree, function)) - set(dir(builtins))


RULES: tuple[Rule, ...] = (
    Rule(NAME, ("AttributeError", "TypeError", "KeyError", "ValueError", "IndexError"), apply),
)
