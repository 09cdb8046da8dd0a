"""Functions whose faults the search's operators must be able to undo, and tools to look for the right text."""

from __future__ import annotations

import ast
import textwrap

from selfheal_tui.repair.rules.support import parse
from selfheal_tui.repair.search.generate import Change, Target, applied, changes


def target(text: str, name: str) -> tuple[ast.Module, Target]:
    """Parses a module and takes one function as the suspect, as if all its lines had run."""
    tree = parse(text)
    assert tree is not None
    node = next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name)
    lines = dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), 1.0)
    return tree, Target("lib.py", name, node, 1.0, lines)


def made(source: str, name: str = "f", attributes: tuple[str, ...] = ()) -> tuple[str, list[Change]]:
    """All single changes of a function."""
    text = textwrap.dedent(source).lstrip("\n")
    tree, suspect = target(text, name)
    return text, changes(text, tree, suspect, attributes)


def shapes(source: str, name: str = "f", attributes: tuple[str, ...] = ()) -> set[str]:
    """The syntax trees that single changes lead to; what does not parse is left out."""
    text, found = made(source, name, attributes)
    result = set()
    for change in found:
        try:
            result.add(ast.dump(ast.parse(applied(text, change))))
        except SyntaxError:
            continue
    return result


def shape(source: str) -> str:
    return ast.dump(ast.parse(textwrap.dedent(source).lstrip("\n")))
