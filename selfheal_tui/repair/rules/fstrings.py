"""Puts right where `ast` says that the expressions inside f-strings stand.

Before Python 3.12 the parser guessed those positions, and guessed wrong in strings of several lines or
parts; an edit there would corrupt the text. A node whose place cannot be found is given no place, so
that nothing edits it. The guessed position is kept in `ran_at`, because the interpreter that crashed
may have made the same guess.
"""

from __future__ import annotations

import ast
import re

from selfheal_tui.source.text import split_lines

Span = tuple[int, int, int, int]
_F_STRING = re.compile(r"(?i)(?<!\w)r?fr?['\"]")
_EXPRESSION_ENDS = re.compile(r"[}!:=]")
NOWHERE: Span = (0, 0, 0, 0)


def span(node: ast.AST) -> Span:
    """First line, byte column, last line, byte column of a node; zeros where it has none."""
    return (
        getattr(node, "lineno", 0),
        getattr(node, "col_offset", 0),
        getattr(node, "end_lineno", 0) or 0,
        getattr(node, "end_col_offset", 0) or 0,
    )


def spans(node: ast.AST) -> list[Span]:
    """Where a node stands, and where the interpreter may have thought that it does."""
    guessed: Span | None = getattr(node, "ran_at", None)
    return [span(node)] if guessed is None else [span(node), guessed]


def correct_positions(text: str, tree: ast.Module) -> None:
    """Corrects, in place, the positions below every f-string of a freshly parsed tree.

    Args:
        text: The source.
        tree: Its tree, not yet shared.
    """
    if not _F_STRING.search(text):
        return
    inner: set[ast.AST] = set()
    lines: list[bytes] = []
    for node in ast.walk(tree):  # outer strings come before what is inside them
        if not isinstance(node, ast.JoinedStr) or node in inner:
            continue
        inner.update(part for part in ast.walk(node) if isinstance(part, ast.JoinedStr))
        lines = lines or [line.encode("utf-8", "surrogatepass") for line in split_lines(text)]
        _correct(text, lines, node)


def _correct(text: str, lines: list[bytes], string: ast.JoinedStr) -> None:
    wrong = [
        part.value
        for part in ast.walk(string)
        if isinstance(part, ast.FormattedValue) and not _is_there(lines, part.value)
    ]
    if not wrong:
        return
    source = ast.get_source_segment(text, string) or ""
    places = _expressions(source)
    for value in wrong:
        wanted = ast.dump(value)
        index = next((i for i, (dump, _, _) in enumerate(places) if dump == wanted), None)
        moved = None
        if index is not None:  # equal expressions stand in the order of the tree
            _, offset, found = places.pop(index)
            moved = _offset_of(string, source[:offset]), found
        _move(value, moved)


def _is_there(lines: list[bytes], node: ast.expr) -> bool:
    """Whether the text at a node's position is that node."""
    first, start, last, end = span(node)
    if not 1 <= first <= last <= len(lines):
        return False
    raw = lines[first - 1][start:end] if first == last else b""
    try:
        parsed = ast.parse(f"({raw.decode('utf-8', 'surrogatepass')})", mode="eval") if raw else None
    except (SyntaxError, ValueError):
        return False
    return parsed is not None and ast.dump(parsed.body) == ast.dump(node)


def _expressions(source: str) -> list[tuple[str, int, ast.expr]]:
    """Every expression in braces in the source of an f-string: its dump, offset, and its own tree."""
    found = []
    for opening in re.finditer(r"\{+", source):
        if len(opening[0]) % 2 == 0:
            continue
        start = opening.end()
        for closing in _EXPRESSION_ENDS.finditer(source, start):
            piece = source[start : closing.start()]
            try:
                parsed = ast.parse(f"({piece}\n)", mode="eval").body
            except (SyntaxError, ValueError):
                continue
            found.append((ast.dump(parsed), start, parsed))
    return found


def _offset_of(string: ast.JoinedStr, before: str) -> tuple[int, int]:
    """Line and byte column of the end of a prefix of a string's source."""
    parts = split_lines(before) or [""]
    tail = "" if parts[-1].endswith(("\n", "\r")) else parts[-1]
    breaks = len([part for part in parts if part.endswith(("\n", "\r"))])
    column = len(tail.encode("utf-8", "surrogatepass"))
    return string.lineno + breaks, column if breaks else string.col_offset + column


def _move(value: ast.expr, moved: tuple[tuple[int, int], ast.expr] | None) -> None:
    twins = ast.walk(moved[1]) if moved is not None else None
    for node in ast.walk(value):
        twin = next(twins) if twins is not None else None
        if not hasattr(node, "lineno"):
            continue
        node.ran_at = span(node)  # type: ignore[attr-defined]  # ast nodes take attributes
        new = _shifted(span(twin), moved[0]) if twin is not None and moved is not None else NOWHERE
        node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = new  # type: ignore[attr-defined]


def _shifted(inside: Span, origin: tuple[int, int]) -> Span:
    """A span inside `(expression)` that starts at `origin` without its parenthesis."""
    line, column = origin

    def shift(row: int, col: int) -> tuple[int, int]:
        return line + row - 1, column + col - 1 if row == 1 else col

    return (*shift(inside[0], inside[1]), *shift(inside[2], inside[3]))
