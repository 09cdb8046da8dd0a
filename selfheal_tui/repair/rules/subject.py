"""What the object was that lacked an attribute, and which names it has: from life, source or library.

Brings together the live evidence (names of the real object), the project's source and the target's
standard library, so that rules work alike on a probe's report and on a bare traceback text.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from selfheal_tui.model.crash import ExceptionInfo
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import ClassFacts, augmented, dotted, facts
from selfheal_tui.repair.rules.places import Place, exports, find_class, module_file, resolve
from selfheal_tui.repair.rules.support import Site, failing_site, site_of
from selfheal_tui.repair.rules.target import exporters, module_members
from selfheal_tui.source.identifiers import identifier_of

_INSTANCE = re.compile(r"'(?P<name>[^']+)' object has no attribute")
_CLASS = re.compile(r"type object '(?P<name>[^']+)' has no attribute")
_MODULE = re.compile(r"module '(?P<name>[^']+)' has no attribute")

BUILTIN_TYPES = frozenset(
    [
        "str",
        "bytes",
        "bytearray",
        "list",
        "tuple",
        "dict",
        "set",
        "frozenset",
        "int",
        "float",
        "complex",
        "bool",
        "range",
    ]
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that lacked an attribute.

    Attributes:
        site: Where the attribute was asked for.
        name: The attribute.
        nodes: The attribute nodes that the crash can be about, all on one receiver expression where
            positions tell.
        kind: `instance`, `class`, `module` or `super`.
        type_name: Qualified name of the type, or of the module.
        cls: The class, if the project defines it.
        module_path: The module's file, if it is the project's.
        names: What it does have.
    """

    site: Site
    name: str
    nodes: tuple[ast.Attribute, ...]
    kind: str
    type_name: str
    cls: ClassFacts | None
    module_path: str | None
    names: tuple[str, ...]

    @property
    def described(self) -> str:
        """How to call it before an operator."""
        return f"module {self.type_name}" if self.kind == "module" else self.type_name.rpartition(".")[2]

    @property
    def project_owned(self) -> bool:
        """Whether the project defines the class or module."""
        return self.cls is not None or self.module_path is not None


def subject_of(context: RepairContext) -> Subject | None:
    """Works out what lacked the attribute.

    Args:
        context: The crash; an AttributeError raised by an attribute access in the suspect frame.

    Returns:
        The subject; None when the crash is not such a one, when the failing line does not hold the
        attribute, or when it is about None (whose cure is never another name).
    """
    site = failing_site(context) or _asked_enum(context)
    error = context.error
    name = identifier_of(error)
    if site is None or not name or name.startswith("__"):
        return None  # dunders are protocols, and private names are mangled
    nodes = site.nodes(ast.Attribute, lambda node: node.attr == name)
    if not nodes:
        return None
    kind, type_name = _kind(error)
    if not type_name and not site.innermost and len(nodes) == 1:
        kind, type_name = "class", dotted(nodes[0].value)  # an enumeration's message is the bare name
    if not type_name or type_name.rpartition(".")[2] == "NoneType":
        return None
    if kind == "module":
        return _module(context, site, name, tuple(nodes), type_name)
    return _object(context, site, name, tuple(nodes), kind, type_name)


def _kind(error: ExceptionInfo) -> tuple[str, str]:
    for kind, pattern in (("module", _MODULE), ("class", _CLASS), ("instance", _INSTANCE)):
        match = pattern.search(error.message)
        if match:
            name = match["name"]
            if name == "super":
                return "super", name
            if kind == "instance" and error.evidence.obj_type:
                full = error.evidence.obj_type
                return kind, full if full.rpartition(".")[2] == name.rpartition(".")[2] else name
            return kind, name
    return "", ""


def _asked_enum(context: RepairContext) -> Site | None:
    """The site of `Color.GREN`: before 3.12 that is raised by a frame of the enum module."""
    frames = context.error.frames
    site = site_of(context)
    own = frames and frames[-1].file.endswith("enum.py") and frames[-1].function == "__getattr__"
    return site if own and len(frames) > 1 and frames[-2] is context.frame else None


