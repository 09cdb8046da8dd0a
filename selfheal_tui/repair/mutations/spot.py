"""One frame of a crash as the makers of remedies see it, and what its function could answer instead. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_tui.model.crash import ExceptionInfo, LocalValue
from selfheal_tui.repair.mutations.mutant import Field, Mutant
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.scopes import own_nodes, parameters
from selfheal_tui.repair.rules.support import FunctionNode, Site, ancestors
from selfheal_tui.source.edits import TextEdit

_EMPTY_OF = {
    "list": "[]", "List": "[]", "dict": "{}", "Dict": "{}", "tuple": "()", "Tuple": "()", "str": "''", "int": "0",
    "float": "0.0", "bool": "False", "set": "set()", "Set": "set()", "bytes": "b''", "Optional": "None",
    "Sequence": "[]", "Iterable": "[]", "None": "None",
}  # fmt: skip


_AS_ELSEWHERE = 0.6
_BESIDE = 0.35
"""Where a function answers at once elsewhere, another answer is that much less likely."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A frame's place in its file.

    Attributes:
        site: The file, parsed.
        at: The same for making mutants.
        error: The exception.
        statement: The statement that was running; its head only counts, if it is a compound one.
        function: The function around it, if any.
        depth: 0 for the frame that failed, 1 for its caller, and so on.
    """

    site: Site
    at: Field
    error: ExceptionInfo
    statement: ast.stmt
    function: FunctionNode | None
    depth: int

    def local(self, name: str) -> LocalValue | None:
        """What is known of a variable."""
        return next((v for v in self.site.frame.locals if v.name == name), None)

    def parts(self) -> Iterator[ast.AST]:
        """Nodes of the statement, without the statements inside it."""
        stack: list[ast.AST] = [self.statement]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.stmt))

    def loops(self) -> Iterator[ast.For | ast.While]:
        """Loops around the statement, inside its function."""
        for up in ancestors(self.site.tree, self.statement):
            if isinstance(up, FunctionNode):
                return
            if isinstance(up, ast.For | ast.While):
                yield up

    def skips(self, condition: str) -> Iterator[Mutant]:
        """Leaves the innermost loop's round, or the loop, when a condition holds.

        One bad item of many is passed over; what a `while` goes on with would often never end.
        """
        loop = next(self.loops(), None)
        if loop is None:
            return
        leave = 0.15 if isinstance(loop, ast.For) else 0.45
        for word, weight in (("break", leave), ("continue", 0.6 - leave)):
            mutant = self.guard(condition, word, weight)
            if mutant is not None:
                yield mutant

    def before(self, statement: ast.stmt, text: str) -> TextEdit:
        """Lines put before a statement."""
        return flow.line_before(self.site, statement, text)

    def guard(self, condition: str, answer: str, weight: float, *, early: bool = False) -> Mutant | None:
        """`if condition: answer` before the statement, or at the beginning of its function."""
        where = self.statement
        if early:
            if self.function is None:
                return None
            where = flow.body_start(self.function)
        edit = self.before(where, f"if {condition}:\n    {answer}")
        why = f"`{answer}` when `{condition[:60]}`"
        kind = "guard" if where is self.statement else "early-guard"
        return Mutant(kind, where.lineno, (edit,), why, weight)


def answers(spot: Spot) -> list[tuple[str, float]]:
    """What the function of a spot could return at once, most plausible first.

    What it returns elsewhere, what its annotation or the kind of its other results calls for, a parameter that
    it hands back elsewhere or that has the type of its result.
    """
    function = spot.function
    if function is None:
        return []
    nodes = list(own_nodes(function))
    if any(isinstance(n, ast.Yield | ast.YieldFrom) for n in nodes):
        return [("return", 0.6)]
    if isinstance(spot.statement, ast.Return) and function.name == "__init__":
        return []
    if not any(isinstance(n, ast.Return) and n.value is not None for n in nodes) and function.returns is None:
        return [("return", 0.6)]
    found: dict[str, float] = {}
    for text, weight in (*_as_elsewhere(spot, function, nodes), *_as_declared(function)):
        found[text] = max(found.get(text, 0.0), weight)
    if max(found.values()) >= _AS_ELSEWHERE:
        found = {t: w if w >= _AS_ELSEWHERE else w * _BESIDE for t, w in found.items()}
    return sorted(found.items(), key=lambda item: -item[1])[:6]


def _as_elsewhere(spot: Spot, function: FunctionNode, nodes: list[ast.AST]) -> Iterator[tuple[str, float]]:
    names = {a.arg for a in parameters(function)} - {"self", "cls"}
    values = [n.value for n in nodes if isinstance(n, ast.Return)]
    for value in values:
        if value is None or (isinstance(value, ast.Constant) and value.value is None):
            yield "return" if value is None else "return None", 0.6
        elif (
            isinstance(value, ast.Constant)
            or (isinstance(value, ast.Name) and value.id in names)
            or (
                isinstance(value, ast.List | ast.Tuple | ast.Dict)
                and len(list(ast.iter_child_nodes(value))) < 2
            )
        ):
            yield f"return {ast.unparse(value)}", _AS_ELSEWHERE
        kind = _kind(spot, value)
        if kind:
            yield f"return {kind}", 0.45
    if not values:
        yield "return", 0.5


def _as_declared(function: FunctionNode) -> Iterator[tuple[str, float]]:
    for word in _words(function.returns):
        if word in _EMPTY_OF:
            yield f"return {_EMPTY_OF[word]}", 0.5
    for argument in parameters(function):
        if argument.arg not in ("self", "cls"):
            declared = argument.annotation is not None and function.returns is not None
            alike = declared and ast.unparse(argument.annotation or argument) == ast.unparse(
                function.returns or argument
            )
            yield f"return {argument.arg}", 0.45 if alike else 0.3
    yield "return None", 0.25


def _words(annotation: ast.expr | None) -> list[str]:
    if annotation is None:
        return []
    return [n.id for n in ast.walk(annotation) if isinstance(n, ast.Name)] + [
        str(n.value) for n in ast.walk(annotation) if isinstance(n, ast.Constant)
    ]


def _kind(spot: Spot, value: ast.expr | None) -> str:
    """The empty value of what an expression makes, where its form tells."""
    if isinstance(value, ast.List | ast.ListComp):
        return "[]"
    if isinstance(value, ast.Dict | ast.DictComp):
        return "{}"
    if isinstance(value, ast.JoinedStr):
        return "''"
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div | ast.Mult | ast.Sub | ast.FloorDiv):
        return "0"
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return {
            "len": "0", "sum": "0", "max": "0", "min": "0", "round": "0", "list": "[]", "sorted": "[]", "dict": "{}",
            "join": "''", "strip": "''", "format": "''", "str": "''", "set": "set()", "tuple": "()", "int": "0",
        }.get(name, "")  # fmt: skip
    if isinstance(value, ast.Name):
        known = spot.local(value.id)
        if known is not None:
            return _EMPTY_OF.get(known.type, "")
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return "''"
    return ""
