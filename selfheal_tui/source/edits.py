"""Character-exact edits of source text, for the rules.

Positions are those of `ast`: 1-based lines and 0-based UTF-8 *byte* columns. Only the named range
changes; newlines, comments and everything else stay as they are. May not parse more than it must, and
may not touch files.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfheal_tui.source.position import first_line
from selfheal_tui.source.text import dominant_newline, split_lines, with_newlines

_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
_MAGIC_LINES = 2


class EditError(ValueError):
    """An edit does not fit the text: outside of it, inverted, or overlapping another."""


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replaces a range of a text.

    Attributes:
        start: 1-based line and 0-based UTF-8 byte column where the range begins.
        end: Where it ends (exclusive).
        new: What takes its place.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    new: str


def _offset(lines: list[str], starts: list[int], position: tuple[int, int]) -> int:
    line, column = position
    if line == len(lines) + 1 and column == 0:
        return starts[-1]
    if not 1 <= line <= len(lines) or column < 0:
        raise EditError(f"line {line}, column {column} is outside the text")
    raw = lines[line - 1].encode("utf-8", "surrogatepass")
    if column > len(raw):
        raise EditError(f"line {line} has no column {column}")
    try:
        return starts[line - 1] + len(raw[:column].decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise EditError(f"line {line}, column {column} is inside a character") from error


def apply_edits(text: str, edits: Sequence[TextEdit]) -> str:
    """Applies edits that do not overlap, all against the same original text.

    Args:
        text: The source.
        edits: In any order; two insertions at one place keep the order given.

    Returns:
        The changed text.

    Raises:
        EditError: An edit lies outside the text, or two overlap.
    """
    lines = split_lines(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    ranges = [(_offset(lines, starts, e.start), _offset(lines, starts, e.end), e.new) for e in edits]
    done, parts = 0, []
    for start, end, new in sorted(ranges, key=lambda r: (r[0], r[1])):
        if start < done or end < start:
            raise EditError("edits overlap, or one ends before it starts")
        parts += [text[done:start], new]
        done = end
    return "".join([*parts, text[done:]])


def replace_node(text: str, node: ast.AST, new: str) -> str:
    """Replaces the source range of one node of the text's own tree.

    Args:
        text: The source that the node was parsed from.
        node: A statement or expression.
        new: Its new source.

    Returns:
        The changed text.

    Raises:
        EditError: The node has no position.
    """
    start, end = _span(node)
    return apply_edits(text, [TextEdit(start, end, new)])


def _span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
    end_line, end_column = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
    if line is None or column is None or end_line is None or end_column is None:
        raise EditError(f"a {type(node).__name__} has no position")
    return (line, column), (end_line, end_column)


def indent_of(text: str, line: int) -> str:
    """Returns the white space that a line (1-based) begins with.

    Raises:
        EditError: There is no such line.
    """
    lines = split_lines(text)
    if not 1 <= line <= len(lines):
        raise EditError(f"the text has no line {line}")
    content = lines[line - 1].rstrip("\r\n")
    return content[: len(content) - len(content.lstrip())]


def insert_after_line(text: str, line: int, block: str) -> str:
    """Inserts whole lines after a line (1-based); 0 inserts at the very start.

    Args:
        text: The source.
        line: The line before the new ones.
        block: Lines, already indented; their newlines become the text's own.

    Returns:
        The changed text.

    Raises:
        EditError: There is no such line.
    """
    lines = split_lines(text)
    if not 0 <= line <= len(lines):
        raise EditError(f"the text has no line {line}")
    newline = dominant_newline(text)
    new = with_newlines(block, newline)
    before, after = "".join(lines[:line]), "".join(lines[line:])
    if before and not before.endswith(("\n", "\r")):
        return before + newline + new.rstrip("\r\n")
    return before + (new if new.endswith(newline) else new + newline) + after


def insert_before_line(text: str, line: int, block: str) -> str:
    """Inserts whole lines before a line (1-based); see `insert_after_line`.

    Raises:
        EditError: There is no such line.
    """
    return insert_after_line(text, line - 1, block)


ImportKey = tuple[str, str, str | None]
"""Module with its leading dots, name imported from it ("" for `import m`), and alias."""


def import_keys(statement: ast.stmt) -> Iterator[tuple[ImportKey, ast.alias]]:
    """Yields what an import statement binds, each with its alias node; nothing for other statements."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield (alias.name, "", alias.asname), alias
    elif isinstance(statement, ast.ImportFrom):
        source = "." * statement.level + (statement.module or "")
        for alias in statement.names:
            yield (source, alias.name, alias.asname), alias


def add_import(text: str, statement: str) -> str:
    """Adds an import at the top of a module, unless it is there.

    It goes after the docstring and the leading imports; a `__future__` import goes before the others.

    Args:
        text: The module.
        statement: One or more import statements, one a line.

    Returns:
        The changed text; the same text when every name is imported at the top level already.

    Raises:
        EditError: The statement is not an import.
        SyntaxError: The module or the statement does not parse.
    """
    tree = ast.parse(text)
    have = {key for found in tree.body for key, _ in import_keys(found)}
    early: list[str] = []
    late: list[str] = []
    for wanted in ast.parse(statement).body:
        if not isinstance(wanted, ast.Import | ast.ImportFrom):
            raise EditError(f"not an import: {statement.strip()}")
        missing = []
        for key, alias in import_keys(wanted):
            if key not in have:
                missing.append(alias)
                have.add(key)
        if missing:
            wanted.names = missing
            future = isinstance(wanted, ast.ImportFrom) and wanted.module == "__future__"
            (early if future else late).append(ast.unparse(wanted))
    if late:
        text = insert_after_line(text, _import_line(text, tree, future_only=False), "\n".join(late) + "\n")
    if early:
        text = insert_after_line(text, _import_line(text, tree, future_only=True), "\n".join(early) + "\n")
    return text


def _import_line(text: str, tree: ast.Module, *, future_only: bool) -> int:
    """Finds the line after which an import goes."""
    at = 0
    for index, node in enumerate(tree.body):
        is_doc = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if is_doc or is_future or (not future_only and isinstance(node, ast.Import | ast.ImportFrom)):
            at = node.end_lineno or at
        elif future_only or not _may_stand_between_imports(node):
            break
    if not at:
        return _header_end(text, tree)
    for node in tree.body:  # several statements on one line must stay one line
        if node.lineno <= at < (node.end_lineno or 0):
            at = node.end_lineno or at
    return at


def _may_stand_between_imports(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
        return True
    if isinstance(node, ast.Assign):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Try):
        blocks = [node.body, node.orelse, node.finalbody, *(h.body for h in node.handlers)]
        return all(_may_stand_between_imports(inner) for block in blocks for inner in block)
    if isinstance(node, ast.If):
        return all(_may_stand_between_imports(inner) for inner in (*node.body, *node.orelse))
    return False


def _header_end(text: str, tree: ast.Module) -> int:
    """Finds the end of the comments that belong to the file rather than to its first statement."""
    lines = split_lines(text)
    magic = 0
    for number, line in enumerate(lines[:_MAGIC_LINES], 1):
        if (number == 1 and line.startswith("#!")) or _COOKIE.match(line):
            magic = number
    first = min((first_line(node) for node in tree.body), default=len(lines) + 1)
    end = magic
    while end < first - 1 and lines[end].lstrip().startswith("#"):
        end += 1
    return magic if end == first - 1 else end
