"""A named method of `set`, called on something that is a set by protocol only: its operator does the same.

`collections.abc.Set` (views of dictionaries, classes of their own) has `&`, `|`, `-`, `^` and comparisons, which take
any iterable or set there, and `isdisjoint`; `union` and its like belong to the built-in types alone.
Source: https://docs.python.org/3/library/collections.abc.html#collections.abc.Set
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import needs_parentheses, source_of, whole
from selfheal_tui.repair.rules.subject import Subject, subject_of
from selfheal_tui.repair.rules.support import STRONG, ancestors, edited

NAME = "set-operator"
OPERATORS = {
    "intersection": "&",
    "union": "|",
    "difference": "-",
    "symmetric_difference": "^",
    "issubset": "<=",
    "issuperset": ">=",
}
_COMPARING = frozenset({"<=", ">="})
_OF_THE_PROTOCOL = "isdisjoint"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the operator in place of the call."""
    subject = subject_of(context)
    if subject is None or subject.name not in OPERATORS or _OF_THE_PROTOCOL not in subject.names:
        return
    node = flow.only(subject.nodes)
    call = next(iter(ancestors(subject.site.tree, node)), None) if node is not None else None
    if node is None or not isinstance(call, ast.Call) or call.func is not node or call.keywords:
        return
    operator = OPERATORS[subject.name]
    if not call.args or (operator in _COMPARING and len(call.args) != 1):
        return
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return
    first, *others = call.args
    # comparisons take sets alone, and what the first operator makes may be a built-in set, whose operators do, too
    parts = [
        _operand(subject, node.value, as_set=False),
        _operand(subject, first, as_set=operator in _COMPARING),
        *(_operand(subject, other, as_set=True) for other in others),
    ]
    text = f" {operator} ".join(parts)
    if not isinstance(next(iter(ancestors(subject.site.tree, call)), None), ast.stmt):
        text = f"({text})"
    reason = f"{subject.described} is a set by protocol, which has `{operator}` and no `{subject.name}()`"
    fix = edited(context, NAME, reason, STRONG, {subject.site.path: [whole(call, text)]})
    if fix is not None:
        yield fix


def _operand(subject: Subject, node: ast.expr, *, as_set: bool) -> str:
    text = source_of(subject.site.text, node)
    known = isinstance(node, ast.Call) and (flow.calls(node, "set") or flow.calls(node, "frozenset"))
    if as_set and not known:
        return f"set({text})"
    return f"({text})" if needs_parentheses(node) else text


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError",), apply),)
