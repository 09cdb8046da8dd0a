"""Names that a module or type used to have: moved, renamed or removed by Python or a package since.

Every move comes from the table in `stdlib_moves`; whether the old name is really gone and the new one is there is
asked of the target interpreter. All uses of a module's vanished names in the file are changed at once, since they
would crash one after the other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import bindings
from selfheal_tui.repair.rules.spans import end_of, rename_attribute, source_of, start_of, whole
from selfheal_tui.repair.rules.stdlib_moves import BUILTINS_GONE, BUILTINS_MOVED, METHOD_RENAMES, MOVES, Move
from selfheal_tui.repair.rules.support import CERTAIN, STRONG, Site, explained, parents, site_of
from selfheal_tui.repair.rules.target import is_stdlib, module_members
from selfheal_tui.source.edits import TextEdit

NAME = "moved-name"
_Special = Callable[[RepairContext, Site, ast.Attribute, str], Iterator[Finding]]


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the use of a name's new place."""
    site = site_of(context)
    if site is None:
        return
    message = context.error.message
    if found := re.match(r"(?:partially initialized )?module '([\w.]+)' has no attribute '(\w+)'", message):
        yield from _module_attribute(context, site, found[1], found[2])
    elif found := re.match(r"type object '(?:[\w.]*\.)?Task' has no attribute '(\w+)'", message):
        yield from _module_attribute(context, site, "asyncio.Task", found[1])
    elif found := re.match(r"(?:type object )?'([\w.]+)' object has no attribute '(\w+)'", message):
        yield from _method(context, site, context.error.evidence.obj_type or found[1], found[2])
    elif found := re.match(r"name '(\w+)' is not defined", message):
        yield from _builtin(context, site, found[1])


def gone(context: RepairContext, module: str, name: str) -> bool:
    """Whether the target's standard library really has no such name; packages are taken at their crash's word."""
    if not is_stdlib(context.interpreter, module):
        return True
    return name not in module_members(context.interpreter, module)


def reachable(context: RepairContext, move: Move) -> bool:
    """Whether the new place exists in the target, as far as it can be asked."""
    if not move.module or not move.name or not is_stdlib(context.interpreter, move.module):
        return True
    return move.name.partition(".")[0] in module_members(context.interpreter, move.module)


