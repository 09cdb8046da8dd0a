"""Points every use of a name that is gone to the name that took its place, in all files of the project.

Uses in protected files (tests and the like) are left alone and counted in the notes. Reads only; the
caller makes the candidate.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import augmented, own_members
from selfheal_tui.repair.rules.places import Place, absolute_module, files, module_file, named
from selfheal_tui.repair.rules.scopes import loads
from selfheal_tui.repair.rules.spans import rename_attribute, start_of, whole
from selfheal_tui.repair.rules.subject import Subject, same_misuse
from selfheal_tui.repair.rules.target import module_members
from selfheal_tui.source.edits import TextEdit

_COMMON_TYPES = ("str", "bytes", "list", "dict", "set", "int", "float", "tuple", "object")


@dataclass(slots=True)
class Redirection:
    """Edits by file, and what could not be edited.

    Attributes:
        edits: Text edits by path.
        protected: Uses in files that no fix may touch.
    """

    edits: dict[str, list[TextEdit]] = field(default_factory=dict)
    protected: list[str] = field(default_factory=list)

    def add(self, context: RepairContext, path: str, edit: TextEdit) -> None:
        """Notes one edit, unless its file is protected."""
        if context.project.protected(path):
            if path not in self.protected:
                self.protected.append(path)
        elif edit not in self.edits.setdefault(path, []):
            self.edits[path].append(edit)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know."""
        return tuple(f"{path} still uses the old name, and no fix may touch it" for path in self.protected)

    @property
    def count(self) -> int:
        """How many uses are changed."""
        return sum(map(len, self.edits.values()))


def unambiguous(context: RepairContext, name: str) -> bool:
    """Whether an attribute of that name can only mean the one that is gone.

    Nothing in the project may define or assign it, and no common built-in type may have it.
    """
    interpreter = context.interpreter
    if any(name in module_members(interpreter, "builtins", kind) for kind in _COMMON_TYPES):
        return False
    return len(name) > 3 and not defined_somewhere(context, name)


def defined_somewhere(context: RepairContext, name: str) -> bool:
    """Whether anything in the project defines or assigns an attribute of that name."""
    if named(context.project, name):
        return True
    return any(_assigns(tree, name) for _path, _text, tree in files(context.project, name))


def _assigns(tree: ast.Module, name: str) -> bool:
    """Whether a module gives any object an attribute of that name: `x.name = …`, a field, a slot."""
    reading = augmented(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == name:
            if isinstance(node.ctx, ast.Store) and node not in reading:
                return True
        elif isinstance(node, ast.ClassDef):
            place = Place("", tree, node.name, node)
            if any(member.name == name for member in own_members(place)):
                return True
    return False


def attribute_uses(context: RepairContext, subject: Subject, new: str) -> Redirection:
    """Redirects accesses to an attribute of an instance or class.

    Args:
        context: The crash.
        subject: What lacked the attribute.
        new: The name that it has.

    Returns:
        Every access in the project when the name can mean nothing else; the failing one and its
        like otherwise.
    """
    result = Redirection()
    if len(subject.nodes) == 1 or unambiguous(context, subject.name):
        for node in same_misuse(subject, subject.nodes[0]):
            result.add(context, subject.site.path, rename_attribute(node, new))
    if not subject.project_owned or not unambiguous(context, subject.name):
        return result
    telling = "_" in subject.name.strip("_")  # a compound name is hardly anybody else's
    for path, text, tree in files(context.project, subject.name):
        if not telling and subject.cls is not None and subject.cls.name not in text:
            continue
        for other in ast.walk(tree):
            if (
                isinstance(other, ast.Attribute)
                and other.attr == subject.name
                and isinstance(other.ctx, ast.Load)
            ):
                result.add(context, path, rename_attribute(other, new))
    return result


def module_uses(context: RepairContext, module_path: str, old: str, new: str) -> Redirection:
    """Redirects `m.old` and `from m import old` to a new name in the same module, in all files."""
    result = Redirection()
    for path, _text, tree in files(context.project, old):
        modules = _module_names(context, path, tree, module_path)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == old and _head(node.value) in modules:
                result.add(context, path, rename_attribute(node, new))
            if isinstance(node, ast.ImportFrom):
                found = module_file(context.project, absolute_module(context.project, path, node), path)
                for alias in node.names if found == module_path else ():
                    if alias.name == old:
                        for edit in import_edits(tree, alias, new):
                            result.add(context, path, edit)
    return result


def import_edits(tree: ast.Module, alias: ast.alias, new: str) -> list[TextEdit]:
    """Edits that import another name instead, and use it, unless it is bound under an alias anyway."""
    line, column = start_of(alias)
    edits = [TextEdit((line, column), (line, column + len(alias.name.encode())), new)]
    if alias.asname is None:
        edits.extend(whole(use, new) for use in loads(tree, alias.name))
    return edits


def _head(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _module_names(context: RepairContext, path: str, tree: ast.Module, module_path: str) -> set[str]:
    """Expressions by which a file names a module: `m`, an alias, or `pkg.m`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            prefix = ""
        elif isinstance(node, ast.ImportFrom):
            prefix = absolute_module(context.project, path, node)
        else:
            continue
        for alias in node.names:
            dotted = f"{prefix}.{alias.name}".strip(".")
            if module_file(context.project, dotted, path) == module_path:
                found.add(alias.asname or alias.name)
    return found


def spread(edits: Mapping[str, list[TextEdit]]) -> str:
    """Says how far a redirection goes, for its reason."""
    count = sum(map(len, edits.values()))
    where = f" in {len(edits)} files" if len(edits) > 1 else ""
    return f"all {count} uses{where} are" if count > 1 else "its use is"
