"""Finds definitions in a libcst tree and replaces nodes by path, without libcst's metadata.

Scope and position metadata, and even a transformer that does nothing, cost as much as parsing does; a
walk through statements alone costs next to nothing. Imports libcst, so it is loaded on use only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from selfheal_tui.source.position import LOCALS, definitions, first_line

Definition = cst.FunctionDef | cst.ClassDef
Path = tuple[tuple[str, int | None], ...]
"""Attribute names, with an index where the attribute is a sequence."""

_SINGLE = ("body", "orelse", "finalbody")
_BLOCKS = (cst.Module, cst.IndentedBlock)


@dataclass(frozen=True, slots=True)
class Place:
    """A definition in a tree.

    Attributes:
        qualname: Its qualified name.
        path: The way to it from the module.
        node: The definition.
        lines: First (decorators included) and last line.
    """

    qualname: str
    path: Path
    node: Definition
    lines: tuple[int, int] = (0, 0)

    @property
    def owner(self) -> str:
        """Qualified name of the class that directly holds it, or ""."""
        owner = self.qualname.rpartition(".")[0]
        return "" if owner.endswith(LOCALS) else owner

    @property
    def name(self) -> str:
        """Bare name."""
        return self.node.name.value


def _children(node: cst.CSTNode) -> Iterator[tuple[tuple[str, int | None], cst.CSTNode]]:
    """Yields everything that holds statements, in the order of `ast.iter_child_nodes`."""
    if isinstance(node, _BLOCKS):
        for index, statement in enumerate(node.body):
            yield ("body", index), statement
        return
    for attribute in ("body", "handlers", "cases", "orelse", "finalbody"):
        value = getattr(node, attribute, None)
        if isinstance(value, cst.CSTNode):
            yield (attribute, None), value
        elif isinstance(value, tuple | list) and attribute in ("handlers", "cases"):
            for index, item in enumerate(value):
                yield (attribute, index), item


def _walk(node: cst.CSTNode, path: Path, prefix: str) -> Iterator[Place]:
    for step, child in _children(node):
        here = (*path, step)
        if isinstance(child, Definition):
            qualname = prefix + child.name.value
            yield Place(qualname, here, child)
            inner = f"{qualname}." if isinstance(child, cst.ClassDef) else f"{qualname}.{LOCALS}."
            yield from _walk(child, here, inner)
        elif not isinstance(child, cst.SimpleStatementLine | cst.SimpleStatementSuite):
            yield from _walk(child, here, prefix)


def places(module: cst.Module) -> list[Place]:
    """Lists all definitions of a module in source order, without line numbers."""
    return list(_walk(module, (), ""))


def places_with_lines(module: cst.Module, tree: ast.Module) -> list[Place]:
    """Lists all definitions of a module in source order.

    Args:
        module: The module.
        tree: The same text parsed by `ast`, which knows the lines.
    """
    lines = [(first_line(node), node.end_lineno or 0) for _, node in definitions(tree)]
    return [
        Place(place.qualname, place.path, place.node, span)
        for place, span in zip(places(module), lines, strict=True)
    ]


def replaced(root: cst.CSTNode, path: Path, new: cst.CSTNode) -> cst.CSTNode:
    """Returns a copy of a tree with the node at a path replaced."""
    if not path:
        return new
    (attribute, index), rest = path[0], path[1:]
    value = getattr(root, attribute)
    if index is None:
        return root.with_changes(**{attribute: replaced(value, rest, new)})
    items = list(value)
    items[index] = replaced(items[index], rest, new)
    return root.with_changes(**{attribute: items})


def code_of(node: cst.CSTNode) -> str:
    """Returns the source of a node by itself, at no indentation."""
    return cst.Module([]).code_for_node(node)


def decorator_kind(node: Definition) -> str:
    """Tells accessors and overloads of one name apart: `setter`, `deleter`, `getter`, `overload` or ""."""
    for decorator in node.decorators:
        expression = decorator.decorator
        last = expression.attr if isinstance(expression, cst.Attribute) else expression
        name = last.value if isinstance(last, cst.Name) else ""
        if name in ("setter", "deleter", "getter") and isinstance(expression, cst.Attribute):
            return name
        if name == "overload":
            return name
    return ""
