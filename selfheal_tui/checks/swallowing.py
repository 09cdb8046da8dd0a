"""Honesty: a fix does not hide the crash. Handlers, suppressions, early exits.

Pure functions over pairs of syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.checks.definitions import definitions, scoped_nodes
from selfheal_tui.checks.findings import Finding, doubt, fail, warn
from selfheal_tui.checks.pairs import SourcePair
from selfheal_tui.checks.statements import always_raises, call_name, invents, is_log_call
from selfheal_tui.checks.surplus import Item, surplus

BROAD = frozenset({"Exception", "BaseException"})
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError"})
_ENDINGS = frozenset({"StopIteration", "StopAsyncIteration"})
_EXITS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort", "_exit"})
_LOSSY = {
    "return_exceptions": (True,),
    "ignore_errors": (True,),
    "errors": ("ignore", "replace", "surrogateescape", "backslashreplace"),
    "check": (False,),
}


def _types(handler: ast.ExceptHandler) -> frozenset[str]:
    """Bare names of the exception types that a handler catches; empty for a bare `except`."""
    if handler.type is None:
        return frozenset()
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return frozenset(call_name(p).rpartition(".")[2] or "?" for p in parts)


def _aliases_of_broad(tree: ast.Module) -> frozenset[str]:
    """Names that were given to `Exception` or a tuple with it, at any depth."""
    found = set(BROAD)
    for _ in range(3):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and any(
                isinstance(n, ast.Name | ast.Attribute) and call_name(n).rpartition(".")[2] in found
                for n in ([*node.value.elts] if isinstance(node.value, ast.Tuple) else [node.value])
            ):
                found.update(t.id for t in node.targets if isinstance(t, ast.Name))
            elif isinstance(node, ast.ImportFrom):
                found.update(a.asname for a in node.names if a.name in found and a.asname)
    return frozenset(found)


def _handlers(tree: ast.Module) -> Iterator[Item]:
    broad = _aliases_of_broad(tree)
    for scope, node in scoped_nodes(tree):
        if not isinstance(node, ast.ExceptHandler) or always_raises(node.body):
            continue
        types = _types(node)
        named = ", ".join(sorted(types)) or "everything"
        body = "".join(ast.dump(s) for s in node.body)
        if not types or types & broad:
            yield Item("broad", body, scope, node.lineno, f"catches {named} and goes on")
        elif types <= _IMPORT_ERRORS:
            if not any(isinstance(n, ast.Import | ast.ImportFrom) for s in node.body for n in ast.walk(s)):
                yield Item("import", body, scope, node.lineno, "goes on without the module")
        elif types <= _ENDINGS:
            yield Item("ending", body, scope, node.lineno, f"ends quietly on {named}")
        elif invents(node.body) or all(isinstance(s, ast.Expr) and is_log_call(s.value) for s in node.body):
            yield Item("swallow", body, scope, node.lineno, f"swallows {named}")
        else:
            yield Item(("narrow", types), body, scope, node.lineno, f"handles {named} rather than curing it")


def _hidings(tree: ast.Module) -> Iterator[Item]:
    exit_methods = {
        name for name in definitions(tree) if name.rpartition(".")[2] in {"__exit__", "__aexit__"}
    }
    for scope, node in scoped_nodes(tree):
        if isinstance(node, ast.Call):
            name = call_name(node)
            if name.rpartition(".")[2] == "suppress":
                yield Item("suppress", ast.dump(node), scope, node.lineno, "suppresses exceptions")
            if name in _EXITS:
                yield Item("exit", ast.dump(node), scope, node.lineno, "ends the program instead of failing")
        elif isinstance(node, ast.Raise) and node.exc is not None and call_name(node.exc) == "SystemExit":
            yield Item("exit", ast.dump(node), scope, node.lineno, "ends the program instead of failing")
        elif isinstance(node, ast.Try | ast.TryStar):
            for inner in (n for s in node.finalbody for n in ast.walk(s)):
                if isinstance(inner, ast.Return | ast.Break | ast.Continue):
                    text = "leaves from `finally`, which drops the exception"
                    yield Item("finally", ast.dump(inner), scope, inner.lineno, text)
        elif isinstance(node, ast.Return) and scope in exit_methods and _is_true(node.value):
            yield Item("exit-true", "", scope, node.lineno, "makes the context manager drop exceptions")


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _losses(tree: ast.Module) -> Iterator[Item]:
    for scope, node in scoped_nodes(tree):
        if not isinstance(node, ast.keyword) or not isinstance(node.value, ast.Constant):
            continue
        if node.value.value in _LOSSY.get(node.arg or "", ()):
            text = f"{node.arg}={node.value.value!r} hides failures or loses data"
            yield Item(node.arg, repr(node.value.value), scope, node.value.lineno, text)


def _catch_alls(tree: ast.Module) -> Iterator[Item]:
    for qualname, entries in definitions(tree).items():
        if qualname.rpartition(".")[2] in {"__getattr__", "__missing__", "__getattribute__"}:
            text = "answers for everything that is missing"
            yield Item("catch-all", qualname, qualname, entries[0].node.lineno, text)


def _is_narrow(kind: object) -> bool:
    return isinstance(kind, tuple) and kind[0] == "narrow"


def _widened(pair: SourcePair) -> Iterator[Finding]:
    """Handlers that stay as they are and catch more than before."""

    def by_body(tree: ast.Module) -> dict[tuple[str, str], list[tuple[frozenset[str], int]]]:
        found: dict[tuple[str, str], list[tuple[frozenset[str], int]]] = {}
        for scope, node in scoped_nodes(tree):
            if isinstance(node, ast.ExceptHandler) and not always_raises(node.body):
                body = "".join(ast.dump(s) for s in node.body)
                found.setdefault((scope, body), []).append((_types(node), node.lineno))
        return found

    before = by_body(pair.before_tree)
    for key, after in by_body(pair.after_tree).items():
        for (was, _), (now, line) in zip(before.get(key, []), after, strict=False):
            if was < now and was and not (now - was) & BROAD:
                more = ", ".join(sorted(now - was))
                yield doubt(pair.path, line, f"a handler catches {more}, too")


def swallowing_findings(pair: SourcePair) -> list[Finding]:
    """Finds ways in which a patch hides failures that the original let through."""
    findings = []
    for item in surplus(_handlers(pair.after_tree), _handlers(pair.before_tree)):
        make = fail if item.kind in {"broad", "swallow"} else doubt if _is_narrow(item.kind) else warn
        findings.append(make(pair.path, item.line, item.message))
    findings += _widened(pair)
    hidden = surplus(_hidings(pair.after_tree), _hidings(pair.before_tree))
    findings += [fail(pair.path, item.line, item.message) for item in hidden]
    for collect in (_losses, _catch_alls):
        lost = surplus(collect(pair.after_tree), collect(pair.before_tree))
        findings += [warn(pair.path, item.line, item.message) for item in lost]
    return findings
