"""Where a bad value may have been spoilt: lines on its way to a crash, with how near they are. Reads sources only."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.model.crash import Frame
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.mutations.mutant import Field
from selfheal_tui.repair.mutations.spot import Spot
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.support import FunctionNode, Site, ancestors, parents, site_of
from selfheal_tui.source.calls import CallResolver

NEAREST = 1.0
_STEP = 0.8
"""A place one step further from the crash is so much less likely to be the fault."""
_FRAMES = 4
_CALLEES = 6

Place = tuple[str, int]
"""A file, and a line of it."""


def places(context: RepairContext) -> dict[Place, float]:
    """Weighs the lines that may hold the fault.

    The failing expression comes first; then what gave its names their values and what decided that it ran; then
    the rest of its function, the functions it calls, and the same for the calls that led to it.

    Args:
        context: The crash.

    Returns:
        Lines with their weight, 0 to 1.
    """
    found: dict[Place, float] = {}
    frames = [frame for frame in _beneath_tests(context) if _may_change(context, frame)]
    for distance, frame in enumerate(reversed(frames[-_FRAMES:])):
        site = site_of(context, frame)
        if site is None:
            continue
        base = NEAREST * _STEP**distance
        for line, weight in _of_frame(site):
            _raise(found, (site.path, line), weight * base)
        for place, weight in _of_callees(context, site):
            _raise(found, place, weight * base)
    return found


def spots(context: RepairContext) -> Iterator[Spot]:
    """Yields the places of the crash's innermost frames that a fix may change, innermost first."""
    frames = [frame for frame in _beneath_tests(context) if _may_change(context, frame)]
    for depth, frame in enumerate(reversed(frames[-_FRAMES:])):
        site = site_of(context, frame)
        statement = _statement(site) if site is not None else None
        if site is None or statement is None:
            continue
        function = next((up for up in ancestors(site.tree, statement) if isinstance(up, FunctionNode)), None)
        types = {value.name: value.type for value in frame.locals}
        at = Field(site.text, site.tree, types, parents(site.tree))
        yield Spot(site, at, context.error, statement, function, depth)


def _may_change(context: RepairContext, frame: Frame) -> bool:
    return frame.in_app and frame.path is not None and not context.project.protected(frame.path)


def _beneath_tests(context: RepairContext) -> list[Frame]:
    """The frames inside of the innermost test; whatever stands outside of it only runs tests."""
    frames = list(context.error.frames)
    tests = [at for at, frame in enumerate(frames) if frame.path and context.project.protected(frame.path)]
    return frames[tests[-1] + 1 :] if tests else frames


def _raise(found: dict[Place, float], place: Place, weight: float) -> None:
    found[place] = max(found.get(place, 0.0), weight)


def _statement(site: Site) -> ast.stmt | None:
    """The innermost statement of the failing line; its head only, if it is a compound one."""
    best: ast.stmt | None = None
    for node in ast.walk(site.tree):
        if isinstance(node, ast.stmt) and node.lineno <= site.frame.line <= (node.end_lineno or node.lineno):
            best = node if best is None or node.lineno >= best.lineno else best
    return best


def _of_frame(site: Site) -> Iterator[tuple[int, float]]:
    statement = _statement(site)
    if statement is None:
        return
    last = statement.end_lineno or statement.lineno
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
        last = max(statement.lineno, body[0].lineno - 1)
    frame = site.frame
    for line in range(statement.lineno, last + 1):
        near = frame.line <= line <= (frame.end_line or frame.line)
        yield line, NEAREST if near else 0.8
    function = next((up for up in ancestors(site.tree, statement) if isinstance(up, FunctionNode)), None)
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
    for up in ancestors(site.tree, statement):
        if isinstance(up, FunctionNode):
            break
        if isinstance(up, ast.stmt):
            yield up.lineno, 0.85
    scope: ast.AST = function if function is not None else site.tree
    for node in own_nodes(scope):
        if not isinstance(node, ast.stmt):
            continue
        gives = bool(names & _given(node))
        for line in range(node.lineno, _head_end(node) + 1):
            yield line, 0.85 if gives else 0.45
    if function is not None:
        yield function.lineno, 0.4
    yield from _of_builders(site, statement)
    if function is not None and isinstance(statement, ast.stmt):
        attributes = {n.attr for n in ast.walk(statement) if isinstance(n, ast.Attribute)}
        yield from _of_attributes(site, attributes)


