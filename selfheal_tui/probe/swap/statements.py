"""Plans what changed at the top level of a module: imports, definitions, constants, removals.

Statements that did not change are never run again; of those that changed, only imports, definitions and plain
constants are, and everything else is a reason for a restart. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import ast
import sys
from types import FunctionType
from typing import Any, Iterator, Optional, Union

from .classes import plan_class
from .functions import bounce
from .journal import Journal
from .live import Space
from .plan import ADD, REBIND, REMOVE, RESHAPE, FilePlan, name_of
from .safety import is_plain_assignment, is_safe
from .sources import is_below, read_source
from .syntax import (
    FUNCTIONS,
    Change,
    Function,
    bound_names,
    decorators,
    diff_bodies,
    eager_names,
    is_main_guard,
    touches,
    without_bodies,
)


def find_dirty(plan: FilePlan) -> None:
    """Finds the names whose module-level value changes, also by way of other constants."""
    if plan.before is None:
        return
    for change in diff_bodies(plan.before.tree.body, plan.now.tree.body, {}):
        rebinding = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.If, ast.Try)
        if change.new is not None and isinstance(change.new, rebinding) and not _same_shape(change):
            plan.dirty.update(bound_names(change.new))
    grown = True
    while grown:
        grown = False
        for statement in plan.now.tree.body:
            if isinstance(statement, (ast.Assign, ast.AnnAssign)) and touches(statement, plan.dirty):
                fresh = set(bound_names(statement)) - plan.dirty
                plan.dirty |= fresh
                grown = grown or bool(fresh)


def _same_shape(change: Change) -> bool:
    return (
        change.old is not None
        and change.new is not None
        and without_bodies(change.old) == without_bodies(change.new)
    )


def plan_space(plan: FilePlan, space: Space, root: str) -> None:
    """Plans the statements of a file in one of the namespaces that were made from it."""
    old = plan.before.tree.body if plan.before else None
    changes = diff_bodies(old, plan.now.tree.body, space.names)
    if old is None:
        for one in plan.now.tree.body:
            if isinstance(one, ast.ClassDef) and isinstance(space.names.get(one.name), type):
                changes.append(Change(None, one))
    else:
        changed = {id(change.new) for change in changes}
        for one in plan.now.tree.body:
            if id(one) not in changed and touches(one, plan.dirty):
                changes.append(Change(one, one))
        order = {id(one): index for index, one in enumerate(plan.now.tree.body)}
        changes.sort(key=lambda change: order.get(id(change.new), len(order)))
    for change in changes:
        if change.new is None:
            assert change.old is not None
            _plan_removal(plan, space, change.old, root)
        elif isinstance(change.new, (ast.Import, ast.ImportFrom)):
            _plan_import(plan, space, change.new)
        elif isinstance(change.new, FUNCTIONS):
            _plan_function(plan, space, change.old, change.new)
        elif isinstance(change.new, ast.ClassDef):
            _plan_class(plan, space, change.old, change.new)
        else:
            _plan_other(plan, space, change.old, change.new, root)


def _runner(plan: FilePlan, space: Space, statement: ast.stmt) -> Any:
    def step(journal: Journal) -> None:
        star = isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
        journal.watch(space.names, [] if star else [*bound_names(statement), "__annotations__"])
        plan.run(statement, space.names)

    return step


def _plan_import(plan: FilePlan, space: Space, new: Union[ast.Import, ast.ImportFrom]) -> None:
    if isinstance(new, ast.ImportFrom) and new.module == "__future__":
        plan.refuse(
            name_of(space, "__future__"), "a __future__ import changes how the whole file is compiled"
        )
        return
    fresh = all(name not in space.names for name in bound_names(new))
    plan.add(ADD if fresh else REBIND, _runner(plan, space, new))
    for name in bound_names(new):
        plan.tell(name_of(space, name))


def _plan_function(plan: FilePlan, space: Space, old: Optional[ast.stmt], new: Function) -> None:
    left = plan.is_left_over(name_of(space, new.name))
    if old is None and (left or new.name not in space.names or new.decorator_list):
        early = not touches(new, plan.dirty) and (left or new.name not in space.names)
        plan.add(ADD if early else RESHAPE, _runner(plan, space, new), name_of(space, new.name))
        return
    if isinstance(old, FUNCTIONS):
        dirty = any(touches(one, plan.dirty) for one in new.decorator_list)
        if decorators(old) == decorators(new) and not dirty:
            return
    elif old is not None and not isinstance(old, (ast.Assign, ast.AnnAssign)):
        plan.refuse(name_of(space, new.name), "it is a function now and was something else")
        return
    _plan_rebuilt(plan, space, new)


def _plan_rebuilt(plan: FilePlan, space: Space, new: Function) -> None:
    """Plans a function whose decorators changed: made anew, and the old object leads to the new one."""

    def step(journal: Journal) -> None:
        scope: dict[str, Any] = {}
        before = space.names.get(new.name)
        plan.run(new, space.names, scope)
        made = scope[new.name]
        journal.set_item(space.names, new.name, made)
        if before is None:
            return
        for names, alias in _holders(before, space.names):
            journal.set_item(names, alias, made)
        if type(before) is FunctionType and callable(made):
            bounce(journal, before, made)

    plan.add(RESHAPE, step, name_of(space, new.name))


def _plan_class(plan: FilePlan, space: Space, old: Optional[ast.stmt], new: ast.ClassDef) -> None:
    current = space.names.get(new.name)
    left = plan.is_left_over(name_of(space, new.name))
    if old is None and (left or new.name not in space.names):
        phase = RESHAPE if touches(new, plan.dirty) else ADD
        plan.add(phase, _runner(plan, space, new), name_of(space, new.name))
    elif isinstance(current, type) and (old is None or isinstance(old, ast.ClassDef)):
        if current.__module__ != space.name:
            # The name was bound to another class later, such as one written in C.
            if isinstance(old, ast.ClassDef) and without_bodies(old) != without_bodies(new):
                plan.refuse(
                    name_of(space, new.name), "the name means another class than the one in this file"
                )
            return
        plan_class(plan, space, current, old, new)
    else:
        plan.refuse(name_of(space, new.name), "it is a class now and was something else")


def _plan_other(plan: FilePlan, space: Space, old: Optional[ast.stmt], new: ast.stmt, root: str) -> None:
    if is_main_guard(new):
        plan.note(name_of(space, "__main__"), "what stands under `if __name__ == ...` runs only at the start")
        return
    if old is not None and old is not new and without_bodies(old) == without_bodies(new):
        return  # only bodies of functions in it: their code is replaced like all code
    if isinstance(new, ast.Expr) and isinstance(new.value, ast.Constant):
        text = new.value.value
        if isinstance(text, str) and plan.now.tree.body[0] is new:
            plan.add(REBIND, lambda journal: journal.set_item(space.names, "__doc__", text))
        return
    if is_plain_assignment(new, plan.imports):
        _plan_constant(plan, space, old, new, root)
        return
    what = _excerpt(new)
    defined = [
        one.name
        for one in ast.walk(new)
        if isinstance(one, (*FUNCTIONS, ast.ClassDef)) and one.name in space.names
    ]
    if not is_safe(new, plan.imports):
        plan.refuse(name_of(space, what), "this statement runs only when the program starts")
    elif defined:
        plan.refuse(name_of(space, what), f"it defines {', '.join(defined)} anew under a condition")
    else:
        fresh = all(name not in space.names for name in bound_names(new))
        plan.add(ADD if fresh else REBIND, _runner(plan, space, new), name_of(space, what))


def _excerpt(statement: ast.stmt) -> str:
    text = ast.unparse(statement).split("\n")[0]
    return text if len(text) <= 60 else text[:57] + "..."


def _plan_constant(plan: FilePlan, space: Space, old: Optional[ast.stmt], new: ast.stmt, root: str) -> None:
    names = bound_names(new)
    present = [name for name in names if name in space.names]
    what = name_of(space, ", ".join(names))
    if old is None and all(plan.is_left_over(name_of(space, name)) for name in present):
        plan.add(REBIND if touches(new, plan.dirty - set(names)) else ADD, _runner(plan, space, new), what)
        return
    value = getattr(old, "value", None)
    if getattr(new, "value", None) is None:
        plan.add(REBIND, _runner(plan, space, new), what)
        return
    if len(names) != 1 or len(present) != 1 or value is None:
        plan.refuse(what, "module-level state changed")
        return
    name, current = names[0], space.names[names[0]]
    if not plan.is_unmodified(value, current, space.names):
        plan.refuse(
            what, "the program has changed this module-level state since it was set, or it cannot be compared"
        )
        return
    holders = list(_importers(space, name, current, root))

    def step(journal: Journal) -> None:
        _runner(plan, space, new)(journal)
        for other, alias in holders:
            journal.set_item(other, alias, space.names[name])

    plan.add(REBIND, step, what)


def _plan_removal(plan: FilePlan, space: Space, old: ast.stmt, root: str) -> None:
    if isinstance(old, (ast.Import, ast.ImportFrom)):
        if isinstance(old, ast.ImportFrom) and old.module == "__future__":
            plan.refuse(
                name_of(space, "__future__"), "a __future__ import changes how the whole file is compiled"
            )
        return  # an import that nobody needs any more harms nobody
    if is_main_guard(old) or (isinstance(old, ast.Expr) and isinstance(old.value, ast.Constant)):
        return
    kept = {name for statement in plan.now.tree.body for name in bound_names(statement)}
    if isinstance(old, (*FUNCTIONS, ast.ClassDef)) or is_plain_assignment(old, plan.imports):
        for name in bound_names(old):
            if name in kept or name not in space.names:
                continue
            current = space.names[name]
            if isinstance(old, (*FUNCTIONS, ast.ClassDef)):
                users = [str(names.get("__name__")) for names, _ in _holders(current, space.names)]
            else:
                users = [str(names.get("__name__")) for names, _ in _importers(space, name, current, root)]
            if users:
                plan.refuse(
                    name_of(space, name), f"it was removed but {', '.join(sorted(set(users)))} imported it"
                )
            else:
                plan.add(REMOVE, _dropper(plan, space, name), name_of(space, name))
        return
    plan.refuse(
        name_of(space, _excerpt(old)), "this statement was removed, but the program has already run it"
    )


def _dropper(plan: FilePlan, space: Space, name: str) -> Any:
    def step(journal: Journal) -> None:
        if not plan.leaves(name_of(space, name)):
            journal.drop_item(space.names, name)

    return step


def _module_namespaces(but: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if type(names) is dict and names is not but:
            yield names


def _holders(value: Any, but: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Returns the other modules' names that are bound to this very object."""
    return [
        (names, alias)
        for names in _module_namespaces(but)
        for alias, other in list(names.items())
        if other is value and names.get("__file__") != but.get("__file__")
    ]


