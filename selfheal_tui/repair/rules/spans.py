"""Exact text edits for pieces of syntax that `ast` gives no range for: names after `def`, dots, quotes.

Pure functions from nodes and text to `TextEdit`s.
"""

from __future__ import annotations

import ast
import re

from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.text import split_lines


def whole(node: ast.AST, new: str) -> TextEdit:
    """Replaces the whole source of an expression or statement."""
    return TextEdit(start_of(node), end_of(node), new)


def start_of(node: ast.AST) -> tuple[int, int]:
    """Line and byte column where a node starts."""
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0)


def end_of(node: ast.AST) -> tuple[int, int]:
    """Line and byte column where a node ends."""
    return getattr(node, "end_lineno", None) or 1, getattr(node, "end_col_offset", None) or 0


def insert_before(node: ast.AST, new: str) -> TextEdit:
    """Puts text right before a node."""
    return TextEdit(start_of(node), start_of(node), new)


def insert_after(node: ast.AST, new: str) -> TextEdit:
    """Puts text right after a node."""
    return TextEdit(end_of(node), end_of(node), new)


def rename_attribute(node: ast.Attribute, new: str) -> TextEdit:
    """Replaces the name after the dot; an Attribute node always ends with it."""
    line, column = end_of(node)
    return TextEdit((line, column - len(node.attr.encode())), (line, column), new)


def rename_keyword(node: ast.keyword, new: str) -> TextEdit:
    """Replaces the name of a keyword argument; a keyword node always starts with it."""
    line, column = start_of(node)
    return TextEdit((line, column), (line, column + len((node.arg or "").encode())), new)


def rename_argument(node: ast.arg, new: str) -> TextEdit:
    """Replaces the name of a parameter, keeping its annotation."""
    line, column = start_of(node)
    return TextEdit((line, column), (line, column + len(node.arg.encode())), new)


def line_bytes(text: str, line: int) -> bytes:
    """The bytes of one 1-based line, with its newline; empty when there is no such line."""
    lines = split_lines(text)
    return lines[line - 1].encode("utf-8", "surrogatepass") if 0 < line <= len(lines) else b""


def rename_definition(
    text: str, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, new: str
) -> TextEdit | None:
    """Replaces the name in a `def` or `class` line; None when it is broken over lines in an odd way."""
    raw = line_bytes(text, node.lineno)
    match = re.compile(rb"(?:async\s+)?(?:def|class)\s+").match(raw, node.col_offset)
    name = node.name.encode()
    if match is None or not raw.startswith(name, match.end()):
        return None
    return TextEdit((node.lineno, match.end()), (node.lineno, match.end() + len(name)), new)


def rename_string(text: str, node: ast.Constant, new: str) -> TextEdit:
    """Replaces the content of a string literal, keeping its prefix and quotes where that is possible."""
    old = ast.get_source_segment(text, node) or ""
    match = re.fullmatch(r"([rRuUbB]{0,2})('''|\"\"\"|'|\")(.*)\2", old, re.DOTALL)
    if match and match[3] == node.value and not re.search(r"[\\'\"\n\r]", new):
        return whole(node, f"{match[1]}{match[2]}{new}{match[2]}")
    return whole(node, repr(new))


def source_of(text: str, node: ast.AST) -> str:
    """The source of a node, as written; empty when it has no range."""
    return ast.get_source_segment(text, node) or ""


def needs_parentheses(node: ast.expr) -> bool:
    """Whether an expression must be wrapped before `.name`, `(…)` or `[…]` can follow it."""
    return not isinstance(
        node,
        ast.Name
        | ast.Attribute
        | ast.Call
        | ast.Subscript
        | ast.List
        | ast.Dict
        | ast.Set
        | ast.JoinedStr
        | ast.ListComp
        | ast.SetComp
        | ast.DictComp,
    ) and not (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
