"""A None that came through attributes, other functions' returns, constructors or decorators: the return missing further up.

Takes up where `none_results` ends. Each step must be the only one that the source allows; where a value can have come
from several places, nothing is offered.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.none_results import missing_return_of
from selfheal_tui.repair.rules.none_source import Spot, definition_of, none_spot, producer
from selfheal_tui.repair.rules.places import files, named
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.support import FunctionNode, parse, read
from selfheal_tui.source.calls import CallResolver, Found, definitions
from selfheal_tui.source.origins import Returns, is_none, returns_of

NAME = "missing-return-upstream"
_HOPS = 5


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the return of the function that the None was first made by."""
    if "NoneType" not in context.error.message:
        return
    spot = none_spot(context)
    if spot is None:
        return
    found = upstream(context, spot, _HOPS)
    if found is not None and returns_of(found.node) in (Returns.NEVER_A_VALUE, Returns.FALLS_OFF):
        yield from missing_return_of(context, found)


def upstream(context: RepairContext, spot: Spot, hops: int) -> Found | None:
    """Follows an expression to the function that can end without a value.

    Args:
        context: The crash.
        spot: The expression that was None.
        hops: How many steps may be taken.

    Returns:
        The function; None when the way is not the only one, or leads to a literal None.
    """
    if hops <= 0:
        return None
    origin = producer(context, spot)
    if origin is None:
        return None
    found = definition_of(context, origin) or _only_method(context, origin)
    if found is not None:
        decorator = _decorator_of(context, found)
        if decorator is not None and returns_of(decorator.node) is Returns.NEVER_A_VALUE:
            return decorator
        if returns_of(found.node) is not Returns.ALWAYS_A_VALUE:
            return found
        return _through_return(context, found, hops)
    if isinstance(origin.node, ast.Attribute):
        return _through_attribute(context, origin.node, hops)
    return None


def _spot_in(found: Found, node: ast.expr) -> Spot | None:
    tree = parse(found.text)
    if tree is None:
        return None
    same = next(
        (
            n
            for n in ast.walk(tree)
            if isinstance(n, ast.expr) and type(n) is type(node)
            and (n.lineno, n.col_offset, n.end_col_offset) == (node.lineno, node.col_offset, node.end_col_offset)
        ),
        None,
    )  # fmt: skip
    return Spot(found.path, found.text, tree, None, found.qualname, same) if same is not None else None


def _through_return(context: RepairContext, found: Found, hops: int) -> Found | None:
    """The function hands on what another one gave it."""
    returned = [
        n.value
        for n in own_nodes(found.node)
        if isinstance(n, ast.Return) and isinstance(n.value, ast.Name | ast.Attribute | ast.Call | ast.Await)
    ]
    values = {ast.dump(v): v for v in returned}
    if len(values) != 1 or any(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(found.node)):
        return None
    spot = _spot_in(found, next(iter(values.values())))
    return upstream(context, spot, hops - 1) if spot is not None else None


def _through_attribute(context: RepairContext, node: ast.Attribute, hops: int) -> Found | None:
    """The one value other than None that is stored in an attribute of that name."""
    stores: list[tuple[str, str, ast.Module, str, ast.expr]] = []
    for path, text, tree in files(context.project, node.attr):
        for qualname, function in definitions(tree):
            if not isinstance(function, FunctionNode):
                continue
            for n in own_nodes(function):
                targets = (
                    n.targets
                    if isinstance(n, ast.Assign)
                    else [n.target]
                    if isinstance(n, ast.AnnAssign)
                    else []
                )
                value = n.value if isinstance(n, ast.Assign | ast.AnnAssign) else None
                hit = any(isinstance(t, ast.Attribute) and t.attr == node.attr for t in targets)
                if hit and value is not None and not is_none(value):
                    stores.append((path, text, tree, qualname, value))
    if len(stores) != 1:
        return None
    path, text, tree, qualname, value = stores[0]
    owner, _, bare = qualname.rpartition(".")
    if bare == "__init__" and isinstance(value, ast.Name):
        passed = _constructor_argument(context, tree, qualname, value.id)
        return upstream(context, passed, hops - 1) if passed is not None else None
    return upstream(context, Spot(path, text, tree, None, qualname, value), hops - 1) if owner else None


def _constructor_argument(
    context: RepairContext, tree: ast.Module, qualname: str, parameter: str
) -> Spot | None:
    """What the only constructor call of the project passes for a parameter."""
    init = next((n for q, n in definitions(tree) if q == qualname and isinstance(n, FunctionNode)), None)
    cls = qualname.rpartition(".")[0].rpartition(".")[2]
    names = [a.arg for a in init.args.args][1:] if init is not None else []
    passed: list[Spot] = []
    for path, text, other in files(context.project, cls):
        if context.project.protected(path):
            continue
        for call in ast.walk(other):
            if not (
                isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) == cls
            ):
                continue
            value = next((k.value for k in call.keywords if k.arg == parameter), None)
            if value is None and parameter in names and names.index(parameter) < len(call.args):
                value = call.args[names.index(parameter)]
            if value is not None and not isinstance(value, ast.Constant | ast.Starred):
                passed.append(Spot(path, text, other, None, _function_at(other, call.lineno), value))
    return passed[0] if len(passed) == 1 else None


def _function_at(tree: ast.Module, line: int) -> str:
    inside = [
        q
        for q, n in definitions(tree)
        if isinstance(n, FunctionNode) and n.lineno <= line <= (n.end_lineno or 0)
    ]
    return inside[-1] if inside else "<module>"


def _only_method(context: RepairContext, spot: Spot) -> Found | None:
    """The only method or function of the project with the name that is called, when the receiver is not known."""
    called = spot.node.func if isinstance(spot.node, ast.Call) else spot.node
    name = called.attr if isinstance(called, ast.Attribute) else ""
    places = named(context.project, name) if name else []
    if len(places) != 1 or not isinstance(places[0].node, FunctionNode):
        return None
    if not isinstance(spot.node, ast.Call) and not places[0].node.decorator_list:
        return None
    source = read(context.project, places[0].path)
    return (
        Found(places[0].path, places[0].qualname, places[0].node, source.text) if source is not None else None
    )


def _decorator_of(context: RepairContext, found: Found) -> Found | None:
    """The project's function that decorates another one."""
    if len(found.node.decorator_list) != 1:
        return None
    decorator = found.node.decorator_list[0]
    tree = parse(found.text)
    if tree is None:
        return None
    call = decorator if isinstance(decorator, ast.Call) else ast.Call(func=decorator, args=[], keywords=[])
    return CallResolver(context.project, found.path, tree).resolve(call)


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError", "TypeError"), apply),)