def _importers(space: Space, name: str, value: Any, root: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yields the names that other modules of the project got by `from module import name`.

    Equal small numbers and texts are one object, so identity says nothing here; the importers' text does.
    """
    for names in _module_namespaces(space.names):
        file = names.get("__file__")
        if type(file) is not str or not file.endswith(".py") or not is_below(file, root):
            continue
        try:
            data = read_source(file)
            if name.encode("utf-8") not in data:
                continue
            tree = ast.parse(data)
        except (OSError, ValueError, SyntaxError, RecursionError):
            continue
        package = str(names.get("__package__") or "")
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and _absolute(node, package) == space.name:
                for alias in node.names:
                    here = alias.asname or alias.name
                    if alias.name == name and names.get(here) is value:
                        yield names, here


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def unknown_constants(plan: FilePlan, space: Space) -> list[str]:
    """Returns constants that differ from the file when nobody knows whether the file or the program changed them."""
    differing = []
    for statement in plan.now.tree.body:
        names = bound_names(statement)
        value = getattr(statement, "value", None)
        if (
            not isinstance(statement, (ast.Assign, ast.AnnAssign))
            or len(names) != 1
            or names[0] not in space.names
        ):
            continue
        if (
            isinstance(value, ast.Constant)
            and not eager_names(value)
            and value.value != space.names[names[0]]
        ):
            differing.append(names[0])
    return differing
