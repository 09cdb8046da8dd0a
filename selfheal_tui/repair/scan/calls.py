"""Calls with arguments that the function or class they certainly reach does not take."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.scan.callee import Callee, callee_of
from selfheal_tui.repair.scan.finding import CERTAIN, STRONG, Fault, fault
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World


def misfitting_arguments(view: View, world: World) -> Iterator[Fault]:
    """Finds calls whose arguments do not fit."""
    for node in view.of(ast.Call):
        assert isinstance(node, ast.Call)
        if _is_decorator(view, node):
            continue
        callee = callee_of(view, world, node)
        if callee is not None:
            message = problem_of(callee, node)
            if message:
                certainty = CERTAIN if world.is_own(callee.view.module) else STRONG
                yield from fault(view, node, "TypeError", message, "call-arguments", certainty)


def _is_decorator(view: View, node: ast.Call) -> bool:
    return node in getattr(view.parents.get(node), "decorator_list", ())


def problem_of(callee: Callee, call: ast.Call) -> str:
    """Says in the interpreter's words why arguments do not fit; empty when they do, or may."""
    starred = any(isinstance(a, ast.Starred) for a in call.args)
    double = any(k.arg is None for k in call.keywords)
    given = [a for a in call.args if not isinstance(a, ast.Starred)]
    names = [k.arg for k in call.keywords if k.arg is not None]
    if callee.node is None:
        return f"{callee.name}() takes no arguments" if given or names else ""
    arguments = callee.node.args
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    by_name = {a.arg for a in (*arguments.args, *arguments.kwonlyargs)}
    title = f"{callee.name}()"
    count = len(given) + callee.bound
    if arguments.vararg is None and count > len(positional):
        takes = f"{len(positional)} positional argument{'s' * (len(positional) != 1)}"
        defaults = len(arguments.defaults)
        if defaults:
            takes = f"from {len(positional) - defaults} to {len(positional)} positional arguments"
        return f"{title} takes {takes} but {count} {'was' if count == 1 else 'were'} given"
    for name in names:
        if name not in by_name and arguments.kwarg is None:
            if name in {a.arg for a in arguments.posonlyargs}:
                return ""
            return f"{title} got an unexpected keyword argument '{name}'"
        if not starred and name in positional[:count] and name in by_name:
            return f"{title} got multiple values for argument '{name}'"
    if starred or double:
        return ""
    required = positional[: len(positional) - len(arguments.defaults)]
    missing = [name for name in required[count:] if name not in names]
    if missing:
        return f"{title} missing {_listed(missing, 'positional')}"
    only = [a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is None]
    missing = [name for name in only if name not in names]
    return f"{title} missing {_listed(missing, 'keyword-only')}" if missing else ""


def _listed(names: list[str], kind: str) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) == 1:
        text = quoted[0]
    elif len(quoted) == 2:
        text = " and ".join(quoted)
    else:
        text = f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    return f"{len(names)} required {kind} argument{'s' * (len(names) > 1)}: {text}"


DETECTORS = (misfitting_arguments,)
