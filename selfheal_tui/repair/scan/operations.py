"""Operations that cannot work on values of their types."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.scan.finding import STRONG, Fault, fault
from selfheal_tui.repair.scan.kinds import (
    COMPARISONS,
    OPERATORS,
    SAMPLES,
    UNARY,
    error_of,
    kind_of,
)
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World

_ITERABLE = frozenset({"str", "bytes", "list", "tuple", "dict", "set", "frozenset", "range"})
_UNHASHABLE = frozenset({"list", "dict", "set"})


def impossible_operations(view: View, _world: World) -> Iterator[Fault]:
    """Finds operators whose operands are of types that have no such operation."""
    for node in view.nodes:
        if isinstance(node, ast.BinOp):
            left, right = kind_of(view, node.left), kind_of(view, node.right)
            if (
                not left
                or not right
                or _is_deliberate(node)
                or (isinstance(node.op, ast.Mod) and left in ("str", "bytes"))
            ):
                continue
            message = error_of(OPERATORS[type(node.op)], SAMPLES[left], SAMPLES[right])
            if message:
                yield from fault(view, node, "TypeError", message, "operand-types")
            elif (
                isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod)
                and _is_zero(node.right)
                and left in ("int", "float")
            ):
                yield from fault(view, node, "ZeroDivisionError", "division by zero", "zero-division", STRONG)
        elif isinstance(node, ast.UnaryOp) and type(node.op) in UNARY:
            kind = kind_of(view, node.operand)
            message = error_of(UNARY[type(node.op)], SAMPLES[kind]) if kind else ""
            if message:
                yield from fault(view, node, "TypeError", message, "operand-types")
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _comparison(view, node)


def _is_deliberate(node: ast.BinOp) -> bool:
    """Whether two constants are put together: `1 / 0` and `1 + None` are how one raises an error on purpose."""
    return isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value == 0


def _comparison(view: View, node: ast.Compare) -> Iterator[Fault]:
    left, right = kind_of(view, node.left), kind_of(view, node.comparators[0])
    if isinstance(node.ops[0], ast.In | ast.NotIn):
        if right in ("int", "float", "NoneType", "bool"):
            yield from fault(
                view, node, "TypeError", f"argument of type '{right}' is not iterable", "operand-types"
            )
        elif right == "str" and left and left != "str":
            message = f"'in <string>' requires string as left operand, not {left}"
            yield from fault(view, node, "TypeError", message, "operand-types")
    elif left and right and type(node.ops[0]) in COMPARISONS:
        message = error_of(COMPARISONS[type(node.ops[0])], SAMPLES[left], SAMPLES[right])
        if message:
            yield from fault(view, node, "TypeError", message, "operand-types")


def impossible_uses(view: View, _world: World) -> Iterator[Fault]:
    """Finds attributes, subscripts, calls and loops of values whose type has none."""
    for node in view.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            kind = kind_of(view, node.value)
            if kind and not hasattr(SAMPLES[kind], node.attr):
                message = f"'{kind}' object has no attribute '{node.attr}'"
                yield from fault(view, node, "AttributeError", message, "builtin-attribute")
        elif isinstance(node, ast.Subscript):
            yield from _subscript(view, node) if isinstance(node.ctx, ast.Load) else _assigned(view, node)
        elif isinstance(node, ast.Call):
            yield from _call(view, node)
        elif isinstance(node, ast.For | ast.comprehension):
            kind = kind_of(view, node.iter)
            if kind and kind not in _ITERABLE:
                yield from fault(
                    view, node.iter, "TypeError", f"'{kind}' object is not iterable", "not-iterable"
                )
        elif isinstance(node, ast.Dict | ast.Set):
            for key in node.keys if isinstance(node, ast.Dict) else node.elts:
                yield from _unhashable(view, key)
        elif isinstance(node, ast.Raise) and node.exc is not None:
            yield from _raise(view, node, node.exc)


def _unhashable(view: View, node: ast.expr | None) -> Iterator[Fault]:
    kind = kind_of(view, node) if node is not None else ""
    if node is not None and kind in _UNHASHABLE:
        yield from fault(view, node, "TypeError", f"unhashable type: '{kind}'", "unhashable")


def _assigned(view: View, node: ast.Subscript) -> Iterator[Fault]:
    kind = kind_of(view, node.value)
    if kind and not hasattr(SAMPLES[kind], "__setitem__"):
        does = "assignment" if isinstance(node.ctx, ast.Store) else "deletion"
        message = f"'{kind}' object does not support item {does}"
        yield from fault(view, node, "TypeError", message, "item-assignment")


def _subscript(view: View, node: ast.Subscript) -> Iterator[Fault]:
    owner = kind_of(view, node.value)
    if not owner:
        return
    if owner in ("int", "float", "bool", "NoneType", "set", "frozenset", "complex"):
        yield from fault(
            view, node, "TypeError", f"'{owner}' object is not subscriptable", "not-subscriptable"
        )
        return
    index = kind_of(view, node.slice)
    if owner in ("list", "tuple", "str") and index in ("str", "float", "list", "tuple", "NoneType"):
        message = error_of(lambda a, b: a[b], SAMPLES[owner], SAMPLES[index])
        if message:
            yield from fault(view, node, "TypeError", message, "wrong-index")
    if owner == "dict":
        yield from _unhashable(view, node.slice)


def _call(view: View, node: ast.Call) -> Iterator[Fault]:
    kind = kind_of(view, node.func)
    if kind:
        yield from fault(view, node, "TypeError", f"'{kind}' object is not callable", "not-callable")
        return
    if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
        return
    argument = kind_of(view, node.args[0])
    if view.is_builtin(node.func, "len") and argument in ("int", "float", "bool", "NoneType", "complex"):
        yield from fault(view, node, "TypeError", f"object of type '{argument}' has no len()", "no-len")
    elif view.is_builtin(node.func, "range") and argument in ("str", "float", "list", "NoneType", "dict"):
        message = f"'{argument}' object cannot be interpreted as an integer"
        yield from fault(view, node, "TypeError", message, "wrong-argument")
    elif view.is_builtin(node.func, "int", "float") and argument in (
        "list",
        "dict",
        "tuple",
        "set",
        "NoneType",
    ):
        message = error_of(int if getattr(node.func, "id", "") == "int" else float, SAMPLES[argument])
        yield from fault(view, node, "TypeError", message, "wrong-argument")
    elif (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "join"
        and kind_of(view, node.func.value) == "str"
    ):
        if isinstance(node.args[0], ast.List | ast.Tuple):
            for at, element in enumerate(node.args[0].elts):
                found = kind_of(view, element)
                if found and found != "str":
                    message = f"sequence item {at}: expected str instance, {found} found"
                    yield from fault(view, node, "TypeError", message, "join-items")
                    return
                if isinstance(element, ast.Starred):
                    return
        elif argument in ("int", "float", "NoneType", "bool"):
            yield from fault(view, node, "TypeError", "can only join an iterable", "join-items")


def _raise(view: View, node: ast.Raise, raised: ast.expr) -> Iterator[Fault]:
    target = raised.func if isinstance(raised, ast.Call) else raised
    message = "exceptions must derive from BaseException"
    if view.is_builtin(target, "NotImplemented") or kind_of(view, raised):
        yield from fault(view, node, "TypeError", message, "raise-non-exception")


DETECTORS = (impossible_operations, impossible_uses)
