"""Python syntax trees as first-order terms, and templates with holes: convert, match, instantiate.

A term says what code means and nothing of its layout. Pure; never runs or imports what it looks at.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

LIST = "[]"
_LEFT_OUT = frozenset({"ctx", "type_comment", "type_ignores", "kind", "type_params"})
MAX_NODES = 400
"""Larger terms are no small edits."""


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier: of a variable, attribute, argument, function or module."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, as it is written (its type is part of it)."""

    text: str


@dataclass(frozen=True, slots=True)
class Absent:
    """An optional part that is not there."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Stands for any term of its sort; equal numbers stand for equal terms.

    Attributes:
        number: Which hole.
        sort: `expr`, `stmt`, `name`, `literal`, `list`, or `any`.
    """

    number: int
    sort: str


@dataclass(frozen=True, slots=True)
class Node:
    """A syntax node, or a list of terms (label `[]`)."""

    label: str
    children: tuple[Term, ...] = ()


Term = Name | Literal | Absent | Hole | Node
Binding = Mapping[int, Term]
ABSENT = Absent()


class NotATermError(ValueError):
    """Code that is too large or of a kind that terms cannot say."""


def sort_of(term: Term) -> str:
    """Says what a term is, so that only its like takes its place."""
    if isinstance(term, Hole):
        return term.sort
    if isinstance(term, Name):
        return "name"
    if isinstance(term, Literal):
        return "literal"
    if isinstance(term, Absent):
        return "any"
    return LIST if term.label == LIST else _sort_of_label(term.label)


@lru_cache(maxsize=256)
def _sort_of_label(label: str) -> str:
    kind = getattr(ast, label, ast.AST)
    if issubclass(kind, ast.expr):
        return "expr"
    return "stmt" if issubclass(kind, ast.stmt) else label


def to_term(node: Any, *, limit: int = MAX_NODES) -> Term:
    """Turns a tree, a list of trees, or a part of one into a term.

    Args:
        node: A node, or what a field of a node holds.
        limit: Most nodes that it may have.

    Raises:
        NotATermError: It is too large.
    """
    return _to_term(node, [limit])


def _to_term(value: Any, count: list[int]) -> Term:
    count[0] -= 1
    if count[0] < 0:
        raise NotATermError("more nodes than an edit has")
    if value is None:
        return ABSENT
    if isinstance(value, list):
        return Node(LIST, tuple(_to_term(item, count) for item in value))
    if isinstance(value, ast.Constant):
        return Node("Constant", (Literal(_literal(value.value)),))
    if isinstance(value, ast.AST):
        return Node(
            type(value).__name__,
            tuple(_to_term(getattr(value, name, None), count) for name in fields_of(type(value).__name__)),
        )
    return Name(value) if isinstance(value, str) else Literal(_literal(value))


def _literal(value: object) -> str:
    text = "..." if value is Ellipsis else repr(value)
    if len(text) > 2_000:
        raise NotATermError("a literal is too long")
    return text


@lru_cache(maxsize=256)
def fields_of(label: str) -> tuple[str, ...]:
    """The fields of a kind of node (by the name of its class) that a term keeps, in order."""
    kind: type[ast.AST] = getattr(ast, label)
    return tuple(name for name in kind._fields if name not in _LEFT_OUT)


