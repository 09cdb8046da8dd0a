"""What remedies are built of: conditions put before a statement, keywords, names of methods, literals at hand. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.mutations.spot import Spot
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.spans import end_of, needs_parentheses, start_of, whole
from selfheal_tui.source.edits import TextEdit

_NEUTRAL = frozenset({"0", "1", "-1", "0.0", "''", "b''", "[]", "{}", "False", "True"})
"""What a variable may begin with for want of a value; any other literal means something where it stands."""


def constants(spot: Spot) -> list[str]:
    """Literals that the function hands out or falls back on elsewhere, as source; of those it begins with only neutral ones."""
    found: dict[str, None] = {}
    scope: ast.AST = spot.function if spot.function is not None else spot.site.tree
    for node in own_nodes(scope):
        values: list[ast.expr | None] = []
        if isinstance(node, ast.Return) or (
            isinstance(node, ast.Assign) and ast.unparse(node.value) in _NEUTRAL
        ):
            values = [node.value]
        elif isinstance(node, ast.IfExp):
            values = [node.body, node.orelse]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            values = list(node.args[1:2])
        elif isinstance(node, ast.Dict):
            continue
        for value in values:
            if value is not None and _is_literal(value):
                found[ast.unparse(value)] = None
    return list(found)[:6]


def _is_literal(value: ast.expr) -> bool:
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):  # how `-1` is parsed
        value = value.operand
    if isinstance(value, ast.Constant):
        return value.value is not None
    return isinstance(value, ast.List | ast.Dict) and ast.unparse(value) in ("[]", "{}")


def subscripts(spot: Spot) -> list[ast.Subscript]:
    """Lookups of the failing statement: the one that failed, if the position tells, else all."""
    found = [n for n in spot.parts() if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load)]
    exact = spot.site.nodes(ast.Subscript, lambda n: n in found)
    return exact or found


def present(mutant: Mutant | None) -> Iterator[Mutant]:
    """The mutant, if there is one."""
    if mutant is not None:
        yield mutant


def renamed(node: ast.Attribute, new: str, weight: float) -> Mutant:
    """Another method of the same object."""
    line, column = end_of(node)
    edit = TextEdit((line, column - len(node.attr.encode())), (line, column), new)
    return Mutant("method", line, (edit,), f"`.{node.attr}` becomes `.{new}`", weight)


def only_if(spot: Spot, condition: str, weight: float) -> Iterator[Mutant]:
    """The condition that the statement itself decides on is asked first, or the statement is put under one."""
    statement = spot.statement
    if isinstance(statement, ast.If | ast.While) and not mentions(statement.test, condition):
        test = statement.test
        text = spot.at.source(test)
        text = f"({text})" if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else text
        if isinstance(statement, ast.While) and isinstance(test, ast.Constant) and test.value:
            edit, why = whole(test, condition), f"the loop goes on while `{condition}`"
        else:
            edit, why = whole(test, f"{condition} and {text}"), f"`{condition}` is asked first"
        yield Mutant("condition", statement.lineno, (edit,), why, weight + 0.15)
    elif (
        isinstance(statement, ast.Expr | ast.AugAssign | ast.Assign)
        and spot.at.source(statement).count("\n") == 0
    ):
        line = statement.lineno
        indent = " " * statement.col_offset
        text = spot.at.source(statement)
        edit = TextEdit((line, 0), (line, 0), f"{indent}if {condition}:\n")
        inner = TextEdit(start_of(statement), end_of(statement), f"    {text}")
        yield Mutant("condition", line, (edit, inner), f"only if `{condition}`", weight * 0.8)


def mentions(test: ast.expr, condition: str) -> bool:
    """Whether a test asks that already, by itself or together with more; what it does with the same names is no question."""
    asked = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    try:
        wanted = ast.unparse(ast.parse(f"({condition})", mode="eval"))
    except SyntaxError:
        return False
    return any(ast.unparse(part) == wanted for part in asked)


def atom(text: str, node: ast.expr) -> str:
    """An expression as it must be written before a dot."""
    return f"({text})" if needs_parentheses(node) else text


def added(spot: Spot, call: ast.Call, keyword: str, weight: float) -> Mutant:
    """One more keyword argument at the end of a call."""
    line, column = end_of(call)
    used = bool(call.args or call.keywords)
    raw = spot.at.source(call).rstrip(")").rstrip()
    text = keyword if not used else (f" {keyword}" if raw.endswith(",") else f", {keyword}")
    edit = TextEdit((line, column - 1), (line, column - 1), text)
    return Mutant("keyword", line, (edit,), f"`{keyword}` is given", weight)
