"""Small questions about statements that several honesty checks ask. Pure functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfheal_tui.checks.constants import is_literal
from selfheal_tui.checks.definitions import DEFINITIONS

_LOGGERS = re.compile(
    r"(?:^|[._])(?:log|logs|logger|logging|warnings|print|structlog)(?:$|\.)", re.IGNORECASE
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Step:
    """One simple statement, or the head of a compound one.

    Attributes:
        key: Its code without positions.
        node: The statement.
        head: The expressions of a compound statement's head; None for a simple statement.
    """

    key: str
    node: ast.stmt
    head: tuple[ast.AST, ...] | None = None

    def covers(self, line: int) -> bool:
        """Says whether a line belongs to the statement (of a compound one: to its head)."""
        if self.head is None:
            return self.node.lineno <= line <= (self.node.end_lineno or self.node.lineno)
        ends = [getattr(h, "end_lineno", None) or self.node.lineno for h in self.head]
        return self.node.lineno <= line <= max([self.node.lineno, *ends])


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yields every statement list of a definition, without those of nested definitions."""
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
            yield body
            for statement in body:
                if not isinstance(statement, DEFINITIONS):
                    yield from blocks(statement)
    for name in ("handlers", "cases"):
        for part in getattr(node, name, None) or ():
            yield from blocks(part)


def steps(node: ast.AST) -> list[Step]:
    """Lists a definition's own statements in source order, compound ones as their heads."""
    found: list[Step] = []
    for block in blocks(node):
        for statement in block:
            if isinstance(statement, DEFINITIONS):
                continue
            head = _head(statement)
            if head is None:
                found.append(Step(ast.dump(statement), statement))
            else:
                key = type(statement).__name__ + "".join(ast.dump(h) for h in head)
                found.append(Step(key, statement, head))
    return sorted(found, key=lambda s: (s.node.lineno, s.node.col_offset))


def _head(statement: ast.stmt) -> tuple[ast.AST, ...] | None:
    if isinstance(statement, ast.If | ast.While):
        return (statement.test,)
    if isinstance(statement, ast.For | ast.AsyncFor):
        return (statement.target, statement.iter)
    if isinstance(statement, ast.With | ast.AsyncWith):
        return tuple(e for i in statement.items for e in (i.context_expr, i.optional_vars) if e is not None)
    if isinstance(statement, ast.Match):
        return (statement.subject,)
    if isinstance(statement, ast.Try | ast.TryStar):
        return ()
    return None


def call_name(node: ast.AST) -> str:
    """Spells the function of a call with dots (`self.log.info`); empty when it has no such name."""
    function = node.func if isinstance(node, ast.Call) else node
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    return ".".join(reversed(parts))


def is_log_call(node: ast.AST) -> bool:
    """Says whether an expression writes to a log or to the terminal, going by its name."""
    if isinstance(node, ast.Await):
        node = node.value
    return isinstance(node, ast.Call) and bool(_LOGGERS.search(call_name(node)))


def words(name: str) -> frozenset[str]:
    """Splits an identifier into its lower-case words."""
    return frozenset(w.lower() for w in _WORD.findall(name))


def is_docstring(statement: ast.stmt) -> bool:
    """Says whether a statement is a bare string."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def is_trivial(statement: ast.stmt) -> bool:
    """Says whether a statement only passes, skips, logs, or hands out a literal."""
    if isinstance(statement, ast.Pass | ast.Continue | ast.Break):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) or is_log_call(statement.value)
    if isinstance(statement, ast.Return):
        return is_literal(statement.value)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return statement.value is not None and is_literal(statement.value)
    return False


def invents(body: Sequence[ast.stmt]) -> bool:
    """Says whether a block does nothing but pass, skip, log, or hand out literals."""
    return all(is_trivial(s) for s in body) and not all(
        isinstance(s, ast.Expr) and is_log_call(s.value) for s in body
    )


def always_raises(body: Sequence[ast.stmt]) -> bool:
    """Says whether every way through a block ends in `raise`."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Return | ast.Break | ast.Continue):
                return False
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.Raise):
        return True
    if isinstance(last, ast.If):
        return always_raises(last.body) and always_raises(last.orelse)
    if isinstance(last, ast.With | ast.AsyncWith):
        return always_raises(last.body)
    return False


def shape(node: ast.AST) -> str:
    """Writes code without its identifiers, so that a corrected name leaves it the same."""
    parts = []
    for item in ast.walk(node):
        parts.append(type(item).__name__)
        if isinstance(item, ast.Constant):
            parts.append(repr(item.value))
    return " ".join(parts)
