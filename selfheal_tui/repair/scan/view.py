"""One file as the detectors see it: its tree, its scopes, and what excuses a place from being reported.

A place is excused when it is expected to raise, is meant for another platform or version, or is never run. The
rule is precision: where it is not plain that a line raises when it runs, nothing is said. Pure functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from selfheal_tui.repair.rules.scopes import bound_names, own_nodes, parameters
from selfheal_tui.repair.scan.excuses import FUNCTIONS, MARK, Function, bases_of, excuses

SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class View:
    """One file.

    Attributes:
        path: Relative to the root.
        module: Dotted name that it is imported as.
        text: Its text.
        tree: Its tree.
        asked: Variables that functions test, by function; `kinds` keeps them here.
    """

    def __init__(self, path: str, module: str, text: str, tree: ast.Module) -> None:
        self.path = path
        self.module = module
        self.text = text
        self.tree = tree
        self.nodes: list[ast.AST] = []
        self.parents: dict[ast.AST, ast.AST] = {}
        pending: list[ast.AST] = [tree]
        while pending:
            node = pending.pop()
            self.nodes.append(node)
            for child in ast.iter_child_nodes(node):
                # Contexts and operators are shared between places and have no place of their own.
                if hasattr(child, "lineno") or not isinstance(
                    child, ast.expr_context | ast.operator | ast.cmpop
                ):
                    self.parents[child] = node
                    pending.append(child)
        self.asked: dict[ast.AST, frozenset[str]] = {}
        self._bound: dict[ast.AST, dict[str, list[ast.AST]]] = {}

    @cached_property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.splitlines()

    def line(self, number: int) -> str:
        """Returns a line by number; empty when there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def of(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Yields all nodes of some kinds."""
        return (node for node in self.nodes if isinstance(node, kinds))

    def up(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Yields what encloses a node, each with its child on the way, nearest first."""
        below = node
        while (above := self.parents.get(below)) is not None:
            yield above, below
            below = above

    def qualname(self, node: ast.AST) -> str:
        """Names the function that a node runs in as its code object is named."""
        names: list[str] = []
        inner = True
        for above, below in self.up(node):
            if isinstance(above, FUNCTIONS) and below in above.body:
                names.append(above.name if inner else f"{above.name}.<locals>")
                inner = False
            elif isinstance(above, ast.ClassDef) and below in above.body:
                names.append(above.name)
                inner = False
        return ".".join(reversed(names)) or "<module>"

    def scopes(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yields the scopes whose names a node sees, innermost first, the module last."""
        first = True
        for above, below in self.up(node):
            if isinstance(above, COMPREHENSIONS):
                # The outermost iterable is evaluated outside.
                if below is not above.generators[0] or node is not above.generators[0].iter:
                    yield above
                continue
            if isinstance(above, ast.Module):
                yield above
                return
            if not isinstance(above, SCOPES):
                continue
            inside = below is above.body if isinstance(above, ast.Lambda) else below in above.body
            if inside and (first or not isinstance(above, ast.ClassDef)):
                yield above
            first = first and not inside

    def function(self, node: ast.AST) -> Function | None:
        """The innermost function in whose body a node runs."""
        for above, below in self.up(node):
            if isinstance(above, FUNCTIONS) and below in above.body:
                return above
            if isinstance(above, ast.Lambda | ast.ClassDef):
                return None
        return None

    def method_class(self, node: ast.AST) -> tuple[Function, ast.ClassDef] | None:
        """The method and class in which a node runs, through nested functions."""
        for above, below in self.up(node):
            if isinstance(above, ast.ClassDef):
                return (below, above) if isinstance(below, FUNCTIONS) and below in above.body else None
        return None

    def bound(self, scope: ast.AST) -> dict[str, list[ast.AST]]:
        """All bindings made directly in a scope, by name; names declared global or nonlocal are not its own."""
        known = self._bound.get(scope)
        if known is not None:
            return known
        found: dict[str, list[ast.AST]] = {}
        if isinstance(scope, COMPREHENSIONS):
            parts = [part for generator in scope.generators for part in ast.walk(generator.target)]
            for part in parts:
                if isinstance(part, ast.Name):
                    found.setdefault(part.id, []).append(part)
            self._bound[scope] = found
            return found
        if isinstance(scope, (*FUNCTIONS, ast.Lambda)):
            for parameter in parameters(scope):
                found.setdefault(parameter.arg, []).append(parameter)
        for parameter_node in getattr(scope, "type_params", ()):
            found.setdefault(parameter_node.name, []).append(parameter_node)
        self._add_own(scope, found)
        self._bound[scope] = found
        return found

    def _add_own(self, scope: ast.AST, found: dict[str, list[ast.AST]]) -> None:
        """Adds what the statements of a scope bind."""
        elsewhere: set[str] = set()
        for node in own_nodes(scope):
            if isinstance(node, ast.Global | ast.Nonlocal):
                elsewhere.update(node.names)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
                found.setdefault(node.id, []).append(node)
            elif type(node).__name__ == "TypeAlias":
                found.setdefault(node.name.id, []).append(node)  # type: ignore[attr-defined]  # 3.12 and newer
            elif not self._of_comprehension(node, scope):
                for name, _ in bound_names(node):
                    found.setdefault(name, []).append(node)
        for name in elsewhere:
            found.pop(name, None)

    def _of_comprehension(self, node: ast.AST, scope: ast.AST) -> bool:
        """Whether a comprehension keeps the name to itself; `:=` in one binds outside."""
        if not isinstance(node, ast.Name):
            return False
        for above, below in self.up(node):
            if above is scope or (isinstance(above, ast.NamedExpr) and below is above.target):
                return False
            if isinstance(above, ast.comprehension):
                return below is above.target
        return False

    @cached_property
    def top(self) -> dict[str, list[ast.AST]]:
        """Bindings of the module, those that functions make with `global` included."""
        found = {name: list(nodes) for name, nodes in self.bound(self.tree).items()}
        for node in self.of(ast.Global):
            assert isinstance(node, ast.Global)
            for name in node.names:
                found.setdefault(name, []).append(node)
        return found

    def resolve(self, name: ast.Name) -> tuple[ast.AST, list[ast.AST]] | None:
        """Finds the scope that a read name belongs to, and its bindings there; None when nothing binds it."""
        for scope in self.scopes(name):
            if isinstance(scope, ast.Module):
                return (scope, self.top[name.id]) if name.id in self.top else None
            found = self.bound(scope).get(name.id)
            if found:
                return scope, found
        return None

    def is_builtin(self, name: ast.AST, *names: str) -> bool:
        """Whether an expression is one of these builtins, not shadowed."""
        return (
            isinstance(name, ast.Name) and name.id in names and self.resolve(name) is None and not self.stars
        )

    @cached_property
    def stars(self) -> list[ast.ImportFrom]:
        """Star imports."""
        return [
            n for n in self.nodes if isinstance(n, ast.ImportFrom) and any(a.name == "*" for a in n.names)
        ]

    def excused(self, node: ast.AST, exception: str) -> bool:
        """Whether a place is expected to raise, is meant for other circumstances, is never run, or is marked.

        Args:
            node: The place.
            exception: Bare name of what it would raise.
        """
        first = int(getattr(node, "lineno", 1))
        last = max(first, int(getattr(node, "end_lineno", first) or first))
        if any(MARK.search(self.line(number)) for number in {first, last, min(first + 1, last)}):
            return True
        if self._unevaluated(node):
            return True
        names = bases_of(exception)
        return any(excuses(above, below, names) for above, below in self.up(node))

    @cached_property
    def _lazy(self) -> bool:
        """Whether annotations are never evaluated."""
        return any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in self.tree.body
        )

    def _unevaluated(self, node: ast.AST) -> bool:
        """Whether a node stands in an annotation that no interpreter evaluates, or not all do (PEP 649)."""
        for above, below in self.up(node):
            if isinstance(above, ast.AnnAssign) and below is above.annotation:
                return self._lazy or self.function(above) is not None
            if isinstance(above, ast.arg) and below is above.annotation:
                return self._lazy
            if isinstance(above, FUNCTIONS) and below is above.returns:
                return self._lazy
            if type(above).__name__ in ("TypeAlias", "TypeVar", "ParamSpec", "TypeVarTuple"):
                return True
        return False
