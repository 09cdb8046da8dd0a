"""Honesty: a fix does not make values up. Defaults, guards that skip, constants, stubs.

What is found here is mostly for a person to judge, since an empty-list guard can be right; only a
function that became hollow is refused outright. Pure functions over pairs of syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.checks.constants import is_literal
from selfheal_tui.checks.definitions import MODULE, Definition, definitions, scoped_nodes
from selfheal_tui.checks.evident import (
    asked_for_none,
    evident_counts,
    guard_key,
    is_evident_start,
    marking_guards,
    sibling_guards,
)
from selfheal_tui.checks.findings import Finding, doubt, fail, warn
from selfheal_tui.checks.guards import SECURITY_WORDS
from selfheal_tui.checks.pairs import SourcePair
from selfheal_tui.checks.statements import call_name, invents, is_docstring, is_trivial, steps, words
from selfheal_tui.checks.surplus import Item, surplus

_WITH_DEFAULT = {"get": 1, "pop": 1, "setdefault": 1, "getattr": 2, "next": 1, "getenv": 1}
_DEFAULT_KEYWORDS = frozenset({"default", "fallback", "initial"})
_STUB_DECORATORS = frozenset({"abstractmethod", "overload", "abstractproperty"})


def _conditions(tree: ast.Module) -> set[int]:
    """Ids of the boolean operators that only decide something, and hand no value on."""
    found: set[int] = set()
    for node in ast.walk(tree):
        tests: list[ast.expr] = []
        if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
            tests = [node.test]
        elif isinstance(node, ast.comprehension):
            tests = list(node.ifs)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            tests = [node.operand]
        while tests:
            test = tests.pop()
            if isinstance(test, ast.BoolOp):
                found.add(id(test))
                tests += test.values
    return found


def _is_text_choice(node: ast.IfExp) -> bool:
    """A choice between two literals words something; it stands in for nothing."""
    return is_literal(node.body) and is_literal(node.orelse)


def _made_up(tree: ast.Module, shared: set[tuple[str, str]]) -> Iterator[Item]:
    conditions, counts = _conditions(tree), evident_counts(tree)
    marks = marking_guards(tree)
    for scope, node in scoped_nodes(tree):
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and id(node) not in conditions:
            if is_literal(node.values[-1]):
                value = ast.unparse(node.values[-1])
                text = f"invents a default: `or {value}`"
                yield Item(("or", value), ast.dump(node), scope, node.lineno, text)
        elif isinstance(node, ast.IfExp) and not _is_text_choice(node):
            for branch in (node.body, node.orelse):
                if is_literal(branch):
                    value = ast.unparse(branch)
                    text = f"invents a default: {value} unless a condition holds"
                    yield Item(("if", value), ast.dump(node), scope, node.lineno, text)
        elif isinstance(node, ast.Call):
            if id(node) not in counts:
                yield from _call_default(scope, node)
        elif isinstance(node, ast.If) and invents(node.body):
            if (scope.rpartition(".")[0], guard_key(node)) in shared or id(node) in marks:
                continue
            text = f"skips the work or invents a value when {ast.unparse(node.test)[:80]}"
            key = ast.dump(node.test) + "".join(ast.dump(s) for s in node.body)
            yield Item("guard", key, scope, node.lineno, text)


def _call_default(scope: str, node: ast.Call) -> Iterator[Item]:
    name = call_name(node).rpartition(".")[2] or (
        node.func.attr if isinstance(node.func, ast.Attribute) else ""
    )
    position = _WITH_DEFAULT.get(name)
    values = [
        k.value for k in node.keywords if k.arg in _DEFAULT_KEYWORDS and (position or name in {"max", "min"})
    ]
    if position is not None and len(node.args) > position:
        values.append(node.args[position])
    for value in values:
        if is_literal(value):
            shown = ast.unparse(value)
            text = f"invents a default: {shown} from {name}()"
            yield Item((name, shown), ast.dump(node), scope, node.lineno, text)
    if name == "defaultdict":
        yield Item(name, ast.dump(node), scope, node.lineno, "invents a default for every missing key")


def _lookups(tree: ast.Module) -> tuple[list[Item], list[Item]]:
    """Lookups that fail when nothing is there, and those that answer None."""
    strict, lenient = [], []
    asked = asked_for_none(tree)
    for scope, node in scoped_nodes(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            strict.append(Item("subscript", ast.dump(node.value), scope, node.lineno))
            strict.append(Item("key", ast.dump(node.slice), scope, node.lineno))
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and len(node.args) == 1
            and id(node) not in asked
        ):
            text = "answers None where a missing key failed before"
            lenient.append(Item("subscript", ast.dump(node.func.value), scope, node.lineno, text))
            lenient.append(Item("key", ast.dump(node.args[0]), scope, node.lineno, text))
    return strict, lenient


def _softened(pair: SourcePair) -> list[Finding]:
    strict_before, lenient_before = _lookups(pair.before_tree)
    strict_after, lenient_after = _lookups(pair.after_tree)
    lost = {(i.kind, i.key, i.scope) for i in surplus(strict_before, strict_after, coarse=False)}
    return [
        doubt(pair.path, item.line, item.message)
        for item in surplus(lenient_after, lenient_before, coarse=False)
        if (item.kind, item.key, item.scope) in lost
    ]


def _wrapped(pair: SourcePair) -> list[Finding]:
    """Conditions put around statements that ran unconditionally."""

    def tests(tree: ast.Module) -> list[Item]:
        return [
            Item("if", ast.dump(node.test), scope, node.lineno)
            for scope, node in scoped_nodes(tree)
            if isinstance(node, ast.If)
        ]

    new = {(i.scope, i.key, i.line) for i in surplus(tests(pair.after_tree), tests(pair.before_tree))}
    if not new:
        return []
    old = definitions(pair.before_tree)
    findings = []
    for scope, node in scoped_nodes(pair.after_tree):
        if (
            not isinstance(node, ast.If)
            or node.orelse
            or (scope, ast.dump(node.test), node.lineno) not in new
        ):
            continue
        owners: list[ast.AST] = (
            [d.node for d in old.get(scope, [])] if scope != MODULE else [pair.before_tree]
        )
        ran = {s.key for owner in owners for s in steps(owner) if s.head is None}
        if any(ast.dump(s) in ran for s in node.body if not is_trivial(s)):
            text = f"runs what always ran only when {ast.unparse(node.test)[:80]}"
            findings.append(_of_condition(pair.path, node.lineno, text, node.test))
    return findings


def _of_condition(path: str, line: int, text: str, test: ast.expr) -> Finding:
    """A condition on a permission or a check is never for a test alone to settle."""
    names = {
        n.id if isinstance(n, ast.Name) else n.attr
        for n in ast.walk(test)
        if isinstance(n, ast.Name | ast.Attribute)
    }
    guarded = any(words(name) & SECURITY_WORDS for name in names)
    return warn(path, line, text) if guarded else doubt(path, line, text)


def _substance(entry: Definition) -> list[ast.stmt]:
    return [s for s in entry.node.body if not is_docstring(s)]


def _is_hollow(body: list[ast.stmt]) -> bool:
    if len(body) == 1 and isinstance(body[0], ast.Raise) and body[0].exc is not None:
        return call_name(body[0].exc).rpartition(".")[2] == "NotImplementedError"
    return all(is_trivial(s) for s in body)


def _is_declared_stub(entry: Definition) -> bool:
    return any(call_name(d).rpartition(".")[2] in _STUB_DECORATORS for d in entry.node.decorator_list)


def _hollow(pair: SourcePair) -> list[Finding]:
    old = definitions(pair.before_tree)
    findings = []
    for qualname, entries in definitions(pair.after_tree).items():
        for entry in entries:
            body = _substance(entry)
            if not entry.is_function or _is_declared_stub(entry) or not _is_hollow(body):
                continue
            before = [_substance(e) for e in old.get(qualname, []) if e.is_function]
            if before:
                if not any(_is_hollow(b) for b in before):
                    findings.append(fail(pair.path, entry.node.lineno, f"{qualname} no longer does anything"))
                elif entry.node.name != "__init__" and ast.dump(entry.node) not in {
                    ast.dump(e.node) for e in old[qualname]
                }:
                    findings.append(
                        warn(pair.path, entry.node.lineno, f"{qualname} hands out another constant")
                    )
            elif pair.before_parsed:
                findings.append(_new_stub(pair, entry, body))
    return findings


def _new_stub(pair: SourcePair, entry: Definition, body: list[ast.stmt]) -> Finding:
    gives = any(isinstance(s, ast.Return) and s.value is not None for s in body) or any(
        isinstance(s, ast.Assign | ast.AnnAssign) for s in body
    )
    if gives and not words(entry.node.name) & SECURITY_WORDS:
        return warn(pair.path, entry.node.lineno, f"{entry.qualname} is new and only hands out a constant")
    return fail(pair.path, entry.node.lineno, f"{entry.qualname} is a stub")


def _named_values(tree: ast.Module, identifier: str) -> Iterator[Item]:
    for scope, node in scoped_nodes(tree):
        if (
            not isinstance(node, ast.Assign | ast.AnnAssign)
            or node.value is None
            or not is_literal(node.value)
        ):
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            name = target.id if isinstance(target, ast.Name) else getattr(target, "attr", None)
            attribute = isinstance(target, ast.Attribute) and call_name(target.value) == "self"
            if name == identifier and not is_evident_start(
                tree, scope, identifier, node.value, attribute=attribute
            ):
                text = f"invents a value for `{identifier}`: {ast.unparse(node.value)[:60]}"
                yield Item("value", ast.dump(node.value), scope, node.lineno, text)


def _invented_value(pair: SourcePair, identifier: str) -> list[Finding]:
    if not identifier.isidentifier():
        return []
    new = surplus(
        _named_values(pair.after_tree, identifier), _named_values(pair.before_tree, identifier), coarse=False
    )
    make = warn if words(identifier) & SECURITY_WORDS else doubt
    return [make(pair.path, item.line, item.message) for item in new]


def default_findings(pair: SourcePair, identifier: str = "") -> list[Finding]:
    """Finds values that a patch makes up.

    Args:
        pair: The file.
        identifier: The thing that was missing, if that is what the crash was about.

    Returns:
        Findings; most are warnings.
    """
    shared = sibling_guards(pair.before_tree)
    new = surplus(_made_up(pair.after_tree, shared), _made_up(pair.before_tree, shared))
    findings = [
        (warn if words(item.message) & SECURITY_WORDS else doubt)(pair.path, item.line, item.message)
        for item in new
    ]
    return [
        *findings,
        *_softened(pair),
        *_wrapped(pair),
        *_hollow(pair),
        *_invented_value(pair, identifier),
    ]