def _module(
    context: RepairContext, site: Site, name: str, nodes: tuple[ast.Attribute, ...], module: str
) -> Subject:
    path = module_file(context.project, module, site.path)
    if path is None:
        head = dotted(nodes[0].value)
        place = resolve(context.project, site.path, site.tree, head) if head else None
        path = place.path if place is not None and isinstance(place.node, ast.Module) else None
    names = list(context.error.evidence.obj_names)
    if path is not None:
        names.extend(exports(context.project, path))
    else:
        names.extend(module_members(context.interpreter, module))
    return Subject(site, name, nodes, "module", module, None, path, tuple(dict.fromkeys(names)))


def _object(
    context: RepairContext,
    site: Site,
    name: str,
    nodes: tuple[ast.Attribute, ...],
    kind: str,
    type_name: str,
) -> Subject:
    evidence = context.error.evidence
    names = list(evidence.obj_names)
    cls: ClassFacts | None = None
    here = Place(site.path, site.tree, "<module>", site.tree)
    if kind == "super":
        own = site.method_class(nodes[0])
        if own is not None:
            cls = facts(context.project, Place(site.path, site.tree, own.name, own))
            own_names = {m.name for m in cls.members.values() if m.owner == own.name}
            names.extend(m for m in cls.members if m not in own_names)
            type_name = f"the bases of {own.name}"
    elif type_name.removeprefix("builtins.") not in BUILTIN_TYPES:
        place = find_class(context.project, type_name, file=evidence.obj_file, near=here)
        if place is not None:
            cls = facts(context.project, place)
            names.extend(
                member.name
                for member in cls.members.values()
                if kind == "instance" or member.kind not in ("instance attribute", "slot")
            )
    if cls is None:
        names.extend(_library_names(context, type_name))
    return Subject(site, name, nodes, kind, type_name, cls, None, tuple(dict.fromkeys(names)))


def _library_names(context: RepairContext, type_name: str) -> tuple[str, ...]:
    bare = type_name.removeprefix("builtins.")
    if bare in BUILTIN_TYPES:
        return module_members(context.interpreter, "builtins", bare)
    module, _, qualname = bare.rpartition(".")
    if module:
        return module_members(context.interpreter, module, qualname)
    if context.error.evidence.obj_names:
        return ()
    homes = exporters(context.interpreter, bare)
    return module_members(context.interpreter, homes[0], bare) if len(homes) == 1 else ()


def receiver_groups(nodes: tuple[ast.Attribute, ...]) -> list[list[ast.Attribute]]:
    """Groups attribute nodes by the expression before the dot."""
    groups: dict[str, list[ast.Attribute]] = {}
    for node in nodes:
        groups.setdefault(ast.dump(node.value), []).append(node)
    return list(groups.values())


def same_misuse(subject: Subject, node: ast.Attribute) -> list[ast.Attribute]:
    """Finds all accesses that must be wrong for the same reason as one of them.

    On `self`, that is every `self.name` of the class; on another plain name, every access to it in
    the same function; on a module, every access through its name in the file; else the node alone.
    """
    site = subject.site
    if not isinstance(node.value, ast.Name):
        return [node]
    scope: ast.AST = site.function(node) or site.tree
    cls = site.method_class(node)
    if subject.kind == "module":
        scope = site.tree
    elif cls is not None and node.value.id in ("self", "cls") and node.value.id != "super":
        scope = cls
    reading = augmented(scope)
    found = [
        other
        for other in ast.walk(scope)
        if isinstance(other, ast.Attribute)
        and other.attr == node.attr
        and isinstance(other.value, ast.Name)
        and other.value.id == node.value.id
        and (isinstance(other.ctx, ast.Load) or other in reading)
    ]
    return found or [node]
