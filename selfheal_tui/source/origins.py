"""Follows a None back to where it came from, by reading source alone.

The analysis tells the operator, and the missing-return rule acts on it, so it stands below both. It is a
heuristic over syntax: it never runs code, never guesses types, and says nothing where the source does not show it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from selfheal_tui.source.calls import CallResolver, Found, Function, definitions
from selfheal_tui.source.project import Project

IN_PLACE = frozenset(
    {"sort", "reverse", "append", "extend", "insert", "remove", "clear", "update", "add", "discard"}
)
"""Methods of the built-in containers that change the object and return None (Python library reference)."""
MAY_BE_NONE = {
    "get": "`.get()` returns None when the key is missing and no default is given",
    "getenv": "`os.getenv()` returns None when the variable is not set",
    "match": "a regular expression's `match()` returns None when nothing matches",
    "search": "a regular expression's `search()` returns None when nothing matches",
    "fullmatch": "a regular expression's `fullmatch()` returns None when nothing matches",
    "find_spec": "`find_spec()` returns None when there is no such module",
    "which": "`shutil.which()` returns None when the program is not installed",
    "fetchone": "`fetchone()` returns None when there is no (further) row",
    "getmodule": "`inspect.getmodule()` returns None for objects without a module",
}
_WALKERS = frozenset(
    {
        "list",
        "tuple",
        "set",
        "frozenset",
        "dict",
        "sorted",
        "sum",
        "min",
        "max",
        "any",
        "all",
        "iter",
        "enumerate",
        "map",
        "filter",
    }
)
"""Builtins that walk over their (last) argument."""
_DEPTH = 4  # a longer trail helps nobody, and bounds mutual recursion


class Returns(StrEnum):
    """What a function's own statements say about returning None."""

    NEVER_A_VALUE = "never returns a value"
    FALLS_OFF = "can reach its end without a return"
    EXPLICIT_NONE = "returns None on one branch"
    ALWAYS_A_VALUE = "always returns a value"


