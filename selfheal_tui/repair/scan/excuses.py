"""What excuses a place from being reported: it is expected to raise, meant for other circumstances, or never run."""

from __future__ import annotations

import ast
import builtins
import re

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_GUARD = re.compile(
    r"version|platform|implementation|compat|os\.name|type_checking|hasattr|getattr|callable\(|\bpy\d|python|pypy|cpython|jython|"
    r"windows|\bwin|_win|posix|linux|darwin|macos|\bmac|cygwin|emscripten|wasm|android|find_spec|\bha(s|ve)_|"
    r"available|installed|support|enabled|globals\(\)|locals\(\)|vars\(|\bdir\(|environ|__builtins__|frozen|"
    r"sys\.|\bos\.|ssl|gevent|debug",
    re.IGNORECASE,
)
"""Tests that ask for a platform, a version, an installation or a feature."""
MARK = re.compile(
    r"#.*\b(noqa|nosec|type:\s*ignore|pylint:\s*disable|pragma:\s*no\s*cover|pyright:\s*ignore|nocover)",
    re.IGNORECASE,
)
_EXPECTS = re.compile(
    r"(raises|suppress|assertRaises\w*|assert_raises\w*|fails|ignore_exceptions?|expect\w*|catch\w*)\Z"
)
_SKIPPED = re.compile(r"skip|xfail|expectedFailure|overload|no_type_check|raises", re.IGNORECASE)
_JUMPS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_ENDS = re.compile(
    r"(sys\.exit|os\._exit|\bexit|quit|pytest\.(skip|fail|xfail|exit)|self\.(skipTest|fail))\Z"
)


def dotted(node: ast.AST) -> str:
    """Spells `a.b.c`; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def bases_of(exception: str) -> frozenset[str]:
    """Names by which a handler catches a built-in exception."""
    kind = getattr(builtins, exception, Exception)
    return frozenset(base.__name__ for base in kind.__mro__ if base is not object)


def excuses(above: ast.AST, below: ast.AST, names: frozenset[str]) -> bool:
    """Whether something that encloses a place excuses it.

    Args:
        above: What encloses it.
        below: The part of that in which it stands.
        names: Names by which a handler would catch the exception.
    """
    if isinstance(above, ast.Try) or type(above).__name__ == "TryStar":
        found = _handled(above, below, names)
    elif isinstance(above, ast.With | ast.AsyncWith):
        found = below in above.body and any(_expects(item.context_expr) for item in above.items)
    elif isinstance(above, ast.If | ast.IfExp | ast.While):
        found = below is not above.test and (_is_guard(above.test) or _constant(above.test))
    elif isinstance(above, ast.BoolOp):
        before = above.values[: above.values.index(below)] if below in above.values else []
        found = any(_is_guard(value) or _constant(value) for value in before)
    elif isinstance(above, (*FUNCTIONS, ast.ClassDef)):
        skipped = any(_SKIPPED.search(ast.unparse(d)) for d in above.decorator_list)
        found = below in above.body and skipped
    elif isinstance(above, ast.match_case):
        found = below in above.body and isinstance(above.pattern, ast.MatchClass)
    else:
        found = isinstance(above, ast.Assert) and below is above.msg
    return found or _left_before(above, below)


def _handled(above: ast.AST, below: ast.AST, names: frozenset[str]) -> bool:
    handlers: list[ast.ExceptHandler] = getattr(above, "handlers", [])
    return below in getattr(above, "body", ()) and any(_catches(handler, names) for handler in handlers)


def _is_guard(test: ast.expr) -> bool:
    return bool(_GUARD.search(ast.unparse(test)))


def _catches(handler: ast.ExceptHandler, names: frozenset[str]) -> bool:
    kinds = handler.type
    if kinds is None:
        return True
    listed = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    # A name that is no builtin (`except errors:`) may stand for anything.
    return any(dotted(k).rpartition(".")[2] in names or not hasattr(builtins, dotted(k)) for k in listed)


def _expects(expression: ast.expr) -> bool:
    called = expression.func if isinstance(expression, ast.Call) else expression
    return bool(_EXPECTS.search(dotted(called)))


def _constant(test: ast.expr) -> bool:
    """Whether a test always has the same result, so that one branch may be there for reading only."""
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test = test.operand
    return isinstance(test, ast.Constant) or (
        isinstance(test, ast.BoolOp) and any(map(_constant, test.values))
    )


def _left_before(above: ast.AST, below: ast.AST) -> bool:
    """Whether a statement before this one in its block leaves it, always or on another platform."""
    for block in ("body", "orelse", "finalbody"):
        statements = getattr(above, block, None)
        if not isinstance(statements, list) or below not in statements:
            continue
        for statement in statements[: statements.index(below)]:
            if leaves(statement):
                return True
            if isinstance(statement, ast.Assert) and _is_guard(statement.test):
                return True
            inner = [*statement.body, *statement.orelse] if isinstance(statement, ast.If) else []
            if isinstance(statement, ast.If) and any(map(leaves, inner)) and _is_guard(statement.test):
                return True
    return False


def leaves(statement: ast.stmt) -> bool:
    """Whether nothing after a statement in its block is run."""
    if isinstance(statement, _JUMPS):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return bool(_ENDS.search(dotted(statement.value.func)))
    if isinstance(statement, ast.If) and isinstance(statement.test, ast.Constant) and statement.test.value:
        return any(map(leaves, statement.body))
    if isinstance(statement, ast.If):
        return bool(statement.orelse) and all(
            any(leaves(inner) for inner in branch) for branch in (statement.body, statement.orelse)
        )
    if isinstance(statement, ast.While):
        endless = isinstance(statement.test, ast.Constant) and bool(statement.test.value)
        return endless and not any(isinstance(n, ast.Break) for n in ast.walk(statement))
    return False
