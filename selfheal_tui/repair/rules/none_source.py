"""Finds the call (or `with` target) that produced a None, across assignments and callers, for the missing-return rule.

Reading only: where the source does not show one origin, the answer is None.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from selfheal_tui.model.crash import Frame
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.support import FunctionNode, parse, read
from selfheal_tui.source.calls import CallResolver, Found, definitions
from selfheal_tui.source.origins import none_expression, none_parts
from selfheal_tui.source.position import enclosing_function, failing_node

_HOPS = 4  # a longer way is not followed; also bounds recursion through callers


@dataclass(frozen=True, slots=True)
class Spot:
    """An expression in a file, with what is needed to look around it.

    Attributes:
        path: The file.
        text: Its text.
        tree: Its tree (the expression belongs to it).
        frame: The traceback frame that was executing there, if any.
        qualname: Function that holds the expression.
        node: The expression.
    """

    path: str
    text: str
    tree: ast.Module
    frame: Frame | None
    qualname: str
    node: ast.expr

    def at(self, node: ast.expr) -> Spot:
        """The same place, another expression."""
        return Spot(self.path, self.text, self.tree, self.frame, self.qualname, node)

    @property
    def function(self) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function around the expression."""
        return enclosing_function(self.tree, self.node.lineno)

    @property
    def types(self) -> dict[str, str]:
        """Types of the frame's locals."""
        return {value.name: value.type for value in self.frame.locals} if self.frame else {}


def none_spot(context: RepairContext, kind: str = "NoneType") -> Spot | None:
    """Finds the expression that had a type at the failing place.

    Args:
        context: The crash.
        kind: The type that Python's message names; None by default.
    """
    message = context.error.message.replace(kind, "NoneType")
    frame = context.frame
    if frame is None or frame.path is None:
        return None
    source = read(context.project, frame.path)
    tree = parse(source.text) if source else None
    if source is None or tree is None:
        return None
    attribute = context.error.evidence.name or context.error.message.rpartition("attribute '")[2].rstrip("'")
    places: list[ast.AST | None] = [
        failing_node(source.text, frame, context.error),
        _statement(tree, frame.line),
    ]
    for place in places:
        found = none_expression(place, message, attribute) if place is not None else None
        if found is None and kind != "NoneType" and place is not None:
            # in a chain such as load()["a"][0] only its beginning can have that type
            starts = [p for p in none_parts(place, message, attribute) if isinstance(p, ast.Name | ast.Call)]
            found = starts[0] if len(starts) == 1 else None
        if found is not None:
            same = _same_in(tree, found)
            if same is not None and "not callable" in message:
                same = _decorating(tree, same)
            return (
                Spot(frame.path, source.text, tree, frame, frame.qualname, same) if same is not None else None
            )
    return None


def _decorating(tree: ast.Module, called: ast.expr) -> ast.expr:
    """`@register("x")`: what is not callable is what the call gave, not the function that was called."""
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode | ast.ClassDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and decorator.func is called:
                    return decorator
    return called


def _statement(tree: ast.Module, line: int) -> ast.stmt | None:
    hits = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    smallest = min(hits, key=lambda n: (n.end_lineno or n.lineno) - n.lineno, default=None)
    return None if smallest is None or isinstance(smallest, FunctionNode | ast.ClassDef) else smallest


def _same_in(tree: ast.Module, node: ast.expr) -> ast.expr | None:
    """The node of our own tree at the same range."""
    span = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
    for n in ast.walk(tree):
        if (
            isinstance(n, ast.expr)
            and (n.lineno, n.col_offset, n.end_lineno, n.end_col_offset) == span
            and type(n) is type(node)
        ):
            return n
    return None


def producer(context: RepairContext, spot: Spot, hops: int = _HOPS) -> Spot | None:
    """Follows an expression back to the call (or property) that made the None; None when the source does not tell."""
    node = spot.node
    if isinstance(node, ast.Await):
        return producer(context, spot.at(node.value), hops)
    if isinstance(node, ast.Call | ast.Attribute):
        return spot
    if not isinstance(node, ast.Name) or hops == 0:
        return None
    value = _assigned_before(spot, node) or _decorator(spot, node)
    if value is not None:
        return producer(context, spot.at(value), hops - 1)
    return _from_caller(context, spot, node, hops)


