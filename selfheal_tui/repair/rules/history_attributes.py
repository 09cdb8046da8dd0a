"""The rule for attributes, fields and constants that a commit renamed while some of their users stayed behind.

Functions and methods are the business of `history_names`; this is about what is assigned. Proof is the
commit that took the old name away and put exactly one new one in, with the same value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import own_members
from selfheal_tui.repair.rules.history_names import Lost, lost_name
from selfheal_tui.repair.rules.places import Place, top_level
from selfheal_tui.repair.rules.redirect import attribute_uses, module_uses, spread
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.support import CERTAIN, STRONG, ancestors, edited, parse
from selfheal_tui.source.githistory import GitHistory
from selfheal_tui.source.position import definitions

NAME = "renamed-attribute-in-history"
_ASSIGNED = ("instance attribute", "class attribute", "slot")


def renamed_attribute(context: RepairContext) -> Iterator[Finding]:
    """Redirects uses of an attribute to the name that it has since a commit."""
    lost = lost_name(context)
    if lost is None or lost.name in lost.names:
        return
    history = GitHistory(context.project)
    for path, owner in _places(lost):
        for commit, change in history.changes_about(path, lost.name):
            before, after = _assigned(change.before, owner), _assigned(change.after, owner)
            if lost.name not in before or lost.name in after:
                continue
            new = _successor(lost, before, after)
            if new is None:
                return
            same = before[lost.name] == after[new]
            redirection = (
                module_uses(context, lost.module_path, lost.name, new)
                if lost.module_path is not None
                else attribute_uses(context, lost.subject, new)
                if lost.subject is not None
                else None
            )
            if redirection is None or not redirection.edits:
                return
            fix = edited(
                context,
                NAME,
                f"{lost.label} had {lost.name!r} until {commit.short}, which put {new!r} in its place"
                f"{' with the same value' if same else ''}; {spread(redirection.edits)} redirected.",
                CERTAIN if same else STRONG,
                redirection.edits,
                notes=redirection.notes,
            )
            if fix is not None:
                yield fix
            return


def _places(lost: Lost) -> Iterator[tuple[str, str]]:
    """Files with the class in them that can have assigned the attribute; no class for modules."""
    if lost.module_path is not None:
        yield lost.module_path, ""
    elif lost.subject is not None and lost.subject.cls is not None:
        for place in (lost.subject.cls.place, *lost.subject.cls.bases):
            yield place.path, place.qualname


def _assigned(text: str | None, owner: str) -> dict[str, str]:
    """What a class (or module) of a text assigns: name to a fingerprint of the first value."""
    tree = parse(text) if text is not None else None
    if tree is None:
        return {}
    found: dict[str, str] = {}
    if not owner:
        for name, node in top_level(tree).items():
            if isinstance(node, ast.Name):
                found[name] = _value(tree, node)
        return found
    for qualname, node in definitions(tree):
        if qualname == owner and isinstance(node, ast.ClassDef):
            for member in own_members(Place("", tree, qualname, node)):
                if member.kind in _ASSIGNED:
                    found.setdefault(member.name, _value(tree, member.place.node))
    return found


def _value(tree: ast.Module, target: ast.AST) -> str:
    """The value and annotation that a target is given, as a text to compare."""
    statement = next((up for up in ancestors(tree, target) if isinstance(up, ast.stmt)), None)
    if isinstance(statement, ast.AnnAssign):
        value = ast.dump(statement.value) if statement.value is not None else ""
        return f"{ast.dump(statement.annotation)} {value}"
    return ast.dump(statement.value) if isinstance(statement, ast.Assign) else ""


def _successor(lost: Lost, before: dict[str, str], after: dict[str, str]) -> str | None:
    """The one name that came when the old one went and that still exists, the same value first."""
    came = [name for name in after if name not in before and name in lost.names]
    alike = [name for name in came if after[name] == before[lost.name]]
    gone = [name for name in before if name not in after]
    if len(alike) == 1:
        return alike[0]
    return came[0] if len(came) == len(gone) == 1 else None


RULES = (Rule(NAME, ("AttributeError", "ImportError"), renamed_attribute),)
