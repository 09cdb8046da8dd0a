"""What a call certainly calls: one function or class whose text is at hand, with nothing in between.

Decorated, conditional, rebound or overridden definitions are not certain, and are not followed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from selfheal_tui.repair.scan.excuses import FUNCTIONS, Function, dotted
from selfheal_tui.repair.scan.imports import module_of
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World

_PLAIN_BASES = frozenset(
    {"object", "Exception", "ValueError", "TypeError", "RuntimeError", "KeyError", "LookupError"}
)
_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Callee:
    """What is called.

    Attributes:
        view: File of the definition.
        node: The function; for a class its `__init__`, or None where nothing defines one.
        name: As the interpreter names it.
        bound: How many parameters are filled before the call's own arguments.
        is_class: Whether an instance is made.
    """

    view: View
    node: Function | None
    name: str
    bound: int = 0
    is_class: bool = False


def callee_of(view: View, world: World, call: ast.Call) -> Callee | None:
    """Finds what a call calls; None when that is not certain."""
    function = call.func
    if isinstance(function, ast.Name):
        found = view.resolve(function)
        if found is None or len(found[1]) != 1:
            return None
        scope, (node,) = found
        if isinstance(scope, ast.Module):
            return _top(view, world, function.id, node)
        return _described(view, world, node) if _in_same_block(view, node, call) else None
    if isinstance(function, ast.Attribute):
        module = module_of(view, world, function.value)
        if module:
            return _member_of_module(world, module, function.attr, 0)
        if isinstance(function.value, ast.Name):
            return _own_method(view, world, call, function, function.value.id)
    return None


def _in_same_block(view: View, node: ast.AST, call: ast.Call) -> bool:
    """Whether a local definition is a plain statement of a function that encloses the call."""
    above = view.parents.get(node)
    return isinstance(above, FUNCTIONS) and node in above.body and any(up is above for up, _ in view.up(call))


def _top(view: View, world: World, name: str, node: ast.AST, depth: int = 0) -> Callee | None:
    if depth > _DEPTH or name in world.stored:
        return None
    if isinstance(node, ast.ImportFrom):
        module = world.absolute(view, node)
        real = next((a.name for a in node.names if (a.asname or a.name) == name), "")
        return _member_of_module(world, module, real, depth + 1) if module and real else None
    if view.parents.get(node) is not view.tree:
        return None  # under a condition
    return _described(view, world, node)


def _member_of_module(world: World, module: str, name: str, depth: int) -> Callee | None:
    owner = world.module(module)
    if owner is None or world.is_dynamic(owner) or name in world.stored:
        return None
    nodes = owner.top.get(name, [])
    return _top(owner, world, name, nodes[0], depth) if len(nodes) == 1 else None


def _described(view: View, world: World, node: ast.AST) -> Callee | None:
    if isinstance(node, FUNCTIONS):
        return Callee(view, node, node.name) if not node.decorator_list else None
    if isinstance(node, ast.ClassDef):
        known, init = constructor(view, world, node)
        if known:
            return Callee(
                view, init, f"{node.name}.__init__" if init else node.name, 1 if init else 0, is_class=True
            )
    return None


def constructor(view: View, world: World, node: ast.ClassDef, depth: int = 0) -> tuple[bool, Function | None]:
    """Finds the `__init__` of a class.

    Returns:
        Whether it is known for certain, and the method; None when no class on the way defines one.
    """
    if depth > _DEPTH or node.decorator_list or node.keywords:
        return False, None
    own = view.bound(node)
    if any(
        name in own
        for name in ("__new__", "__call__", "__metaclass__", "__init_subclass__", "__class_getitem__")
    ):
        return False, None
    inits = own.get("__init__", [])
    # Of its bases nothing may make instances in another way, even where it has an `__init__` of its own.
    found: Function | None = None
    plain = True
    for base in node.bases:
        if dotted(base) in _PLAIN_BASES and view.is_builtin(base, dotted(base)):
            plain = plain and dotted(base) == "object"
            continue
        above = _class(view, world, base)
        if above is None:
            return False, None
        known, init = constructor(*above[:1], world, above[1], depth + 1)
        if not known:
            return False, None
        found = found or init
    if inits:
        first = inits[0]
        simple = len(inits) == 1 and view.parents.get(first) is node
        if simple and isinstance(first, ast.FunctionDef) and not first.decorator_list:
            return True, first
        return False, None
    # Of several bases the order decides.
    return (plain or found is not None) and len(node.bases) <= 1, found


def _class(view: View, world: World, base: ast.expr) -> tuple[View, ast.ClassDef] | None:
    if isinstance(base, ast.Name):
        found = view.resolve(base)
        if found is None or len(found[1]) != 1:
            return None
        return _class_of(view, world, base.id, found[1][0], 0)
    if isinstance(base, ast.Attribute):
        module = module_of(view, world, base.value)
        owner = world.module(module) if module else None
        nodes = owner.top.get(base.attr, []) if owner is not None else []
        return (
            _class_of(owner, world, base.attr, nodes[0], 0) if owner is not None and len(nodes) == 1 else None
        )
    return None


def _class_of(
    view: View, world: World, name: str, node: ast.AST, depth: int
) -> tuple[View, ast.ClassDef] | None:
    if isinstance(node, ast.ClassDef):
        return view, node
    if isinstance(node, ast.ImportFrom) and depth < _DEPTH:
        module = world.absolute(view, node)
        owner = world.module(module) if module else None
        real = next((a.name for a in node.names if (a.asname or a.name) == name), "")
        nodes = owner.top.get(real, []) if owner is not None else []
        if owner is not None and len(nodes) == 1:
            return _class_of(owner, world, real, nodes[0], depth + 1)
    return None


def class_of(view: View, world: World, base: ast.expr) -> tuple[View, ast.ClassDef] | None:
    """Finds the class that an expression names; None when that is not certain."""
    return _class(view, world, base)


def _own_method(
    view: View, world: World, call: ast.Call, function: ast.Attribute, receiver: str
) -> Callee | None:
    """`self.method(…)` where no other class of the project has a method of that name."""
    place = view.method_class(call)
    if place is None:
        return None
    method, owner = place
    arguments = [*method.args.posonlyargs, *method.args.args]
    if not arguments or arguments[0].arg != receiver or receiver not in ("self", "cls"):
        return None
    if receiver == "cls" or method.decorator_list or world.members[function.attr] != 1:
        return None
    if function.attr in world.stored or function.attr.startswith("__"):
        return None
    nodes = view.bound(owner).get(function.attr, [])
    if (
        len(nodes) != 1
        or view.parents.get(nodes[0]) is not owner
        or any("Protocol" in dotted(b) for b in owner.bases)
    ):
        return None
    node = nodes[0]
    if not isinstance(node, FUNCTIONS):
        return None
    name = f"{owner.name}.{node.name}"
    decorators = [dotted(d) for d in node.decorator_list]
    if decorators == ["staticmethod"]:
        return Callee(view, node, name, 0)
    return Callee(view, node, name, 1) if not decorators or decorators == ["classmethod"] else None