@dataclass(frozen=True, slots=True)
class Step:
    """One place the None passed through, latest first.

    Attributes:
        path: Relative to the root.
        qualname: Function that holds the place, or `<module>`.
        line: 1-based.
        why: A clause for the operator.
    """

    path: str
    qualname: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class NoneTrace:
    """Which sub-expression was None and what is known about its origin.

    Attributes:
        expression: Source of the sub-expression.
        steps: Places, latest first; empty when the source does not tell.
    """

    expression: str
    steps: tuple[Step, ...] = ()


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes of a function or module without those of functions, lambdas and classes inside it."""
    stack: list[ast.AST] = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack[:0] = list(ast.iter_child_nodes(node))


def terminates(body: Sequence[ast.stmt]) -> bool:
    """Tells whether a block certainly never falls through to what follows it (conservative)."""
    for stmt in body:
        if isinstance(stmt, ast.Return | ast.Raise | ast.Continue | ast.Break):
            return True
        if isinstance(stmt, ast.If) and stmt.orelse and terminates(stmt.body) and terminates(stmt.orelse):
            return True
        if isinstance(stmt, ast.With | ast.AsyncWith) and terminates(stmt.body):
            return True
        if isinstance(stmt, ast.Try) and _try_terminates(stmt):
            return True
        endless = (
            isinstance(stmt, ast.While) and isinstance(stmt.test, ast.Constant) and bool(stmt.test.value)
        )
        if endless and not any(isinstance(n, ast.Break) for n in ast.walk(stmt)):
            return True
        if isinstance(stmt, ast.Match) and _match_terminates(stmt):
            return True
    return False


def _try_terminates(stmt: ast.Try) -> bool:
    if stmt.finalbody and terminates(stmt.finalbody):
        return True
    main = terminates(stmt.body) or (bool(stmt.orelse) and terminates(stmt.orelse))
    return main and all(terminates(handler.body) for handler in stmt.handlers)


def _match_terminates(stmt: ast.Match) -> bool:
    last = stmt.cases[-1]
    wildcard = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
    return wildcard and all(terminates(case.body) for case in stmt.cases)


def is_none(node: ast.AST | None) -> bool:
    """Tells whether an expression is the literal None (or nothing at all, as in a bare `return`)."""
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def returns_of(function: Function) -> Returns:
    """Classifies what a function returns, by its own return statements."""
    nodes = list(own_nodes(function))
    if any(isinstance(n, ast.Yield | ast.YieldFrom) for n in nodes):
        return Returns.ALWAYS_A_VALUE
    returns = [n for n in nodes if isinstance(n, ast.Return)]
    if not any(not is_none(n.value) for n in returns):
        only_raises = terminates(function.body) and not returns
        return Returns.ALWAYS_A_VALUE if only_raises else Returns.NEVER_A_VALUE
    if any(is_none(n.value) for n in returns):
        return Returns.EXPLICIT_NONE
    return Returns.ALWAYS_A_VALUE if terminates(function.body) else Returns.FALLS_OFF


class NoneTracer:
    """Follows one None backwards from an expression.

    Args:
        project: The live project, read only.
        path: File of the expression.
        text: Its text.
        types: Qualified type names of the frame's locals.
    """

    def __init__(
        self, project: Project, path: str, text: str, types: Mapping[str, str] | None = None
    ) -> None:
        self._project = project
        self._path = path
        self._tree = ast.parse(text)
        self._types = types or {}

    def trace(
        self, expression: ast.expr, function: Function | None, qualname: str, *, depth: int = 0
    ) -> list[Step]:
        """Returns the places the None passed through, latest first; empty when the source does not tell."""
        if depth >= _DEPTH:
            return []
        if isinstance(expression, ast.Await):
            return self.trace(expression.value, function, qualname, depth=depth)
        if isinstance(expression, ast.Name):
            return self._of_name(expression, function, qualname, depth)
        if isinstance(expression, ast.Call):
            return self._of_call(expression, qualname, depth)
        if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            return self._of_attribute(expression, qualname)
        return []

    def _of_name(self, name: ast.Name, function: Function | None, qualname: str, depth: int) -> list[Step]:
        scope: ast.AST = function if function is not None else self._tree
        values = [
            (node, value)
            for node in own_nodes(scope)
            if (value := _assigned(node, name.id)) is not None and node.lineno < name.lineno  # type: ignore[attr-defined]  # statements have lines
        ]
        if values:
            node, value = values[-1]
            line: int = node.lineno  # type: ignore[attr-defined]  # statements have lines
            if is_none(value):
                return [Step(self._path, qualname, line, f"`{name.id}` is set to None here")]
            deeper = self.trace(value, function, qualname, depth=depth + 1)
            here = Step(self._path, qualname, line, f"`{name.id}` gets the value of `{ast.unparse(value)}`")
            return [here, *deeper]
        if function is not None and name.id in _parameters(function):
            default = _default_of(function, name.id)
            why = f"parameter `{name.id}` of `{function.name}`" + (
                " defaults to None"
                if default is not None and is_none(default)
                else " was given None by the caller"
            )
            return [Step(self._path, qualname, function.lineno, why)]
        return []

    def _of_call(self, call: ast.Call, qualname: str, depth: int) -> list[Step]:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        found = CallResolver(self._project, self._path, self._tree, qualname, self._types).resolve(call)
        if found is None:
            if isinstance(call.func, ast.Attribute) and name in IN_PLACE:
                why = f"`.{name}()` changes the object in place and returns None"
                return [Step(self._path, qualname, call.lineno, why)]
            if name in MAY_BE_NONE and not (
                name in ("get", "getenv") and len(call.args) + len(call.keywords) > 1
            ):
                return [Step(self._path, qualname, call.lineno, MAY_BE_NONE[name])]
            return []
        return self._of_function(found, depth)

    def _of_function(self, found: Found, depth: int) -> list[Step]:
        kind, node = returns_of(found.node), found.node
        if kind is Returns.ALWAYS_A_VALUE:
            returned = [n for n in own_nodes(node) if isinstance(n, ast.Return) and n.value is not None]
            if len(returned) == 1 and returned[0].value is not None:
                inner = NoneTracer(self._project, found.path, found.text)
                return inner.trace(returned[0].value, node, found.qualname, depth=depth + 1)
            return []
        if kind is Returns.EXPLICIT_NONE:
            lines = [n.lineno for n in own_nodes(node) if isinstance(n, ast.Return) and is_none(n.value)]
            return [
                Step(found.path, found.qualname, line, f"`{node.name}` returns None here")
                for line in lines[:3]
            ]
        last = node.body[-1]
        return [
            Step(found.path, found.qualname, last.lineno, f"`{node.name}` {kind.value}, so it returns None")
        ]

    def _of_attribute(self, expression: ast.Attribute, qualname: str) -> list[Step]:
        base = expression.value
        if not (isinstance(base, ast.Name) and base.id == "self"):
            return []
        owner = qualname.rpartition(".")[0]
        cls = next(
            (n for q, n in definitions(self._tree) if q == owner and isinstance(n, ast.ClassDef)), None
        )
        if cls is None:
            return []
        return [
            Step(
                self._path,
                f"{owner}.{method.name}",
                node.lineno,
                f"`self.{expression.attr}` is set to None here",
            )
            for method in cls.body
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in own_nodes(method)
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value is not None
            and is_none(node.value)
            and any(
                isinstance(t, ast.Attribute) and t.attr == expression.attr
                for t in (node.targets if isinstance(node, ast.Assign) else [node.target])
            )
        ][:3]


def _assigned(node: ast.AST, name: str) -> ast.expr | None:
    if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
        return node.value
    if isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
        return node.value if node.target.id == name else None
    return None


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _default_of(function: Function, name: str) -> ast.expr | None:
    positional = [*function.args.posonlyargs, *function.args.args]
    defaults = function.args.defaults
    paired = zip(positional[len(positional) - len(defaults) :], defaults, strict=True)
    found = {a.arg: d for a, d in paired}
    found |= {a.arg: d for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d}
    return found.get(name)


def none_expression(node: ast.AST, message: str, attribute: str = "") -> ast.expr | None:
    """Finds the sub-expression that must have been None, from the failing node and Python's message.

    Args:
        node: The failing expression, or the whole statement when positions are unknown.
        message: The exception's message.
        attribute: Name of the missing attribute, if it was one.

    Returns:
        The expression, or None when it is not the only one that fits.
    """
    own = _none_part(node, message, attribute)
    if own is not None:
        return own
    hits = none_parts(node, message, attribute)
    return hits[0] if len({ast.dump(h) for h in hits}) == 1 else None


def none_parts(node: ast.AST, message: str, attribute: str = "") -> list[ast.expr]:
    """Returns every sub-expression of a node that Python's message can be about; see `none_expression`."""
    parts = ast.walk(node) if isinstance(node, ast.stmt) else (node, *ast.iter_child_nodes(node))
    return [found for n in parts if (found := _none_part(n, message, attribute)) is not None]


