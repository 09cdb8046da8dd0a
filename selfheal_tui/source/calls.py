"""Finds the project's function that a call names, by reading source alone.

A heuristic over imports, classes and captured types: it answers None wherever the source does not show which
function is meant, and never runs code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from selfheal_tui.source.project import Project
from selfheal_tui.source.text import UnreadableSourceError

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Found:
    """A function definition with its place.

    Attributes:
        path: File, relative to the root.
        qualname: Qualified name.
        node: The definition.
        text: Text of the file.
    """

    path: str
    qualname: str
    node: Function
    text: str


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Yields (qualname, node) of functions and classes at module and class level, in order."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            yield from definitions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.If | ast.Try | ast.With):
            yield from definitions(child, prefix)


class CallResolver:
    """Finds the project's function that a call names.

    Args:
        project: The live project, read only.
        path: File in which the calls stand.
        tree: Its syntax tree.
        qualname: Function in which the calls stand, to know what `self` is.
        types: Qualified type names of local variables, where a capture knows them.
    """

    def __init__(
        self,
        project: Project,
        path: str,
        tree: ast.Module,
        qualname: str = "",
        types: Mapping[str, str] | None = None,
    ) -> None:
        self._project = project
        self._path = path
        self._tree = tree
        self._owner = qualname.rpartition(".")[0]
        self._types = dict(types or {})

    def resolve(self, call: ast.Call) -> Found | None:
        """Returns the definition that a call runs, or None when the source does not show it."""
        func = call.func
        if isinstance(func, ast.Name):
            return self._in_file(self._path, func.id) or self._imported(func.id)
        if not isinstance(func, ast.Attribute):
            return None
        base = func.value
        if isinstance(base, ast.Name) and base.id in ("self", "cls") and self._owner:
            return self._in_file(self._path, f"{self._owner}.{func.attr}")
        if isinstance(base, ast.Call) and isinstance(base.func, ast.Name):
            return self._method(base.func.id, func.attr)
        if isinstance(base, ast.Name):
            return self._attribute_of(base.id, func.attr)
        dotted = ast.unparse(base)
        found = self._project.find_module(dotted) if re.fullmatch(r"[\w.]+", dotted) else None
        return self._in_file(found, func.attr) if found else None

    def _attribute_of(self, name: str, attr: str) -> Found | None:
        if name in self._types:
            module, _, cls = self._types[name].rpartition(".")
            where = self._path if module in ("", "__main__") else self._project.find_module(module)
            if where and (found := self._in_file(where, f"{cls}.{attr}")):
                return found
        for module, alias, member in self._imports():
            if alias == name:
                target = self._project.find_module(f"{module}.{member}" if member else module)
                if target:
                    return self._in_file(target, attr)
        for node in ast.walk(self._tree):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and isinstance(node.value.func, ast.Name)
                and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
            ):
                return self._method(node.value.func.id, attr)
        return self._method(name, attr)

    def _method(self, cls: str, attr: str) -> Found | None:
        return self._in_file(self._path, f"{cls}.{attr}") or self._imported(cls, f".{attr}")

    def _imports(self) -> Iterator[tuple[str, str, str]]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, alias.asname or alias.name, ""
            elif isinstance(node, ast.ImportFrom):
                module = absolute_module(self._project, self._path, node)
                for alias in node.names:
                    yield module, alias.asname or alias.name, alias.name

    def _imported(self, name: str, suffix: str = "") -> Found | None:
        for module, alias, member in self._imports():
            if alias == name and member and (target := self._project.find_module(module)):
                return self._in_file(target, member + suffix)
        return None

    def _in_file(self, path: str | None, qualname: str) -> Found | None:
        if path is None:
            return None
        try:
            text = self._project.read(path).text
            tree = self._tree if path == self._path else ast.parse(text)
        except (UnreadableSourceError, SyntaxError, OSError, ValueError):
            return None
        hits = [node for name, node in definitions(tree) if name == qualname]
        if len(hits) == 1 and isinstance(hits[0], ast.FunctionDef | ast.AsyncFunctionDef):
            return Found(path, qualname, hits[0], text)
        return None


def absolute_module(project: Project, path: str, node: ast.ImportFrom) -> str:
    """Returns the absolute dotted name of the module that a `from … import` names."""
    if not node.level:
        return node.module or ""
    parts = project.module_name(path).split(".")
    if not path.endswith("__init__.py"):
        parts = parts[:-1]
    parts = parts[: len(parts) - (node.level - 1)]
    return ".".join([*parts, *([node.module] if node.module else [])])
