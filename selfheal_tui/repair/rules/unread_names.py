"""A name that is defined nowhere, where the function has one parameter or variable that nothing reads.

Spelling does not tell here (`ctx` for `context`, `file_path` for `path`); use does. Where several bindings are unread
the words of the names must decide, and where they do not, nothing is offered.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.misspelt_name import unbound_names, visible_here
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes, parameters
from selfheal_tui.repair.rules.similar import near, tokens
from selfheal_tui.repair.rules.spans import whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, FunctionNode, Site, ancestors, edited

NAME = "unread-name"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Offers the unread binding that the undefined name must have meant."""
    found = unbound_names(context)
    if found is None:
        return
    site, nodes = found
    node = nodes[0]
    function = site.function(node)
    own = [n for n, b in visible_here(site, node).items() if b.where in ("local", "enclosing")]
    if function is None or near(node.id, own):
        return  # a spelling that nearly fits is better evidence
    undefined = _undefined(site, function)
    free = unread(site, function, node)
    meant = _meant(node.id, free, alone=len(undefined) == 1) or _longer(node.id, own)
    if not meant:
        return
    renames = {node.id: meant}
    for other in undefined - {node.id}:
        left = [name for name in free if name not in renames.values()]
        match = _meant(other, left, alone=len(undefined) == 2)
        if match:
            renames[other] = match
    if len(set(renames.values())) < len(renames):
        return
    uses = [
        n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id in renames and _is_unbound(site, n)
    ]
    alike = related(node.id, meant)
    fix = edited(
        context,
        NAME,
        f"{node.id!r} is defined nowhere; by its use and its words {meant!r} of `{function.name}` must be meant.",
        STRONG if alike else PLAUSIBLE,
        {site.path: [whole(use, renames[use.id]) for use in uses]},
    )
    if fix is not None:
        yield fix


def related(left: str, right: str) -> bool:
    """Whether two names share a word, or one is the other shortened (`ctx`, `context`; `output`, `output_path`)."""
    if tokens(left) & tokens(right):
        return True
    short, long = sorted((left.casefold(), right.casefold()), key=len)
    rest = iter(long)
    return 2 <= len(short) < len(long) and short[0] == long[0] and all(letter in rest for letter in short)


def unread(site: Site, function: FunctionNode, node: ast.AST) -> list[str]:
    """Parameters and variables of a function that have a value at a node and are read nowhere, in source order."""
    arguments = function.args
    receiver = [*arguments.posonlyargs, *arguments.args][:1] if site.method_class(function.body[0]) else []
    bound = [
        a.arg
        for a in parameters(function)
        if a not in receiver and a is not arguments.vararg and a is not arguments.kwarg
    ]
    line = getattr(node, "lineno", 0)
    bound += [
        n.id
        for n in own_nodes(function)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.lineno <= line
    ]
    read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
    return [name for name in dict.fromkeys(bound) if name not in read and not name.startswith("_")]


def _meant(name: str, free: list[str], *, alone: bool) -> str:
    alike = [other for other in free if related(name, other)]
    if len(alike) == 1:
        return alike[0]
    return free[0] if alone and len(free) == 1 and len(name) > 1 else ""


def _longer(name: str, own: list[str]) -> str:
    """The only name of the function that is this one with further words: `output_path` for `output`."""
    longer = [other for other in own if tokens(name) < tokens(other)]
    return longer[0] if len(longer) == 1 and len(name) > 2 else ""


def _undefined(site: Site, function: FunctionNode) -> set[str]:
    return {
        n.id
        for n in ast.walk(function)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and _is_unbound(site, n)
    }


def _is_unbound(site: Site, node: ast.Name) -> bool:
    outer = any(isinstance(up, FunctionNode) for up in ancestors(site.tree, node))
    return outer and isinstance(node.ctx, ast.Load) and node.id not in visible_here(site, node)


RULES: tuple[Rule, ...] = (Rule(NAME, ("NameError",), apply),)
