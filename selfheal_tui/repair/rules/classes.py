"""What instances of a project's class have: methods, properties, attributes, slots, fields, of all bases.

Read from the source, so it serves crashes that come as text only. What is set from outside or by
`setattr` cannot be seen; `ClassFacts.complete` says whether bases are missing from the picture.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from selfheal_tui.repair.rules.places import Place, resolve
from selfheal_tui.source.project import Project

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Member:
    """One thing that a class or its instances have.

    Attributes:
        name: Its name.
        kind: `method`, `property`, `class attribute`, `instance attribute`, `slot` or `class`.
        place: File and node that bind it.
        owner: Qualified name of the class that binds it.
    """

    name: str
    kind: str
    place: Place
    owner: str


@dataclass(slots=True)
class ClassFacts:
    """A class and its project bases.

    Attributes:
        place: The class.
        members: By name; the nearest class in the order of bases wins.
        bases: Project classes it inherits from, nearest first.
        complete: Whether every base was found in the project.
        dynamic: Whether `__getattr__` or `__getattribute__` answers for other names.
    """

    place: Place
    members: dict[str, Member] = field(default_factory=dict)
    bases: list[Place] = field(default_factory=list)
    complete: bool = True
    dynamic: bool = False

    @property
    def name(self) -> str:
        """Bare name of the class."""
        return self.place.qualname.rpartition(".")[2]


_EMPTY_BASES = frozenset(
    {"object", "ABC", "abc.ABC", "Protocol", "typing.Protocol", "Generic", "typing.Generic"}
)
"""Bases that add no public names of their own."""


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def facts(project: Project, place: Place) -> ClassFacts:
    """Collects what a class has, bases included.

    Args:
        project: The project.
        place: A class of the project.

    Returns:
        Its members.
    """
    result = ClassFacts(place)
    _collect(project, place, result, set())
    return result


def _collect(project: Project, place: Place, result: ClassFacts, seen: set[tuple[str, str]]) -> None:
    key = (place.path, place.qualname)
    if key in seen or not isinstance(place.node, ast.ClassDef):
        return
    seen.add(key)
    for member in own_members(place):
        result.members.setdefault(member.name, member)
        result.dynamic = result.dynamic or member.name in ("__getattr__", "__getattribute__")
    for base in place.node.bases:
        name = dotted(base.value if isinstance(base, ast.Subscript) else base)
        if name in _EMPTY_BASES:
            continue
        found = resolve(project, place.path, place.tree, name) if name else None
        if found is None or not isinstance(found.node, ast.ClassDef):
            result.complete = False
            continue
        result.bases.append(found)
        _collect(project, found, result, seen)


def own_members(place: Place) -> list[Member]:
    """Members that a class itself binds, without its bases, in source order."""
    node = place.node
    if not isinstance(node, ast.ClassDef):
        return []
    found: list[Member] = []

    def note(name: str, kind: str, at: ast.AST) -> None:
        found.append(
            Member(name, kind, Place(place.path, place.tree, f"{place.qualname}.{name}", at), place.qualname)
        )

    for statement in _statements(node.body):
        if isinstance(statement, FunctionNode):
            note(statement.name, "property" if is_property(statement) else "method", statement)
            for stored in self_assignments(statement):
                note(stored.attr, "instance attribute", stored)
        elif isinstance(statement, ast.ClassDef):
            note(statement.name, "class", statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            for name in _assigned_names(statement):
                note(name.id, "class attribute", name)
                if name.id == "__slots__" and statement.value is not None:
                    for item in ast.walk(statement.value):
                        if isinstance(item, ast.Constant) and isinstance(item.value, str):
                            note(item.value, "slot", item)
    return found


def _assigned_names(statement: ast.Assign | ast.AnnAssign) -> list[ast.Name]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [
        name
        for target in targets
        if not isinstance(target, ast.Attribute | ast.Subscript)
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    ]


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in body:
        found.append(statement)
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, FunctionNode | ast.ClassDef):
                found.extend(_statements(getattr(statement, name, [])))
    return found


def decorator_names(node: FunctionNode | ast.ClassDef) -> set[str]:
    """Last parts of the names of a definition's decorators (`app.route(...)` gives `route`)."""
    names = set()
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        names.add(dotted(target).rpartition(".")[2])
    return names


def is_property(node: FunctionNode) -> bool:
    """Whether reading the attribute calls the function."""
    return bool(decorator_names(node) & {"property", "cached_property", "setter", "getter", "deleter"})


def receiver(node: FunctionNode) -> str:
    """Name of the first parameter of a method (`self`, `cls`); empty for static methods and none."""
    positional = [*node.args.posonlyargs, *node.args.args]
    if not positional or "staticmethod" in decorator_names(node):
        return ""
    return positional[0].arg


def augmented(tree: ast.AST) -> frozenset[ast.AST]:
    """Targets of `x += …`, which read what they store and so do not define it."""
    return frozenset(node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign))


def self_assignments(method: FunctionNode) -> list[ast.Attribute]:
    """Targets `self.name = …` in a method (or `cls.name = …` in a class method)."""
    me = receiver(method)
    reading = augmented(method)
    return [
        node
        for node in ast.walk(method)
        if me
        and isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and node not in reading
        and isinstance(node.value, ast.Name)
        and node.value.id == me
    ]
