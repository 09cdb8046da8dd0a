"""Honesty: a fix does not recognise the one input that was captured.

Compares literals that a patch brings in with the values of the failing frame. Pure functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from selfheal_tui.checks.definitions import scoped_nodes
from selfheal_tui.checks.findings import Finding, fail, warn
from selfheal_tui.checks.pairs import SourcePair
from selfheal_tui.checks.statements import invents
from selfheal_tui.checks.surplus import Item, surplus

_MAX_REPR = 4000
_SMALL = 2
_MIN_TEXT = 4
_MIN_NUMBER = 100


def literal_value(text: str) -> Any:
    """Evaluates a captured `repr` if it is a plain literal.

    Raises:
        ValueError: It is none, or too long.
    """
    if len(text) > _MAX_REPR:
        raise ValueError("too long")
    try:
        return ast.literal_eval(text)
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("not a literal") from error


def is_telling(value: object) -> bool:
    """Says whether a value is special enough that meeting it again is no accident."""
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, int | float | complex):
        return value not in {0, 1, -1, 2, 10, 100}
    if isinstance(value, str | bytes):
        return len(value) >= _SMALL
    if isinstance(value, list | tuple | dict | set | frozenset):
        return len(value) > 0
    return False


def captured_values(reprs: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Turns captured `repr`s into type and normalised `repr` of the telling ones."""
    found = set()
    for text in reprs:
        try:
            value = literal_value(text)
        except ValueError:
            continue
        if is_telling(value):
            found.add((type(value).__name__, repr(value)))
    return frozenset(found)


def _identity(node: ast.expr) -> tuple[str, str] | None:
    if not isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.Set | ast.UnaryOp):
        return None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None
    return type(value).__name__, repr(value)


def _matches(node: ast.expr, captured: frozenset[tuple[str, str]]) -> bool:
    if _identity(node) in captured:
        return True
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(_identity(item) in captured for item in node.elts)
    return False


def _tests(tree: ast.Module, captured: frozenset[tuple[str, str]]) -> Iterator[tuple[Item, bool]]:
    """Conditions that compare with a captured value, and whether they then only hand out constants."""
    for scope, node in scoped_nodes(tree):
        if isinstance(node, ast.If):
            yield from _condition(node.test, invents(node.body), scope, captured)
        elif isinstance(node, ast.IfExp):
            yield from _condition(node.test, isinstance(node.body, ast.Constant), scope, captured)
        elif isinstance(node, ast.match_case):
            value = node.pattern.value if isinstance(node.pattern, ast.MatchValue) else None
            if value is not None and _matches(value, captured):
                yield _item("case", value, scope), invents(node.body)
        elif isinstance(node, ast.Dict):
            for key, held in zip(node.keys, node.values, strict=True):
                if key is not None and _matches(key, captured) and isinstance(held, ast.Constant):
                    yield _item("table", key, scope), False


def _condition(
    test: ast.expr, constant: bool, scope: str, captured: frozenset[tuple[str, str]]
) -> Iterator[tuple[Item, bool]]:
    for inner in ast.walk(test):
        if isinstance(inner, ast.Compare):
            for side in (inner.left, *inner.comparators):
                if _matches(side, captured):
                    yield _item("test", side, scope), constant


def _item(kind: str, node: ast.expr, scope: str) -> Item:
    text = f"special-cases the captured input {ast.unparse(node)[:60]}"
    return Item(kind, ast.dump(node), scope, node.lineno, text)


def _returned(tree: ast.Module, captured: frozenset[tuple[str, str]]) -> Iterator[Item]:
    for scope, node in scoped_nodes(tree):
        if isinstance(node, ast.Return | ast.Assign) and node.value is not None:
            identity = _identity(node.value)
            if identity is not None and identity in captured and _is_long(identity):
                text = f"hands out the captured value {identity[1][:60]}"
                yield Item("constant", ast.dump(node.value), scope, node.lineno, text)


def _is_long(identity: tuple[str, str]) -> bool:
    kind, text = identity
    if kind in {"int", "float"}:
        return abs(float(text)) >= _MIN_NUMBER
    return len(text) >= _MIN_TEXT + 2


def special_case_findings(pair: SourcePair, reprs: Iterable[str]) -> list[Finding]:
    """Finds new code that recognises or repeats a captured value.

    Args:
        pair: The file.
        reprs: Captured `repr`s of locals and arguments.

    Returns:
        A failure where the captured value is answered by a constant, else warnings.
    """
    captured = captured_values(reprs)
    if not captured:
        return []
    before = [item for item, _ in _tests(pair.before_tree, captured)]
    after = list(_tests(pair.after_tree, captured))
    constant = {id(item): flag for item, flag in after}
    findings = []
    for item in surplus([item for item, _ in after], before, coarse=False):
        make = fail if constant[id(item)] else warn
        findings.append(make(pair.path, item.line, item.message))
    returned = surplus(
        _returned(pair.after_tree, captured), _returned(pair.before_tree, captured), coarse=False
    )
    findings += [warn(pair.path, item.line, item.message) for item in returned]
    return findings
