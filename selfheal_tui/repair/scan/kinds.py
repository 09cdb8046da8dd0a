"""Which built-in type an expression certainly has, as far as its text alone tells.

Only literals, calls of builtins that nothing shadows, and local variables with one single binding count. A variable
that is asked about anywhere (`if x`, `isinstance`) counts for nothing: the code knows more than we do.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterator
from typing import Any

from selfheal_tui.repair.scan.excuses import FUNCTIONS
from selfheal_tui.repair.scan.view import View

SAMPLES: dict[str, Any] = {
    "str": "a", "bytes": b"a", "int": 3, "float": 1.5, "complex": 1j, "bool": True, "list": [1], "tuple": (1,),
    "dict": {1: 1}, "set": {1}, "frozenset": frozenset({1}), "NoneType": None, "range": range(3),
}  # fmt: skip
"""One value of each type, to ask Python itself what can be done with it."""

OPERATORS: dict[type[ast.AST], Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.MatMult: operator.matmul,
}  # fmt: skip
COMPARISONS: dict[type[ast.AST], Any] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
UNARY: dict[type[ast.AST], Any] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}

_BUILTIN_CALLS = {
    "str": "str", "repr": "str", "ascii": "str", "chr": "str", "format": "str", "hex": "str", "bin": "str", "oct": "str",
    "input": "str", "len": "int", "int": "int", "ord": "int", "id": "int", "hash": "int", "float": "float", "list": "list",
    "sorted": "list", "dir": "list", "dict": "dict", "set": "set", "frozenset": "frozenset", "tuple": "tuple", "bytes": "bytes",
    "bool": "bool", "isinstance": "bool", "callable": "bool", "hasattr": "bool", "range": "range", "print": "NoneType",
}  # fmt: skip
_STR_METHODS = {
    **dict.fromkeys(
        [
            "format",
            "join",
            "strip",
            "lstrip",
            "rstrip",
            "upper",
            "lower",
            "title",
            "replace",
            "capitalize",
            "zfill",
            "ljust",
            "rjust",
            "center",
            "casefold",
            "expandtabs",
            "swapcase",
        ],
        "str",
    ),
    **dict.fromkeys(["split", "rsplit", "splitlines"], "list"),
    **dict.fromkeys(["count", "find", "index", "rfind", "rindex"], "int"),
    **dict.fromkeys(
        ["startswith", "endswith", "isdigit", "isalpha", "isupper", "islower", "isidentifier"], "bool"
    ),
    **dict.fromkeys(["partition", "rpartition"], "tuple"),
    "encode": "bytes",
}
_IN_PLACE = {
    "list": frozenset(["append", "extend", "insert", "sort", "reverse", "remove", "clear"]),
    "dict": frozenset(["update", "clear"]),
    "set": frozenset(["add", "update", "discard", "remove", "clear"]),
}
"""Methods that change their object and answer None."""
_ASKING = frozenset({"isinstance", "hasattr", "type", "callable", "cast", "issubclass"})
_DEPTH = 12


def kind_of(view: View, node: ast.expr, depth: int = 0) -> str:
    """Names the type of an expression.

    Args:
        view: The file.
        node: The expression.
        depth: How many others led here.

    Returns:
        Bare name of a built-in type; empty when it may be anything.
    """
    if depth > _DEPTH:
        return ""
    match node:
        case ast.Constant(value=value):
            return type(value).__name__ if type(value).__name__ in SAMPLES else ""
        case ast.JoinedStr():
            return "str"
        case ast.List() | ast.ListComp():
            return "list"
        case ast.Tuple():
            return "tuple"
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.Set() | ast.SetComp():
            return "set"
        case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]) | ast.UnaryOp(op=ast.Not()):
            return "bool"
        case ast.Call():
            return _call(view, node, depth)
        case ast.BinOp():
            left, right = kind_of(view, node.left, depth + 1), kind_of(view, node.right, depth + 1)
            return _result(node.op, left, right)
        case ast.Name():
            return _variable(view, node, depth)
        case _:
            return ""


def _call(view: View, node: ast.Call, depth: int) -> str:
    if isinstance(node.func, ast.Name):
        kind = _BUILTIN_CALLS.get(node.func.id, "")
        return kind if kind and view.is_builtin(node.func, node.func.id) else ""
    if isinstance(node.func, ast.Attribute):
        owner = kind_of(view, node.func.value, depth + 1)
        if owner == "str":
            return _STR_METHODS.get(node.func.attr, "")
        if node.func.attr in _IN_PLACE.get(owner, ()):
            return "NoneType"
    return ""


def _result(op: ast.operator, left: str, right: str) -> str:
    if not left or not right or (isinstance(op, ast.Mod) and left in ("str", "bytes")):
        return "str" if left == "str" and isinstance(op, ast.Mod) else ""
    try:
        return type(OPERATORS[type(op)](SAMPLES[left], SAMPLES[right])).__name__
    except (TypeError, ValueError, ArithmeticError):
        return ""


def _variable(view: View, node: ast.Name, depth: int) -> str:
    """The type of a local variable that is assigned once, by itself, and never asked about."""
    found = view.resolve(node)
    if found is None or not isinstance(found[0], FUNCTIONS) or len(found[1]) != 1:
        return ""
    target = found[1][0]
    assignment = view.parents.get(target)
    if not isinstance(assignment, ast.Assign) or assignment.targets != [target]:
        return ""
    if view.function(node) is not found[0] or is_asked(view, found[0], node.id):
        return ""
    return kind_of(view, assignment.value, depth + 1)


def is_asked(view: View, function: ast.AST, name: str) -> bool:
    """Whether a function tests a variable anywhere, or lets others rebind it."""
    known = view.asked.get(function)
    if known is None:
        known = view.asked[function] = frozenset(_asked(view, function))
    return name in known


def _asked(view: View, function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Nonlocal | ast.Global):
            yield from node.names
        elif isinstance(node, ast.Name) and _is_tested(view, function, node):
            yield node.id


def _is_tested(view: View, function: ast.AST, node: ast.Name) -> bool:
    for above, below in view.up(node):
        if isinstance(above, ast.BoolOp | ast.IfExp | ast.match_case):
            return True
        if below in (getattr(above, "test", None), getattr(above, "subject", None)):
            return True
        if above is function or isinstance(above, ast.stmt):
            return False
        if isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and above.func.id in _ASKING:
            return True
    return False


def error_of(action: Any, *values: Any) -> str:
    """Asks Python whether values of these types can be put together.

    Returns:
        The message of the TypeError; empty when they can, or fail for their values only.
    """
    try:
        action(*values)
    except TypeError as error:
        return str(error)
    except (ValueError, ArithmeticError, LookupError, MemoryError):
        return ""
    return ""
