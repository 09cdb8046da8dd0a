"""Loops over a dict or set that change its size and go on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.scan.excuses import FUNCTIONS, leaves
from selfheal_tui.repair.scan.finding import CERTAIN, Fault, fault
from selfheal_tui.repair.scan.kinds import kind_of
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World


def changed_while_iterated(view: View, _world: World) -> Iterator[Fault]:
    """Finds loops over a dict or set that take from it or add to it, and go on."""
    for loop in view.of(ast.For):
        assert isinstance(loop, ast.For)
        iterated = loop.iter
        if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Attribute) and not iterated.args:
            if iterated.func.attr not in ("keys", "values", "items"):
                continue
            iterated = iterated.func.value
        if not isinstance(iterated, ast.Name):
            continue
        kind = _container(view, iterated)
        if kind:
            yield from _changes(view, loop, iterated.id, kind)


def _container(view: View, name: ast.Name) -> str:
    """`dict` or `set` where every binding of a local or module variable makes one."""
    found = view.resolve(name)
    if found is None or not isinstance(found[0], (*FUNCTIONS, ast.Module)):
        return ""
    kinds = set()
    for node in found[1]:
        above = view.parents.get(node)
        plain = isinstance(above, ast.Assign) and node in above.targets
        typed = isinstance(above, ast.AnnAssign) and above.value is not None
        kinds.add(kind_of(view, above.value) if (plain or typed) and above.value else "")  # type: ignore[union-attr]
    return kinds.pop() if len(kinds) == 1 and kinds <= {"dict", "set"} else ""


def _changes(view: View, loop: ast.For, name: str, kind: str) -> Iterator[Fault]:
    word = "dictionary" if kind == "dict" else "Set"
    message = f"{word} changed size during iteration"
    methods = ("pop", "popitem", "clear") if kind == "dict" else ("remove", "clear", "pop")
    own = {part.id for part in ast.walk(loop.target) if isinstance(part, ast.Name)}
    for node in (inner for statement in loop.body for inner in ast.walk(statement)):
        arguments = node.args if isinstance(node, ast.Call) else []
        key = node.slice if isinstance(node, ast.Subscript) else next(iter(arguments), None)
        present = key is None or (isinstance(key, ast.Name) and key.id in own)
        deleted = (
            kind == "dict"
            and isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Del)
            and isinstance(node.value, ast.Name)
            and node.value.id == name
        )
        taken = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == name
            and node.func.attr in methods
        )
        if present and (deleted or taken) and _goes_on(view, node, loop):
            yield from fault(view, loop.iter, "RuntimeError", message, "changed-while-iterated", CERTAIN)
            return


def _goes_on(view: View, node: ast.AST, loop: ast.For) -> bool:
    """Whether the loop's next round follows a change: no statement after it in its blocks leaves."""
    for above, below in view.up(node):
        if isinstance(above, (*FUNCTIONS, ast.Lambda, ast.While)) or (
            isinstance(above, ast.For) and above is not loop
        ):
            return False
        if isinstance(above, ast.Try):
            return False
        for block in ("body", "orelse"):
            statements: object = getattr(above, block, None)
            listed = statements if isinstance(statements, list) and below in statements else []
            later = listed[listed.index(below) :] if listed else []
            if any(map(leaves, later)):
                return False
        if above is loop:
            return True
    return False


DETECTORS = (changed_while_iterated,)
