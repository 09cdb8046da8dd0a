"""Parentheses in the wrong place: things called that are not callable, and methods used without being called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.moved import aliases_of
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import BUILTIN_NAMES, bindings
from selfheal_tui.repair.rules.spans import end_of, insert_after, source_of, whole
from selfheal_tui.repair.rules.support import (
    PLAUSIBLE,
    STRONG,
    FunctionNode,
    Site,
    explained,
    parents,
    site_of,
)
from selfheal_tui.repair.rules.target import is_stdlib, module_members
from selfheal_tui.source.calls import CallResolver, definitions
from selfheal_tui.source.edits import TextEdit

NAME = "call-parentheses"
_KNOWN_SELF_NAMED = frozenset({"tqdm", "tabulate", "deepdiff"})
_INDEXABLE = frozenset(
    {
        "list",
        "dict",
        "tuple",
        "str",
        "_Environ",
        "ndarray",
        "defaultdict",
        "OrderedDict",
        "DataFrame",
        "Series",
    }
)
_NO_ARGUMENTS = flow.listed(
    "split rsplit splitlines readlines groups groupdict json copy strip lower upper title keys values items"
)
_FUNCTION_TYPES = r"(?:method|function|builtin_function_or_method|method_descriptor|method-wrapper)"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields calls with the parentheses that they need, or without those that they do not."""
    site = site_of(context)
    if site is None:
        return
    message = context.error.message
    if message.startswith("'module' object is not callable"):
        yield from _module_called(context, site)
    elif found := re.match(r"'([\w.]+)' object is not callable", message):
        yield from _value_called(context, site, found[1].rpartition(".")[2])
    elif re.match(rf"'{_FUNCTION_TYPES}' object is not subscriptable", message):
        yield from _function_indexed(context, site)
    elif found := re.match(rf"'{_FUNCTION_TYPES}' object has no attribute '(\w+)'", message):
        name = found[1]
        nodes = site.nodes(
            ast.Attribute, lambda n: n.attr == name and isinstance(n.value, ast.Name | ast.Attribute)
        )
        yield from _add_call(context, site, [n.value for n in nodes])
    elif re.search(
        rf"'{_FUNCTION_TYPES}' (?:object )?(?:is not iterable|has no len)|type '{_FUNCTION_TYPES}'", message
    ):
        yield from _add_call(context, site, _uncalled(site))
    elif found := re.match(
        rf"unsupported operand type\(s\) for .+: '({_FUNCTION_TYPES}|\w+)' and '({_FUNCTION_TYPES}|\w+)'",
        message,
    ):
        sides = [
            side
            for node in site.nodes(ast.BinOp)[:1]
            for side, kind in ((node.left, found[1]), (node.right, found[2]))
            if re.fullmatch(_FUNCTION_TYPES, kind)
        ]
        yield from _add_call(context, site, sides)


