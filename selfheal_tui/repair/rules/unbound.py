"""Local variables that are read before they get a value.

The cause is told from how the function uses the name: it means the module's variable, it hides a builtin or an
import, it counts something up from nothing, a sibling branch misspells it, or `except … as` has deleted it. Where no
value is evident the rule explains instead of inventing one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.initial_value import counts_up, initial_value, place_to_start, started_empty
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import BUILTIN_NAMES, bindings, own_nodes, visible
from selfheal_tui.repair.rules.similar import distance, near
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import (
    CERTAIN,
    PLAUSIBLE,
    STRONG,
    FunctionNode,
    Site,
    ancestors,
    explained,
    failing_site,
)
from selfheal_tui.source.edits import TextEdit

NAME = "unbound-local"


class Case:
    """One unbound name in one scope.

    Attributes:
        context: The crash.
        site: The place.
        name: The variable.
        use: The failing read.
        scope: The function (or the module, for a NameError there).
        nodes: Everything in the scope, nested scopes left out.
    """

    def __init__(self, context: RepairContext, site: Site, name: str, use: ast.AST) -> None:
        self.context, self.site, self.name, self.use = context, site, name, use
        self.scope = flow.scope_of(site, use)
        self.nodes = list(own_nodes(self.scope))

    @property
    def stores(self) -> list[ast.AST]:
        """Everything that binds the name in the scope, in source order."""
        found = [
            n
            for n in self.nodes
            if isinstance(n, ast.Name) and n.id == self.name and isinstance(n.ctx, ast.Store)
        ]
        found.sort(key=lambda n: (n.lineno, n.col_offset))
        return list(found)

    @property
    def loads(self) -> list[ast.Name]:
        """All reads of the name in the scope."""
        return [
            n
            for n in self.nodes
            if isinstance(n, ast.Name) and n.id == self.name and isinstance(n.ctx, ast.Load)
        ]

    def emit(
        self, reason: str, confidence: float, edits: list[TextEdit], notes: tuple[str, ...] = ()
    ) -> Iterator[Finding]:
        """Yields one candidate."""
        yield from flow.one_file(self.context, self.site, NAME, reason, confidence, edits, notes=notes)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields ways to give the variable its value, or explains why none is evident."""
    site = failing_site(context)
    found = re.search(r"(?:local )?(?:variable|name) '(\w+)'", context.error.message)
    name = context.error.evidence.name or (found[1] if found else "")
    if site is None or not name:
        return
    use = _use(site, name)
    if use is None:
        return
    case = Case(context, site, name, use)
    if "UnboundLocalError" not in context.error.type and not _self_referring(case):
        yield from _never_started(case)
        return
    for step in (_hidden, _module_variable, _misspelt_branch, _local_import, _exception_name):
        findings = list(step(case))
        if findings:
            yield from findings
            return
    started = list(_start_value(case))
    yield from started
    if not started:
        yield _explain(case)


def _use(site: Site, name: str) -> ast.AST | None:
    names = site.nodes(ast.Name, lambda n: n.id == name)
    loads = [n for n in names if isinstance(n.ctx, ast.Load)]
    if loads:
        return loads[0]
    augmented = site.nodes(ast.AugAssign, lambda n: isinstance(n.target, ast.Name) and n.target.id == name)
    if augmented:
        return augmented[0].target
    deleted = site.nodes(
        ast.Delete, lambda n: any(isinstance(t, ast.Name) and t.id == name for t in n.targets)
    )
    return deleted[0] if deleted else None


def _self_referring(case: Case) -> bool:
    """Whether a NameError is about a variable that the scope itself counts up."""
    return any(counts_up(n, case.name) for n in case.nodes)


def _never_started(case: Case) -> Iterator[Finding]:
    """A NameError about a container that its function fills: it is bound nowhere, so its first line is missing."""
    if not isinstance(case.scope, FunctionNode) or case.name in visible(case.site.tree, case.use):
        return
    others = [n for n, b in visible(case.site.tree, case.use).items() if b.where != "builtin"]
    if near(case.name, others):
        return  # it may be another one, misspelt
    scope = case.scope
    outer = case.site.function(scope)
    if isinstance(outer, FunctionNode) and (_calls_itself(scope) or _read_in(outer, case.name, but=scope)):
        case = Case(case.context, case.site, case.name, scope)  # what outlives the inner call belongs outside
    inside = [n for n in ast.walk(case.scope) if isinstance(n, ast.Name) and n.id == case.name]
    value = started_empty(case.site, inside)
    if value is None:
        return
    before = place_to_start(case.site, case.scope, case.name, inside, carried=True)
    if before is None:
        return
    reason = f"`{case.name}` {value.why}, but never started: start it with `{value.text}`"
    yield from case.emit(
        reason, value.confidence, [flow.line_before(case.site, before, f"{case.name} = {value.text}")]
    )