def aliases_of(tree: ast.Module, module: str) -> set[str]:
    """Names under which a file knows a module: its own dotted name, and `import … as` aliases."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if module == alias.name or module.startswith(f"{alias.name}."):
                    found.add((alias.asname or alias.name) + module[len(alias.name) :])
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                if f"{node.module}.{alias.name}" == module:
                    found.add(alias.asname or alias.name)
    return found | {module}


def _module_attribute(context: RepairContext, site: Site, module: str, name: str) -> Iterator[Finding]:
    first = MOVES.get((module, name))
    if first is None:
        return
    if not reachable(context, first):
        yield explained(
            f"`{module}.{name}` was removed in {first.removed}, and this interpreter has no `{first.module}.{first.name}`"
        )
        return
    bases = aliases_of(site.tree, module)
    uses: list[tuple[ast.Attribute, Move]] = []
    for node in ast.walk(site.tree):
        if not isinstance(node, ast.Attribute) or ast.unparse(node.value) not in bases:
            continue
        move = MOVES.get((module, node.attr))
        same = node.attr == name or (
            is_stdlib(context.interpreter, module) and gone(context, module, node.attr)
        )
        if move is not None and same and reachable(context, move):
            uses.append((node, move))
    edits: list[TextEdit] = []
    imports: list[str] = []
    for node, move in uses:
        edit, statement = _use_of(site, module, node, move)
        if edit is None:
            return
        edits.append(edit)
        imports += [statement] if statement and statement not in imports else []
    if not edits:
        return
    new = f"{first.module}.{first.name}".strip(".") or first.name
    reason = f"`{module}.{name}` was removed in {_version(first)}; it is `{new}` now"
    notes = tuple(dict.fromkeys(m.note for _, m in uses if m.note))
    confidence = STRONG if notes else CERTAIN
    yield from flow.one_file(context, site, NAME, reason, confidence, edits, imports=imports, notes=notes)


def _version(move: Move) -> str:
    return f"Python {move.removed}" if move.removed[0].isdigit() else move.removed


def _use_of(site: Site, module: str, node: ast.Attribute, move: Move) -> tuple[TextEdit | None, str]:
    """The edit of one use and the import it needs."""
    if move.module == module:
        return rename_attribute(node, move.name), ""
    if not move.module:
        return whole(node, move.name), ""
    if move.module.startswith(f"{module}."):
        base = source_of(site.text, node.value)
        inner = move.module[len(module) :]
        return whole(node, f"{base}{inner}.{move.name}".rstrip(".")), f"import {move.module}"
    top = move.module.partition(".")[0]
    bound = bindings(site.tree, "global").get(top)
    if bound is not None and bound.kind != "import":
        return None, ""
    return whole(node, f"{move.module}.{move.name}".rstrip(".")), f"import {move.module}"


def _method(context: RepairContext, site: Site, owner: str, name: str) -> Iterator[Finding]:
    bare = owner.rpartition(".")[2]
    special = _SPECIAL.get(name)
    if special is not None and re.fullmatch(special[0], bare):
        for node in site.nodes(ast.Attribute, lambda n: n.attr == name)[:1]:
            yield from special[1](context, site, node, bare)
        return
    pattern, new = METHOD_RENAMES.get(name, ("", ""))
    if not new or not (
        re.fullmatch(pattern, bare)
        or any(re.fullmatch(pattern, b.rpartition(".")[2]) for b in context.error.evidence.obj_mro)
    ):
        return
    if _project_defines(context, name):
        nodes = site.nodes(ast.Attribute, lambda n: n.attr == name)
    else:
        nodes = [n for n in ast.walk(site.tree) if isinstance(n, ast.Attribute) and n.attr == name]
    if nodes:
        reason = f"`{bare}.{name}` is called `{new}` now"
        yield from flow.one_file(
            context, site, NAME, reason, CERTAIN, [rename_attribute(n, new) for n in nodes]
        )


def _project_defines(context: RepairContext, name: str) -> bool:
    from selfheal_tui.repair.rules.places import files

    pattern = re.compile(rf"\bdef\s+{re.escape(name)}\b")
    return any(pattern.search(text) for _, text, _ in files(context.project, name))


def _builtin(context: RepairContext, site: Site, name: str) -> Iterator[Finding]:
    if name in bindings(site.tree, "global"):
        return
    uses = [
        n
        for n in ast.walk(site.tree)
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
    ]
    if name in BUILTINS_GONE:
        new = BUILTINS_GONE[name]
        reason = f"`{name}` was a builtin of Python 2; it is `{new}` now"
        yield from flow.one_file(context, site, NAME, reason, CERTAIN, [whole(n, new) for n in uses])
    elif name in BUILTINS_MOVED:
        module, member = BUILTINS_MOVED[name]
        reason = f"`{name}` was a builtin of Python 2; it is in `{module}` now"
        yield from flow.one_file(
            context, site, NAME, reason, CERTAIN, [], imports=[f"from {module} import {member}"]
        )
    elif name == "cmp":
        yield explained(
            "`cmp` was a builtin of Python 2",
            "Use `(a > b) - (a < b)`, or `functools.cmp_to_key` for sorting.",
        )
    elif name == "execfile":
        yield explained("`execfile` was a builtin of Python 2", "Use `runpy.run_path()`.")


def _call_of(site: Site, node: ast.Attribute) -> ast.Call | None:
    call = parents(site.tree).get(node)
    return call if isinstance(call, ast.Call) and call.func is node else None


def _has_key(context: RepairContext, site: Site, node: ast.Attribute, _owner: str) -> Iterator[Finding]:
    call = _call_of(site, node)
    if call is not None and len(call.args) == 1:
        new = f"({source_of(site.text, call.args[0])} in {source_of(site.text, node.value)})"
        yield from flow.one_file(
            context,
            site,
            NAME,
            "`has_key()` was removed in Python 3.0; `in` asks the same",
            CERTAIN,
            [whole(call, new)],
        )


def _wrap(function: str, why: str, imports: tuple[str, ...] = ()) -> _Special:
    """`x.old()` becomes `function(x)`."""

    def change(context: RepairContext, site: Site, node: ast.Attribute, _owner: str) -> Iterator[Finding]:
        call = _call_of(site, node)
        target: ast.expr = call if call is not None else node
        arguments = [
            source_of(site.text, node.value),
            *(source_of(site.text, a) for a in (call.args if call else [])),
        ]
        new = f"{function}({', '.join(arguments)})"
        yield from flow.one_file(context, site, NAME, why, STRONG, [whole(target, new)], imports=imports)

    return change


def _drop_call(why: str) -> _Special:
    """`x.old(…)` becomes `x`."""

    def change(context: RepairContext, site: Site, node: ast.Attribute, owner: str) -> Iterator[Finding]:
        call = _call_of(site, node)
        if call is not None:
            edit = TextEdit(end_of(node.value), end_of(call), "")
            yield from flow.one_file(context, site, NAME, why.format(owner=owner), STRONG, [edit])

    return change


def _entry_points(context: RepairContext, site: Site, node: ast.Attribute, _owner: str) -> Iterator[Finding]:
    call = _call_of(site, node)
    if call is not None and call.args and isinstance(node.value, ast.Call) and not node.value.args:
        func = source_of(site.text, node.value.func)
        new = f"{func}(group={source_of(site.text, call.args[0])})"
        reason = "`entry_points()` gives no dictionary since Python 3.12: the group is asked for by keyword"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [whole(call, new)])


def _html_unescape(context: RepairContext, site: Site, node: ast.Attribute, _owner: str) -> Iterator[Finding]:
    call = _call_of(site, node)
    if call is not None:
        edit = TextEdit(start_of(node), end_of(node), "html.unescape")
        reason = "`HTMLParser.unescape` was removed in Python 3.9; it is `html.unescape` now"
        yield from flow.one_file(context, site, NAME, reason, CERTAIN, [edit], imports=["import html"])


_SPECIAL: dict[str, tuple[str, _Special]] = {
    "has_key": (r"dict|.*Dict|Environ|_Environ|Counter", _has_key),
    "getchildren": (r".*Element", _wrap("list", "`getchildren()` was removed in Python 3.9; an element is iterated itself")),
    "next": (r".*generator|.*iterator|reader|csvreader|DictReader|zip|map|filter|enumerate|_reader|count|chain|cycle|islice|TextIOWrapper",
             _wrap("next", "iterators have no `next()` method since Python 3.0; the builtin `next()` does that")),
    "message": (r".*(?:Error|Exception|Warning|Interrupt|Exit|StopIteration)", _wrap("str", "exceptions have no `message` since Python 3.0; `str()` gives it")),
    "decode": (r"str", _drop_call("`{owner}` has no `decode()`: it is text already")),
    "encode": (r"bytes|bytearray", _drop_call("`{owner}` has no `encode()`: it is bytes already")),
    "get": (r"EntryPoints", _entry_points),
    "unescape": (r"HTMLParser", _html_unescape),
}  # fmt: skip

RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError", "NameError"), apply),)