def to_tree(term: Term) -> Any:
    """Turns a term without holes back into a tree (or list, text, constant or None).

    Raises:
        NotATermError: It has a hole, or is no tree of this Python.
    """
    if isinstance(term, Absent):
        return None
    if isinstance(term, Name):
        return term.text
    if isinstance(term, Literal):
        return _value(term.text)
    if isinstance(term, Hole):
        raise NotATermError(f"hole {term.number} is open")
    if term.label == LIST:
        return [to_tree(child) for child in term.children]
    if term.label == "Constant":
        return ast.Constant(to_tree(term.children[0]))
    kind = getattr(ast, term.label, None)
    if not (isinstance(kind, type) and issubclass(kind, ast.AST)):
        raise NotATermError(f"{term.label} is no node of this Python")
    names = fields_of(term.label)
    if len(names) != len(term.children):
        raise NotATermError(f"{term.label} has {len(names)} parts here")
    values = {name: to_tree(child) for name, child in zip(names, term.children, strict=True)}
    if (
        issubclass(kind, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and "type_params" in kind._fields
    ):
        values["type_params"] = []
    if kind is ast.Module:
        values["type_ignores"] = []
    return kind(**values)


def _value(text: str) -> object:
    if text == "...":
        return Ellipsis
    if text in ("inf", "nan", "infj"):
        return float(text.rstrip("j"))
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise NotATermError(f"{text[:40]} is no literal") from error


def to_code(term: Term) -> str:
    """Writes a term as code; holes as `_0`, `_1`, …; for people, and for expressions without holes as source.

    Raises:
        NotATermError: It cannot be written.
    """
    tree = to_tree(_named(term))
    try:
        if isinstance(tree, list):
            return "\n".join(ast.unparse(ast.fix_missing_locations(item)) for item in tree)
        if isinstance(tree, ast.AST):
            return ast.unparse(ast.fix_missing_locations(tree))
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise NotATermError(f"cannot be written as code: {error}") from error
    return str(tree)


def _named(term: Term) -> Term:
    """Puts a name in each hole."""
    if isinstance(term, Hole):
        name = Name(f"_{term.number}")
        if term.sort == "expr":
            return Node("Name", (name,))
        if term.sort == "stmt":
            return Node("Expr", (Node("Name", (name,)),))
        if term.sort == LIST:
            return Node(LIST, (Node("Name", (name,)),))
        if term.sort == "literal":
            return Literal(repr(f"_{term.number}"))
        return name
    if isinstance(term, Node):
        return Node(term.label, tuple(_named(child) for child in term.children))
    return term


def walk(term: Term) -> Iterator[Term]:
    """Yields a term and all inside of it."""
    yield term
    if isinstance(term, Node):
        for child in term.children:
            yield from walk(child)


def holes(term: Term) -> dict[int, str]:
    """The holes of a template with their sorts."""
    return {t.number: t.sort for t in walk(term) if isinstance(t, Hole)}


def concrete(term: Term) -> int:
    """How much a template says: its syntax nodes and names, holes and lists not counted."""
    return sum(
        not isinstance(t, Hole | Absent) and not (isinstance(t, Node) and t.label == LIST) for t in walk(term)
    )


def match(template: Term, term: Term, binding: dict[int, Term] | None = None) -> dict[int, Term] | None:
    """Finds what the holes of a template must hold for it to be the term.

    Args:
        template: With holes.
        term: Without.
        binding: What some holes hold already; not changed.

    Returns:
        What each hole holds; None when there is no way.
    """
    found = dict(binding or {})
    return found if _match(template, term, found) else None


def _match(template: Term, term: Term, found: dict[int, Term]) -> bool:
    if isinstance(template, Hole):
        known = found.get(template.number)
        if known is not None:
            return known == term
        if template.sort not in ("any", sort_of(term)):
            return False
        found[template.number] = term
        return True
    if isinstance(template, Node):
        return (
            isinstance(term, Node)
            and template.label == term.label
            and len(template.children) == len(term.children)
            and all(_match(t, c, found) for t, c in zip(template.children, term.children, strict=True))
        )
    return template == term


def fill(template: Term, binding: Binding) -> Term:
    """Puts terms into the holes of a template; holes that nothing is bound to stay."""
    if isinstance(template, Hole):
        return binding.get(template.number, template)
    if isinstance(template, Node):
        return Node(template.label, tuple(fill(child, binding) for child in template.children))
    return template


def dump(term: Term) -> str:
    """Writes a term as JSON."""
    return json.dumps(_plain(term), separators=(",", ":"))


def _plain(term: Term) -> Any:
    if isinstance(term, Node):
        return [term.label, *(_plain(child) for child in term.children)]
    if isinstance(term, Name):
        return term.text
    if isinstance(term, Literal):
        return {"const": term.text}
    if isinstance(term, Hole):
        return {"hole": term.number, "sort": term.sort}
    return None


def load(text: str) -> Term:
    """Reads a term from JSON.

    Raises:
        NotATermError: It is none.
    """
    try:
        return _load(json.loads(text))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotATermError(f"not a term: {error}") from error


def _load(data: Any) -> Term:
    if isinstance(data, list) and data and isinstance(data[0], str):
        return Node(data[0], tuple(_load(item) for item in data[1:]))
    if isinstance(data, str):
        return Name(data)
    if data is None:
        return ABSENT
    if isinstance(data, dict) and isinstance(data.get("const"), str):
        return Literal(data["const"])
    if isinstance(data, dict):
        return Hole(int(data["hole"]), str(data["sort"]))
    raise NotATermError("not a term")
