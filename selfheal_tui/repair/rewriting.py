"""Turns code into what a term says, by the smallest edits of its text; layout and comments elsewhere stay. Pure."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from selfheal_tui.repair.rules.spans import end_of, start_of
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.position import first_line
from selfheal_tui.source.terms import LIST, Node, NotATermError, Term, fields_of, to_code, to_term
from selfheal_tui.source.text import dominant_newline, split_lines, with_newlines

LIMIT = 4_000
"""Nodes of a statement that is looked at as a whole."""
_LOOSE = frozenset(
    {"BinOp", "BoolOp", "UnaryOp", "Compare", "IfExp", "Lambda", "Await", "NamedExpr", "Yield", "YieldFrom"}
)
_TIGHT = (
    ast.BinOp,
    ast.BoolOp,
    ast.UnaryOp,
    ast.Compare,
    ast.Attribute,
    ast.Starred,
    ast.Await,
    ast.IfExp,
    ast.FormattedValue,
)


class Rewriter:
    """Rewrites parts of one file.

    Args:
        text: The file.
        up: The parent of each node of its tree.
    """

    def __init__(self, text: str, up: Mapping[ast.AST, ast.AST]) -> None:
        self._text = text
        self._lines = split_lines(text)
        self._newline = dominant_newline(text)
        self._up = up

    def expression(self, node: ast.expr, new: Term) -> list[TextEdit]:
        """Edits that make an expression what a term says.

        Raises:
            NotATermError: That cannot be done without losing a comment, or the term is no code.
        """
        return self._node(node, new)

    def statements(self, block: Sequence[ast.stmt], new: Term) -> list[TextEdit]:
        """Edits that make neighbouring statements what a term says.

        Raises:
            NotATermError: As `expression`.
        """
        if not isinstance(new, Node) or new.label != LIST:
            raise NotATermError("not a list of statements")
        wanted = list(new.children)
        have = [to_term(statement, limit=LIMIT) for statement in block]
        head = 0
        while head < min(len(have), len(wanted)) and have[head] == wanted[head]:
            head += 1
        tail = 0
        while tail < min(len(have), len(wanted)) - head and have[-1 - tail] == wanted[-1 - tail]:
            tail += 1
        old, put = block[head : len(block) - tail], wanted[head : len(wanted) - tail]
        if len(old) == len(put):
            return [edit for node, term in zip(old, put, strict=True) for edit in self._node(node, term)]
        if old and wanted:
            return [self._lines_of(old, put)]
        if old:
            raise NotATermError("nothing would be left")
        if head < len(block):
            return [self._insert(block[head], put, before=True)]
        return [self._insert(block[-1], put, before=False)]

    def _node(self, node: ast.AST, new: Term) -> list[TextEdit]:
        if to_term(node, limit=LIMIT) == new:
            return []
        inner = self._inside(node, new)
        if inner is not None:
            return inner
        if isinstance(node, ast.stmt):
            return [self._lines_of([node], [new])]
        if not isinstance(node, ast.expr):
            raise NotATermError("no place of its own")
        start, end = start_of(node), end_of(node)
        self._refuse_comments(start[0], end[0])
        code = to_code(new)
        loose = isinstance(new, Node) and new.label in _LOOSE
        parent = self._up.get(node)
        tight = isinstance(parent, _TIGHT) or (
            isinstance(parent, ast.Call | ast.Subscript)
            and getattr(parent, "func", getattr(parent, "value", None)) is node
        )
        return [TextEdit(start, end, f"({code})" if loose and tight else code)]

    def _inside(self, node: ast.AST, new: Term) -> list[TextEdit] | None:
        """Edits of parts; None when the node as a whole has to be written anew."""
        if not isinstance(new, Node) or new.label != type(node).__name__ or isinstance(node, ast.JoinedStr):
            return None
        edits: list[TextEdit] = []
        for name, term in zip(fields_of(type(node).__name__), new.children, strict=False):
            value = getattr(node, name, None)
            if to_term(value, limit=LIMIT) == term:
                continue
            found = self._part(value, term)
            if found is None:
                return None
            edits += found
        return edits

    def _part(self, value: Any, term: Term) -> list[TextEdit] | None:
        try:
            if isinstance(value, ast.expr | ast.keyword | ast.comprehension | ast.arguments):
                return self._node(value, term)
            if not (isinstance(value, list) and isinstance(term, Node) and term.label == LIST and value):
                return None
            if all(isinstance(item, ast.stmt) for item in value):
                return self.statements(value, term)
            if len(value) != len(term.children):
                return None
            pairs = zip(value, term.children, strict=True)
            return [edit for item, child in pairs for edit in self._node(item, child)]
        except NotATermError:
            return None

    def _lines_of(self, old: Sequence[ast.stmt], new: Sequence[Term]) -> TextEdit:
        """Whole statements written anew."""
        first, last = first_line(old[0]), old[-1].end_lineno or old[-1].lineno
        self._refuse_comments(first, last)
        indent = self._own_line(first)
        end = (last, len(self._lines[last - 1].rstrip("\r\n").encode("utf-8", "surrogatepass")))
        if end != end_of(old[-1]):
            raise NotATermError("more stands on the line")
        if not new:  # `statements` is only asked for this where a neighbour stays
            return TextEdit((first, 0), (last + 1, 0) if last < len(self._lines) else end, "")
        return TextEdit(
            (first, len(indent.encode())), end, self._block(new, indent)[len(indent) :].rstrip("\r\n")
        )

    def _insert(self, at: ast.stmt, new: Sequence[Term], *, before: bool) -> TextEdit:
        first, last = first_line(at), at.end_lineno or at.lineno
        indent = self._own_line(first)
        if before:
            return TextEdit((first, 0), (first, 0), self._block(new, indent))
        end = (last, len(self._lines[last - 1].rstrip("\r\n").encode("utf-8", "surrogatepass")))
        return TextEdit(end, end, self._newline + self._block(new, indent).rstrip("\r\n"))

    def _own_line(self, line: int) -> str:
        """The white space before a statement, which must begin its line."""
        raw = self._lines[line - 1]
        indent = raw[: len(raw) - len(raw.lstrip())]
        starts = [n for n in self._up if isinstance(n, ast.stmt) and n.lineno == line]
        if any(n.col_offset != len(indent.encode()) for n in starts):
            raise NotATermError("several statements stand on the line")
        return indent

    def _block(self, new: Sequence[Term], indent: str) -> str:
        code = "\n".join(to_code(term) for term in new)
        return with_newlines("".join(f"{indent}{line}\n" for line in code.split("\n")), self._newline)

    def _refuse_comments(self, first: int, last: int) -> None:
        if last > first and any("#" in line for line in self._lines[first - 1 : last]):
            raise NotATermError("a comment would be lost")