def _calls_itself(function: FunctionNode) -> bool:
    return any(isinstance(n, ast.Call) and flow.calls(n, function.name) for n in ast.walk(function))


def _read_in(function: FunctionNode, name: str, *, but: ast.AST) -> bool:
    inner = set(ast.walk(but))
    return any(isinstance(n, ast.Name) and n.id == name and n not in inner for n in ast.walk(function))


def _outer(case: Case) -> tuple[str, str]:
    """Where else the name is bound: (`global` or `nonlocal`, kind of binding); empty strings when nowhere."""
    for up in ancestors(case.site.tree, case.scope):
        if isinstance(up, FunctionNode) and case.name in (inner := bindings(up, "enclosing")):
            return "nonlocal", inner[case.name].kind
    module = bindings(case.site.tree, "global")
    if case.name in module and isinstance(case.scope, FunctionNode):
        return "global", module[case.name].kind
    return "", ""


def _hidden(case: Case) -> Iterator[Finding]:
    """`max = max(a, b)`, `time = time.time()`: the local variable hides what the right side means."""
    keyword, kind = _outer(case)
    builtin = not keyword and case.name in BUILTIN_NAMES
    if not builtin and kind not in ("function", "class", "import"):
        return
    means_outer = [n for n in case.loads if _used_as_callee(case.site, n)]
    if case.use not in means_outer or not isinstance(case.scope, FunctionNode) or not case.stores:
        return
    new = f"{case.name}_value"
    if any(isinstance(n, ast.Name) and n.id == new for n in case.nodes):
        return
    rename = [*case.stores, *(n for n in case.loads if n not in means_outer)]
    what = "the builtin" if builtin else f"the {kind}"
    reason = f"the local variable `{case.name}` hides {what} of the same name, which is called here: rename the variable"
    yield from case.emit(reason, STRONG, [whole(n, new) for n in rename])


def _used_as_callee(site: Site, node: ast.Name) -> bool:
    from selfheal_tui.repair.rules.support import parents

    parent = parents(site.tree).get(node)
    if isinstance(parent, ast.Call):
        return parent.func is node
    return isinstance(parent, ast.Attribute) and isinstance(
        parents(site.tree).get(parent), ast.Call | ast.Attribute
    )


def _module_variable(case: Case) -> Iterator[Finding]:
    keyword, kind = _outer(case)
    if not keyword or kind != "variable" or not isinstance(case.scope, FunctionNode):
        return
    first = flow.body_start(case.scope)
    whose = "the module's" if keyword == "global" else "the enclosing function's"
    reason = (
        f"`{case.name}` is assigned in `{case.scope.name}` and therefore local; {whose} variable is meant"
    )
    yield from case.emit(reason, STRONG, [flow.line_before(case.site, first, f"{keyword} {case.name}")])


def _misspelt_branch(case: Case) -> Iterator[Finding]:
    """A sibling branch assigns a name that nobody reads and that looks like this one."""
    read = {n.id for n in ast.walk(case.scope) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    if not case.stores or len(case.name) < 3:
        return
    alike = [
        n
        for n in case.nodes
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id not in read and n.id != case.name
        and distance(n.id, case.name) <= (1 if len(case.name) < 5 else 2)
    ]  # fmt: skip
    for node in alike:
        own = flow.statement_of(case.site, node)
        for store in case.stores:
            if own is not None and _branches_of_one(case.site, own, store):
                reason = f"another branch assigns `{node.id}`, which nothing reads: `{case.name}` is meant"
                yield from case.emit(reason, CERTAIN, [whole(node, case.name)])
                return


def _branches_of_one(site: Site, one: ast.AST, other: ast.AST) -> bool:
    """Whether two nodes stand in different branches of one `if`, `try` or `match`."""
    kinds = (ast.If, ast.Try, ast.Match, ast.match_case, ast.ExceptHandler)
    ups = [up for up in ancestors(site.tree, one) if isinstance(up, kinds)]
    others = set(ancestors(site.tree, other))
    return any(up in others for up in ups)


def _local_import(case: Case) -> Iterator[Finding]:
    """The function imports the name itself, on another path: move the import to its beginning."""
    for node in case.nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom) or not isinstance(case.scope, FunctionNode):
            continue
        if not any((a.asname or a.name.partition(".")[0]) == case.name for a in node.names):
            continue
        first = flow.body_start(case.scope)
        reason = (
            f"`{case.name}` is imported inside `{case.scope.name}`, but not on this path: import it first"
        )
        text = ast.unparse(node)
        yield from case.emit(reason, STRONG, [flow.line_before(case.site, first, text)])
        return


