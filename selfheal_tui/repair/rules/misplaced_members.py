"""An attribute asked of the wrong object: one level too deep, or one too shallow.

`self.store.save()` where `self` itself can save; `self.save()` where only the store that it holds can. Offered only where
the other object is known to have the member, and is the only one that has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import ClassFacts, FunctionNode, dotted, facts, self_assignments
from selfheal_tui.repair.rules.places import Place, resolve
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.spans import insert_after, source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, Site, edited, failing_site, parents
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.identifiers import identifier_of
from selfheal_tui.source.position import definitions

NAME = "misplaced-member"
_DEEP = 0.78


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the access with one level less, or one more."""
    site, name = failing_site(context), identifier_of(context.error)
    if site is None or not name or name.startswith("__"):
        return
    nodes = site.nodes(ast.Attribute, lambda n: n.attr == name and isinstance(n.value, ast.Name))
    if len(nodes) != 1:
        return
    node = nodes[0]
    names = set(context.error.evidence.obj_names)
    known = _class_of(context, site, node)
    if known is not None:
        names |= known.members.keys()
    if near(name, sorted(names)):
        return  # rather a slip of the pen
    up = parents(site.tree).get(node)
    if isinstance(up, ast.Attribute) and up.value is node and up.attr in names:
        base = source_of(site.text, node.value)
        reason = f"`{base}` has no `{name}`, but has `{up.attr}` itself"
        yield from _emit(context, site, reason, _DEEP, [whole(node, base)])
    if known is None or known.dynamic:
        return
    holders = sorted(_holders(context, known, name))
    if len(holders) == 1:
        base = source_of(site.text, node.value)
        reason = f"`{base}` has no `{name}`, but its `{holders[0]}` has"
        yield from _emit(context, site, reason, PLAUSIBLE, [insert_after(node.value, f".{holders[0]}")])


def _emit(
    context: RepairContext, site: Site, reason: str, confidence: float, edits: list[TextEdit]
) -> Iterator[Finding]:
    fix = edited(context, NAME, reason, confidence, {site.path: edits})
    if fix is not None:
        yield fix


def _class_of(context: RepairContext, site: Site, node: ast.Attribute) -> ClassFacts | None:
    """The class that the object is of, where it is `self` or its type is the project's."""
    base = node.value
    if isinstance(base, ast.Name) and base.id == "self":
        cls = site.method_class(node)
        qualname = next((q for q, n in definitions(site.tree) if n is cls), "")
        return (
            facts(context.project, Place(site.path, site.tree, qualname, cls))
            if cls is not None and qualname
            else None
        )
    kind = (context.error.evidence.obj_type or "").rpartition(".")[2]
    place = resolve(context.project, site.path, site.tree, kind) if kind else None
    return (
        facts(context.project, place) if place is not None and isinstance(place.node, ast.ClassDef) else None
    )


def _holders(context: RepairContext, known: ClassFacts, name: str) -> set[str]:
    """Attributes that are made as objects of project classes which have a method of that name."""
    found: set[str] = set()
    for place in (known.place, *known.bases):
        for method in getattr(place.node, "body", []):
            if not isinstance(method, FunctionNode):
                continue
            stored = set(map(id, self_assignments(method)))
            for n in ast.walk(method):
                if not (
                    isinstance(n, ast.Assign) and id(n.targets[0]) in stored and isinstance(n.value, ast.Call)
                ):
                    continue
                made = dotted(n.value.func)
                cls = resolve(context.project, place.path, place.tree, made) if made else None
                target = n.targets[0]
                if (
                    cls is None
                    or not isinstance(cls.node, ast.ClassDef)
                    or not isinstance(target, ast.Attribute)
                ):
                    continue
                member = facts(context.project, cls).members.get(name)
                if member is not None and member.kind in ("method", "property"):
                    found.add(target.attr)
    return found


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError",), apply),)
