"""What of a definition others rely on: its parameters, decorators, kind, and bases.

Pure functions over pairs of definitions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.checks.definitions import Definition, FunctionNode, own_nodes
from selfheal_tui.checks.findings import Finding, fail, warn
from selfheal_tui.checks.statements import call_name

_PLAIN_DECORATORS = frozenset(
    {"staticmethod", "classmethod", "property", "wraps", "cached_property", "override"}
)


def _positional(args: ast.arguments) -> list[tuple[str, bool, bool]]:
    """Positional parameters as name, whether positional-only, whether there is a default."""
    plain = [*((a.arg, True) for a in args.posonlyargs), *((a.arg, False) for a in args.args)]
    first_default = len(plain) - len(args.defaults)
    return [(name, only, i >= first_default) for i, (name, only) in enumerate(plain)]


def _keyword_only(args: ast.arguments) -> dict[str, bool]:
    return {a.arg: d is not None for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)}


def signature_problem(old: FunctionNode, new: FunctionNode, *, in_class: bool) -> str:
    """Says how a changed signature can break a caller.

    Args:
        old: Function before.
        new: Function after.
        in_class: Whether it is a method, which may be given a `self` that it lacked.

    Returns:
        The problem, or an empty string: parameters may be added with defaults.
    """
    before, after = _positional(old.args), _positional(new.args)
    first = after[0][0] if after else ""
    if in_class and first in {"self", "cls"} and (not before or before[0][0] not in {"self", "cls"}):
        after = after[1:]
    for index, (name, _, has_default) in enumerate(before):
        if index >= len(after) or after[index][0] != name:
            return f"parameter `{name}` is lost, renamed or moved"
        if after[index][1] and not before[index][1]:
            return f"parameter `{name}` became positional-only"
        if has_default and not after[index][2]:
            return f"parameter `{name}` lost its default"
    for name, _, has_default in after[len(before) :]:
        if not has_default:
            return f"new parameter `{name}` has no default"
    if old.args.vararg and not new.args.vararg:
        return f"`*{old.args.vararg.arg}` is lost"
    if old.args.kwarg and not new.args.kwarg:
        return f"`**{old.args.kwarg.arg}` is lost"
    return _keyword_problem(old.args, new.args, {name for name, _, _ in after})


def _keyword_problem(old: ast.arguments, new: ast.arguments, positional: set[str]) -> str:
    old_only, new_only = _keyword_only(old), _keyword_only(new)
    for name, has_default in old_only.items():
        if name not in new_only and name not in positional:
            return f"keyword `{name}` is lost"
        if has_default and name in new_only and not new_only[name]:
            return f"keyword `{name}` lost its default"
    missing = [n for n, d in new_only.items() if n not in old_only and not d]
    return f"new keyword `{missing[0]}` has no default" if missing else ""


def _is_generator(node: FunctionNode) -> bool:
    return any(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(node))


def _decorators(path: str, old: Definition, new: Definition) -> Iterator[Finding]:
    before = [ast.dump(d) for d in old.node.decorator_list]
    after = [ast.dump(d) for d in new.node.decorator_list]
    if before == after:
        return
    names_before = [call_name(d) for d in old.node.decorator_list]
    names_after = [call_name(d) for d in new.node.decorator_list]
    for name in names_before:
        if names_before.count(name) > names_after.count(name):
            yield fail(path, new.node.lineno, f"{new.qualname} loses its decorator @{name or '…'}")
            return
    added = [n for n in names_after if n not in names_before]
    if any(n.rpartition(".")[2] not in _PLAIN_DECORATORS for n in added):
        yield warn(path, new.node.lineno, f"{new.qualname} gets a decorator: @{added[0]}")
    elif not added:
        yield warn(path, new.node.lineno, f"{new.qualname} has its decorators changed")


def _bases(path: str, old: ast.ClassDef, new: ast.ClassDef, qualname: str) -> Iterator[Finding]:
    def last(bases: list[ast.expr]) -> list[str]:
        return [call_name(b).rpartition(".")[2] or ast.dump(b) for b in bases]

    if [ast.dump(k) for k in old.keywords] != [ast.dump(k) for k in new.keywords]:
        yield fail(path, new.lineno, f"class {qualname} has its metaclass or keywords changed")
    if last(old.bases) == last(new.bases):
        return
    if len(new.bases) < len(old.bases):
        yield fail(path, new.lineno, f"class {qualname} loses a base class")
    else:
        yield warn(path, new.lineno, f"class {qualname} has other base classes")


def contract_findings(path: str, old: Definition, new: Definition) -> list[Finding]:
    """Compares what others rely on in one definition before and after."""
    findings = list(_decorators(path, old, new))
    if isinstance(old.node, ast.ClassDef) or isinstance(new.node, ast.ClassDef):
        if isinstance(old.node, ast.ClassDef) and isinstance(new.node, ast.ClassDef):
            return findings + list(_bases(path, old.node, new.node, new.qualname))
        return [*findings, fail(path, new.node.lineno, f"{new.qualname} is no longer what it was")]
    if type(old.node) is not type(new.node):
        text = f"{new.qualname} became {'async' if isinstance(new.node, ast.AsyncFunctionDef) else 'sync'}"
        findings.append(fail(path, new.node.lineno, text))
    if _is_generator(old.node) is not _is_generator(new.node):
        text = f"{new.qualname} {'became' if _is_generator(new.node) else 'is no longer'} a generator"
        findings.append(warn(path, new.node.lineno, text))
    problem = signature_problem(old.node, new.node, in_class=new.in_class) if new.is_public else ""
    if problem:
        findings.append(fail(path, new.node.lineno, f"{new.qualname}: {problem}"))
    return findings