def _head_end(node: ast.stmt) -> int:
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
        return max(node.lineno, body[0].lineno - 1)
    return node.end_lineno or node.lineno


def _given(node: ast.stmt) -> set[str]:
    """Names that a statement gives values to, or changes by calling a method of theirs."""
    found = set()
    heads: list[ast.AST] = [node]
    if isinstance(node, ast.For | ast.AsyncFor):
        heads = [node.target]
    elif isinstance(node, ast.If | ast.While | ast.With | ast.Try):
        heads = [n for n in (getattr(node, "test", None),) if n is not None]
    elif isinstance(node, FunctionNode | ast.ClassDef):
        return set()
    for head in heads:
        for inner in ast.walk(head):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                found.add(inner.id)
            elif isinstance(inner, ast.Subscript | ast.Attribute) and isinstance(inner.ctx, ast.Store):
                found |= {n.id for n in ast.walk(inner.value) if isinstance(n, ast.Name)}
            elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
                found |= {n.id for n in ast.walk(inner.func.value) if isinstance(n, ast.Name)}
    return found


def _of_builders(site: Site, statement: ast.stmt) -> Iterator[tuple[int, float]]:
    """Where the file fills a container that goes by the name of the one that the statement looks into.

    Who builds a mapping without the key often calls it what its reader calls it.
    """
    read = {
        n.value.id
        for n in ast.walk(statement)
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load) and isinstance(n.value, ast.Name)
    }
    for node in ast.walk(site.tree) if read else ():
        if not (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)):
            continue
        if isinstance(node.value, ast.Name) and node.value.id in read:
            yield node.lineno, 0.7
            for up in ancestors(site.tree, node):
                if isinstance(up, FunctionNode):
                    break
                if isinstance(up, ast.If | ast.For | ast.While):
                    yield up.lineno, 0.7


def _of_attributes(site: Site, attributes: set[str]) -> Iterator[tuple[int, float]]:
    """Where the attributes that the statement reads are set."""
    for node in ast.walk(site.tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                inner = target.value if isinstance(target, ast.Subscript) else target
                if isinstance(inner, ast.Attribute) and inner.attr in attributes:
                    for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                        yield line, 0.6


def _of_callees(context: RepairContext, site: Site) -> Iterator[tuple[Place, float]]:
    """Functions of the project that the failing statement, or what gave its names their values, calls."""
    statement = _statement(site)
    if statement is None:
        return
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
    function = next((up for up in ancestors(site.tree, statement) if isinstance(up, FunctionNode)), None)
    owners: list[ast.AST] = [statement] if not hasattr(statement, "body") else []
    scope: ast.AST = function if function is not None else site.tree
    owners += [n for n in own_nodes(scope) if isinstance(n, ast.Assign | ast.AugAssign) and names & _given(n)]
    types = {value.name: value.type for value in site.frame.locals}
    resolver = CallResolver(context.project, site.path, site.tree, site.frame.qualname, types)
    known = 0
    for owner in owners:
        for call in (n for n in ast.walk(owner) if isinstance(n, ast.Call)):
            target = resolver.resolve(call)
            if target is None or context.project.protected(target.path) or known >= _CALLEES:
                continue
            known += 1
            for node in own_nodes(target.node):
                if isinstance(node, ast.stmt):
                    weight = 0.7 if isinstance(node, ast.Return) else 0.55
                    for line in range(node.lineno, _head_end(node) + 1):
                        yield (target.path, line), weight
