"""A value that may be None, used without asking: the guard that a condition, a loop or a return lacks.

Real fixes of such crashes are mostly one of a few small edits, made where the value is used. Which of them is meant the
code seldom tells, so that these candidates are plausible and no more: the proof ladder, and a test, have to judge them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_source import Spot, none_spot
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.spans import insert_after, insert_before, source_of, whole
from selfheal_tui.repair.rules.support import FunctionNode, Site, ancestors, edited, site_of
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.position import first_line
from selfheal_tui.source.text import dominant_newline, split_lines

NAME = "none-guard"
_CONDITION, _WALK, _SKIP, _RETURN, _EMPTY, _WRAP = 0.7, 0.62, 0.58, 0.54, 0.5, 0.46
"""Confidence, by how much of the program's way the code around the use shows."""
_TEXT_METHODS = flow.listed(
    "strip lstrip rstrip split rsplit splitlines lower upper startswith endswith replace encode format find rfind title"
)
_DICT_METHODS = flow.listed("items keys values get")


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields guards around the use of the value that was None."""
    if "NoneType" not in context.error.message:
        return
    spot, site = none_spot(context), site_of(context)
    if spot is None or site is None or spot.path != site.path or not is_repeatable(spot.node):
        return
    yield from _in_condition(context, site, spot)
    yield from _walked(context, site, spot)
    yield from _skipped(context, site, spot)
    yield from _returned(context, site, spot)
    yield from _emptied(context, site, spot)
    yield from _wrapped(context, site, spot)


def is_repeatable(node: ast.expr) -> bool:
    """Whether an expression can be written twice: names, attributes and plain subscripts, without calls."""
    return all(
        isinstance(n, ast.Name | ast.Attribute | ast.Subscript | ast.Constant | ast.expr_context)
        for n in ast.walk(node)
    ) and not isinstance(node, ast.Constant)


def _emit(
    context: RepairContext, site: Site, reason: str, confidence: float, edits: Sequence[TextEdit]
) -> Iterator[Finding]:
    found = edited(context, NAME, reason, confidence, {site.path: edits}, guess=True)
    if found is not None:
        yield found


def condition_around(site: Site, node: ast.expr) -> tuple[ast.expr, ast.AST] | None:
    """Finds the part of a condition that a use stands in.

    Args:
        site: The place.
        node: The expression that is used.

    Returns:
        The operand of the innermost `and`, `or` or `not`, or the whole test, with what it decides; None outside
        of conditions.
    """
    below: ast.AST = node
    operand: ast.expr | None = None
    for up in ancestors(site.tree, node):
        if isinstance(up, ast.BoolOp) and operand is None and isinstance(below, ast.expr):
            operand = below if below is not node else None
        tests: list[ast.expr] = []
        if isinstance(up, ast.If | ast.While | ast.IfExp):
            tests = [up.test]
        elif isinstance(up, ast.comprehension):
            tests = up.ifs
        if isinstance(below, ast.expr) and any(test is below for test in tests):
            return operand or below, up
        if isinstance(up, ast.stmt | ast.Lambda):
            return None
        below = up
    return None


def _in_condition(context: RepairContext, site: Site, spot: Spot) -> Iterator[Finding]:
    """`if len(x) > 0:` becomes `if x is not None and len(x) > 0:`: nothing is no reason to go in."""
    found = condition_around(site, spot.node)
    if found is None or isinstance(found[1], ast.While):
        return
    operand, _ = found
    name = source_of(site.text, spot.node)
    # one that is only compared or measured is asked by its truth elsewhere; `is not None` says no more than is known
    text = source_of(site.text, operand)
    in_or = any(
        isinstance(u, ast.BoolOp) and isinstance(u.op, ast.Or) and operand in u.values
        for u in ancestors(site.tree, operand)
    )
    plain = isinstance(operand, ast.Compare | ast.Call | ast.UnaryOp | ast.Attribute | ast.Subscript)
    inner = text if plain else f"({text})"
    new = f"{name} is not None and {inner}"
    reason = f"`{name}` may be None; then the condition does not hold"
    yield from _emit(context, site, reason, _CONDITION, [whole(operand, f"({new})" if in_or else new)])
    if isinstance(operand, ast.UnaryOp) and isinstance(operand.op, ast.Not):
        reason = f"`{name}` may be None; then there is nothing that the condition could deny"
        yield from _emit(
            context,
            site,
            reason,
            _EMPTY,
            [whole(operand, f"({name} is None or {text})" if not in_or else f"{name} is None or {text}")],
        )


def _walked(context: RepairContext, site: Site, spot: Spot) -> Iterator[Finding]:
    """`for item in x:` becomes `for item in x or ():`: nothing is walked as if it were empty."""
    name = source_of(site.text, spot.node)
    for up in ancestors(site.tree, spot.node):
        if isinstance(up, ast.For | ast.AsyncFor | ast.comprehension) and up.iter is spot.node:
            reason = f"`{name}` may be None; then there is nothing to walk over"
            yield from _emit(context, site, reason, _WALK, [insert_after(spot.node, " or ()")])
        if isinstance(up, ast.stmt):
            return


def _depends_on_loop(site: Site, spot: Spot, statement: ast.stmt) -> bool:
    """Whether the value is another one in each turn of the loop around it."""
    loop = next(
        (u for u in ancestors(site.tree, statement) if isinstance(u, ast.For | ast.While | FunctionNode)),
        None,
    )
    if not isinstance(loop, ast.For | ast.While):
        return False
    used = {n.id for n in ast.walk(spot.node) if isinstance(n, ast.Name)}
    bound = {
        n.id for part in ([loop.target] if isinstance(loop, ast.For) else []) + list(loop.body)
        for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }  # fmt: skip
    return bool(used & bound)


def _simple(site: Site, spot: Spot) -> ast.stmt | None:
    """The simple statement, or the head of a compound one, that uses the value where it can be stepped around."""
    statement = flow.statement_of(site, spot.node)
    if statement is None or not flow.block_of(site, statement):
        return None
    block = flow.block_of(site, statement)
    chained = isinstance(statement, ast.If) and split_lines(site.text)[
        statement.lineno - 1
    ].lstrip().startswith("elif")
    return None if chained or first_line(block[0]) == 0 else statement


def _skipped(context: RepairContext, site: Site, spot: Spot) -> Iterator[Finding]:
    """In a loop over things of which one has no value, that one is passed over."""
    statement = _simple(site, spot)
    if statement is None or not _depends_on_loop(site, spot, statement):
        return
    name = source_of(site.text, spot.node)
    text = f"if {name} is None:\n    continue"
    reason = f"`{name}` may be None; such an entry is passed over"
    yield from _emit(context, site, reason, _SKIP, [flow.line_before(site, statement, text)])


def early_answers(function: ast.AST) -> list[str]:
    """Literals that the guards of a function return, most frequent first; they tell what no answer looks like."""
    found: list[str] = []
    for node in own_nodes(function):
        if not (isinstance(node, ast.If) and len(node.body) == 1 and isinstance(node.body[0], ast.Return)):
            continue
        value = node.body[0].value
        if value is None or not any(
            isinstance(n, ast.Name | ast.Call | ast.Attribute) for n in ast.walk(value)
        ):
            found.append(ast.unparse(value) if value is not None else "")
    return sorted(set(found), key=found.count, reverse=True)


def _no_answer(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[str, bool]]:
    """What a function can answer when there is no value, and whether the function itself shows it."""
    shown = [(text, True) for text in early_answers(function)]
    if shown:
        return shown
    annotated = ast.unparse(function.returns) if function.returns is not None else ""
    if annotated == "bool":
        return [("False", True)]
    if annotated in ("str", "list", "dict", "int", "float", "tuple") or annotated.lower().startswith(
        ("list[", "dict[", "tuple[")
    ):
        return []
    returns = [n for n in own_nodes(function) if isinstance(n, ast.Return)]
    if not any(r.value is not None for r in returns):
        return [("", bool(returns))]
    values = [r.value for r in returns if r.value is not None]
    if all(
        isinstance(v, ast.Compare | ast.BoolOp) or (isinstance(v, ast.Constant) and isinstance(v.value, bool))
        for v in values
    ):
        return [("False", True)]
    return [("None", "None" in annotated or "Optional" in annotated)]


def _returned(context: RepairContext, site: Site, spot: Spot) -> Iterator[Finding]:
    """The function answers early, as its other guards do."""
    statement = _simple(site, spot)
    function = site.function(spot.node)
    if statement is None or function is None or _depends_on_loop(site, spot, statement):
        return
    if (
        any(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(function))
        or function.name == "__init__"
    ):
        return
    name = source_of(site.text, spot.node)
    for index, (answer, shown) in enumerate(_no_answer(function)[:2]):
        text = f"if {name} is None:\n    return {answer}".rstrip()
        reason = f"`{name}` may be None; `{function.name}` then answers `{answer or 'None'}`" + (
            ", as it does elsewhere" if shown else ""
        )
        confidence = (_RETURN if shown else _WRAP) - 0.11 * index
        yield from _emit(context, site, reason, confidence, [flow.line_before(site, statement, text)])


def _emptied(context: RepairContext, site: Site, spot: Spot) -> Iterator[Finding]:
    """`f(x.items())` becomes `f((x or {}).items())`: nothing counts as empty, by what is asked of it."""
    node, up = spot.node, next(iter(ancestors(site.tree, spot.node)), None)
    message, name = context.error.message, source_of(site.text, spot.node)
    empty = ""
    if isinstance(up, ast.Attribute):
        empty = '""' if up.attr in _TEXT_METHODS else "{}" if up.attr in _DICT_METHODS else ""
    elif isinstance(up, ast.Call) and node in up.args and isinstance(up.func, ast.Name | ast.Attribute):
        empty = (
            "()"
            if "not iterable" in message or "has no len()" in message or "must be an iterable" in message
            else ""
        )
    elif isinstance(up, ast.Compare) and node in up.comparators and "iterable" in message:
        empty = "()"
    elif isinstance(up, ast.Starred) or (isinstance(up, ast.keyword) and up.arg is None):
        empty = "()" if isinstance(up, ast.Starred) else "{}"
    elif isinstance(up, ast.BinOp) and isinstance(up.op, ast.Add | ast.Sub) and "NoneType" in message:
        other = up.right if up.left is node else up.left
        kind = flow.type_of(site, other) or _other_type(message)
        empty = {"str": '""', "list": "[]", "int": "0", "float": "0", "tuple": "()"}.get(kind, "")
    if not empty:
        return
    reason = f"`{name}` may be None, which is taken as `{empty}`"
    bare = isinstance(up, ast.Call | ast.Starred | ast.keyword)
    text = f"{name} or {empty}" if bare else f"({name} or {empty})"
    yield from _emit(context, site, reason, _EMPTY, [whole(node, text)])


def _other_type(message: str) -> str:
    types = [part for part in message.split("'") if part in ("str", "list", "int", "float", "tuple")]
    return types[0] if len(types) == 1 else ""


def _wrapped(context: RepairContext, site: Site, spot: Spot) -> Iterator[Finding]:
    """A call made for its effect is made only on something; an attribute or call of nothing is nothing."""
    statement = _simple(site, spot)
    name = source_of(site.text, spot.node)
    if isinstance(statement, ast.Expr) and statement.lineno == statement.end_lineno:
        newline = dominant_newline(site.text)
        line = split_lines(site.text)[statement.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        if line.lstrip().startswith(source_of(site.text, statement)[:8]):
            edit = insert_before(statement, f"if {name} is not None:{newline}{indent}    ")
            reason = f"`{name}` may be None; then there is nothing to call"
            yield from _emit(context, site, reason, _EMPTY, [edit])
    elif isinstance(statement, ast.Assign | ast.Return) and statement.value is not None:
        chain = spot.node
        for up in ancestors(site.tree, spot.node):
            inner = up.func if isinstance(up, ast.Call) else getattr(up, "value", None)
            if inner is not chain or not isinstance(up, ast.Attribute | ast.Subscript | ast.Call):
                break
            chain = up
        whole_value = (
            isinstance(statement, ast.Assign) and chain is statement.value and chain is not spot.node
        )
        if whole_value:
            reason = f"`{name}` may be None, and so is what is taken from it then"
            yield from _emit(
                context,
                site,
                reason,
                _WRAP - 0.11,
                [insert_after(chain, f" if {name} is not None else None")],
            )


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError", "TypeError"), apply),)
