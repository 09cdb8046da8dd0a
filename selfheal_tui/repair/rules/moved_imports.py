"""Imports of modules and names that Python or a package moved, renamed or removed since.

The table is `stdlib_moves`. One import statement is rewritten so that it binds the same names as before; where the
old module has no heir for a name, the rule says what to use instead and changes nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.moved import gone, reachable
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import whole
from selfheal_tui.repair.rules.stdlib_moves import MODULE_MOVES, MOVES, NO_HEIR, Move
from selfheal_tui.repair.rules.support import CERTAIN, STRONG, Site, explained, site_of
from selfheal_tui.repair.rules.target import is_stdlib
from selfheal_tui.source.edits import TextEdit, indent_of
from selfheal_tui.source.text import dominant_newline

NAME = "moved-import"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields an import from the new place."""
    site = site_of(context)
    if site is None:
        return
    message = context.error.message
    if found := re.match(r"cannot import name '(\w+)' from '([\w.]+)'", message):
        yield from _name(context, site, found[2], found[1])
    elif found := re.match(r"No module named '?([\w.]+)'?", message):
        yield from _module(context, site, found[1])


def _name(context: RepairContext, site: Site, module: str, name: str) -> Iterator[Finding]:
    move = MOVES.get((module, name))
    if move is None:
        return
    nodes = [
        n for n in ast.walk(site.tree) if isinstance(n, ast.ImportFrom) and n.module == module and not n.level
    ]
    edits: list[TextEdit] = []
    for node in nodes:
        moved = {
            a: m
            for a in node.names
            if (m := MOVES.get((module, a.name))) is not None
            and reachable(context, m)
            and (a.name == name or (is_stdlib(context.interpreter, module) and gone(context, module, a.name)))
        }
        if moved:
            rest = [a for a in node.names if a not in moved]
            lines = [_from(module, rest)] if rest else []
            edits.append(_statements(site, node, [*lines, *_imports_of(moved)]))
    if edits:
        new = f"{move.module}.{move.name}".strip(".")
        version = f"Python {move.removed}" if move.removed[0].isdigit() else move.removed
        reason = f"`{name}` left `{module}` in {version}; it is `{new}` now"
        confidence = STRONG if move.note else CERTAIN
        notes = (move.note,) if move.note else ()
        yield from flow.one_file(context, site, NAME, reason, confidence, edits, notes=notes)


def _from(module: str, names: list[ast.alias]) -> str:
    return f"from {module} import " + ", ".join(
        f"{a.name} as {a.asname}" if a.asname else a.name for a in names
    )


def _imports_of(moved: dict[ast.alias, Move]) -> list[str]:
    """Statements that bind the same names from their new places."""
    by_module: dict[str, list[str]] = {}
    lines: list[str] = []
    for alias, move in moved.items():
        bound = alias.asname or alias.name
        if not move.module:
            lines.append(f"{bound} = {move.name}")
        elif not move.name:
            lines.append(f"import {move.module}" + (f" as {bound}" if bound != move.module else ""))
        else:
            text = move.name if move.name == bound else f"{move.name} as {bound}"
            by_module.setdefault(move.module, []).append(text)
    return [*(f"from {module} import {', '.join(names)}" for module, names in by_module.items()), *lines]


def _statements(site: Site, node: ast.stmt, lines: list[str]) -> TextEdit:
    head = site.text.encode().splitlines()[node.lineno - 1][: node.col_offset] if node.col_offset else b""
    if head.strip():
        return whole(node, "; ".join(lines))
    return whole(node, f"{dominant_newline(site.text)}{indent_of(site.text, node.lineno)}".join(lines))


def _module(context: RepairContext, site: Site, missing: str) -> Iterator[Finding]:
    nodes: list[ast.Import | ast.ImportFrom] = [
        *site.nodes(ast.Import, lambda n: any(_within(a.name, missing) for a in n.names)),
        *site.nodes(ast.ImportFrom, lambda n: not n.level and _within(n.module or "", missing)),
    ]
    if not nodes:
        return
    node = nodes[0]
    old = (
        node.module or ""
        if isinstance(node, ast.ImportFrom)
        else next(a.name for a in node.names if _within(a.name, missing))
    )
    edits = (
        _rewritten_from(site, node, old) if isinstance(node, ast.ImportFrom) else _rewritten(site, node, old)
    )
    heir = MODULE_MOVES.get(old)
    if edits and (heir is None or reachable(context, heir)):
        reason = f"the module `{old}` was removed" + (
            f"; it is `{heir.module}` now" if heir else "; what is used of it lives elsewhere"
        )
        yield from flow.one_file(context, site, NAME, reason, CERTAIN if heir else STRONG, edits)
        return
    instead = NO_HEIR.get(old) or NO_HEIR.get(old.partition(".")[0])
    if instead:
        yield explained(f"the module `{old}` was removed from Python", f"Instead: {instead}.")


def _within(name: str, missing: str) -> bool:
    """Whether importing `name` fails because `missing` is missing."""
    return name == missing or name.startswith(f"{missing}.")


def _rewritten_from(site: Site, node: ast.ImportFrom, old: str) -> list[TextEdit]:
    moved: dict[ast.alias, Move] = {}
    for alias in node.names:
        move = MOVES.get((old, alias.name))
        if move is None and old in MODULE_MOVES and alias.name != "*":
            move = Move(MODULE_MOVES[old].module, alias.name, "")
        if move is None:
            return []
        moved[alias] = move
    return [_statements(site, node, _imports_of(moved))]


def _rewritten(site: Site, node: ast.Import, old: str) -> list[TextEdit]:
    alias = next(a for a in node.names if a.name == old)
    bound = alias.asname or old
    others = [a for a in node.names if a is not alias]
    rest = (
        ["import " + ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in others)]
        if others
        else []
    )
    uses = [n for n in ast.walk(site.tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == bound]
    moves = [MOVES.get((old, n.attr)) for n in uses]
    if uses and all(m is not None for m in moves):
        found = [(n, m) for n, m in zip(uses, moves, strict=True) if m is not None]
        imports = sorted({f"import {m.module}" for _, m in found if m.module})
        edits = [whole(n, f"{m.module}.{m.name}".strip(".")) for n, m in found]
        return [_statements(site, node, [*rest, *imports]), *edits] if imports or rest else []
    heir = MODULE_MOVES.get(old)
    if heir is None or (not alias.asname and "." in old):
        return []
    return [_statements(site, node, [*rest, f"import {heir.module} as {bound}"])]


RULES: tuple[Rule, ...] = (Rule(NAME, ("ImportError",), apply),)
