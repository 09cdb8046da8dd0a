"""Functions and classes of a module by qualified name, and the code that is each one's own.

Pure functions over syntax trees. "Own" code leaves out nested definitions, so that a change inside a
method is a change of that method and not of its class and module as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MODULE = "<module>"


@dataclass(frozen=True, slots=True)
class Definition:
    """One function or class.

    Attributes:
        qualname: As CPython names it (`A.m`, `f.<locals>.g`).
        node: Its tree.
        owner: Qualified name of what encloses it; `<module>` at the top.
        in_class: Whether it stands directly in a class body.
    """

    qualname: str
    node: DefinitionNode
    owner: str
    in_class: bool

    @property
    def is_function(self) -> bool:
        """Whether it is a function or method."""
        return isinstance(self.node, FUNCTIONS)

    @property
    def is_nested(self) -> bool:
        """Whether it lives inside a function, invisible from outside."""
        return "<locals>" in self.qualname

    @property
    def is_public(self) -> bool:
        """Whether code elsewhere may call it: no part of its name is private, dunders are public."""
        return not self.is_nested and not any(
            part.startswith("_") and not (part.startswith("__") and part.endswith("__"))
            for part in self.qualname.split(".")
        )


@lru_cache(maxsize=64)
def definitions(tree: ast.Module) -> Mapping[str, list[Definition]]:
    """Indexes all definitions; a name defined twice (overloads, setters, branches) has several.

    Trees are not changed once they are parsed, so that the index of each is made once.
    """
    found: dict[str, list[Definition]] = {}
    stack: list[tuple[ast.AST, str, str, bool]] = [(tree, "", MODULE, False)]
    while stack:
        node, prefix, owner, in_class = stack.pop()
        children: list[tuple[ast.AST, str, str, bool]] = []
        for child in ast.iter_child_nodes(node):
            if isinstance(child, DEFINITIONS):
                qualname = prefix + child.name
                found.setdefault(qualname, []).append(Definition(qualname, child, owner, in_class))
                is_class = isinstance(child, ast.ClassDef)
                inner = f"{qualname}." if is_class else f"{qualname}.<locals>."
                children.append((child, inner, qualname, is_class))
            else:
                children.append((child, prefix, owner, in_class))
        stack.extend(reversed(children))
    for entries in found.values():
        entries.sort(key=lambda d: d.node.lineno)
    return found


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yields a definition's own nodes in source order, without those of nested definitions.

    Decorators, defaults and annotations of a nested definition are the enclosing one's business at run
    time, but belong to the nested one here, as they do for a reader.
    """
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, DEFINITIONS):
            yield from own_nodes(child)


@lru_cache(maxsize=16)
def scoped_nodes(tree: ast.Module) -> tuple[tuple[str, ast.AST], ...]:
    """Lists every node of a module with the qualified name of the definition that it belongs to."""
    found: list[tuple[str, ast.AST]] = [(MODULE, node) for node in own_nodes(tree)]
    for qualname, entries in definitions(tree).items():
        for entry in entries:
            found += [(qualname, node) for node in own_nodes(entry.node)]
    return tuple(found)


def own_key(node: ast.AST, *, skip_imports: bool = False) -> str:
    """Writes a definition's own code as text that ignores layout, comments and nested definitions.

    Args:
        node: Module, class or function.
        skip_imports: Whether import statements do not count.

    Returns:
        A key: equal keys mean equal code.
    """
    parts: list[str] = []

    def visit(value: object) -> None:
        if isinstance(value, ast.AST):
            if value is not node and isinstance(value, DEFINITIONS):
                return
            if skip_imports and isinstance(value, ast.Import | ast.ImportFrom):
                return
            parts.append(type(value).__name__)
            for name, item in ast.iter_fields(value):
                if name not in {"ctx", "type_comment", "kind", "type_ignores"}:
                    parts.append(name)
                    visit(item)
        elif isinstance(value, list):
            parts.append("[")
            for item in value:
                visit(item)
            parts.append("]")
        else:
            parts.append(repr(value))

    visit(node)
    return "\0".join(parts)


def changed_definitions(before: ast.Module, after: ast.Module) -> frozenset[str]:
    """Names all definitions whose own code differs, with new and lost ones, and `<module>`.

    Imports are not counted as module code; they are judged on their own.
    """
    old, new = definitions(before), definitions(after)
    changed = {
        name
        for name in old.keys() | new.keys()
        if [own_key(d.node) for d in old.get(name, [])] != [own_key(d.node) for d in new.get(name, [])]
    }
    if own_key(before, skip_imports=True) != own_key(after, skip_imports=True):
        changed.add(MODULE)
    return frozenset(changed)


def plain_qualname(qualname: str) -> str:
    """Takes comprehensions and lambdas off a code object's name, which are no definitions of their own."""
    while qualname.endswith(">") and qualname != MODULE:
        head, _, _ = qualname.rpartition(".")
        qualname = head.removesuffix(".<locals>") if head else MODULE
    return qualname


def enclosing_qualname(tree: ast.Module, line: int) -> str:
    """Names the innermost definition that contains a line; `<module>` when there is none."""
    best, best_span = MODULE, None
    for qualname, entries in definitions(tree).items():
        for entry in entries:
            first = min([entry.node.lineno, *(d.lineno for d in entry.node.decorator_list)])
            last = entry.node.end_lineno or entry.node.lineno
            if first <= line <= last and (best_span is None or last - first <= best_span):
                best, best_span = qualname, last - first
    return best
