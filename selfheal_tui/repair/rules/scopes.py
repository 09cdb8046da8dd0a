"""Which names can be seen at a place of a file, by Python's scope rules, without running it.

Pure functions on syntax trees. Class bodies are not seen from their methods; a comprehension sees its
own targets; what `exec`, star imports and `globals()` bind cannot be known and is not guessed.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfheal_tui.repair.rules.support import ancestors

BUILTIN_NAMES = frozenset(name for name in dir(builtins) if not name.startswith("_"))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Binding:
    """One name in one scope.

    Attributes:
        name: The name.
        kind: `parameter`, `variable`, `function`, `class` or `import`.
        where: `local`, `enclosing`, `global` or `builtin`.
        line: Where it is first bound; 0 for builtins.
        type_checking: Whether all its bindings stand under `if TYPE_CHECKING:`.
    """

    name: str
    kind: str
    where: str
    line: int
    type_checking: bool = False


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Walks the statements and expressions of a scope, without entering the scopes inside it.

    Nested functions and classes are yielded themselves; of them only what is evaluated outside
    (decorators, defaults, bases) is walked into.
    """
    if isinstance(scope, ast.Lambda):
        stack: list[ast.AST] = [scope.body]
    else:
        stack = list(reversed(getattr(scope, "body", [])))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.ClassDef):
            stack.extend([*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)])
        elif isinstance(node, _FUNCTIONS):
            defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
            stack.extend([*getattr(node, "decorator_list", []), *defaults])
        else:
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.arg]:
    """All parameters of a function, in order, with `*args` and `**kwargs`."""
    arguments = node.args
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg:
        found.append(arguments.vararg)
    found.extend(arguments.kwonlyargs)
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return found


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def type_checking_nodes(tree: ast.Module) -> frozenset[ast.AST]:
    """All nodes under `if TYPE_CHECKING:` blocks of the module."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            for statement in node.body:
                found.update(ast.walk(statement))
    return frozenset(found)


def bound_names(node: ast.AST) -> Iterable[tuple[str, str]]:
    """Names that one node itself binds in its scope, with their kind."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [(node.id, "variable")]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [(node.name, "function")]
    if isinstance(node, ast.ClassDef):
        return [(node.name, "class")]
    if isinstance(node, ast.Import):
        return [(alias.asname or alias.name.partition(".")[0], "import") for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(alias.asname or alias.name, "import") for alias in node.names if alias.name != "*"]
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        return [(node.name, "variable")]
    if isinstance(node, ast.MatchMapping) and node.rest:
        return [(node.rest, "variable")]
    return ()


def bindings(scope: ast.AST, where: str, guarded: frozenset[ast.AST] = frozenset()) -> dict[str, Binding]:
    """All names bound directly in a scope.

    Args:
        scope: Module, class, function or lambda.
        where: What to note in `Binding.where`.
        guarded: Nodes under `if TYPE_CHECKING:`.

    Returns:
        Bindings by name, in source order.
    """
    found: dict[str, Binding] = {}
    if isinstance(scope, _FUNCTIONS):
        for parameter in parameters(scope):
            found[parameter.arg] = Binding(parameter.arg, "parameter", where, parameter.lineno)
    elsewhere: set[str] = set()
    nodes = list(own_nodes(scope))
    targets = _comprehension_targets(nodes)
    for node in nodes:
        if isinstance(node, ast.Global | ast.Nonlocal):
            elsewhere.update(node.names)
        for name, kind in bound_names(node) if node not in targets else ():
            hidden = node in guarded
            old = found.get(name)
            if old is None or (old.type_checking and not hidden):
                found[name] = Binding(name, kind, where, getattr(node, "lineno", 1), hidden)
    for name in elsewhere:
        found.pop(name, None)
    if isinstance(scope, ast.Module):
        for name, line in _declared_global(scope).items():
            found.setdefault(name, Binding(name, "variable", where, line))
    return found


def _comprehension_targets(nodes: list[ast.AST]) -> set[ast.AST]:
    """Names that comprehensions bind for themselves only."""
    return {
        part
        for node in nodes
        if isinstance(node, _COMPREHENSIONS)
        for generator in node.generators
        for part in ast.walk(generator.target)
    }


def _declared_global(tree: ast.Module) -> dict[str, int]:
    """Names that functions of a module declare `global` and then bind."""
    found: dict[str, int] = {}
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        nodes = list(own_nodes(scope))
        names = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
        for node in nodes if names else ():
            for name, _kind in bound_names(node):
                if name in names:
                    found.setdefault(name, getattr(node, "lineno", 1))
    return found


def visible(tree: ast.Module, node: ast.AST) -> dict[str, Binding]:
    """All names that the code at a node can see.

    Args:
        tree: The module.
        node: The place.

    Returns:
        Bindings by name; the innermost scope wins. Builtins come last.
    """
    guarded = type_checking_nodes(tree)
    found: dict[str, Binding] = {}
    where = "local"
    below: ast.AST = node
    for up in ancestors(tree, node):
        if isinstance(up, _COMPREHENSIONS):
            for generator in up.generators:
                for part in ast.walk(generator.target):
                    if isinstance(part, ast.Name):
                        found.setdefault(part.id, Binding(part.id, "variable", "local", part.lineno))
        elif isinstance(up, _SCOPES) and _runs_inside(up, below):
            if not isinstance(up, ast.ClassDef) or where == "local":
                for name, binding in bindings(up, where, guarded).items():
                    found.setdefault(name, binding)
            where = "enclosing"
        elif isinstance(up, ast.Module):
            for name, binding in bindings(up, "global", guarded).items():
                found.setdefault(name, binding)
        below = up
    for name in BUILTIN_NAMES:
        found.setdefault(name, Binding(name, "variable", "builtin", 0))
    return found


def _runs_inside(scope: ast.AST, child: ast.AST) -> bool:
    """Whether a child belongs to the body of a scope, not to its decorators, defaults or bases."""
    body = getattr(scope, "body", [])
    return child is body if isinstance(scope, ast.Lambda) else child in body


def loads(tree: ast.AST, name: str) -> list[ast.Name]:
    """All reads of a name below a node."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
