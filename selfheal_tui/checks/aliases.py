"""What a name stands for: `o.system` after `import os as o` is `os.system`, however it was spelt.

Flow-insensitive on purpose: if a name can stand for a module anywhere in reach, it is taken to, since
this serves a check that must not be talked out of its suspicion. Pure functions over syntax trees;
nothing is imported or run.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from selfheal_tui.checks.constants import fold_string
from selfheal_tui.checks.definitions import DEFINITIONS, MODULE, definitions, own_nodes

_BUILTIN_NAMES = frozenset(dir(builtins))
_MAX_DEPTH = 12
_DYNAMIC_IMPORTS = frozenset({"builtins.__import__", "importlib.import_module", "importlib.__import__"})

Binding = str | ast.expr | None
"""A dotted name that was imported, an expression that was assigned, or None for anything else."""


class Names:
    """The names of one module, by the scope that binds them."""

    def __init__(self, tree: ast.Module, fallback: Names | None = None) -> None:
        """Reads all bindings of a module.

        Args:
            tree: The module.
            fallback: Names of another version of the module, asked for names that this one never
                binds: code that failed for want of an import meant what the import brings.
        """
        self._fallback = fallback
        self._scopes: dict[str, dict[str, list[Binding]]] = {MODULE: {}}
        self._classes: set[str] = set()
        self._hides_builtin: set[str] = set()
        self._stars: list[str] = []
        self._imported: set[str] = set()
        self.guessed: set[str] = set()
        # Without it, names that are assigned from each other take time that grows by powers.
        self._looked_up: dict[tuple[str, str, int], frozenset[str]] = {}
        self._read(tree, MODULE)
        for statement in tree.body:
            if isinstance(statement, DEFINITIONS):
                self._hides_builtin.add(statement.name)
            elif isinstance(statement, ast.ImportFrom):
                self._hides_builtin.update(a.asname or a.name for a in statement.names)
        for qualname, entries in definitions(tree).items():
            for entry in entries:
                if isinstance(entry.node, ast.ClassDef):
                    self._classes.add(qualname)
                self._read(entry.node, qualname)
                self._bind(entry.owner, entry.node.name, None)

    def _bind(self, scope: str, name: str, value: Binding) -> None:
        self._scopes.setdefault(scope, {}).setdefault(name, []).append(value)

    def _read(self, node: ast.AST, scope: str) -> None:
        self._scopes.setdefault(scope, {})
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._read_parameters(node.args, scope)
        for item in own_nodes(node):
            self._read_statement(item, scope)

    def _read_parameters(self, args: ast.arguments, scope: str) -> None:
        positional = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults))
        for arg, default in zip(positional, [*defaults, *args.defaults], strict=True):
            self._bind(scope, arg.arg, default)
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            self._bind(scope, arg.arg, default)
        for extra in (args.vararg, args.kwarg):
            if extra is not None:
                self._bind(scope, extra.arg, None)

    def _read_statement(self, item: ast.AST, scope: str) -> None:
        if isinstance(item, ast.Import):
            for alias in item.names:
                root = alias.name.partition(".")[0]
                self._imported.add(alias.asname or root)
                self._bind(scope, alias.asname or root, alias.name if alias.asname else root)
        elif isinstance(item, ast.ImportFrom):
            module = "." * item.level + (item.module or "")
            for alias in item.names:
                if alias.name == "*":
                    self._stars.append(module)
                    continue
                self._imported.add(alias.asname or alias.name)
                self._bind(scope, alias.asname or alias.name, f"{module}.{alias.name}")
        elif isinstance(item, ast.Assign):
            for target in item.targets:
                self._bind_target(target, item.value, scope)
        elif isinstance(item, ast.AnnAssign | ast.NamedExpr):
            self._bind_target(item.target, item.value, scope)
        elif isinstance(item, ast.For | ast.AsyncFor):
            self._bind_target(item.target, None, scope)
        elif isinstance(item, ast.withitem) and item.optional_vars is not None:
            self._bind_target(item.optional_vars, None, scope)
        elif isinstance(item, ast.ExceptHandler) and item.name:
            self._bind(scope, item.name, None)

    def _bind_target(self, target: ast.expr, value: ast.expr | None, scope: str) -> None:
        if isinstance(target, ast.Name):
            self._bind(scope, target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            values: Iterable[ast.expr | None] = [None] * len(target.elts)
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                values = value.elts
            for part, item in zip(target.elts, values, strict=True):
                self._bind_target(part, item, scope)
        elif isinstance(target, ast.Starred):
            self._bind_target(target.value, None, scope)

    def _chain(self, scope: str) -> list[str]:
        """Lists the scopes in which a name is looked up, innermost first."""
        chain = [scope]
        current = scope
        while current != MODULE:
            current = current.rpartition(".")[0].removesuffix(".<locals>") or MODULE
            if current not in self._classes:
                chain.append(current)
        return chain

    def is_imported(self, name: str) -> bool:
        """Says whether some import statement of the module binds a name."""
        return name in self._imported

    def stars(self) -> tuple[str, ...]:
        """Modules of which everything is imported."""
        return tuple(self._stars)

    def lookup(self, name: str, scope: str, depth: int = 0) -> frozenset[str]:
        """Finds what a name can stand for.

        Args:
            name: The name.
            scope: Qualified name of the function or class in which it is used.
            depth: Aliases followed so far.

        Returns:
            Dotted names; empty when it is some value of the program's own.
        """
        known = self._looked_up.get((name, scope, depth))
        if known is None:
            known = self._looked_up[name, scope, depth] = self._look_up(name, scope, depth)
        return known

    def _look_up(self, name: str, scope: str, depth: int) -> frozenset[str]:
        found: set[str] = set()
        bound_in_function = bound = False
        for place in self._chain(scope):
            for binding in self._scopes.get(place, {}).get(name, ()):
                bound = True
                bound_in_function |= place != MODULE and place not in self._classes
                if isinstance(binding, str):
                    found.add(binding)
                elif binding is not None and not (isinstance(binding, ast.Name) and binding.id == name):
                    found |= self.resolve(binding, place, depth + 1)
        if found or bound_in_function or (bound and name in self._hides_builtin):
            return frozenset(found)
        if name in _BUILTIN_NAMES:
            return frozenset({f"builtins.{name}"})
        if bound:
            return frozenset()
        if self._stars:
            return frozenset({name, *(f"{module}.{name}" for module in self._stars)})
        return self._from_fallback(name) or frozenset({name})

    def _from_fallback(self, name: str) -> frozenset[str]:
        if self._fallback is None:
            return frozenset()
        found = {
            binding
            for binding in self._fallback._scopes[MODULE].get(name, ())
            if isinstance(binding, str) and binding.rpartition(".")[2] == name
        }
        self.guessed |= {name for dotted in found if dotted != name}
        return frozenset(found)

    def resolve(self, node: ast.expr, scope: str, depth: int = 0) -> frozenset[str]:
        """Finds the dotted names that an expression can stand for; empty when it is none."""
        if depth > _MAX_DEPTH:
            return frozenset()
        if isinstance(node, ast.Name):
            return self.lookup(node.id, scope, depth)
        if isinstance(node, ast.Attribute):
            return self._join(self.resolve(node.value, scope, depth + 1), node.attr)
        if isinstance(node, ast.NamedExpr):
            return self.resolve(node.value, scope, depth + 1)
        if isinstance(node, ast.IfExp):
            return self.resolve(node.body, scope, depth + 1) | self.resolve(node.orelse, scope, depth + 1)
        if isinstance(node, ast.BoolOp):
            return frozenset().union(*(self.resolve(v, scope, depth + 1) for v in node.values))
        if isinstance(node, ast.Call):
            return self._resolve_call(node, scope, depth)
        if isinstance(node, ast.Subscript):
            return self._resolve_subscript(node, scope, depth)
        return frozenset()

    @staticmethod
    def _join(bases: Iterable[str], attribute: str) -> frozenset[str]:
        return frozenset(f"{base}.{attribute}" for base in bases)

    def _resolve_call(self, node: ast.Call, scope: str, depth: int) -> frozenset[str]:
        function = self.resolve(node.func, scope, depth + 1)
        if "builtins.getattr" in function and len(node.args) >= 2:
            name = fold_string(node.args[1])
            if name is not None:
                return self._join(self.resolve(node.args[0], scope, depth + 1), name)
        if function & _DYNAMIC_IMPORTS and node.args:
            name = fold_string(node.args[0])
            if name is not None:
                return frozenset({name})
        return frozenset()

    def _resolve_subscript(self, node: ast.Subscript, scope: str, depth: int) -> frozenset[str]:
        name = fold_string(node.slice)
        if name is None:
            return frozenset()
        holder: ast.expr | None = None
        if isinstance(node.value, ast.Attribute) and node.value.attr == "__dict__":
            holder = node.value.value
        elif isinstance(node.value, ast.Call) and node.value.args:
            if "builtins.vars" in self.resolve(node.value.func, scope, depth + 1):
                holder = node.value.args[0]
        elif "sys.modules" in self.resolve(node.value, scope, depth + 1):
            return frozenset({name})
        if holder is None:
            return frozenset()
        return self._join(self.resolve(holder, scope, depth + 1), name)