def _module_called(context: RepairContext, site: Site) -> Iterator[Finding]:
    calls = site.nodes(ast.Call, lambda n: isinstance(n.func, ast.Name | ast.Attribute))
    for call in calls[:3]:
        spelled = ast.unparse(call.func)
        module = _module_of(context, site, spelled)
        if not module:
            continue
        member = _self_named(context, module)
        if not member:
            yield explained(
                f"`{spelled}` is a module, not a function or class",
                f"Import what is meant from it: `from {module} import …`.",
            )
            return
        uses = [
            n.func for n in ast.walk(site.tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == spelled
        ]
        edits = [insert_after(func, f".{member}") for func in uses]
        reason = f"`{spelled}` is the module; `{spelled}.{member}` is what can be called"
        yield from flow.one_file(context, site, NAME, reason, STRONG, edits)
        return


def _module_of(context: RepairContext, site: Site, spelled: str) -> str:
    """Absolute name of the module that an expression names; empty when it is none."""
    for node in ast.walk(site.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if spelled in aliases_of(site.tree, alias.name) and (alias.asname or alias.name) == spelled:
                    return alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == spelled:
                    from selfheal_tui.source.calls import absolute_module

                    package = absolute_module(context.project, site.path, node)
                    return f"{package}.{alias.name}".strip(".")
    return ""


def _self_named(context: RepairContext, module: str) -> str:
    """The member that a module is named after, such as `datetime.datetime`; or the only class of a project's module."""
    last = module.rpartition(".")[2]
    if path := context.project.find_module(module):
        tree = next((t for p, _, t in files(context.project) if p == path), None)
        names = [q for q, _ in definitions(tree) if "." not in q] if tree else []
        wanted = [n for n in names if n.lower() == last.replace("_", "").lower()]
        return wanted[0] if len(wanted) == 1 else (names[0] if len(names) == 1 else "")
    if is_stdlib(context.interpreter, module):
        return last if last in module_members(context.interpreter, module) else ""
    return last if last in _KNOWN_SELF_NAMED else ""


def _value_called(context: RepairContext, site: Site, kind: str) -> Iterator[Finding]:
    calls = site.nodes(ast.Call)
    outermost = [
        c
        for c in calls
        if site.frame.col is None or (c.lineno, c.col_offset) == (site.frame.line, site.frame.col)
    ]
    for call in outermost or calls:
        findings = list(_one_value_called(context, site, call, kind))
        if findings:
            yield from findings[:2]
            return


def _one_value_called(context: RepairContext, site: Site, call: ast.Call, kind: str) -> Iterator[Finding]:
    func, text = call.func, source_of(site.text, call.func)
    if isinstance(func, ast.Tuple | ast.List | ast.Constant | ast.JoinedStr | ast.BinOp):
        yield from _missing_operator(context, site, call, kind)
        return
    known = flow.type_of(site, func)
    if known and known != kind:
        return
    if isinstance(func, ast.Name) and func.id in BUILTIN_NAMES:
        yield from _hidden_builtin(context, site, func, kind)
        return
    if isinstance(func, ast.Attribute) and not call.args and not call.keywords:
        certain = _is_property(context, func.attr)
        reason = f"`{text}` is {'a property' if certain else f'a {kind}'}, not a method: it is used without parentheses"
        yield from flow.one_file(
            context,
            site,
            NAME,
            reason,
            STRONG if certain else PLAUSIBLE,
            [TextEdit(end_of(func), end_of(call), "")],
        )
        return
    if kind in _INDEXABLE and len(call.args) == 1 and not call.keywords:
        new = f"{text}[{source_of(site.text, call.args[0])}]"
        yield from flow.one_file(
            context,
            site,
            NAME,
            f"`{text}` is a {kind}: it is indexed with brackets",
            STRONG,
            [whole(call, new)],
        )
    elif kind in ("int", "float") and len(call.args) == 1 and not call.keywords:
        edit = TextEdit(end_of(func), end_of(func), " * ")
        yield from flow.one_file(
            context,
            site,
            NAME,
            f"`{text}` is a number: an operator is missing before the parenthesis",
            PLAUSIBLE,
            [edit],
        )


def _missing_operator(context: RepairContext, site: Site, call: ast.Call, kind: str) -> Iterator[Finding]:
    """`[(1, 2) (3, 4)]` lacks a comma, `2 (x)` a multiplication sign."""
    holder = parents(site.tree).get(call)
    func = call.func
    if kind in ("int", "float") and len(call.args) == 1:
        edit = TextEdit(end_of(func), end_of(func), " * ")
        yield from flow.one_file(context, site, NAME, "a multiplication sign is missing", STRONG, [edit])
    elif isinstance(holder, ast.List | ast.Tuple | ast.Set | ast.Call | ast.Dict):
        # the end of a parenthesised tuple includes its parenthesis, so this is right behind it
        edit = TextEdit(end_of(func), end_of(func), ",")
        yield from flow.one_file(
            context, site, NAME, "a comma is missing between two elements", STRONG, [edit]
        )


def _hidden_builtin(context: RepairContext, site: Site, func: ast.Name, kind: str) -> Iterator[Finding]:
    """A variable took the name of a builtin that is called later: rename the variable."""
    name = func.id
    scope: ast.AST = flow.scope_of(site, func)
    while not isinstance(scope, ast.Module) and name not in bindings(scope, "local"):
        scope = next((s for s in (site.function(scope), site.tree) if s is not None), site.tree)
    bound = bindings(scope, "local").get(name)
    new = f"{name}_value"
    if bound is None or bound.kind != "variable" or new in site.text:
        return
    uses = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == name]
    elsewhere = [
        n
        for n in ast.walk(scope)
        if isinstance(n, FunctionNode) and n is not scope and name in bindings(n, "local")
    ]
    if elsewhere:
        return
    callees = {n.func for n in ast.walk(scope) if isinstance(n, ast.Call)}
    edits = [whole(n, new) for n in uses if n not in callees]
    reason = (
        f"a variable named `{name}` (a {kind}) hides the builtin that is called here: rename the variable"
    )
    yield from flow.one_file(context, site, NAME, reason, STRONG, edits)


def _is_property(context: RepairContext, name: str) -> bool:
    return any(
        isinstance(node, FunctionNode)
        and node.name == name
        and any(ast.unparse(d).endswith("property") for d in node.decorator_list)
        for _, _, tree in files(context.project, name)
        for node in ast.walk(tree)
    )


def _function_indexed(context: RepairContext, site: Site) -> Iterator[Finding]:
    node = flow.only(
        site.nodes(
            ast.Subscript,
            lambda n: isinstance(n.ctx, ast.Load) and isinstance(n.value, ast.Name | ast.Attribute),
        )
    )
    if node is None:
        return
    func, text = node.value, source_of(site.text, node.value)
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    inner = TextEdit(end_of(func), end_of(node), f"({source_of(site.text, node.slice)})")
    if name in ("keys", "values", "items"):
        yield from flow.one_file(
            context, site, NAME, f"`{text}` is a method: call it", STRONG, [whole(func, f"list({text}())")]
        )
    elif name in _NO_ARGUMENTS or _needs(context, site, func) == 0:
        yield from flow.one_file(
            context, site, NAME, f"`{text}` is a method: call it", STRONG, [insert_after(func, "()")]
        )
    else:
        reason = f"`{text}` is a function: it is called with parentheses, not brackets"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [inner])