def _assigned_before(spot: Spot, name: ast.Name) -> ast.expr | None:
    """The last value assigned to a variable in its scope; the context manager of `with … as name` counts as its call."""
    scope: ast.AST = spot.function or spot.tree
    found: list[tuple[int, ast.expr]] = []
    for node in own_nodes(scope):
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name.id for t in node.targets
        ):
            found.append((node.lineno, node.value))
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
            if node.target.id == name.id and node.value is not None:
                found.append((node.lineno, node.value))
        elif isinstance(node, ast.With | ast.AsyncWith):
            found += [
                (node.lineno, item.context_expr)
                for item in node.items
                if isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == name.id
            ]
    before = [f for f in found if f[0] <= name.lineno and not any(n is name for n in ast.walk(f[1]))]
    return max(before, key=lambda f: f[0])[1] if before else None


def _decorator(spot: Spot, name: ast.Name) -> ast.expr | None:
    """`@decorate def f`: the name is what the decorator returned."""
    for qualname, node in definitions(spot.tree):
        if qualname == name.id and len(node.decorator_list) == 1:
            found = node.decorator_list[0]
            inner = ast.Call(func=found, args=[ast.Name(id=name.id, ctx=ast.Load())], keywords=[])
            return found if isinstance(found, ast.Call) else ast.copy_location(inner, found)
    return None


def _from_caller(context: RepairContext, spot: Spot, name: ast.Name, hops: int) -> Spot | None:
    """A parameter: look at what the calling frame passed for it."""
    passed = passed_for(context, spot, name.id)
    return producer(context, passed, hops - 1) if passed else None


def passed_for(context: RepairContext, spot: Spot, name: str) -> Spot | None:
    """Finds what the calling frame passed for a parameter.

    Args:
        context: The crash.
        spot: A place in the called function, with its frame.
        name: The parameter.

    Returns:
        The argument, in the caller; None where it is not the project's, or not evident.
    """
    function, frames = spot.function, context.error.frames
    if function is None or spot.frame is None:
        return None
    index = next((i for i, f in enumerate(frames) if f is spot.frame), 0)
    caller = frames[index - 1] if index else None
    if caller is None or caller.path is None or not caller.in_app:
        return None
    source = read(context.project, caller.path)
    tree = parse(source.text) if source else None
    if source is None or tree is None:
        return None
    calls = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and n.lineno <= caller.line <= (n.end_lineno or 0)
        and (n.func.attr if isinstance(n.func, ast.Attribute) else getattr(n.func, "id", "")) == function.name
    ]  # fmt: skip
    if len(calls) != 1:
        return None
    passed = _argument(function, calls[0], name)
    return Spot(caller.path, source.text, tree, caller, caller.qualname, passed) if passed else None


def _argument(function: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if names[:1] in (["self"], ["cls"]) and isinstance(call.func, ast.Attribute):
        names = names[1:]
    if name in names and names.index(name) < len(call.args):
        found = call.args[names.index(name)]
        return None if any(isinstance(a, ast.Starred) for a in call.args[: names.index(name) + 1]) else found
    return None


def definition_of(context: RepairContext, spot: Spot) -> Found | None:
    """The project's function behind a producing call or property."""
    resolver = CallResolver(context.project, spot.path, spot.tree, spot.qualname, spot.types)
    if isinstance(spot.node, ast.Call):
        found = resolver.resolve(spot.node)
        return found or _enter_of(resolver, spot)
    if isinstance(spot.node, ast.Attribute):
        found = resolver.resolve(ast.Call(func=spot.node, args=[], keywords=[]))
        decorators = [ast.unparse(d) for d in found.node.decorator_list] if found else []
        return found if any(d.endswith("property") for d in decorators) else None
    return None


def _enter_of(resolver: CallResolver, spot: Spot) -> Found | None:
    """`with Thing() as x`: what `Thing.__enter__` returns."""
    if not isinstance(spot.node, ast.Call) or not isinstance(spot.node.func, ast.Name):
        return None
    if not any(q == spot.node.func.id for q, n in definitions(spot.tree) if isinstance(n, ast.ClassDef)):
        return None
    call = ast.Call(
        func=ast.Attribute(value=spot.node, attr="__enter__", ctx=ast.Load()), args=[], keywords=[]
    )
    return resolver.resolve(call)
