"""Calls and what they call: which definition of the project a call reaches, and whether it fits.

Resolution follows imports, classes and `self`; the qualified name in the interpreter's own message
confirms it. What cannot be resolved for sure is not resolved.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import FunctionNode, decorator_names, dotted, facts, receiver
from selfheal_tui.repair.rules.places import Place, named, resolve, top_level
from selfheal_tui.repair.rules.support import Site
from selfheal_tui.source.position import definitions


@dataclass(frozen=True, slots=True)
class Callee:
    """What a call reaches.

    Attributes:
        place: The function; for a class with generated `__init__` the class.
        parameters: Names that it takes by position, in order, without a bound receiver.
        keywords: Names that it takes by keyword.
        star: Whether it takes any keyword.
    """

    place: Place
    parameters: tuple[str, ...]
    keywords: tuple[str, ...]
    star: bool


def is_bound(node: ast.FunctionDef | ast.AsyncFunctionDef, in_class: bool) -> bool:
    """Whether the first parameter of a function is filled by an instance or class."""
    return in_class and bool(receiver(node))


def fits_signature(node: ast.AST, call: ast.Call, *, bound: bool) -> bool:
    """Whether a call binds to the parameters of a function.

    Args:
        node: The function.
        call: The call; `*` and `**` in it are taken to fit.
        bound: Whether it is called through an instance (or a class, for class methods).
    """
    if not isinstance(node, FunctionNode):
        return False
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    skip = (
        1
        if positional
        and "staticmethod" not in decorator_names(node)
        and (bound or "classmethod" in decorator_names(node))
        else 0
    )
    positional, required = positional[skip:], required[skip:]
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return True
    if len(call.args) > len(positional) and arguments.vararg is None:
        return False
    names = {a.arg for a in positional} | {a.arg for a in arguments.kwonlyargs}
    given = {k.arg for k in call.keywords if k.arg}
    if not given <= names and arguments.kwarg is None:
        return False
    filled = {a.arg for a in positional[: len(call.args)]} | given
    needed = {a.arg for a in required}
    needed |= {
        a.arg
        for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    }
    return needed <= filled


def describe(context: RepairContext, place: Place, in_class: bool) -> Callee | None:
    """Reads the parameters of a function or class of the project."""
    node = place.node
    if isinstance(node, ast.ClassDef):
        return _class_callee(context, place)
    if not isinstance(node, FunctionNode):
        return None
    arguments = node.args
    skip = 1 if is_bound(node, in_class) else 0
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)][skip:]
    only = {a.arg for a in arguments.posonlyargs}
    keywords = [name for name in positional if name not in only] + [a.arg for a in arguments.kwonlyargs]
    return Callee(place, tuple(positional), tuple(keywords), arguments.kwarg is not None)


def _class_callee(context: RepairContext, place: Place) -> Callee | None:
    cls = facts(context.project, place)
    init = cls.members.get("__init__") or cls.members.get("__new__")
    if init is not None:
        return describe(context, init.place, in_class=True)
    fields: list[str] = []
    for owner in (*reversed(cls.bases), place):
        if isinstance(owner.node, ast.ClassDef):
            fields.extend(
                statement.target.id
                for statement in owner.node.body
                if isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and "ClassVar" not in ast.dump(statement.annotation)
            )
    assert isinstance(place.node, ast.ClassDef)
    generated = decorator_names(place.node) & {"dataclass", "define", "frozen", "attrs", "s"} or any(
        dotted(base).rpartition(".")[2] in ("NamedTuple", "BaseModel", "TypedDict")
        for base in place.node.bases
    )
    names = tuple(dict.fromkeys(fields))
    return Callee(place, names, names, star=False) if generated and names else None


def callee_of(context: RepairContext, site: Site, call: ast.Call, message_name: str) -> Callee | None:
    """Finds what a call reached.

    Args:
        context: The crash.
        site: Where the call stands.
        call: The call.
        message_name: The function as the interpreter's message names it (`f`, `C.f`, `f.<locals>.g`);
            a resolution that disagrees with it is dropped.

    Returns:
        The callee; None when it is not of the project or not certain.
    """
    bare = message_name.rpartition(".")[2]
    place = _by_expression(context, site, call)
    if place is not None:
        found = describe(
            context, place, in_class="." in place.qualname or isinstance(place.node, ast.ClassDef)
        )
        name = found.place.qualname.rpartition(".")[2] if found else ""
        if found is not None and (
            name == bare or (isinstance(found.place.node, ast.ClassDef) and bare in ("__init__", name))
        ):
            return found
    return _by_message(context, message_name)


def _by_expression(context: RepairContext, site: Site, call: ast.Call) -> Place | None:
    project = context.project
    name = dotted(call.func)
    head, _, rest = name.partition(".")
    cls = site.method_class(call)
    if cls is not None and rest and head in ("self", "cls"):
        qualname = next((q for q, node in definitions(site.tree) if node is cls), cls.name)
        member = facts(project, Place(site.path, site.tree, qualname, cls)).members.get(rest)
        return member.place if member is not None else None
    if not name:
        return None
    function = site.function(call)
    if function is not None and not rest:
        local = [
            (q, node)
            for q, node in definitions(site.tree)
            if q.endswith(f"<locals>.{name}") and node.lineno < call.lineno
        ]
        if local and name not in top_level(site.tree):
            return Place(site.path, site.tree, local[-1][0], local[-1][1])
    return resolve(project, site.path, site.tree, name)


def _by_message(context: RepairContext, message_name: str) -> Callee | None:
    """Finds the only definition of the project with the name in the message."""
    parts = [part for part in message_name.split(".") if part != "<locals>"]
    bare = parts[-1]
    if bare == "__init__" and len(parts) > 1:
        classes = [p for p in named(context.project, parts[-2]) if isinstance(p.node, ast.ClassDef)]
        return describe(context, classes[0], in_class=True) if len(classes) == 1 else None
    found = [place for place in named(context.project, bare) if isinstance(place.node, FunctionNode)]
    if len(parts) > 1:
        found = [p for p in found if p.qualname.replace(".<locals>", "").endswith(".".join(parts))]
    if len(found) != 1:
        return None
    place = found[0]
    owner = place.qualname.rpartition(".")[0]
    holder = inside_class(place, owner)
    return describe(context, place, in_class=holder)


def inside_class(place: Place, owner: str) -> bool:
    """Whether the qualified name of a definition's owner is a class."""
    return any(q == owner and isinstance(node, ast.ClassDef) for q, node in definitions(place.tree))
