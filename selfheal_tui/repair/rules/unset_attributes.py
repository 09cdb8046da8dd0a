"""Attributes that a class counts up, fills or asks for None, and that no `__init__` ever sets.

The start value comes from how the methods use the attribute, never from its name; where they do not show one value,
nothing is offered.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.classes import ClassFacts, augmented, facts, receiver
from selfheal_tui.repair.rules.places import Place
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.support import (
    PLAUSIBLE,
    STRONG,
    FunctionNode,
    Site,
    edited,
    failing_site,
    parents,
)
from selfheal_tui.source.identifiers import identifier_of
from selfheal_tui.source.position import definitions

NAME = "unset-attribute"
_FILLING = {"append": "[]", "extend": "[]", "insert": "[]", "add": "set()", "setdefault": "{}", "items": "{}"}


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the assignment that `__init__` lacks."""
    site = failing_site(context)
    name = identifier_of(context.error)
    if site is None or not name or name.startswith("__"):
        return
    nodes = site.nodes(ast.Attribute, lambda n: n.attr == name and isinstance(n.value, ast.Name))
    cls = site.method_class(nodes[0]) if nodes else None
    if cls is None:
        return
    qualname = next((q for q, node in definitions(site.tree) if node is cls), cls.name)
    known = facts(context.project, Place(site.path, site.tree, qualname, cls))
    init = next((n for n in cls.body if isinstance(n, FunctionNode) and n.name == "__init__"), None)
    if init is None or known.dynamic or not receiver(init) or not _elsewhere_only(known, name, init):
        return
    uses = _uses(cls, name)
    if nodes[0] not in uses:
        return
    data = [m.name for m in known.members.values() if m.name != name and m.kind not in ("method", "class")]
    if near(name, data):
        return  # it may be another one, misspelt
    value = _value(site, uses)
    if value is None:
        return
    text, why, confidence = value
    line = flow.line_before(site, _place(init), f"{receiver(init)}.{name} = {text}")
    reason = f"`{cls.name}` {why} `{name}`, but its `__init__` does not set it: start it with `{text}`"
    fix = edited(context, NAME, reason, confidence, {site.path: [line]})
    if fix is not None:
        yield fix


def _elsewhere_only(known: ClassFacts, name: str, init: FunctionNode) -> bool:
    """Whether nothing but ordinary methods binds the attribute."""
    member = known.members.get(name)
    if member is None:
        return known.complete
    inside = set(ast.walk(init))
    return member.kind == "instance attribute" and member.place.node not in inside


def _uses(cls: ast.ClassDef, name: str) -> list[ast.Attribute]:
    found: list[ast.Attribute] = []
    for method in cls.body:
        if isinstance(method, FunctionNode) and (me := receiver(method)):
            found += [
                n
                for n in ast.walk(method)
                if isinstance(n, ast.Attribute) and n.attr == name
                and isinstance(n.value, ast.Name) and n.value.id == me
            ]  # fmt: skip
    return found


def _value(site: Site, uses: list[ast.Attribute]) -> tuple[str, str, float] | None:
    up = parents(site.tree)
    counted = augmented(site.tree)
    found: dict[str, tuple[str, float]] = {}
    for use in uses:
        holder = up.get(use)
        if use in counted and isinstance(holder, ast.AugAssign) and isinstance(holder.op, ast.Add | ast.Sub):
            kind = flow.type_of(site, holder.value)
            text = {"str": '""', "list": "[]", "float": "0.0"}.get(kind, "0")
            found.setdefault(text, ("counts up", STRONG if kind else PLAUSIBLE))
        elif isinstance(holder, ast.Attribute) and isinstance(up.get(holder), ast.Call):
            if holder.attr in _FILLING:
                found.setdefault(_FILLING[holder.attr], ("fills", STRONG))
        elif isinstance(holder, ast.Subscript) and holder.value is use and isinstance(holder.ctx, ast.Store):
            found.setdefault("{}", ("fills", STRONG))
        elif _asks_for_none(holder, use) and any(isinstance(u.ctx, ast.Store) for u in uses):
            found.setdefault("None", ("asks for None", STRONG))
    if len(found) != 1:
        return None
    text, (why, confidence) = next(iter(found.items()))
    return text, why, confidence


def _asks_for_none(holder: ast.AST | None, use: ast.Attribute) -> bool:
    return (
        isinstance(holder, ast.Compare)
        and holder.left is use
        and isinstance(holder.ops[0], ast.Is | ast.IsNot)
        and isinstance(holder.comparators[0], ast.Constant)
        and holder.comparators[0].value is None
    )


def _place(init: FunctionNode) -> ast.stmt:
    """Before what comes after the plain assignments at the beginning, so that what `__init__` calls can use it."""
    first = flow.body_start(init)
    start = init.body.index(first)
    for statement in init.body[start:]:
        plain = isinstance(statement, ast.Assign | ast.AnnAssign) and not any(
            isinstance(n, ast.Call) for n in ast.walk(statement)
        )
        if not plain:
            return statement
    return first if start == len(init.body) else init.body[-1]


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError",), apply),)
