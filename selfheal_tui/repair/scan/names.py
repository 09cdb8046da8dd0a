"""Names that nothing binds, and local variables that are read before anything can have bound them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from selfheal_tui.repair.scan.excuses import FUNCTIONS, Function, dotted
from selfheal_tui.repair.scan.finding import CERTAIN, Fault, fault
from selfheal_tui.repair.scan.view import COMPREHENSIONS, SCOPES, View
from selfheal_tui.repair.scan.world import World

_GIVEN = frozenset(dir(builtins)) | frozenset(
    [
        "__file__",
        "__name__",
        "__doc__",
        "__package__",
        "__spec__",
        "__loader__",
        "__path__",
        "__dict__",
        "__annotations__",
        "__builtins__",
        "__class__",
        "__module__",
        "__qualname__",
        "__debug__",
        "__cached__",
        "__firstlineno__",
        "__static_attributes__",
        "__type_params__",
        "__classdict__",
        "__conditional_annotations__",
        "__annotate__",
        "WindowsError",
        "aiter",
        "anext",
        "EncodingWarning",
        "ExceptionGroup",
        "BaseExceptionGroup",
        "PythonFinalizationError",
        "_",
        "reveal_type",
        "reveal_locals",
        "get_ipython",
        "display",
        "unicode_literals",
        "exit",
        "quit",
        "copyright",
        "credits",
        "license",
        "help",
        "__IPYTHON__",
        "__orig_bases__",
        "__slots__",
        "WindowsPath",
    ]
)


def undefined_names(view: View, world: World) -> Iterator[Fault]:
    """Finds names that are read and bound nowhere."""
    if view.stars or _injects(view) or (world.is_dynamic(view) and _writes_globals(view)):
        return
    for node in view.nodes:
        if not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Store) or node.id in _GIVEN:
            continue
        if view.resolve(node) is not None or node.id in world.put_on_builtins:
            continue
        if isinstance(node.ctx, ast.Del) or _tested(view, node.id):
            continue
        yield from fault(
            view, node, "NameError", f"name '{node.id}' is not defined", "undefined-name", CERTAIN
        )


def _injects(view: View) -> bool:
    return any(
        isinstance(node, ast.Call)
        and dotted(node.func).rpartition(".")[2] in {"exec", "execfile"}
        and len(node.args) < 2
        for node in view.nodes
    )


def _writes_globals(view: View) -> bool:
    """Whether it stores into its own namespace by name."""
    for node in view.nodes:
        if isinstance(node, ast.Call) and dotted(node.func) in ("globals", "vars", "locals"):
            above = view.parents.get(node)
            if isinstance(above, ast.Subscript) and isinstance(above.ctx, ast.Load):
                continue
            return True
        if isinstance(node, ast.Call) and dotted(node.func) == "setattr":
            return True
    return False


def _tested(view: View, name: str) -> bool:
    """Whether the file asks somewhere if a name is there: by text, or by catching a NameError."""
    for node in view.nodes:
        if isinstance(node, ast.Constant) and node.value == name:
            above = view.parents.get(node)
            if not isinstance(above, ast.Expr | ast.Dict | ast.Call | ast.keyword):
                return True
        if (
            isinstance(node, ast.ExceptHandler)
            and node.type is not None
            and "NameError" in ast.unparse(node.type)
        ):
            return True
    return False


def unbound_locals(view: View, _world: World) -> Iterator[Fault]:
    """Finds local variables that cannot have a value where they are read."""
    for function in view.of(*FUNCTIONS):
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name, nodes in view.bound(function).items():
            yield from _only_augmented(view, name, nodes)
            yield from _read_first(view, function, name, nodes)


def _only_augmented(view: View, name: str, nodes: list[ast.AST]) -> Iterator[Fault]:
    """`count += 1` alone makes `count` local and reads it before it has a value."""
    kinds = [view.parents.get(node) for node in nodes]
    if all(
        isinstance(above, ast.AugAssign) and above.target is node
        for node, above in zip(nodes, kinds, strict=True)
    ):
        first = min(nodes, key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))
        yield from fault(view, first, "UnboundLocalError", _unbound(name), "unbound-local")


def _unbound(name: str) -> str:
    return f"cannot access local variable '{name}' where it is not associated with a value"


def _read_first(view: View, function: Function, name: str, nodes: list[ast.AST]) -> Iterator[Fault]:
    """A plain statement of the function's own block that reads a variable which only later ones bind."""
    if any(isinstance(node, ast.arg) for node in nodes) or not function.body:
        return
    first = min(int(getattr(node, "lineno", 0)) for node in nodes)
    for statement in function.body:
        if (statement.end_lineno or statement.lineno) >= first:
            return
        if isinstance(statement, ast.Expr | ast.Assign | ast.Return | ast.AugAssign | ast.AnnAssign):
            for node in ast.walk(statement):
                if (
                    isinstance(node, ast.Name)
                    and node.id == name
                    and isinstance(node.ctx, ast.Load)
                    and _runs_at_once(view, node, function)
                ):
                    yield from fault(view, node, "UnboundLocalError", _unbound(name), "unbound-local")
                    return


def _runs_at_once(view: View, node: ast.AST, function: Function) -> bool:
    """Whether a read is evaluated whenever its statement is, in the function's own scope."""
    for above, below in view.up(node):
        if above is function:
            return True
        if isinstance(above, (*SCOPES, *COMPREHENSIONS)):
            return False
        if isinstance(above, ast.IfExp) and below is not above.test:
            return False
        if isinstance(above, ast.BoolOp) and below is not above.values[0]:
            return False
        if isinstance(above, ast.AnnAssign) and below is above.annotation:
            return False
    return False


DETECTORS = (undefined_names, unbound_locals)
