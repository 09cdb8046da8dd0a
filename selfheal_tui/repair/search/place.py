"""The function in which changes are made, and the text tools that all operators share. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from selfheal_tui.repair.mutations.mutant import Field, Mutant
from selfheal_tui.repair.rules.scopes import parameters
from selfheal_tui.repair.rules.spans import needs_parentheses, start_of, whole
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.text import dominant_newline, split_lines

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
LOOPS = ast.For | ast.AsyncFor | ast.While
MOST_NAMES = 8

_TIGHT = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Attribute, ast.Await, ast.Starred, ast.IfExp)


@dataclass
class Place:
    """A function to be changed.

    Attributes:
        at: The file.
        function: The function.
        executed: Lines that the failing run executed.
        attributes: Names of attributes that the project's objects have.
    """

    at: Field
    function: FunctionNode
    executed: frozenset[int]
    attributes: tuple[str, ...] = ()

    @cached_property
    def lines(self) -> list[str]:
        """Lines of the file, with their ends."""
        return split_lines(self.at.text)

    @cached_property
    def newline(self) -> str:
        """The file's newline."""
        return dominant_newline(self.at.text)

    @cached_property
    def parameters(self) -> list[str]:
        """Names of the parameters."""
        return [a.arg for a in parameters(self.function) if a.arg not in ("self", "cls")]

    @cached_property
    def names(self) -> list[str]:
        """Names of parameters and variables."""
        found = dict.fromkeys(self.parameters)
        for node in ast.walk(self.function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = None
        return list(found)

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """All statements that ran, in source order, without the docstring and nested definitions."""
        found = [n for n in ast.walk(self.function) if isinstance(n, ast.stmt) and n is not self.function]
        kept = [n for n in found if self.ran(n) and not _is_docstring(n)]
        return sorted(kept, key=start_of)

    @cached_property
    def expressions(self) -> list[ast.expr]:
        """All expressions whose statement ran, that may be changed."""
        found = []
        for statement in self.statements:
            for part in own_expressions(statement):
                found += [n for n in _walk(part) if isinstance(n, ast.expr)]
        return found

    def ran(self, node: ast.stmt) -> bool:
        """Whether a statement ran."""
        last = node.end_lineno or node.lineno
        if isinstance(node, FunctionNode | ast.ClassDef | LOOPS | ast.If | ast.With | ast.Try):
            last = node.body[0].lineno - 1 if node.body[0].lineno > node.lineno else node.lineno
            if isinstance(node, ast.Try):
                return any(self.ran(inner) for inner in node.body)
        return any(line in self.executed for line in range(node.lineno, last + 1))

    @cached_property
    def blocks(self) -> list[tuple[ast.AST, list[ast.stmt]]]:
        """Blocks of statements of which the first ran, each with what holds it."""
        found: list[tuple[ast.AST, list[ast.stmt]]] = []
        for node in [self.function, *self.statements]:
            for name in ("body", "orelse", "finalbody"):
                block = [s for s in getattr(node, name, None) or [] if isinstance(s, ast.stmt)]
                if any(self.ran(s) for s in block):
                    found.append((node, block))
        return found

    def source(self, node: ast.AST) -> str:
        """The node as it is written."""
        return self.at.source(node)

    def atom(self, node: ast.expr) -> str:
        """The expression as it is written, wrapped where an operator could tear it apart."""
        text = self.source(node)
        return f"({text})" if needs_parentheses(node) else text

    def loops_around(self, node: ast.AST) -> list[ast.stmt]:
        """Loops of this function that a node stands in, innermost first."""
        found: list[ast.stmt] = []
        up = self.at.up.get(node)
        while up is not None and up is not self.function:
            if isinstance(up, LOOPS):
                found.append(up)
            up = self.at.up.get(up)
        return found

    def put(self, kind: str, node: ast.expr, new: str, weight: float, *, loose: bool = True) -> Mutant:
        """A mutant that writes an expression anew; `loose` text is wrapped where it has to be."""
        holder = self.at.up.get(node)
        tight = isinstance(holder, _TIGHT) or (
            isinstance(holder, ast.Subscript | ast.Call) and getattr(holder, "slice", None) is not node
            and node not in getattr(holder, "args", [])
        )  # fmt: skip
        text = f"({new})" if loose and tight else new
        why = f"`{self.source(node)[:60]}` becomes `{new[:60]}`"
        return Mutant(kind, node.lineno, (whole(node, text),), why, weight)

    def indent(self, node: ast.stmt) -> str:
        """The white space before a statement; empty also where other code stands before it on the line."""
        line = self.lines[node.lineno - 1]
        return line[: len(line) - len(line.lstrip())]

    def stands_alone(self, node: ast.stmt) -> bool:
        """Whether nothing else stands on the lines of a statement."""
        first, last = self.lines[node.lineno - 1], self.lines[(node.end_lineno or node.lineno) - 1]
        before = first.encode("utf-8", "surrogatepass")[: node.col_offset].strip()
        after = last.encode("utf-8", "surrogatepass")[node.end_col_offset or 0 :].strip()
        return not before and (not after or after.startswith(b"#"))

    def text_of(self, node: ast.stmt, indent: str) -> str:
        """Whole lines of a statement, indented anew."""
        old = len(self.indent(node))
        lines = self.lines[node.lineno - 1 : node.end_lineno]
        text = "".join(indent + line[old:] if line.strip() else line for line in lines)
        return text if text.endswith(("\n", "\r")) else text + self.newline

    def before(self, node: ast.stmt, code: str) -> TextEdit:
        """Inserts a line before a statement."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        return TextEdit((first, 0), (first, 0), self.indent(node) + code + self.newline)

    def after(self, node: ast.stmt, code: str, indent: str | None = None) -> TextEdit:
        """Inserts a line after a statement and all that belongs to it."""
        line = (node.end_lineno or node.lineno) + 1
        white = self.indent(node) if indent is None else indent
        lead = "" if self.lines[line - 2].endswith(("\n", "\r")) else self.newline
        end = (
            (line, 0) if not lead else (line - 1, len(self.lines[line - 2].encode("utf-8", "surrogatepass")))
        )
        return TextEdit(end, end, lead + white + code + self.newline)

    def removed(self, node: ast.stmt) -> TextEdit:
        """Takes the lines of a statement out."""
        last = node.end_lineno or node.lineno
        if last >= len(self.lines):
            return TextEdit(
                (node.lineno, 0), (last, len(self.lines[last - 1].encode("utf-8", "surrogatepass"))), ""
            )
        return TextEdit((node.lineno, 0), (last + 1, 0), "")


def own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Expressions of a statement itself, not those of statements in it, nor annotations and decorators."""
    for name, value in ast.iter_fields(statement):
        if name in ("annotation", "returns", "decorator_list", "bases", "keywords", "type_params"):
            continue
        if isinstance(statement, FunctionNode | ast.ClassDef):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.expr):
                yield item
            elif isinstance(item, ast.withitem):
                yield item.context_expr


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """As `ast.walk`, but not into f-strings, whose parts have no reliable positions before 3.12."""
    yield node
    if isinstance(node, ast.JoinedStr):
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def is_load(node: ast.expr) -> bool:
    """Whether an expression is read."""
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
