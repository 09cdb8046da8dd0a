"""Results of calls that are used as what they cannot be: None, a coroutine, a tuple of another length."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.scan.callee import Callee, callee_of
from selfheal_tui.repair.scan.excuses import Function, leaves
from selfheal_tui.repair.scan.finding import Fault, fault
from selfheal_tui.repair.scan.formats import count_problem
from selfheal_tui.repair.scan.kinds import is_asked
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World

_COROUTINE = frozenset(
    {"send", "throw", "close", "cr_await", "cr_code", "cr_frame", "cr_running", "cr_origin", "cr_suspended"}
)
_NONE = frozenset(dir(None))
_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
}


def misused_results(view: View, world: World) -> Iterator[Fault]:
    """Finds results that are used although the function returns none, or one that was not awaited."""
    for node in view.of(ast.Call):
        assert isinstance(node, ast.Call)
        callee = callee_of(view, world, node)
        if callee is None or callee.node is None or callee.is_class:
            continue
        kind = _kind(callee)
        if kind:
            for use in _uses(view, node):
                yield from _misuse(view, use, kind)
        length = _length(callee)
        if length:
            yield from _unpacked(view, node, length)


def _kind(callee: Callee) -> str:
    node = callee.node
    assert node is not None
    if any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own_nodes(node)):
        return ""
    if isinstance(node, ast.AsyncFunctionDef):
        return "coroutine"
    return "NoneType" if returns_nothing(node) else ""


def returns_nothing(node: Function) -> bool:
    """Whether a function certainly ends by itself, and never with a value."""
    if is_stub(node) or leaves(node.body[-1]) or _may_raise_only(node):
        return False
    return all(
        inner.value is None or (isinstance(inner.value, ast.Constant) and inner.value.value is None)
        for inner in own_nodes(node)
        if isinstance(inner, ast.Return)
    )


def is_stub(node: Function) -> bool:
    """Whether a function has no body to speak of, and is there to be overridden."""
    return all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in node.body
    )


def _may_raise_only(node: Function) -> bool:
    """Whether the last thing that it does is to call something, which may never return."""
    last = node.body[-1]
    noted = node.returns is not None and "NoReturn" in ast.unparse(node.returns)
    never = node.returns is not None and "Never" in ast.unparse(node.returns)
    return (
        noted
        or never
        or (
            len(node.body) == 1
            and isinstance(last, ast.Expr)
            and isinstance(last.value, ast.Call)
            and node.returns is None
        )
    )


def _uses(view: View, call: ast.Call) -> Iterator[ast.expr]:
    """The call itself, and all reads of the one local variable that holds nothing but its result."""
    yield call
    above = view.parents.get(call)
    if (
        not isinstance(above, ast.Assign)
        or len(above.targets) != 1
        or not isinstance(above.targets[0], ast.Name)
    ):
        return
    target = above.targets[0]
    function = view.function(call)
    if (
        function is None
        or len(view.bound(function).get(target.id, ())) != 1
        or is_asked(view, function, target.id)
    ):
        return
    for node in own_nodes(function):
        if isinstance(node, ast.Name) and node.id == target.id and isinstance(node.ctx, ast.Load):
            resolved = view.resolve(node)
            if resolved is not None and resolved[0] is function:
                yield node


def _misuse(view: View, node: ast.expr, kind: str) -> Iterator[Fault]:
    above = view.parents.get(node)
    detector = "missing-await" if kind == "coroutine" else "missing-return"
    has = _COROUTINE if kind == "coroutine" else _NONE
    if isinstance(above, ast.Attribute) and above.value is node and isinstance(above.ctx, ast.Load):
        if above.attr not in has and not above.attr.startswith("__"):
            message = f"'{kind}' object has no attribute '{above.attr}'"
            yield from fault(view, above, "AttributeError", message, detector)
    elif isinstance(above, ast.Subscript) and above.value is node:
        what = (
            "is not subscriptable" if isinstance(above.ctx, ast.Load) else "does not support item assignment"
        )
        yield from fault(view, above, "TypeError", f"'{kind}' object {what}", detector)
    elif isinstance(above, ast.For | ast.comprehension) and above.iter is node:
        if not getattr(above, "is_async", 0):
            yield from fault(view, node, "TypeError", f"'{kind}' object is not iterable", detector)
    elif isinstance(above, ast.BinOp):
        yield from _operand(view, above, node, kind, detector)
    elif isinstance(above, ast.Assign) and above.value is node:
        if any(isinstance(t, ast.Tuple | ast.List) for t in above.targets):
            yield from fault(view, node, "TypeError", f"cannot unpack non-iterable {kind} object", detector)
    elif isinstance(above, ast.Await) and kind == "NoneType":
        message = "object NoneType can't be used in 'await' expression"
        yield from fault(view, above, "TypeError", message, detector)
    elif isinstance(above, ast.Call):
        yield from _called(view, above, node, kind, detector)


def _called(view: View, above: ast.Call, node: ast.expr, kind: str, detector: str) -> Iterator[Fault]:
    if view.is_builtin(above.func, "len") and above.args == [node]:
        yield from fault(view, above, "TypeError", f"object of type '{kind}' has no len()", detector)
    elif above.func is node:
        yield from fault(view, above, "TypeError", f"'{kind}' object is not callable", detector)


def _operand(view: View, above: ast.BinOp, node: ast.expr, kind: str, detector: str) -> Iterator[Fault]:
    other = above.right if above.left is node else above.left
    if type(above.op) not in _SIGNS or not isinstance(other, ast.Constant):
        return
    kinds = [kind, type(other.value).__name__]
    left, right = kinds if above.left is node else kinds[::-1]
    message = f"unsupported operand type(s) for {_SIGNS[type(above.op)]}: '{left}' and '{right}'"
    if isinstance(other.value, str) and above.right is node and isinstance(above.op, ast.Add):
        message = f'can only concatenate str (not "{kind}") to str'
    yield from fault(view, above, "TypeError", message, detector)


def _length(callee: Callee) -> int:
    """How many values a function always returns as a tuple; 0 when that differs or is not known."""
    node = callee.node
    if not isinstance(node, ast.FunctionDef) or not leaves(node.body[-1]):
        return 0
    inner = list(own_nodes(node))
    if any(isinstance(n, ast.Yield | ast.YieldFrom) for n in inner):
        return 0
    lengths = set()
    for statement in inner:
        if isinstance(statement, ast.Return):
            if not isinstance(statement.value, ast.Tuple) or any(
                isinstance(e, ast.Starred) for e in statement.value.elts
            ):
                return 0
            lengths.add(len(statement.value.elts))
    return lengths.pop() if len(lengths) == 1 else 0


def _unpacked(view: View, call: ast.Call, length: int) -> Iterator[Fault]:
    above = view.parents.get(call)
    if isinstance(above, ast.Assign) and above.value is call:
        for target in above.targets:
            message = count_problem(target, length)
            if message:
                yield from fault(view, target, "ValueError", message, "unpack-count")


DETECTORS = (misused_results,)
