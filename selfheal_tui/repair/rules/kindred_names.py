"""Rules that work without git: names that say the same in other words, and methods that siblings have.

`kindred-name` knows that `has_secrets` and `contains_secrets` are likely one thing, if their calls fit.
`sibling-method` copies what a class with the same interface has. Both are less than certain, and say so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.calls import fits_signature
from selfheal_tui.repair.rules.classes import ClassFacts, FunctionNode, facts
from selfheal_tui.repair.rules.history_names import Lost, lost_name
from selfheal_tui.repair.rules.places import Place, exports, files
from selfheal_tui.repair.rules.redirect import attribute_uses, module_uses, spread
from selfheal_tui.repair.rules.restore import class_with, needs_of, unmet
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import kindred, near, tokens
from selfheal_tui.repair.rules.support import GUESS, PLAUSIBLE, STRONG, candidate, edited
from selfheal_tui.source.position import definitions

KINDRED = "kindred-name"
SIBLING = "sibling-method"
_SHARED = 0.6
"""Share of its public methods that a class must have in common with another to count as its sibling."""


def kindred_name(context: RepairContext) -> Iterator[Finding]:
    """Redirects to the one name of the object that says the same and accepts the same call."""
    lost = lost_name(context)
    if lost is None or lost.name in lost.names or near(lost.name, lost.names):
        return
    calls = _calls(lost)
    fitting = [n for n in sorted(lost.names) if kindred(lost.name, n) and _accepts(context, lost, n, calls)]
    if not fitting or len(fitting) > 2:
        return
    for name in fitting:
        strong = len(fitting) == 1 and len(tokens(name) & tokens(lost.name)) >= 1 and bool(calls)
        if lost.module_path is not None:
            redirection = module_uses(context, lost.module_path, lost.name, name)
        elif lost.subject is not None:
            redirection = attribute_uses(context, lost.subject, name)
        else:
            continue
        if not redirection.edits:
            continue
        fix = edited(
            context,
            KINDRED,
            f"{lost.label} has no {lost.name!r}, but {name!r} says the same in other words and accepts the same "
            f"call; {spread(redirection.edits)} redirected.",
            STRONG if strong else PLAUSIBLE if len(fitting) == 1 else GUESS,
            redirection.edits,
            notes=redirection.notes,
        )
        if fix is not None:
            yield fix


def _calls(lost: Lost) -> list[ast.Call]:
    if lost.subject is None:
        return []
    wanted = set(lost.subject.nodes)
    return [n for n in ast.walk(lost.subject.site.tree) if isinstance(n, ast.Call) and n.func in wanted]


def _accepts(context: RepairContext, lost: Lost, name: str, calls: list[ast.Call]) -> bool:
    """Whether what has the other name is the same kind of thing, and its signature fits the calls."""
    if lost.subject is not None and lost.subject.cls is not None:
        member = lost.subject.cls.members.get(name)
        if member is None:
            return False
        node: ast.AST = member.place.node
        if not calls:
            return member.kind != "method"
        return (
            isinstance(node, FunctionNode)
            and member.kind == "method"
            and all(fits_signature(node, call, bound=lost.subject.kind == "instance") for call in calls)
        )
    node_or_none = exports(context.project, lost.module_path or "").get(name)
    if not calls:
        return isinstance(node_or_none, FunctionNode | ast.ClassDef)
    return isinstance(node_or_none, FunctionNode) and all(
        fits_signature(node_or_none, call, bound=False) for call in calls
    )


def sibling_method(context: RepairContext) -> Iterator[Finding]:
    """Copies a method from the one class that has it and otherwise looks like this one."""
    lost = lost_name(context)
    if lost is None or lost.subject is None or lost.subject.cls is None or lost.name in lost.names:
        return
    cls = lost.subject.cls
    if lost.subject.kind == "super":
        return
    calls = _calls(lost)
    if not calls:
        return
    donors = []
    for place, node in _definers(context, lost.name):
        other = facts(context.project, place)
        same = (place.path, place.qualname) == (cls.place.path, cls.place.qualname)
        if same or not _siblings(cls, other):
            continue
        if all(fits_signature(node, call, bound=True) for call in calls) and not unmet(
            context, cls, None, needs_of(node)
        ):
            donors.append((place, node))
    bodies = {ast.dump(node) for _place, node in donors}
    if len(bodies) != 1:
        return
    place, node = donors[0]
    text = context.project.read(cls.place.path).text
    donor = context.project.read(place.path).text
    yield candidate(
        context,
        SIBLING,
        f"{cls.name} has no {lost.name!r}, but {place.qualname}, which has the same interface, does; the method "
        f"is copied, since all it uses is there as well.",
        GUESS,
        {cls.place.path: class_with(text, cls.place.node, donor, node)},
        notes=(f"Copied from {place.path}; a shared base class may be the better place.",),
    )


def _definers(
    context: RepairContext, name: str
) -> Iterator[tuple[Place, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, _text, tree in files(context.project, name):
        if context.project.protected(path):
            continue
        for qualname, node in definitions(tree):
            if isinstance(node, ast.ClassDef):
                for statement in node.body:
                    if isinstance(statement, FunctionNode) and statement.name == name:
                        yield Place(path, tree, qualname, node), statement


def _siblings(left: ClassFacts, right: ClassFacts) -> bool:
    """Whether two classes share a project base, or most of their public methods."""
    bases = {(base.path, base.qualname) for base in left.bases} & {
        (base.path, base.qualname) for base in right.bases
    }
    if bases:
        return True
    mine, theirs = _public(left), _public(right)
    return len(mine & theirs) >= 2 and len(mine & theirs) >= _SHARED * min(len(mine), len(theirs))


def _public(cls: ClassFacts) -> set[str]:
    return {m.name for m in cls.members.values() if m.kind == "method" and not m.name.startswith("_")}


RULES = (
    Rule(KINDRED, ("AttributeError", "ImportError"), kindred_name),
    Rule(SIBLING, ("AttributeError",), sibling_method),
)
