"""Imports that cannot succeed, and attributes that a module does not have."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.rules.stdlib_moves import REMOVED_MODULES
from selfheal_tui.repair.rules.target import is_stdlib
from selfheal_tui.repair.scan.excuses import dotted
from selfheal_tui.repair.scan.finding import CERTAIN, STRONG, Fault, fault
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World

_BUILT = ("_version", "version", "__version__", "_build", "_config", "__config__", "_meta", "_generated")
_GENERATED = (
    "_pb2",
    "_pb2_grpc",
    "_generated",
    "_lextab",
    "_yacctab",
    "parsetab",
    "lextab",
    "_version",
    "_build",
)


def failing_imports(view: View, world: World) -> Iterator[Fault]:
    """Finds imports of modules that are gone or never were, and of names that modules do not have."""
    for node in view.nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom) or _is_fallback(view, node):
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _module(view, world, node, alias.name)
        else:
            module = world.absolute(view, node)
            if not module or module == view.module or module.startswith("__future__"):
                continue
            missing = list(_module(view, world, node, module))
            yield from missing
            if not missing:
                yield from _names(view, world, node, module)


def _is_fallback(view: View, node: ast.AST) -> bool:
    """Whether an import stands in a handler, for when another one failed, which it does not do here."""
    return any(isinstance(above, ast.ExceptHandler) for above, _ in view.up(node))


def _module(view: View, world: World, node: ast.AST, name: str) -> Iterator[Fault]:
    message = f"No module named '{name}'"
    top = name.partition(".")[0]
    if is_stdlib(world.interpreter, top):
        return
    if top in REMOVED_MODULES and not world.exists(top):
        yield from fault(view, node, "ModuleNotFoundError", f"No module named '{top}'", "removed-module")
        return
    parent, _, last = name.rpartition(".")
    if not parent or world.exists(name) or not world.exists(parent):
        return  # what is not installed at all is not the code's fault
    owner = world.module(parent)
    if (
        owner is None
        or world.is_dynamic(owner)
        or last in owner.top
        or owner.stars
        or "__path__" in owner.text
    ):
        return
    if _is_made(world, last) or not owner.path.endswith("__init__.py"):
        return
    certainty = CERTAIN if world.is_own(parent) else STRONG
    yield from fault(view, node, "ModuleNotFoundError", message, "missing-module", certainty)


def _is_made(world: World, name: str) -> bool:
    """Whether a module is one that builds make."""
    return name in _BUILT or name.endswith(_GENERATED) or world.mentioned_in_build(f"{name}.py")


def _names(view: View, world: World, node: ast.ImportFrom, module: str) -> Iterator[Fault]:
    for alias in node.names:
        if alias.name == "*" or _is_made(world, alias.name):
            continue
        if world.has(module, alias.name) is False:
            where = world.module(module)
            message = f"cannot import name '{alias.name}' from '{module}'"
            if where is not None:
                message += f" ({world.project.root / where.path})"
            yield from fault(view, node, "ImportError", message, "missing-name", owner=_owner(world, module))


def missing_attributes(view: View, world: World) -> Iterator[Fault]:
    """Finds `module.name` where the module has no such name."""
    for node in view.nodes:
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        module = module_of(view, world, node.value)
        if not module or world.has(module, node.attr) is not False:
            continue
        message = f"module '{module}' has no attribute '{node.attr}'"
        yield from fault(
            view, node, "AttributeError", message, "missing-attribute", owner=_owner(world, module)
        )


def _owner(world: World, module: str) -> tuple[str, tuple[str, ...]]:
    view = world.module(module)
    names = view.top if view is not None else world.listed(module).here
    return module, tuple(sorted(names))[:200]


def module_of(view: View, world: World, node: ast.expr) -> str:
    """Tells which module an expression certainly is: a name bound by one import alone, or a submodule of one.

    Returns:
        The dotted name; empty when it may be anything else.
    """
    name = dotted(node)
    if not name:
        return ""
    root: ast.expr = node
    while isinstance(root, ast.Attribute):
        root = root.value
    assert isinstance(root, ast.Name)
    found = view.resolve(root)
    if found is None or any(not isinstance(n, ast.Import | ast.ImportFrom) for n in found[1]):
        return ""
    meant = {_imported(view, world, n, root.id) for n in found[1]}
    rest = name.partition(".")[2]
    if len(meant) != 1 or "" in meant:
        return ""
    head = meant.pop()
    for part in rest.split(".") if rest else ():
        if not _is_module(world, f"{head}.{part}") or world.has(head, part) is None:
            return ""
        owner = world.module(head)
        if owner is not None and part in owner.top:
            return ""  # the package binds something of that name itself
        head = f"{head}.{part}"
    return head


def _imported(view: View, world: World, node: ast.AST, name: str) -> str:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname == name:
                return alias.name
            if alias.asname is None and alias.name.partition(".")[0] == name:
                return name
    elif isinstance(node, ast.ImportFrom):
        module = world.absolute(view, node)
        for alias in node.names:
            if (
                (alias.asname or alias.name) == name
                and module
                and _is_module(world, f"{module}.{alias.name}")
            ):
                owner = world.module(module)
                return "" if owner is not None and alias.name in owner.top else f"{module}.{alias.name}"
    return ""


def _is_module(world: World, name: str) -> bool:
    return world.module(name) is not None or bool(world.listed(name).here)


DETECTORS = (failing_imports, missing_attributes)
