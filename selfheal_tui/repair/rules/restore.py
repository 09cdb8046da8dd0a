"""Puts the text of a definition from elsewhere into a class or module, and says what it would lack there.

Pure text work on whole lines, so that comments and formatting of both sides stay as they were.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from textwrap import dedent, indent

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import ClassFacts, receiver
from selfheal_tui.repair.rules.places import exports
from selfheal_tui.repair.rules.scopes import BUILTIN_NAMES, bound_names, parameters
from selfheal_tui.source.edits import indent_of, insert_after_line
from selfheal_tui.source.text import split_lines

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Needs:
    """What a definition uses from around it.

    Attributes:
        names: Free names: globals, imports, builtins.
        attributes: Attributes of its receiver (`self.x`) that it reads.
    """

    names: frozenset[str]
    attributes: frozenset[str]


def needs_of(node: Definition) -> Needs:
    """Collects the free names of a definition and the attributes of `self` that it reads.

    A name that is bound anywhere inside counts as its own.
    """
    bound: set[str] = {node.name}
    for part in ast.walk(node):
        bound.update(name for name, _kind in bound_names(part))
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            bound.update(parameter.arg for parameter in parameters(part))
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    me = receiver(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ""
    own = [
        part
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and me and part.value.id == me
    ]
    stored = {part.attr for part in own if isinstance(part.ctx, ast.Store)}
    return Needs(
        frozenset(names - bound - {me}), frozenset({part.attr for part in own} - stored - {node.name})
    )


def unmet(context: RepairContext, cls: ClassFacts | None, module_path: str | None, needs: Needs) -> list[str]:
    """Lists what a definition would lack in a class (or module) of the project as it is now."""
    path = cls.place.path if cls is not None else module_path
    here = set(exports(context.project, path)) if path else set()
    missing = sorted(needs.names - here - BUILTIN_NAMES - {"__name__", "__file__", "__class__"})
    if cls is not None and cls.complete and not cls.dynamic:
        lacking = needs.attributes - cls.members.keys()
        missing.extend(f"self.{name}" for name in sorted(lacking) if not name.startswith("__"))
    return missing


def source_lines(text: str, node: Definition) -> str:
    """The whole lines of a definition with its decorators and the comments right above, dedented."""
    lines = split_lines(text)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    while (
        first > 1
        and lines[first - 2].strip().startswith("#")
        and indent_of(text, first - 1) == indent_of(text, first)
    ):
        first -= 1
    block = "".join(lines[first - 1 : node.end_lineno]).replace("\r\n", "\n").replace("\r", "\n")
    return dedent(block).rstrip("\n") + "\n"


def class_with(text: str, cls: ast.AST, donor: str, node: Definition) -> str:
    """The text of a module with a method added at the end of one of its classes.

    Args:
        text: The module.
        cls: The class, of that text's tree.
        donor: The text that holds the method now.
        node: The method, of the donor's tree.
    """
    assert isinstance(cls, ast.ClassDef)
    inner = indent_of(text, cls.body[0].lineno) or indent_of(text, cls.lineno) + "    "
    return insert_after_line(
        text, cls.end_lineno or cls.lineno, "\n" + indent(source_lines(donor, node), inner)
    )


def module_with(text: str, donor: str, node: Definition) -> str:
    """The text of a module with a function or class added after its last definition."""
    tree = ast.parse(text)
    last = max(
        (n.end_lineno or 0 for n in tree.body if isinstance(n, Definition | ast.Import | ast.ImportFrom)),
        default=0,
    )
    return insert_after_line(text, last or len(split_lines(text)), "\n\n" + source_lines(donor, node))