def _needs(context: RepairContext, site: Site, func: ast.expr) -> int | None:
    """How many arguments a function of the project must be given; None when it is not known."""
    resolver = CallResolver(
        context.project,
        site.path,
        site.tree,
        site.frame.qualname,
        {v.name: v.type for v in site.frame.locals},
    )
    found = resolver.resolve(ast.Call(func=func, args=[], keywords=[]))
    if found is None:
        return None
    arguments = found.node.args
    names = [*arguments.posonlyargs, *arguments.args]
    bound = 1 if names and names[0].arg in ("self", "cls") else 0
    return len(names) - bound - len(arguments.defaults)


def _uncalled(site: Site) -> list[ast.expr]:
    """Names and attributes that are walked over or measured as if they were values."""
    places: list[ast.expr] = [
        n.iter for n in ast.walk(site.tree) if isinstance(n, ast.For | ast.comprehension)
    ]
    calls = site.nodes(ast.Call, lambda n: bool(n.args))
    compares = site.nodes(ast.Compare, lambda n: isinstance(n.ops[-1], ast.In | ast.NotIn))
    near = [p for p in places if p.lineno <= site.frame.line <= (p.end_lineno or 0)]
    near += [c.args[0] for c in calls] + [c.comparators[-1] for c in compares]
    near += [
        n.value for n in site.nodes(ast.Assign, lambda n: isinstance(n.targets[0], ast.Tuple | ast.List))
    ]
    return [p for p in near if isinstance(p, ast.Attribute | ast.Name)]


def _add_call(context: RepairContext, site: Site, places: list[ast.expr]) -> Iterator[Finding]:
    functions = ("method", "function", "builtin_function_or_method")
    known = [p for p in places if flow.type_of(site, p) in functions]
    attributes = [p for p in places if isinstance(p, ast.Attribute) or flow.type_of(site, p) == ""]
    place = flow.only(known) or flow.only(attributes)
    if place is None:
        return
    text = source_of(site.text, place)
    if (_needs(context, site, place) or 0) > 0:
        yield explained(f"`{text}` is a function that is used without being called, and it needs arguments")
        return
    yield from flow.one_file(
        context, site, NAME, f"`{text}` is a function: call it", STRONG, [insert_after(place, "()")]
    )


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError", "AttributeError"), apply),)
