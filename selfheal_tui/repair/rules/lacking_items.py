"""`getattr(thing, name)` over names that a thing need not have: those that it lacks are left out.

Where names come from a declaration (fields, slots, a list) and values from an object, the object may be half made. A
filter that is there already takes the further condition; otherwise the loop passes over the name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import insert_after, source_of, whole
from selfheal_tui.repair.rules.support import Site, ancestors, edited, failing_site
from selfheal_tui.source.edits import TextEdit

NAME = "lacking-item"
_FILTER, _SKIP, _DEFAULT = 0.66, 0.6, 0.48


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields filters on what the object has, then a default."""
    site = failing_site(context)
    if site is None:
        return
    calls = site.nodes(
        ast.Call, lambda n: isinstance(n.func, ast.Name) and n.func.id == "getattr" and len(n.args) == 2
    )
    if len(calls) != 1:
        return
    call = calls[0]
    asked = f"hasattr({source_of(site.text, call.args[0])}, {source_of(site.text, call.args[1])})"
    used = {n.id for n in ast.walk(call.args[1]) if isinstance(n, ast.Name)}
    owner = {n.id for n in ast.walk(call.args[0]) if isinstance(n, ast.Name)}
    yield from _filtered(context, site, call, asked, used, owner)
    if isinstance(call.args[1], ast.Constant):
        return
    reason = f"the object may lack the attribute, which is None then: {asked} was never asked"
    yield from _emit(context, site, reason, _DEFAULT, [insert_after(call.args[1], ", None")])


def _emit(
    context: RepairContext, site: Site, reason: str, confidence: float, edits: list[TextEdit]
) -> Iterator[Finding]:
    fix = edited(context, NAME, reason, confidence, {site.path: edits}, guess=True)
    if fix is not None:
        yield fix


def _filtered(
    context: RepairContext, site: Site, call: ast.Call, asked: str, used: set[str], owner: set[str]
) -> Iterator[Finding]:
    reason = f"an object need not have every name that is declared: `{asked}` leaves out what it lacks"
    for up in ancestors(site.tree, call):
        if isinstance(up, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        generators: list[ast.comprehension] = []
        if isinstance(up, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            generators = up.generators
        elif isinstance(up, ast.For):
            generators = [
                g
                for n in ast.walk(up.iter)
                if isinstance(n, ast.GeneratorExp | ast.ListComp)
                for g in n.generators
            ]
        for generator in generators:
            bound = {n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)}
            if used & bound and not owner & bound:
                yield from _emit(context, site, reason, _FILTER, [_with_filter(site, generator, asked)])
                return
        if isinstance(up, ast.For):
            bound = {n.id for n in ast.walk(up.target) if isinstance(n, ast.Name)}
            statement = flow.statement_of(site, call)
            if (
                used & bound
                and not owner & bound
                and statement is not None
                and flow.block_of(site, statement)
            ):
                edit = flow.line_before(site, statement, f"if not {asked}:\n    continue")
                yield from _emit(context, site, reason, _SKIP, [edit])
                return


def _with_filter(site: Site, generator: ast.comprehension, asked: str) -> TextEdit:
    if generator.ifs:
        last = generator.ifs[-1]
        text = source_of(site.text, last)
        return whole(
            last,
            f"({text}) and {asked}" if isinstance(last, ast.BoolOp | ast.IfExp) else f"{text} and {asked}",
        )
    return insert_after(generator.iter, f" if {asked}")


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError",), apply),)
