"""Which dict literals a mapping can have been made from, as far as the source shows.

Follows assignments, returns, loops over list literals, `self` attributes and nested literals for a few
steps, across modules. Reads only; what it cannot follow it leaves out.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from selfheal_tui.repair.rules.classes import FunctionNode, dotted, self_assignments
from selfheal_tui.repair.rules.places import resolve
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.support import ancestors, glance, parse
from selfheal_tui.source.project import Project

MAX_HOPS = 4
MAX_JSON_FILES = 50
MAX_JSON_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Spot:
    """An expression in a file of the project."""

    path: str
    tree: ast.Module
    node: ast.expr


def literal_keys(node: ast.AST) -> list[str]:
    """String keys of a dict display or of a `dict(key=…)` call."""
    if isinstance(node, ast.Dict):
        return [k.value for k in node.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)]
    if isinstance(node, ast.Call) and dotted(node.func) == "dict":
        return [k.arg for k in node.keywords if k.arg]
    return []


def makers(project: Project, spot: Spot, hops: int = MAX_HOPS) -> Iterator[ast.expr]:
    """Yields the dict literals (or `dict(…)` calls) that can be the value of an expression.

    Args:
        project: The project.
        spot: The expression.
        hops: How many steps are followed.
    """
    node = spot.node
    if isinstance(node, ast.Dict) or (isinstance(node, ast.Call) and dotted(node.func) == "dict"):
        yield node
        return
    if hops <= 0:
        return
    for source in _sources(project, spot, hops):
        yield from makers(project, source, hops - 1)


def _sources(project: Project, spot: Spot, hops: int) -> Iterator[Spot]:
    node = spot.node
    if isinstance(node, ast.Name):
        yield from _of_name(project, spot, node)
    elif isinstance(node, ast.Call):
        yield from _of_call(project, spot, node)
    elif isinstance(node, ast.Await):
        yield Spot(spot.path, spot.tree, node.value)
    elif isinstance(node, ast.Attribute):
        yield from _of_attribute(spot, node)
    elif isinstance(node, ast.Subscript):
        for outer in makers(project, Spot(spot.path, spot.tree, node.value), hops - 1):
            if isinstance(outer, ast.Dict) and isinstance(node.slice, ast.Constant):
                for key, value in zip(outer.keys, outer.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == node.slice.value:
                        yield Spot(spot.path, spot.tree, value)


def _of_name(project: Project, spot: Spot, name: ast.Name) -> Iterator[Spot]:
    for scope in ancestors(spot.tree, name):
        if not isinstance(scope, FunctionNode | ast.Module):
            continue
        values = list(_bound_values(scope, name.id))
        for value in values:
            yield Spot(spot.path, spot.tree, value)
        if values:
            return
    place = resolve(project, spot.path, spot.tree, name.id)
    if place is not None and isinstance(place.node, ast.Name):
        for value in _bound_values(place.tree, place.node.id):
            yield Spot(place.path, place.tree, value)


def _bound_values(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """Values that a name is given in a scope, items of list literals for loops included."""

    def is_it(target: ast.AST) -> bool:
        return isinstance(target, ast.Name) and target.id == name

    for node in own_nodes(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None and any(map(is_it, targets)):
                yield node.value
        elif isinstance(node, ast.For | ast.comprehension) and is_it(node.target):
            lists = [node.iter]
            if isinstance(node.iter, ast.Name) and node.iter.id != name:
                lists = list(_bound_values(scope, node.iter.id))
            for item in lists:
                if isinstance(item, ast.List | ast.Tuple):
                    yield from item.elts


def _of_call(project: Project, spot: Spot, call: ast.Call) -> Iterator[Spot]:
    place = resolve(project, spot.path, spot.tree, dotted(call.func))
    if place is not None and isinstance(place.node, FunctionNode):
        for node in own_nodes(place.node):
            if isinstance(node, ast.Return) and node.value is not None:
                yield Spot(place.path, place.tree, node.value)


def _of_attribute(spot: Spot, node: ast.Attribute) -> Iterator[Spot]:
    if not (isinstance(node.value, ast.Name) and node.value.id == "self"):
        return
    cls = next((up for up in ancestors(spot.tree, node) if isinstance(up, ast.ClassDef)), None)
    for value in _bound_values(cls, node.attr) if cls is not None else ():
        yield Spot(spot.path, spot.tree, value)
    for method in cls.body if cls is not None else ():
        for target in self_assignments(method) if isinstance(method, FunctionNode) else ():
            up = next(ancestors(spot.tree, target), None)
            if (
                target.attr == node.attr
                and isinstance(up, ast.Assign | ast.AnnAssign)
                and up.value is not None
            ):
                yield Spot(spot.path, spot.tree, up.value)


def project_keys(project: Project) -> list[str]:
    """All string keys that the project's code and JSON files use, the most used first.

    Evidence for crashes of which nothing but a text is left; weaker than the keys of the mapping itself.
    """
    counts: Counter[str] = Counter()
    for path in project.python_files():
        source = glance(project, path)
        tree = parse(source.text) if source else None
        for node in ast.walk(tree) if tree is not None else ():
            counts.update(literal_keys(node))
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                counts.update([node.slice.value] if isinstance(node.slice.value, str) else [])
    files = (file for file in project.walk() if file.suffix == ".json")
    for file in islice(files, MAX_JSON_FILES):
        try:
            if file.stat().st_size <= MAX_JSON_BYTES:
                _count_keys(json.loads(file.read_bytes()), counts)
        except (OSError, ValueError, RecursionError):
            continue  # data that cannot be read names no keys
    return [key for key, _ in counts.most_common()]


def _count_keys(value: object, counts: Counter[str]) -> None:
    if isinstance(value, dict):
        counts.update(str(key) for key in value)
        for inner in value.values():
            _count_keys(inner, counts)
    elif isinstance(value, list):
        for inner in value[:100]:
            _count_keys(inner, counts)
