"""Rules for names that are bound under a slightly different spelling, or behind `self.`.

What was bound is read from the source by Python's scope rules, and from the frame's own locals where
the crash carries them. A name that was never bound anywhere near is not theirs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import ClassFacts, facts, receiver
from selfheal_tui.repair.rules.places import Place
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import Binding, visible
from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.spans import insert_before, whole
from selfheal_tui.repair.rules.support import (
    CERTAIN,
    GUESS,
    PLAUSIBLE,
    FunctionNode,
    Site,
    edited,
    failing_site,
    parents,
)
from selfheal_tui.source.identifiers import identifier_of

NAME = "misspelt-name"
SELF = "missing-self-prefix"


def unbound_names(context: RepairContext) -> tuple[Site, list[ast.Name]] | None:
    """Finds the reads of a name that was not defined.

    Returns:
        The site and the nodes; None when this is not a plain NameError of the suspect frame (an
        UnboundLocalError, whose name is bound, is another matter).
    """
    site = failing_site(context)
    name = identifier_of(context.error)
    if site is None or not name or context.error.bare_type != "NameError":
        return None
    nodes = site.nodes(ast.Name, lambda node: node.id == name and not isinstance(node.ctx, ast.Store))
    if not nodes or name in visible_here(site, nodes[0]):
        return None
    return site, nodes


def visible_here(site: Site, node: ast.AST) -> dict[str, Binding]:
    """Names that really could be read at a node: `TYPE_CHECKING` imports are not among them."""
    return {name: b for name, b in visible(site.tree, node).items() if not b.type_checking}


def misspelt(context: RepairContext) -> Iterator[Finding]:
    """Offers visible names near the one that is not defined, in all places of that function."""
    found = unbound_names(context)
    if found is None:
        return
    site, nodes = found
    node = nodes[0]
    names = visible_here(site, node)
    function = site.function(node)
    own = (
        function is not None and site.frame.function == function.name
    )  # a comprehension has a frame of its own
    alive = {local.name for local in site.frame.locals} if own else set()
    choices = [b.name for b in names.values() if _can_be_bound(b, node, function, alive)]
    for match in near(node.id, choices):
        binding = names[match.name]
        if binding.where == "builtin" and isinstance(parents(site.tree).get(node), ast.Compare):
            continue  # nobody compares with a builtin function
        confidence = match.confidence
        if binding.where == "builtin" and match.distance > 1:
            confidence = min(confidence, GUESS)
        if binding.where == "builtin" and node.id == match.name.capitalize():
            confidence = min(confidence, PLAUSIBLE)  # `Dict` and `List` are names of their own
        if confidence >= CERTAIN and _member(context, site, node, node.id) is not None:
            confidence = PLAUSIBLE  # `self.` may be what is missing instead
        uses = _all_unbound(site, node)
        fix = edited(
            context,
            NAME,
            f"{node.id!r} is defined nowhere, but {_described(binding)} {match.name!r} is; "
            f"the name is corrected where it is used.",
            confidence,
            {site.path: [whole(use, match.name) for use in uses]},
        )
        if fix is not None:
            yield fix


def missing_self(context: RepairContext) -> Iterator[Finding]:
    """Offers `self.name` for a bare name that the method's own class has."""
    found = unbound_names(context)
    if found is None:
        return
    site, nodes = found
    node = nodes[0]
    method = _method(site, node)
    member = _member(context, site, node, node.id)
    if method is None or member is None:
        return
    cls, spelled, confidence = member
    me = receiver(method)
    kind = cls.members[spelled].kind
    prefix = me or cls.name
    if not me and kind in ("instance attribute", "slot", "property"):
        return  # a static method has no instance to read it from
    if me == "cls" and kind in ("instance attribute", "slot", "property"):
        return
    uses = _all_unbound(site, node)
    edits = [insert_before(use, f"{prefix}.") for use in uses]
    if spelled != node.id:
        edits = [whole(use, f"{prefix}.{spelled}") for use in uses]
    fix = edited(
        context,
        SELF,
        f"{node.id!r} is no variable here, but {cls.name} has the {kind} {spelled!r}; "
        f"it is read through {prefix!r}, which was forgotten.",
        confidence,
        {site.path: edits},
    )
    if fix is not None:
        yield fix


def _method(site: Site, node: ast.AST) -> FunctionNode | None:
    """The method (direct child of the class) in which a node stands, through nested functions."""
    cls = site.method_class(node)
    inner = site.function(node)
    while inner is not None and cls is not None and inner not in cls.body:
        inner = site.function(inner)
    return inner if cls is not None else None


def _member(
    context: RepairContext, site: Site, node: ast.AST, name: str
) -> tuple[ClassFacts, str, float] | None:
    cls_node = site.method_class(node)
    if cls_node is None or _method(site, node) is None:
        return None
    cls = facts(context.project, Place(site.path, site.tree, _qualname(site, cls_node), cls_node))
    if name in cls.members:
        return cls, name, CERTAIN
    matches = near(name, cls.members)
    if len(matches) == 1 and matches[0].confidence >= CERTAIN:
        return cls, matches[0].name, PLAUSIBLE
    return None


def _qualname(site: Site, node: ast.ClassDef) -> str:
    outer = site.enclosing(node, ast.ClassDef)
    return f"{_qualname(site, outer)}.{node.name}" if outer is not None else node.name


def _can_be_bound(binding: Binding, node: ast.Name, function: FunctionNode | None, alive: set[str]) -> bool:
    """Whether a visible name can have a value by the time the node runs."""
    if binding.where == "local" and function is not None:
        if alive:
            return binding.name in alive
        looping = any(
            isinstance(up, ast.For | ast.While | ast.AsyncFor)
            and up.lineno <= node.lineno <= (up.end_lineno or 0)
            for up in ast.walk(function)
        )
        return binding.line <= node.lineno or looping
    if binding.where == "local":  # module or class body: it runs from top to bottom
        return binding.line <= node.lineno
    return binding.name != getattr(function, "name", None) or binding.where != "local"


def _all_unbound(site: Site, node: ast.Name) -> list[ast.Name]:
    """All reads of the name in the same function (or module body) that see no binding either."""
    scope: ast.AST = site.function(node) or site.tree
    return [
        use
        for use in ast.walk(scope)
        if isinstance(use, ast.Name)
        and use.id == node.id
        and isinstance(use.ctx, ast.Load)
        and use.id not in visible_here(site, use)
    ] or [node]


def _described(binding: Binding) -> str:
    if binding.where == "builtin":
        return "the built-in"
    if binding.kind == "import":
        return "the imported"
    return f"the {binding.kind}" if binding.where != "global" else f"the global {binding.kind}"


RULES = (
    Rule(NAME, ("NameError",), misspelt),
    Rule(SELF, ("NameError",), missing_self),
)
