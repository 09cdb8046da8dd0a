"""Every use of a capability in a module, with aliases resolved.

A reference counts as much as a call: `map(os.system, names)` runs programs, too. Pure functions over
syntax trees; what is new about a use is decided in `safety`.
"""

from __future__ import annotations

import ast

from selfheal_tui.checks import capabilities as table
from selfheal_tui.checks.aliases import Names
from selfheal_tui.checks.capabilities import Capability
from selfheal_tui.checks.constants import fold_string
from selfheal_tui.checks.definitions import DEFINITIONS, FUNCTIONS, definitions
from selfheal_tui.checks.recorder import Use, UseRecorder
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.probe.redaction import is_secret_name

_TYPE_TESTS = frozenset({"builtins.isinstance", "builtins.issubclass"})
_REFLECTION = frozenset({"builtins.getattr", "builtins.setattr", "builtins.delattr", "builtins.hasattr"})
_GETTERS = frozenset({"operator.attrgetter", "operator.methodcaller"})
_MAX_DEPTH = 400


class UseCollector(UseRecorder):
    """Walks one module and gathers its uses."""

    def collect(self) -> list[Use]:
        """Walks the whole module."""
        self._body(self._tree)
        for qualname, entries in definitions(self._tree).items():
            for entry in entries:
                self._scope = qualname
                self._body(entry.node)
        return self.uses

    def _body(self, owner: ast.AST) -> None:
        if isinstance(owner, FUNCTIONS):
            self._parameters(owner.args)
            for part in (owner.returns, *(a.annotation for a in _all_args(owner.args))):
                if part is not None:
                    self._visit(part, quiet=True)
            for default in (*owner.args.defaults, *owner.args.kw_defaults):
                if default is not None:
                    self._visit(default, alias=True)
            for child in (*owner.decorator_list, *owner.body):
                self._visit(child)
        else:
            for child in ast.iter_child_nodes(owner):
                self._visit(child)

    def _parameters(self, args: ast.arguments) -> None:
        positional = [*args.posonlyargs, *args.args]
        with_default = zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True)
        for arg, default in (*with_default, *zip(args.kwonlyargs, args.kw_defaults, strict=True)):
            if default is not None:
                self._switch(arg.arg, default, default)

    def _visit(self, node: ast.AST, *, quiet: bool = False, alias: bool = False, depth: int = 0) -> None:
        """Visits a node.

        Args:
            node: The node; nested definitions are left to their own turn.
            quiet: Whether mere references are harmless here (annotations, type tests).
            alias: Whether a powerful module may stand here, since whoever gets it is followed.
            depth: Nesting so far.
        """
        if isinstance(node, DEFINITIONS):
            return
        if depth > _MAX_DEPTH:
            raise RecursionError("code is nested too deeply to be checked")
        if isinstance(node, ast.Attribute | ast.Name):
            self._reference(node, None, quiet=quiet, alias=alias, depth=depth)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Delete | ast.NamedExpr):
            self._assignment(node, depth)
        elif isinstance(node, ast.IfExp | ast.BoolOp):
            for child in ast.iter_child_nodes(node):
                self._visit(child, quiet=quiet, alias=alias, depth=depth + 1)
        else:
            self._expression(node, quiet, depth)

    def _expression(self, node: ast.AST, quiet: bool, depth: int) -> None:
        if isinstance(node, ast.Call):
            self._call(node, quiet, depth)
        elif isinstance(node, ast.Subscript):
            self._subscript(node, quiet, depth)
        elif isinstance(node, ast.ExceptHandler):
            if node.type is not None:
                self._visit(node.type, quiet=True, depth=depth + 1)
            for statement in node.body:
                self._visit(statement, depth=depth + 1)
        else:
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    self._switch(fold_string(key) or "" if key is not None else "", value, value)
            self._children(node, quiet, depth)

    def _children(self, node: ast.AST, quiet: bool, depth: int) -> None:
        for child in ast.iter_child_nodes(node):
            self._visit(child, quiet=quiet, depth=depth + 1)

    # References

    def _reference(
        self,
        node: ast.Attribute | ast.Name,
        call: ast.Call | None,
        *,
        quiet: bool = False,
        alias: bool = False,
        depth: int = 0,
    ) -> None:
        root: ast.expr = node
        hit = False
        while isinstance(root, ast.Attribute):
            if root.attr in table.TRICK_ATTRIBUTES and not self._own_dunder(root):
                trick = Capability(table.TRICK.kind, table.TRICK_ATTRIBUTES[root.attr])
                self._add(trick, f".{root.attr}", node)
                hit = True
            root = root.value
        dotted = self._names.resolve(node, self._scope)
        if isinstance(root, ast.Name) and root.id == "__builtins__":
            self._add(table.TRICK, "__builtins__", node)
            hit = True
        for name in sorted(dotted):
            hit |= self._dotted(name, node, call, quiet)
        if isinstance(node, ast.Attribute):
            if call is not None and not hit:
                self._method(node, call)
            if not isinstance(root, ast.Name):
                self._visit(root, depth=depth + 1)
            if node.attr == "__dict__" and any(self._imported_root(node.value)):
                self._add(table.REFLECT, "module.__dict__", node)
        elif not quiet and not alias and call is None:
            for name in sorted(dotted & table.POWERFUL_MODULES):
                self._add(table.MODULE_VALUE, name, node)

    @staticmethod
    def _own_dunder(node: ast.Attribute) -> bool:
        """`super().__reduce__()`, `super().__getattribute__(n)`: a class's own protocol, not a climb."""
        value = node.value
        return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super"

    # Statements

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Holds an import against the code only where its name is never used as one (a re-export)."""
        if not isinstance(node, ast.ImportFrom) or node.level:
            return
        used = {n.id for n in ast.walk(self._tree) if isinstance(n, ast.Name)}
        for alias in node.names:
            found = table.capability_of(f"{node.module}.{alias.name}")
            if found and alias.name[:1].islower() and (alias.asname or alias.name) not in used:
                self._add(found[1], found[0], node)

    def _assignment(
        self, node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Delete | ast.NamedExpr, depth: int
    ) -> None:
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
        value = None if isinstance(node, ast.Delete) else node.value
        for target in targets:
            self._store(target, value, node)
            if not isinstance(target, ast.Name):
                self._visit(target, alias=True, depth=depth + 1)
        if isinstance(node, ast.AnnAssign):
            self._visit(node.annotation, quiet=True, depth=depth + 1)
        if value is None:
            return
        plain = all(isinstance(t, ast.Name) for t in targets)
        if isinstance(value, ast.Tuple) and any(isinstance(t, ast.Tuple) for t in targets):
            for item in value.elts:
                self._visit(item, alias=True, depth=depth + 1)
        else:
            self._visit(value, alias=plain, depth=depth + 1)

    def _store(self, target: ast.expr, value: ast.expr | None, node: ast.AST) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._store(part, None, node)
        elif isinstance(target, ast.Attribute):
            for name in self._imported_root(target.value):
                self._patched(f"{name}.{target.attr}", node)
            if value is not None:
                self._switch(target.attr, value, node)
        elif isinstance(target, ast.Subscript):
            held = self._names.resolve(target.value, self._scope)
            if "os.environ" in held:
                self._add(table.ENV_WRITE, "os.environ[…] =", node)
            if any(n.endswith(".__dict__") for n in held) or self._is_namespace(target.value):
                self._add(table.PATCH, "a namespace", node)

    def _subscript(self, node: ast.Subscript, quiet: bool, depth: int) -> None:
        key = fold_string(node.slice)
        if key in table.TRICK_ATTRIBUTES or key in {"eval", "exec", "__import__", "open", "system"}:
            if key in table.TRICK_ATTRIBUTES or self._is_dict_of_names(node.value):
                self._add(table.TRICK, f"[{key!r}]", node)
        elif key is None and self._is_dict_of_names(node.value):
            self._add(table.TRICK, "a namespace by computed name", node)
        reached = self._names.resolve(node, self._scope)
        for name in sorted(reached):
            self._dotted(name, node, None, quiet)
        held = self._names.resolve(node.value, self._scope)
        if "os.environ" in held:
            if key is not None and is_secret_name(key) and isinstance(node.ctx, ast.Load):
                self._add(table.ENV_SECRET, f"${key}", node)
            self._visit(node.slice, depth=depth + 1)
            return
        self._children(node, quiet, depth)

    # Calls

    def _call(self, node: ast.Call, quiet: bool, depth: int) -> None:
        function = self._names.resolve(node.func, self._scope)
        if isinstance(node.func, ast.Attribute | ast.Name):
            self._reference(node.func, node, depth=depth)
        else:
            for name in sorted(function):
                self._dotted(name, node, node, quiet=False)
            self._visit(node.func, depth=depth + 1)
        for name in sorted(self._names.resolve(node, self._scope)):
            self._dotted(name, node, None, quiet)
        for keyword in node.keywords:
            if keyword.arg is not None:
                self._switch(keyword.arg, keyword.value, node)
        type_test = bool(function & _TYPE_TESTS)
        if function & _REFLECTION:
            self._reflection(node, function)
        if function & _GETTERS:
            self._getter(node)
        hands = not function & _REFLECTION
        for index, argument in enumerate(node.args):
            lenient = quiet or (type_test and index == 1) or (not hands and index == 0)
            self._visit(argument, quiet=lenient, depth=depth + 1)
        for keyword in node.keywords:
            self._visit(keyword.value, quiet=quiet, depth=depth + 1)

    def _reflection(self, node: ast.Call, function: frozenset[str]) -> None:
        if len(node.args) < 2 or any(isinstance(a, ast.Starred) for a in node.args):
            self._add(table.REFLECT, "getattr", node, node)
            return
        name = fold_string(node.args[1])
        held = self._imported_root(node.args[0])
        verb = next(iter(sorted(function & _REFLECTION))).removeprefix("builtins.")
        if verb in {"setattr", "delattr"} and held:
            for module in held:
                self._patched(f"{module}.{name or '?'}", node)
        elif verb == "setattr" and name is not None and len(node.args) > 2:
            self._switch(name, node.args[2], node)
        if name is None:
            powerful = any(h.partition(".")[0] in table.POWERFUL_MODULES for h in held)
            kind = Capability(
                table.DYNAMIC.kind if powerful else table.REFLECT.kind,
                Verdict.FAIL if powerful else Verdict.WARN,
            )
            if verb != "hasattr":
                self._add(kind, f"{verb} with a computed name", node, node)
        elif name in table.TRICK_ATTRIBUTES:
            self._add(Capability(table.TRICK.kind, table.TRICK_ATTRIBUTES[name]), f".{name}", node, node)
        elif not held and name in {"system", "popen", "eval", "exec", "unlink", "rmtree", "execv", "spawnv"}:
            self._add(table.PROCESS, f".{name}", node, node)

    def _getter(self, node: ast.Call) -> None:
        for argument in node.args:
            name = fold_string(argument)
            if name is None:
                self._add(table.REFLECT, "attrgetter with a computed name", node, node)
            else:
                parts = set(name.split("."))
                bad = parts & (
                    table.TRICK_ATTRIBUTES.keys() | table.METHODS.keys() | {"system", "popen", "eval", "exec"}
                )
                if bad:
                    self._add(table.TRICK, f"attrgetter({name!r})", node, node)


def _all_args(args: ast.arguments) -> list[ast.arg]:
    extra = [a for a in (args.vararg, args.kwarg) if a is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *extra]


def uses_of(tree: ast.Module, names: Names) -> list[Use]:
    """Gathers every use of a capability in a module.

    Args:
        tree: The module.
        names: Its names.

    Returns:
        The uses, by function.

    Raises:
        RecursionError: Code is nested too deeply.
    """
    return UseCollector(tree, names).collect()
