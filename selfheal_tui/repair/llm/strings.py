"""Text over several lines that a model moved when it moved the code around it.

Whoever writes a method at the left margin shifts the lines inside of its strings as well, and with them what the program
says. A string that differs from one of the old code in nothing but the blanks at the beginnings of its lines was not meant
to change. Pure functions on text.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from selfheal_tui.source.edits import EditError, TextEdit, apply_edits


def keep_strings(old: str, new: str) -> str:
    """Gives strings over several lines their old indentation back.

    Args:
        old: The function as it stands in its file, without the indentation of its first line.
        new: The function as it was written anew.

    Returns:
        The new function; unchanged where one of the two is no valid Python, or a string has several models.
    """
    known: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for _, text in _strings(old):
        known[_shape(text)].add(text)
    edits = []
    for node, text in _strings(new):
        models = known.get(_shape(text), set())
        if len(models) == 1 and text not in models:
            end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
            edits.append(TextEdit((node.lineno, node.col_offset), end, next(iter(models))))
    try:
        return apply_edits(new, edits)
    except EditError:
        return new


def _strings(code: str) -> Iterator[tuple[ast.expr, str]]:
    """Strings over several lines, as they are written; not the parts of one that is put together."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    within: set[ast.AST] = set()
    for node in ast.walk(tree):
        if node in within:
            continue
        text = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        )
        if not text or not isinstance(node, ast.expr):
            continue
        within.update(ast.walk(node))
        if node.lineno != node.end_lineno:
            yield node, ast.get_source_segment(code, node) or ""


def _shape(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines())
