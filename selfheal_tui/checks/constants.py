"""Values that code has without being run: strings put together from constants, tautologies, defaults.

Evaluates only what it builds itself from literals; never calls into the code that it looks at.
"""

from __future__ import annotations

import ast

_MAX_STRING = 10_000
_EMPTY_CALLS = frozenset(
    {"dict", "list", "set", "tuple", "str", "int", "float", "bytes", "frozenset", "bool"}
)
_METHODS = frozenset({"lower", "upper", "strip", "title", "swapcase", "lstrip", "rstrip", "casefold"})


def fold_string(node: ast.expr, depth: int = 0) -> str | None:
    """Computes a string that is put together from constants, as in `'sys' + 'tem'`.

    Args:
        node: The expression.
        depth: Nesting so far.

    Returns:
        The string, or None when it is none or depends on anything but constants.
    """
    if depth > 20:
        return None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return _join_all([v.value if isinstance(v, ast.FormattedValue) else v for v in node.values], depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _join_all([node.left, node.right], depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _percent(node, depth)
    if isinstance(node, ast.Subscript):
        return _reversed(node, depth)
    if isinstance(node, ast.Call):
        return _fold_call(node, depth)
    return None


def _join_all(nodes: list[ast.expr], depth: int, separator: str = "") -> str | None:
    parts = [fold_string(n, depth + 1) for n in nodes]
    known = [p for p in parts if p is not None]
    if len(known) != len(parts):
        return None
    text = separator.join(known)
    return text if len(text) <= _MAX_STRING else None


def _percent(node: ast.BinOp, depth: int) -> str | None:
    template = fold_string(node.left, depth + 1)
    values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    parts = [fold_string(v, depth + 1) for v in values]
    if template is None or None in parts or template.replace("%s", "").count("%"):
        return None
    pieces = template.split("%s")
    if len(pieces) != len(parts) + 1:
        return None
    return pieces[0] + "".join(f"{part}{piece}" for part, piece in zip(parts, pieces[1:], strict=True))


def _reversed(node: ast.Subscript, depth: int) -> str | None:
    text = fold_string(node.value, depth + 1)
    cut = node.slice
    if text is None or not isinstance(cut, ast.Slice) or cut.lower or cut.upper:
        return None
    step = cut.step
    is_minus_one = (
        isinstance(step, ast.UnaryOp)
        and isinstance(step.op, ast.USub)
        and isinstance(step.operand, ast.Constant)
        and step.operand.value == 1
    )
    return text[::-1] if is_minus_one else None


def _fold_call(node: ast.Call, depth: int) -> str | None:
    function = node.func
    if isinstance(function, ast.Name) and function.id in {"chr", "str"} and len(node.args) == 1:
        argument = node.args[0]
        if function.id == "str":
            return fold_string(argument, depth + 1)
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int):
            return chr(argument.value) if 0 <= argument.value < 0x110000 else None
        return None
    if not isinstance(function, ast.Attribute) or node.keywords:
        return None
    text = fold_string(function.value, depth + 1)
    if text is None:
        return None
    if function.attr in _METHODS and not node.args:
        return str(getattr(text, function.attr)())
    if function.attr == "join" and len(node.args) == 1 and isinstance(node.args[0], ast.List | ast.Tuple):
        return _join_all(node.args[0].elts, depth, text)
    if function.attr == "replace" and len(node.args) == 2:
        old, new = (fold_string(a, depth + 1) for a in node.args)
        return text.replace(old, new) if old is not None and new is not None else None
    if function.attr == "format" and "{}" in text:
        parts = [fold_string(a, depth + 1) for a in node.args]
        pieces = text.split("{}")
        if None in parts or len(pieces) != len(parts) + 1:
            return None
        return pieces[0] + "".join(f"{part}{piece}" for part, piece in zip(parts, pieces[1:], strict=True))
    return None


def is_literal(node: ast.AST | None) -> bool:
    """Says whether an expression is a value invented on the spot: a constant, or an empty container."""
    if node is None or isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        return is_literal(node.operand)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(is_literal(item) for item in node.elts)
    if isinstance(node, ast.Dict):
        return all(is_literal(item) for item in (*node.keys, *node.values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in _EMPTY_CALLS and not node.keywords and all(is_literal(a) for a in node.args)
    return False


def truth(node: ast.expr) -> bool | None:
    """Finds out whether a condition is always true or always false.

    Args:
        node: The condition.

    Returns:
        Its value, or None when it depends on something.
    """
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = truth(node.operand)
        return None if inner is None else not inner
    if isinstance(node, ast.BoolOp):
        values = [truth(v) for v in node.values]
        decisive = isinstance(node.op, ast.Or)
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return bool(node.elts)
    if isinstance(node, ast.Dict):
        return bool(node.keys)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compare(node)
    return None


def _compare(node: ast.Compare) -> bool | None:
    left, right, operator = node.left, node.comparators[0], node.ops[0]
    has_call = any(isinstance(n, ast.Call | ast.Await | ast.Yield) for n in ast.walk(left))
    if ast.dump(left) == ast.dump(right) and not has_call:
        if isinstance(operator, ast.Eq | ast.Is | ast.LtE | ast.GtE):
            return True
        if isinstance(operator, ast.NotEq | ast.IsNot | ast.Lt | ast.Gt):
            # `x != x` is how NaN is recognised.
            return None if isinstance(operator, ast.NotEq) else False
    if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        if isinstance(operator, ast.Eq | ast.Is):
            return bool(left.value == right.value)
        if isinstance(operator, ast.NotEq | ast.IsNot):
            return bool(left.value != right.value)
    return None