def _none_part(n: ast.AST, message: str, attribute: str) -> ast.expr | None:
    if "has no attribute" in message:
        return n.value if isinstance(n, ast.Attribute) and n.attr == attribute else None
    if "subscriptable" in message or "item assignment" in message or "item deletion" in message:
        return n.value if isinstance(n, ast.Subscript) else None
    if "not callable" in message:
        return n.func if isinstance(n, ast.Call) else None
    if "is not iterable" in message or "cannot unpack" in message or "must be an iterable" in message:
        return _walked_part(n)
    if re.search(r"operand type|can only concatenate", message):
        return _operand_part(n, message)
    if isinstance(n, ast.Call) and re.search(r"(?:got|not) '?NoneType'?", message):
        values = [
            v
            for v in (*n.args, *(k.value for k in n.keywords))
            if not isinstance(v, ast.Constant | ast.Starred)
        ]
        made = [v for v in values if isinstance(v, ast.Call)]
        return values[0] if len(values) == 1 else (made[0] if len(made) == 1 else None)
    if "has no len()" in message and isinstance(n, ast.Call) and n.args:
        return n.args[0] if isinstance(n.func, ast.Name) and n.func.id == "len" else None
    if "not supported between" in message and isinstance(n, ast.Compare):
        return n.left if "instances of 'NoneType' and" in message else n.comparators[-1]
    return None


def _walked_part(n: ast.AST) -> ast.expr | None:
    if isinstance(n, ast.For | ast.AsyncFor | ast.comprehension):
        return n.iter
    if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in _WALKERS:
        values = [a for a in n.args if not isinstance(a, ast.Constant | ast.Starred)]
        return values[-1] if len(values) == 1 else None
    if isinstance(n, ast.Compare) and isinstance(n.ops[-1], ast.In | ast.NotIn):
        return n.comparators[-1]
    if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Tuple | ast.List):
        return n.value
    return n.value if isinstance(n, ast.Starred) else None


def _operand_part(n: ast.AST, message: str) -> ast.expr | None:
    left = ": 'NoneType' and" in message
    if isinstance(n, ast.BinOp):
        return n.left if left else n.right
    if isinstance(n, ast.AugAssign):
        return n.target if left else n.value
    return None
