"""Plans changes of a dataclass: its generated methods are made anew and carried over into the living class.

Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import ast
import dataclasses
from types import FunctionType
from typing import Any, Iterator, Mapping, Sequence

from .journal import Journal
from .live import Space, instances_of
from .plan import RESHAPE, FilePlan
from .syntax import Change, bound_names, decorators

_NOT_CARRIED = frozenset(
    [
        "__dict__",
        "__weakref__",
        "__module__",
        "__qualname__",
        "__doc__",
        "__firstlineno__",
        "__static_attributes__",
        "_abc_impl",
    ]
)


def is_dataclass_node(node: ast.ClassDef, imports: Mapping[str, str]) -> bool:
    """Whether a class statement is decorated with the standard library's dataclass."""
    for one in node.decorator_list:
        target = one.func if isinstance(one, ast.Call) else one
        if imports.get(ast.unparse(target)) == "dataclasses.dataclass":
            return True
        head, _, rest = ast.unparse(target).partition(".")
        if imports.get(head) == "dataclasses" and rest == "dataclass":
            return True
    return False


def plan_dataclass(
    plan: FilePlan,
    space: Space,
    owner: type,
    old: ast.ClassDef,
    new: ast.ClassDef,
    changes: Sequence[Change],
    what: str,
) -> list[Change]:
    """Plans the fields of a dataclass, and returns the changes that are left for the ordinary way."""
    fields = [change for change in changes if any(isinstance(one, ast.AnnAssign) for one in change)]
    # A hand-written method such as `__eq__` that comes or goes changes what is generated.
    special = [
        change for change in changes if (change.old is None or change.new is None) and _is_special(change)
    ]
    rest = [change for change in changes if not any(change is one for one in fields)]
    if decorators(old) == decorators(new) and not fields and not special:
        return rest
    if len(old.decorator_list) > 1 or len(new.decorator_list) > 1:
        plan.refuse(what, "a dataclass with further decorators changed its fields")
        return rest
    if "__slots__" in vars(owner) or any("slots" in ast.dump(one) for one in new.decorator_list):
        plan.refuse(what, "the fields of a class with __slots__ changed")
        return rest
    if any("__dataclass_fields__" in vars(below) for below in _below(owner)):
        plan.refuse(what, "dataclasses that inherit its fields were made before")
        return rest
    gained = [name for name, node in _fields(new).items() if name not in _fields(old) and _needs_value(node)]
    gained = [
        name
        for name in gained
        if any(name not in getattr(one, "__dict__", {}) for one in instances_of(owner))
    ]
    if gained:
        plan.refuse(what, f"living instances lack the new field {', '.join(map(repr, gained))}")
        return rest
    written = {name for statement in new.body for name in bound_names(statement)} - set(_fields(new))

    def step(journal: Journal) -> None:
        scope: dict[str, Any] = {}
        plan.run(new, space.names, scope)
        _carry(journal, scope[new.name], owner, written, set(_fields(old)) - set(_fields(new)))

    plan.add(RESHAPE, step, what)
    return rest


def _is_special(change: Change) -> bool:
    return any(one is not None and any(name.startswith("__") for name in bound_names(one)) for one in change)


def _fields(node: ast.ClassDef) -> dict[str, ast.AnnAssign]:
    return {
        one.target.id: one
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }


def _needs_value(node: ast.AnnAssign) -> bool:
    """Whether the class has no attribute of that name, so that an old instance has no value at all."""
    return node.value is None or (
        isinstance(node.value, ast.Call) and not any(one.arg == "default" for one in node.value.keywords)
    )


def _below(owner: type) -> Iterator[type]:
    one: type
    for one in type.__subclasses__(owner):
        yield one
        yield from _below(one)


def _carry(journal: Journal, made: type, owner: type, written: set[str], gone: set[str]) -> None:
    for name, value in list(vars(made).items()):
        if name in written or name in _NOT_CARRIED:
            continue
        _point_to(journal, value, made, owner)
        journal.set_class(owner, name, value)
    for name in vars(owner).keys() - vars(made).keys():
        if name in gone or name in getattr(owner, dataclasses.__dict__["_FIELDS"], {}):
            journal.drop_class(owner, name)


def _point_to(journal: Journal, value: Any, made: type, owner: type) -> None:
    """Lets the closures of generated methods mean the living class."""
    seen: set[int] = set()
    todo = [value]
    while todo:
        one = todo.pop()
        if type(one) is not FunctionType or id(one) in seen:
            continue
        seen.add(id(one))
        todo.append(getattr(one, "__wrapped__", None))
        for cell in one.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:
                continue
            if content is made:
                journal.set_cell(cell, owner)
            else:
                todo.append(content)
