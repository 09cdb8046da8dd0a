"""Two arguments of one call in each other's place, told by their names: `area(height, width)` for `area(width, height)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.model.crash import Frame
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.arguments import definition_of_call, parameter_names
from selfheal_tui.repair.rules.calls import describe
from selfheal_tui.repair.rules.places import files, resolve
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import BUILTIN_NAMES
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import GUESS, STRONG, FunctionNode, Site, edited, read, site_of
from selfheal_tui.repair.rules.target import is_stdlib
from selfheal_tui.source.position import find_definition

NAME = "swapped-arguments"
LIBRARY = "swapped-library-arguments"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the call with two arguments exchanged, where their names say that they are in each other's place."""
    frames = [f for f in context.error.frames if f.in_app]
    for caller in reversed(frames[:-1]):
        inner = frames[frames.index(caller) + 1]
        site = site_of(context, caller)
        if site is None:
            continue
        call = _only_call(site, inner.function)
        names = _parameters_in(context, inner)
        if call is None or not names:
            continue
        pair = _swapped_pair(call, names)
        if pair is not None:
            one, other = call.args[pair[0]], call.args[pair[1]]
            edits = [whole(one, source_of(site.text, other)), whole(other, source_of(site.text, one))]
            reason = f"`{ast.unparse(one)}` and `{ast.unparse(other)}` are passed in each other's place to `{inner.function}()`"
            yield from flow.one_file(context, site, NAME, reason, STRONG, edits)
            return
    yield from _swapped_constructors(context)


def _parameters_in(context: RepairContext, inner: Frame) -> list[str]:
    """Parameters of the function that a frame runs."""
    source = read(context.project, inner.path) if inner.path else None
    node = find_definition(source.text, inner.qualname) if source is not None else None
    return parameter_names(node) if isinstance(node, FunctionNode) else []


def _swapped_constructors(context: RepairContext) -> Iterator[Finding]:
    """An object of the failing frames was made with two arguments in each other's place: the one call whose names say so."""
    types = {v.type.rpartition(".")[2] for f in context.error.frames if f.in_app for v in f.locals}
    types |= {f.qualname.rpartition(".")[0] for f in context.error.frames if f.in_app}
    hits: list[tuple[str, ast.Call, tuple[int, int], str]] = []
    for path, text, tree in files(context.project):
        if context.project.protected(path):
            continue
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in types):
                continue
            place = resolve(context.project, path, tree, call.func.id)
            callee = describe(context, place, in_class=True) if place is not None else None
            pair = _swapped_pair(call, list(callee.parameters)) if callee is not None else None
            if pair is not None:
                hits.append((path, call, pair, text))
    if len(hits) != 1:
        return
    path, call, (i, j), text = hits[0]
    one, other = call.args[i], call.args[j]
    swap = [whole(one, source_of(text, other)), whole(other, source_of(text, one))]
    reason = f"`{ast.unparse(one)}` and `{ast.unparse(other)}` are passed in each other's place to `{ast.unparse(call.func)}()`"
    fix = edited(context, NAME, reason, STRONG, {path: swap})
    if fix is not None:
        yield fix


def apply_library(context: RepairContext) -> Iterator[Finding]:
    """Yields a library call with its two arguments exchanged, if they are of different kinds and the call refused them."""
    site = site_of(context)
    if site is None or not re.search(
        r"must be|invalid|expected|arg \d|not (?:iterable|callable)|is not JSON|does not match format",
        context.error.message,
    ):
        return
    call = flow.only(site.nodes(ast.Call, lambda n: len(n.args) == 2))
    if call is None or not _differ(site, call.args[0], call.args[1]):
        return
    name = ast.unparse(call.func)
    module = name.rpartition(".")[0]
    if not (
        is_stdlib(context.interpreter, module) if module else name in BUILTIN_NAMES
    ) or definition_of_call(context, site, call, name):
        return
    one, other = call.args
    edits = [whole(one, source_of(site.text, other)), whole(other, source_of(site.text, one))]
    reason = f"`{name}()` refused its arguments; in the other order they may fit"
    yield from flow.one_file(context, site, LIBRARY, reason, GUESS, edits)


def _differ(site: Site, one: ast.expr, other: ast.expr) -> bool:
    """Whether two arguments cannot be taken for one another: one is a literal, or they are of different types."""
    if isinstance(one, ast.Constant) != isinstance(other, ast.Constant):
        return True
    kinds = flow.type_of(site, one), flow.type_of(site, other)
    return all(kinds) and kinds[0] != kinds[1]


def _only_call(site: Site, name: str) -> ast.Call | None:
    return flow.only(site.nodes(ast.Call, lambda n: flow.calls(n, name)))


def _swapped_pair(call: ast.Call, names: list[str]) -> tuple[int, int] | None:
    said = [a.id if isinstance(a, ast.Name) else getattr(a, "attr", "") for a in call.args]
    for i in range(len(said)):
        for j in range(i + 1, min(len(said), len(names))):
            if (
                said[i]
                and said[i] == names[j]
                and said[j] != names[j]
                and (said[j] == names[i] or said[j] not in names)
            ):
                return i, j
            if said[j] and said[j] == names[i] and said[i] != names[i] and said[i] not in names:
                return i, j
    return None


RULES: tuple[Rule, ...] = (
    Rule(LIBRARY, ("TypeError", "ValueError"), apply_library),
    Rule(NAME, ("TypeError", "AttributeError", "ValueError", "KeyError", "IndexError"), apply),
)