def _exception_name(case: Case) -> Iterator[Finding]:
    """`except E as e` deletes `e` at the end of the block: keep it under another name."""
    handlers = [n for n in case.nodes if isinstance(n, ast.ExceptHandler) and n.name == case.name]
    use_line = getattr(case.use, "lineno", 0)
    handler = next((h for h in reversed(handlers) if (h.end_lineno or h.lineno) < use_line), None)
    if handler is None or case.stores:
        return
    tries = [up for up in ancestors(case.site.tree, handler) if isinstance(up, ast.Try)]
    new = f"last_{case.name}" if len(case.name) > 1 else "last_error"
    if not tries or any(isinstance(n, ast.Name) and n.id == new for n in case.nodes):
        return
    before: ast.stmt = tries[0]
    for up in ancestors(case.site.tree, tries[0]):
        if isinstance(up, ast.For | ast.While | ast.AsyncFor) and (up.end_lineno or 0) < use_line:
            before = up
    later = [n for n in case.loads if n.lineno > (handler.end_lineno or 0)]
    edits = [
        flow.line_before(case.site, before, f"{new} = None"),
        flow.line_before(case.site, handler.body[0], f"{new} = {case.name}"),
        *(whole(n, new) for n in later),
    ]
    reason = f"Python deletes `{case.name}` at the end of its `except` block: keep it as `{new}`"
    yield from case.emit(reason, STRONG, edits)


def _start_value(case: Case) -> Iterator[Finding]:
    value = initial_value(case.site, case.name, case.nodes, case.loads)
    if value is None:
        yield from _assigned_later(case)
        return
    uses = [*case.loads, *case.stores]
    reason = f"`{case.name}` {value.why}, but never started: start it with `{value.text}`"
    # Before the loop a flag keeps what an earlier round set, inside it starts anew: nothing but the intent tells.
    places = {
        id(before): before
        for carried in ((True, False) if value.either else (value.carried,))
        if (before := place_to_start(case.site, case.scope, case.name, uses, carried=carried)) is not None
    }
    for before in places.values():
        start = flow.line_before(case.site, before, f"{case.name} = {value.text}")
        yield from case.emit(reason, value.confidence, [start])


def _assigned_later(case: Case) -> Iterator[Finding]:
    """The only assignment stands further down in the same block, and needs nothing in between: move it up."""
    use = flow.statement_of(case.site, case.use)
    stores = [flow.statement_of(case.site, s) for s in case.stores]
    later = flow.only(stores)
    if use is None or not isinstance(later, ast.Assign) or len(later.targets) != 1:
        return
    block = flow.block_of(case.site, later)
    if any(isinstance(up, ast.For | ast.While | ast.AsyncFor) for up in ancestors(case.site.tree, later)):
        return  # it is what the round before left behind
    if use not in block or block.index(use) >= block.index(later):
        return
    between = block[block.index(use) : block.index(later)]
    bound = {
        n.id for s in between for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    needed = {n.id for n in ast.walk(later.value) if isinstance(n, ast.Name)}
    if bound & needed or case.name in needed:
        return
    line = (later.lineno, 0), ((later.end_lineno or later.lineno) + 1, 0)
    edits = [flow.line_before(case.site, use, source_of(case.site.text, later)), TextEdit(*line, "")]
    reason = f"`{case.name}` gets its value only further down: assign it first"
    yield from case.emit(reason, PLAUSIBLE, edits)


def _explain(case: Case) -> Finding:
    lines = sorted({getattr(s, "lineno", 0) for s in case.stores})
    where = ", ".join(str(line) for line in lines) or "nowhere"
    deleted = [n.lineno for n in case.nodes if isinstance(n, ast.Delete)]
    loop = next(
        (
            n
            for n in case.nodes
            if isinstance(n, ast.For) and any(s in ast.walk(n.target) for s in case.stores)
        ),
        None,
    )
    if loop is not None:
        cause = f"`{case.name}` gets its value only from the loop in line {loop.lineno}, which had nothing to walk over"
    elif deleted and min(deleted) < getattr(case.use, "lineno", 0):
        cause = f"`{case.name}` was deleted in line {deleted[0]} before it is used"
    else:
        cause = f"`{case.name}` gets a value only in line {where}, and this path does not come by there"
    return explained(
        cause,
        f"Decide what `{case.name}` is on this path (a value, or an early return or raise); no value is evident.",
    )


RULES: tuple[Rule, ...] = (Rule(NAME, ("UnboundLocalError", "NameError"), apply),)
