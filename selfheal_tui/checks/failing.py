"""Honesty: the statement that failed is mended, not taken out, stepped around, or fed a constant.

Pure functions over pairs of syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise

from selfheal_tui.checks.constants import is_literal
from selfheal_tui.checks.definitions import MODULE, changed_definitions, definitions, enclosing_qualname
from selfheal_tui.checks.findings import Finding, fail, warn
from selfheal_tui.checks.pairs import SourcePair
from selfheal_tui.checks.statements import Step, blocks, call_name, is_log_call, is_trivial, steps
from selfheal_tui.checks.surplus import Item, surplus

_FOREIGN_LITERALS = frozenset(
    {"true", "false", "null", "none", "nil", "TRUE", "FALSE", "NULL", "undefined", "nan"}
)
_MAX_STEPS = 3000


def _owners(tree: ast.Module, scope: str) -> list[ast.AST]:
    return [tree] if scope == MODULE else [d.node for d in definitions(tree).get(scope, [])]


def _steps_of(tree: ast.Module, scope: str) -> list[Step]:
    return [s for owner in _owners(tree, scope) for s in steps(owner)][:_MAX_STEPS]


def _value(statement: ast.stmt) -> ast.expr | None:
    if isinstance(statement, ast.Return | ast.Assign | ast.AnnAssign):
        return statement.value
    return None


def _means_literal(statement: ast.stmt) -> bool:
    """`flag = true`: a literal of another language, which only has one meaning."""
    value = _value(statement)
    if value is None:
        return False
    names = [n.id for n in ast.walk(value) if isinstance(n, ast.Name)]
    plain = all(
        isinstance(n, ast.Name | ast.Constant | ast.List | ast.Dict | ast.Tuple | ast.Load | ast.Set)
        for n in ast.walk(value)
    )
    return plain and bool(names) and set(names) <= _FOREIGN_LITERALS


def _same_place(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether two statements give a value to the same thing."""
    if isinstance(old, ast.Return):
        return isinstance(new, ast.Return)
    targets = [
        [ast.dump(t) for t in (s.targets if isinstance(s, ast.Assign) else [s.target])]
        if isinstance(s, ast.Assign | ast.AnnAssign)
        else []
        for s in (old, new)
    ]
    return bool(targets[0]) and targets[0] == targets[1]


def _constants(path: str, old: list[Step], new: list[Step], failed: Step | None) -> Iterator[Finding]:
    for was in old:
        value = _value(was.node)
        if was.head is not None or value is None or is_literal(value) or _means_literal(was.node):
            continue
        for now in new:
            if now.head is None and _same_place(was.node, now.node) and is_literal(_value(now.node)):
                make = fail if was is failed else warn
                shown = ast.unparse(now.node)[:80]
                yield make(
                    path, now.node.lineno, f"invents a default: `{shown}` where something was computed"
                )
                break


def _bound_names(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(a.asname or a.name).partition(".")[0] for a in statement.names}
    return set()


def _deleted(pair: SourcePair, failed: Step, added: list[Step]) -> Finding | None:
    if _means_literal(failed.node) or (added and is_trivial(failed.node)):
        return None
    everywhere = {s.key for owner in ast.walk(pair.after_tree) for s in _direct(owner)}
    if failed.key in everywhere:
        return None
    names = _bound_names(failed.node)
    if names:
        bound = {n for s in ast.walk(pair.after_tree) if isinstance(s, ast.stmt) for n in _bound_names(s)}
        used = {n.id for n in ast.walk(pair.after_tree) if isinstance(n, ast.Name)}
        if added or not names & used or names <= bound:
            return None if added or names <= bound else warn(pair.path, 0, "takes the failing import out")
    if not added:
        return fail(
            pair.path,
            0,
            f"takes the failing statement out: `{ast.unparse(failed.node).splitlines()[0][:80]}`",
        )
    if all(s.head is None and is_trivial(s.node) for s in added):
        text = f"replaces the failing statement by `{ast.unparse(added[0].node)[:60]}`"
        return fail(pair.path, added[0].node.lineno, text)
    return None


def _direct(owner: ast.AST) -> list[Step]:
    return (
        steps(owner)
        if isinstance(owner, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        else []
    )


def _compare(pair: SourcePair, scope: str, line: int | None) -> list[Finding]:
    old, new = _steps_of(pair.before_tree, scope), _steps_of(pair.after_tree, scope)
    failed = None
    if line is not None:
        covering = [s for s in old if s.covers(line)]
        failed = covering[-1] if covering else None
    findings: list[Finding] = []
    matcher = SequenceMatcher(None, [s.key for s in old], [s.key for s in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal" or tag == "insert":
            continue
        findings += _constants(pair.path, old[i1:i2], new[j1:j2], failed)
        if failed is not None and failed in old[i1:i2]:
            found = _deleted(pair, failed, new[j1:j2])
            findings += [found] if found else []
        elif tag == "delete" and line is not None:
            findings += _lost_calls(pair, old[i1:i2])
    return findings


def _lost_calls(pair: SourcePair, gone: list[Step]) -> Iterator[Finding]:
    """Calls made for their effect that are simply no longer there."""
    left = {call_name(n) for n in ast.walk(pair.after_tree) if isinstance(n, ast.Call)}
    for step in gone:
        call = step.node.value if isinstance(step.node, ast.Expr) else None
        if isinstance(call, ast.Await):
            call = call.value
        if isinstance(call, ast.Call) and not is_log_call(call):
            name = call_name(call) or ast.unparse(call.func)[:60]
            if name not in left:
                yield warn(pair.path, 0, f"no longer calls {name}() (line {step.node.lineno} before)")


def _dead(tree: ast.Module) -> Iterator[Item]:
    for scope in [MODULE, *definitions(tree)]:
        for owner in _owners(tree, scope):
            for block in blocks(owner):
                for statement, following in pairwise(block):
                    ends = isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break)
                    is_yield = isinstance(following, ast.Expr) and isinstance(
                        following.value, ast.Yield | ast.YieldFrom
                    )
                    if ends and not is_yield:
                        text = "leaves before the code below, which can never run"
                        yield Item("dead", ast.dump(statement), scope, statement.lineno, text)


def _touched(pair: SourcePair) -> list[str]:
    changed = changed_definitions(pair.before_tree, pair.after_tree)
    old, new = definitions(pair.before_tree), definitions(pair.after_tree)
    return sorted(q for q in changed if q == MODULE or (q in old and q in new))


def failing_findings(pair: SourcePair, line: int | None) -> list[Finding]:
    """Finds out what became of the statement that failed.

    Args:
        pair: The file.
        line: 1-based line of the failing statement before the patch; None when it is not in this file
            or not known.

    Returns:
        Findings.
    """
    if not pair.before_parsed:
        return []
    findings = [
        fail(pair.path, i.line, i.message) for i in surplus(_dead(pair.after_tree), _dead(pair.before_tree))
    ]
    scope_of_failure = enclosing_qualname(pair.before_tree, line) if line is not None else None
    touched = _touched(pair)
    if scope_of_failure is not None and scope_of_failure not in touched:
        touched.append(scope_of_failure)
    for scope in touched:
        findings += _compare(pair, scope, line if scope == scope_of_failure else None)
    return findings
