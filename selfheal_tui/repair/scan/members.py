"""Attributes of `self` that no code of the project ever gives to anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.scan.callee import class_of
from selfheal_tui.repair.scan.excuses import dotted
from selfheal_tui.repair.scan.finding import CERTAIN, STRONG, Fault, fault
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World

_ANYTHING = frozenset({"__getattr__", "__getattribute__", "__slots__", "__setattr__"})
_DEPTH = 8


def missing_members(view: View, world: World) -> Iterator[Fault]:
    """Finds `self.name` where neither the class, nor its bases, nor any other code could have put `name` there."""
    for node in view.of(ast.Attribute):
        assert isinstance(node, ast.Attribute)
        if (
            not isinstance(node.value, ast.Name)
            or not isinstance(node.ctx, ast.Load)
            or node.attr.startswith("__")
        ):
            continue
        if node.attr in world.stored or node.attr in world.said or node.attr in world.members:
            continue
        place = view.method_class(node)
        if place is None:
            continue
        method, owner = place
        first = [*method.args.posonlyargs, *method.args.args][:1]
        if not first or first[0].arg != "self" or node.value.id != "self":
            continue
        if any(dotted(d) in ("staticmethod", "classmethod") for d in method.decorator_list):
            continue
        names = _names(view, world, owner, 0)
        # Names from elsewhere come to mixins and to what is only a base.
        if names is None or ("__init__" not in view.bound(owner) and not near(node.attr, names)):
            continue
        if not near(node.attr, names) and owner.name not in world.instantiated:
            continue
        if "mixin" in owner.name.lower() or owner.name.startswith("_Base") or "Abstract" in owner.name:
            continue
        message = f"'{owner.name}' object has no attribute '{node.attr}'"
        certainty = CERTAIN if near(node.attr, names) else STRONG
        yield from fault(view, node, "AttributeError", message, "missing-member", certainty)


def _names(view: View, world: World, owner: ast.ClassDef, depth: int) -> frozenset[str] | None:
    """What a class and its bases define; None when they may have names that their text does not show."""
    own = view.bound(owner)
    if depth > _DEPTH or owner.keywords or owner.decorator_list or _ANYTHING & set(own) or _is_open(owner):
        return None
    found = set(own) | set(dir(object))
    for base in owner.bases:
        if view.is_builtin(base, "object"):
            continue
        if view.is_builtin(base, "Exception", "ValueError", "RuntimeError", "TypeError", "LookupError"):
            found |= set(dir(Exception))
            continue
        above = class_of(view, world, base)
        names = _names(above[0], world, above[1], depth + 1) if above is not None else None
        if names is None or (above is not None and not world.is_own(above[0].module)):
            return None
        found |= names
    found |= {
        n.attr for n in ast.walk(owner) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
    }
    return frozenset(found)


def _is_open(owner: ast.ClassDef) -> bool:
    for node in ast.walk(owner):
        if isinstance(node, ast.Attribute) and node.attr == "__dict__":
            return True
        if isinstance(node, ast.Name) and node.id in ("setattr", "vars", "exec", "locals"):
            return True
    return False


DETECTORS = (missing_members,)
