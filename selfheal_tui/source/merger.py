"""Decides where each statement of a snippet belongs in a module, and puts it there.

Replacements happen in place, so paths stay valid; insertions wait until the end. Whatever fits in two
places is refused. Loads libcst; `merge` is its only user.
"""

from __future__ import annotations

import ast

import libcst as cst

from selfheal_tui.source.blend import blend, blend_definition, docstring, head, shape
from selfheal_tui.source.csttree import (
    Definition,
    Path,
    Place,
    code_of,
    decorator_kind,
    places,
    places_with_lines,
    replaced,
)
from selfheal_tui.source.insertion import Insertions, assigned_name
from selfheal_tui.source.position import LOCALS, MODULE
from selfheal_tui.source.snippet import MergeRefusedError


class Merger:
    """One merge.

    Attributes:
        changed: Qualified names of what was changed or added, in order.
    """

    def __init__(self, module: cst.Module, tree: ast.Module, qualname: str, line: int | None) -> None:
        self.changed: list[str] = []
        self._module = module
        self._hint = "" if qualname == MODULE else qualname
        self._is_module = qualname == MODULE
        self._target = self._resolve(places_with_lines(module, tree), line)
        self._bound = _bound_names(tree)
        self._overloads: dict[str, int] = {}
        self._insertions = Insertions()
        self._anchor: int | None = self._target.path[0][1] if self._target else None

    def _resolve(self, known: list[Place], line: int | None) -> Place | None:
        """Finds the definition that the snippet is about."""
        if not self._hint:
            return None
        found = [place for place in known if place.qualname == self._hint]
        if line is not None and len(found) > 1:
            found = [place for place in found if place.lines[0] <= line <= place.lines[1]] or found
            if len(found) == 1:
                return found[0]
        plain = [place for place in found if decorator_kind(place.node) != "overload"] or found
        return plain[0] if len(plain) == 1 else None

    def finish(self) -> cst.Module:
        """Makes the insertions.

        Returns:
            The merged module.
        """
        module = self._insertions.apply(self._module, self._anchor)
        self._module = module
        return module

    def take(self, statement: cst.BaseStatement) -> None:
        """Merges one top-level statement of the snippet.

        Raises:
            MergeRefusedError: It has no certain place.
        """
        if isinstance(statement, cst.FunctionDef):
            self._function(statement)
        elif isinstance(statement, cst.ClassDef):
            self._class(statement)
        elif not self._repeats(statement):
            self._statement(statement)

    def replace_target(self, new: Definition) -> None:
        """Replaces the definition that the merge is about, as a whole.

        Raises:
            MergeRefusedError: There is none of that name and kind, or more than one.
        """
        self._replace(self._pick(self._hint, new, required=True), new)

    # Functions

    def _function(self, new: cst.FunctionDef) -> None:
        name = new.name.value
        place = self._place_of_function(new)
        if place is not None:
            self._replace(place, new)
        elif _is_method(new):
            owner = self._hinted_class()
            if owner is None:
                raise MergeRefusedError(f"{name} looks like a method: put it inside its class")
            self._add_member(owner, new)
        else:
            self._define(new)

    def _define(self, new: Definition) -> None:
        name = new.name.value
        if name in self._bound:
            raise MergeRefusedError(f"{name} is assigned at module level, not defined: change the assignment")
        self._insertions.define(new)
        self.changed.append(name)

    def _place_of_function(self, new: cst.FunctionDef) -> Place | None:
        name = new.name.value
        if self._hint.rpartition(".")[2] == name and (place := self._pick(self._hint, new)):
            return place
        owner = self._hinted_class()
        if _is_method(new):
            if owner is not None:
                return self._pick(f"{owner.qualname}.{name}", new)
            return self._pick(name, new) or self._only(new, [p for p in self._named(new) if p.owner])
        if place := self._pick(name, new):
            return place
        if self._hint:
            near = [f"{owner.qualname}.{name}"] if owner is not None else []
            scopes = self._hint.split(f".{LOCALS}.")
            near += [f".{LOCALS}.".join([*scopes[:n], name]) for n in range(len(scopes), 0, -1)]
            return next((p for q in near if (p := self._pick(q, new))), None)
        return self._only(new, [p for p in self._named(new) if not _is_method(p.node)])

    def _named(self, new: Definition) -> list[Place]:
        return [p for p in places(self._module) if p.name == new.name.value and type(p.node) is type(new)]

    def _only(self, new: Definition, found: list[Place]) -> Place | None:
        owners = sorted({place.qualname for place in found})
        if len(owners) > 1:
            raise MergeRefusedError(f"{new.name.value} could be any of {', '.join(owners)}: say which")
        return self._pick(owners[0], new) if owners else None

    def _pick(self, qualname: str, new: Definition, *, required: bool = False) -> Place | None:
        """Finds the definition of a qualified name that a new version replaces.

        Accessors and overloads are told apart by their decorators, other namesakes by the line given; of
        plain redefinitions in one block the last one counts, as at run time.
        """
        every = [p for p in places(self._module) if p.qualname == qualname and type(p.node) is type(new)]
        kind = decorator_kind(new)
        found = [p for p in every if decorator_kind(p.node) == kind]
        target = self._target if self._target and self._target.qualname == qualname else None
        if kind == "overload":
            if target is not None and target.path in [p.path for p in found]:
                return next(p for p in found if p.path == target.path)
            return self._next_overload(qualname, found)
        if not found and not new.decorators:
            found = [p for p in every if decorator_kind(p.node) != "overload"]
        if len(found) > 1 and new.decorators:
            wanted = [code_of(d.decorator) for d in new.decorators]
            found = [p for p in found if [code_of(d.decorator) for d in p.node.decorators] == wanted] or found
        if target is not None:
            hinted = [p for p in every if p.path == target.path]
            if not new.decorators or any(p.path == target.path for p in found):
                found = hinted or found
        blocks = {p.path[:-1] for p in found}
        alike = {tuple(code_of(d.decorator) for d in p.node.decorators) for p in found}
        if len(blocks) == len(alike) == 1:
            found = found[-1:]
        if len(found) > 1:
            raise MergeRefusedError(
                f"{qualname} is defined {len(found)} times: say which one by its line or its decorators"
            )
        if required and not found:
            raise MergeRefusedError(f"the module has no {qualname} of this kind")
        return found[0] if found else None

    def _next_overload(self, qualname: str, found: list[Place]) -> Place:
        number = self._overloads.get(qualname, 0)
        self._overloads[qualname] = number + 1
        if number >= len(found):
            raise MergeRefusedError(f"{qualname} has {len(found)} overloads: a fix may not add any")
        return found[number]

    def _replace(self, place: Place | None, new: Definition) -> None:
        assert place is not None
        merged = blend_definition(place.node, new)
        if merged is not place.node:
            self._put(place.path, merged)
            self.changed.append(place.qualname)
            if self._anchor is None:
                self._anchor = place.path[0][1]

    def _put(self, path: Path, node: cst.CSTNode) -> None:
        module = replaced(self._module, path, node)
        assert isinstance(module, cst.Module)
        self._module = module

    # Classes

    def _hinted_class(self) -> Place | None:
        """Finds the innermost class on the way to the definition that the snippet is about."""
        classes = {p.qualname: p for p in places(self._module) if isinstance(p.node, cst.ClassDef)}
        names = self._hint.split(".")
        ways = (".".join(names[:n]) for n in range(len(names), 0, -1))
        return next((classes[way] for way in ways if way in classes), None)

    def _class(self, new: cst.ClassDef) -> None:
        name = new.name.value
        place = self._pick(name, new)
        if place is None and self._hint:
            names = self._hint.split(".")
            ways = [".".join(names[: n + 1]) for n in range(len(names)) if names[n] == name]
            place = next((p for way in ways if (p := self._pick(way, new))), None)
        if place is None:
            place = self._only(new, self._named(new))
        if place is None:
            self._define(new)
        else:
            self._merge_class(place, new)

    def _merge_class(self, place: Place, new: cst.ClassDef) -> None:
        self._class_header(place, new)
        skipped = docstring(new)
        for member in new.body.body:
            if member is skipped or isinstance(member, cst.BaseSmallStatement):
                if not isinstance(member, cst.Pass | cst.SimpleStatementLine):
                    raise MergeRefusedError(f"give the body of class {place.qualname} on lines of its own")
                continue
            assert isinstance(member, cst.BaseStatement)
            self._member(place, member)

    def _class_header(self, place: Place, new: cst.ClassDef) -> None:
        old = place.node
        assert isinstance(old, cst.ClassDef)
        changes: dict[str, object] = {}
        arguments = [code_of(a).strip(" ,") for a in (*old.bases, *old.keywords)]
        wanted = [code_of(a).strip(" ,") for a in (*new.bases, *new.keywords)]
        if wanted and wanted != arguments:
            changes |= {"bases": new.bases, "keywords": new.keywords, "lpar": new.lpar, "rpar": new.rpar}
        if new.decorators and [code_of(d.decorator) for d in new.decorators] != [
            code_of(d.decorator) for d in old.decorators
        ]:
            changes["decorators"] = new.decorators
        if changes:
            self._put(place.path, old.with_changes(**changes))
            self.changed.append(place.qualname)

    def _member(self, place: Place, member: cst.BaseStatement) -> None:
        if isinstance(member, Definition):
            found = self._pick(f"{place.qualname}.{member.name.value}", member)
            if found is None:
                self._add_member(place, member)
            elif isinstance(member, cst.ClassDef):
                self._merge_class(found, member)
            else:
                self._replace(found, member)
            return
        current = next(p for p in places(self._module) if p.path == place.path)
        block = current.node.body
        statements = block.body if isinstance(block, cst.IndentedBlock) else ()
        wanted = shape(member)
        if wanted == shape(cst.SimpleStatementLine([cst.Pass()])) or wanted in map(shape, statements):
            return
        name = assigned_name(member)
        if name is None:
            raise MergeRefusedError(
                f"a statement of class {place.qualname} is neither definition nor attribute"
            )
        same = [i for i, old in enumerate(statements) if assigned_name(old) == name]
        if len(same) > 1:
            raise MergeRefusedError(f"{place.qualname}.{name} is assigned {len(same)} times")
        if same:
            path = (*place.path, ("body", None), ("body", same[0]))
            self._put(path, blend(statements[same[0]], member))
        else:
            self._insertions.member(place.path, member)
        self.changed.append(f"{place.qualname}.{name}")

    def _add_member(self, owner: Place, new: Definition) -> None:
        self._insertions.member(owner.path, new)
        self.changed.append(f"{owner.qualname}.{new.name.value}")

    # Other statements at module level

    def _repeats(self, statement: cst.BaseStatement) -> bool:
        wanted = shape(statement)
        return any(shape(old) == wanted for old in self._module.body if type(old) is type(statement))

    def _statement(self, new: cst.BaseStatement) -> None:
        name = assigned_name(new)
        if name is not None:
            same = [i for i, old in enumerate(self._module.body) if assigned_name(old) == name]
        elif self._is_module and not _is_expression(new):
            wanted = head(new)
            same = [
                i for i, old in enumerate(self._module.body) if type(old) is type(new) and head(old) == wanted
            ]
        else:
            same = []
        if len(same) == 1:
            self._put((("body", same[0]),), blend(self._module.body[same[0]], new))
            self.changed.append(name or MODULE)
        elif same:
            raise MergeRefusedError(f"{name or head(new)} stands {len(same)} times at module level")
        elif name in self._bound:
            raise MergeRefusedError(f"{name} is assigned together with other names, or under a condition")
        elif name is not None and isinstance(new, cst.SimpleStatementLine):
            self._insertions.assign(new)
            self.changed.append(name)
        else:
            first = code_of(new).strip().splitlines()[0]
            raise MergeRefusedError(f"code that runs on import is not merged: {first!r}")


def _bound_names(tree: ast.Module) -> frozenset[str]:
    """Names that statements at module level assign, definitions and imports aside."""
    todo: list[ast.AST] = list(tree.body)
    names = set()
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return frozenset(names)


def _is_expression(statement: cst.BaseStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and any(
        isinstance(small, cst.Expr) for small in statement.body
    )


def _is_method(node: Definition) -> bool:
    if not isinstance(node, cst.FunctionDef):
        return False
    parameters = [*node.params.posonly_params, *node.params.params]
    return bool(parameters) and parameters[0].name.value in ("self", "cls")
