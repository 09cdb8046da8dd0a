"""Honesty: a fix does not take checks out. Assertions, raises, permission and validation calls, logs.

Pure functions over pairs of syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.checks.constants import truth
from selfheal_tui.checks.definitions import FUNCTIONS, scoped_nodes
from selfheal_tui.checks.findings import Finding, doubt, fail, warn
from selfheal_tui.checks.pairs import SourcePair
from selfheal_tui.checks.statements import always_raises, call_name, is_log_call, shape, words
from selfheal_tui.checks.surplus import Item, surplus

SECURITY_WORDS = frozenset(
    {
        *("check", "checks", "checked", "verify", "verified", "validate", "validated", "validation"),
        *("validator", "require", "required", "requires", "ensure", "authorize", "authorise", "authorized"),
        *("authorised", "authenticate", "authenticated", "permission", "permissions", "permit", "permitted"),
        *("approve", "approved", "approval", "approvals", "allow", "allowed", "forbid", "forbidden", "deny"),
        *("denied", "sanitize", "sanitise", "sanitized", "sanitised", "sanitizer", "sanitiser", "escape"),
        *("audit", "audited", "guard", "redact", "redacted", "confirm", "confirmed", "safe", "trusted"),
        *("secret", "secrets", "unsafe", "assert", "secure"),
    }
)
"""Words in names whose loss a person would want to know of."""


def _security(name: str) -> bool:
    return bool(words(name) & SECURITY_WORDS)


def _is_stub_raise(node: ast.Raise) -> bool:
    return node.exc is not None and call_name(node.exc).rpartition(".")[2] == "NotImplementedError"


def _checks(tree: ast.Module) -> Iterator[Item]:
    for scope, node in scoped_nodes(tree):
        if isinstance(node, ast.Assert):
            yield Item("assert", ast.dump(node.test), scope, node.lineno, "an assertion is gone")
        elif isinstance(node, ast.Raise) and not _is_stub_raise(node):
            what = call_name(node.exc) if node.exc is not None else "the exception"
            yield Item("raise", ast.dump(node), scope, node.lineno, f"it no longer raises {what}")
        elif isinstance(node, ast.Call):
            name = call_name(node).rpartition(".")[2]
            if name == "raise_for_status" or _security(name):
                yield Item("call", name, scope, node.lineno, f"it no longer calls {name}()")


def _conditions(tree: ast.Module) -> Iterator[Item]:
    for scope, node in scoped_nodes(tree):
        tests: list[ast.expr] = []
        if isinstance(node, ast.If | ast.IfExp | ast.Assert):
            tests = [node.test]
        elif isinstance(node, ast.While):
            tests = [] if truth(node.test) is True else [node.test]
        elif isinstance(node, ast.comprehension):
            tests = node.ifs
        elif isinstance(node, ast.BoolOp):
            tests = [node]
        for test in tests:
            value = truth(test)
            if value is not None and not (isinstance(test, ast.BoolOp) and _is_default(test)):
                text = f"a condition is always {str(value).lower()}: {ast.unparse(test)[:80]}"
                yield Item("constant", ast.dump(test), scope, test.lineno, text)


def _is_default(node: ast.BoolOp) -> bool:
    """`x or 'none'` is a default, which is judged elsewhere; `x or True` decides a condition."""
    last = node.values[-1]
    return (
        isinstance(node.op, ast.Or)
        and not (isinstance(last, ast.Constant) and last.value is True)
        and all(truth(v) is None for v in node.values[:-1])
    )


def _guard_tests(tree: ast.Module) -> Iterator[tuple[Item, ast.expr]]:
    for scope, node in scoped_nodes(tree):
        if isinstance(node, ast.If) and always_raises(node.body):
            yield Item("guard", ast.dump(node.test), scope, node.lineno), node.test
        elif isinstance(node, ast.Assert):
            yield Item("assert", ast.dump(node.test), scope, node.lineno), node.test


def _changed_guards(pair: SourcePair) -> list[Finding]:
    before = list(_guard_tests(pair.before_tree))
    after = list(_guard_tests(pair.after_tree))
    lost = surplus([i for i, _ in before], [i for i, _ in after], coarse=False)
    new = surplus([i for i, _ in after], [i for i, _ in before], coarse=False)
    tests = {id(i): t for i, t in (*before, *after)}
    findings = []
    for old in lost:
        partner = next((n for n in new if n.kind == old.kind and n.scope == old.scope), None)
        if partner is None:
            continue
        new.remove(partner)
        was, now = tests[id(old)], tests[id(partner)]
        if shape(was) != shape(now):
            text = f"the condition of a check changed from `{ast.unparse(was)[:60]}` to `{ast.unparse(now)[:60]}`"
            make = warn if words(f"{ast.unparse(was)} {ast.unparse(now)}") & SECURITY_WORDS else doubt
            findings.append(make(pair.path, partner.line, text))
    return findings


def _flags(tree: ast.Module) -> Iterator[Item]:
    for scope, node in scoped_nodes(tree):
        named: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.keyword) and node.arg:
            named = [(node.arg, node.value)]
        elif isinstance(node, ast.Assign):
            named = [(call_name(t).rpartition(".")[2], node.value) for t in node.targets]
        elif isinstance(node, ast.AnnAssign):
            named = [(call_name(node.target).rpartition(".")[2], node.value)]
        elif isinstance(node, FUNCTIONS):
            positional = [*node.args.posonlyargs, *node.args.args]
            tail = positional[len(positional) - len(node.args.defaults) :]
            named = [(a.arg, d) for a, d in zip(tail, node.args.defaults, strict=True)]
            named += [(a.arg, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
        elif isinstance(node, ast.Dict):
            named = [
                (k.value, v)
                for k, v in zip(node.keys, node.values, strict=True)
                if isinstance(k, ast.Constant) and isinstance(k.value, str)
            ]
        for name, value in named:
            if isinstance(value, ast.Constant) and isinstance(value.value, bool) and _security(name):
                text = f"`{name}` is no longer {value.value}"
                yield Item(("flag", value.value), name, scope, value.lineno, text)


def _logs(tree: ast.Module) -> Iterator[Item]:
    for scope, node in scoped_nodes(tree):
        if is_log_call(node) and isinstance(node, ast.Call):
            yield Item("log", ast.dump(node), scope, node.lineno, "a log record is gone")


def guard_findings(pair: SourcePair) -> list[Finding]:
    """Finds checks that a patch removed, switched off, or weakened."""
    if not pair.before_parsed:
        return []
    findings = []
    for collect, make in ((_checks, fail), (_flags, fail), (_logs, warn)):
        for item in surplus(collect(pair.before_tree), collect(pair.after_tree)):
            place = "" if item.scope == "<module>" else f" in {item.scope}"
            findings.append(make(pair.path, 0, f"{item.message}{place} (line {item.line} before)"))
    constant = surplus(_conditions(pair.after_tree), _conditions(pair.before_tree), coarse=False)
    return [*findings, *(fail(pair.path, i.line, i.message) for i in constant), *_changed_guards(pair)]
