"""A name that is defined nowhere in a nested function, where the function around it has the value under a shorter name.

Typical of what is left when the outer function's parameter was renamed: the inner one still speaks of `output_path`, the
outer one takes `output`. The other spelling must be the only one whose words are part of the missing name's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.misspelt_name import unbound_names, visible_here
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import tokens
from selfheal_tui.repair.rules.spans import whole
from selfheal_tui.repair.rules.support import STRONG, FunctionNode, ancestors, edited

NAME = "enclosing-name"
_SHORT = 3  # a word of two letters is part of too many names


def apply(context: RepairContext) -> Iterator[Finding]:
    """Offers the enclosing function's name in all places of the nested one."""
    found = unbound_names(context)
    if found is None:
        return
    site, nodes = found
    name = nodes[0].id
    around = [
        n for n, b in visible_here(site, nodes[0]).items()
        if b.where == "enclosing" and b.kind in ("parameter", "variable") and len(n) >= _SHORT
        and n not in ("self", "cls") and tokens(n) and (tokens(n) < tokens(name) or tokens(n) > tokens(name))
    ]  # fmt: skip
    if len(around) != 1:
        return
    meant = around[0]
    functions = [up for up in ancestors(site.tree, nodes[0]) if isinstance(up, FunctionNode)]
    holder = functions[-1] if functions else site.tree
    uses = [
        n for n in ast.walk(holder)
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
        and visible_here(site, n).get(meant) is not None
    ]  # fmt: skip
    reason = f"{name!r} is defined nowhere; the function around has the value as {meant!r}"
    fix = edited(context, NAME, reason, STRONG, {site.path: [whole(use, meant) for use in uses]})
    if fix is not None:
        yield fix


RULES: tuple[Rule, ...] = (Rule(NAME, ("NameError",), apply),)
