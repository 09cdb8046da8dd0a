"""Adds new statements to a module: helpers, classes, constants, members of classes.

Where a statement goes decides whether it exists when it is first used. Loads libcst; `merger` is its
only user.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

import libcst as cst

from selfheal_tui.source.blend import docstring
from selfheal_tui.source.csttree import Definition, Path, code_of, replaced

TopLevel = cst.SimpleStatementLine | cst.BaseCompoundStatement
_BLANK = cst.EmptyLine(indent=False)


def assigned_name(statement: cst.CSTNode) -> str | None:
    """Returns the one name that a statement assigns, or None when it is no such assignment."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    small = statement.body[0]
    if isinstance(small, cst.Assign) and len(small.targets) == 1:
        target = small.targets[0].target
    elif isinstance(small, cst.AnnAssign):
        target = small.target
    else:
        return None
    return target.value if isinstance(target, cst.Name) else None


@dataclass(slots=True)
class Insertions:
    """What is to be added once all replacements are made."""

    _members: dict[Path, list[cst.BaseStatement]] = field(default_factory=dict)
    _definitions: list[Definition] = field(default_factory=list)
    _assignments: list[TopLevel] = field(default_factory=list)

    def member(self, owner: Path, statement: cst.BaseStatement) -> None:
        """Adds a statement to the class at a path."""
        self._members.setdefault(owner, []).append(statement)

    def define(self, definition: Definition) -> None:
        """Adds a function or class to the module."""
        self._definitions.append(definition)

    def assign(self, statement: TopLevel) -> None:
        """Adds a module-level assignment."""
        self._assignments.append(statement)

    def apply(self, module: cst.Module, anchor: int | None) -> cst.Module:
        """Makes all insertions.

        Args:
            module: The module after replacements.
            anchor: Index of the top-level statement that the fix is about; new definitions go before it,
                so that they exist when it runs.

        Returns:
            The new module.
        """
        for path in sorted(self._members, key=len, reverse=True):
            owner: cst.CSTNode = module
            for attribute, index in path:
                value = getattr(owner, attribute)
                owner = value if index is None else value[index]
            assert isinstance(owner, cst.ClassDef)
            changed = replaced(module, path, _with_members(owner, self._members[path]))
            assert isinstance(changed, cst.Module)
            module = changed
        body = list(module.body)
        if self._definitions:
            _insert_definitions(body, self._definitions, anchor)
        for statement in self._assignments:
            _insert_assignment(body, statement)
        return module.with_changes(body=body) if len(body) != len(module.body) else module


def _with_members(owner: cst.ClassDef, members: list[cst.BaseStatement]) -> cst.ClassDef:
    if isinstance(owner.body, cst.IndentedBlock):
        block = owner.body
    else:
        small = [
            s
            for s in owner.body.body
            if isinstance(s, cst.BaseSmallStatement) and not isinstance(s, cst.Pass)
        ]
        block = cst.IndentedBlock([cst.SimpleStatementLine(small)] if small else [])
    body = list(block.body)
    for member in members:
        if isinstance(member, Definition):
            body.append(member.with_changes(leading_lines=_lead(member, 1 if body else 0)))
        else:
            after = [i for i, s in enumerate(body) if assigned_name(s) is not None]
            body.insert(after[-1] + 1 if after else int(docstring(owner) is not None), member)
    return owner.with_changes(body=block.with_changes(body=body))


def _lead(node: Definition, blanks: int) -> list[cst.EmptyLine]:
    return [_BLANK] * blanks + [line for line in node.leading_lines if line.comment]


def _insert_definitions(body: list[TopLevel], new: list[Definition], anchor: int | None) -> None:
    at = anchor if anchor is not None else _before_main(body)
    for offset, node in enumerate(new):
        blanks = 2 if at + offset else 0
        body.insert(at + offset, node.with_changes(leading_lines=_lead(node, blanks)))
    following = at + len(new)
    if following < len(body):
        old = body[following]
        lines = list(getattr(old, "leading_lines", ()))
        blank = next((i for i, line in enumerate(lines) if line.comment), len(lines))
        body[following] = old.with_changes(leading_lines=[_BLANK] * max(0, 2 - blank) + lines)


def _before_main(body: list[TopLevel]) -> int:
    """Finds the end of the definitions: before code that runs, which may need the new one."""
    last = max((i for i, s in enumerate(body) if isinstance(s, Definition)), default=-1)
    for index in range(last + 1, len(body)):
        statement = body[index]
        if isinstance(statement, cst.If) and "__name__" in code_of(statement.test):
            return index
        if last >= 0 and _calls(statement):
            return index
    return len(body)


def _calls(statement: cst.CSTNode) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    return any(isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) for small in statement.body)


def _insert_assignment(body: list[TopLevel], new: TopLevel) -> None:
    """Puts a constant after the imports, and after everything that its value needs."""
    needed = {n.id for n in ast.walk(ast.parse(code_of(new))) if isinstance(n, ast.Name)}
    needed -= {assigned_name(new) or ""}
    at = 0
    for index, statement in enumerate(body):
        simple = isinstance(statement, cst.SimpleStatementLine)
        small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
        is_doc = index == 0 and isinstance(small, cst.Expr)
        name = statement.name.value if isinstance(statement, Definition) else assigned_name(statement)
        if is_doc or (simple and isinstance(small, cst.Import | cst.ImportFrom)) or name in needed:
            at = index + 1
    lines = [line for line in getattr(new, "leading_lines", ()) if line.comment]
    body.insert(at, new.with_changes(leading_lines=([_BLANK] if at else []) + lines))
