"""Recording uses of capabilities: what a resolved name, method, switch or store amounts to.

Knows the table of capabilities and what names stand for, and nothing of how a module is walked; that is
`uses`.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass

from selfheal_tui.checks import capabilities as table
from selfheal_tui.checks.aliases import Names
from selfheal_tui.checks.capabilities import Capability
from selfheal_tui.checks.constants import fold_string
from selfheal_tui.checks.definitions import MODULE
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.probe.redaction import is_secret_name

_WRITING_MODE = frozenset("wax+")


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a capability.

    Attributes:
        capability: What it is.
        target: What is used, as the operator should read it.
        scope: Qualified name of the function.
        line: 1-based line.
        code: The call (or reference) as text without positions.
        positional: Its positional arguments as such text.
        guessed: Whether the name was never bound here, and what it means was taken from the patch.
    """

    capability: Capability
    target: str
    scope: str
    line: int
    code: str
    positional: str = ""
    guessed: bool = False


def _mode(call: ast.Call | None, position: int) -> str | None:
    """Reads the mode with which a file is opened; None when it is computed."""
    if call is None:
        return None
    node: ast.expr | None = call.args[position] if len(call.args) > position else None
    for keyword in call.keywords:
        if keyword.arg == "mode":
            node = keyword.value
        elif keyword.arg is None:
            return None
    if any(isinstance(a, ast.Starred) for a in call.args):
        return None
    return "r" if node is None else fold_string(node)


class UseRecorder:
    """Gathers the uses of one module."""

    def __init__(self, tree: ast.Module, names: Names) -> None:
        """Prepares a walk.

        Args:
            tree: The module.
            names: Its names.
        """
        self._tree = tree
        self._names = names
        self._scope = MODULE
        self.uses: list[Use] = []

    def _add(
        self,
        capability: Capability,
        target: str,
        node: ast.AST,
        call: ast.Call | None = None,
        *,
        guess: bool = False,
    ) -> None:
        whole = call or node
        self.uses.append(
            Use(
                capability=capability,
                target=target,
                scope=self._scope,
                line=getattr(node, "lineno", 0),
                code=ast.dump(whole),
                positional=";".join(ast.dump(a) for a in call.args) if call else "",
                guessed=guess,
            )
        )

    def _imported_root(self, node: ast.expr) -> list[str]:
        """Dotted names of an expression that starts at an import."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            return sorted(self._names.resolve(node, self._scope))
        found = self._names.resolve(node, self._scope)
        return sorted(
            n for n in found if self._names.is_imported(root.id) or n.startswith("builtins.") or n != root.id
        )

    def _dotted(self, name: str, node: ast.AST, call: ast.Call | None, quiet: bool) -> bool:
        guess = any(name.rpartition(".")[2] == g for g in self._names.guessed)
        if name in table.OPENERS:
            if quiet:
                return False
            mode = _mode(call, table.OPENERS[name])
            if mode is None or set(mode) & _WRITING_MODE:
                self._add(table.WRITE, f"{name} for writing", node, call, guess=guess)
            return True
        if name in {"yaml.load", "yaml.load_all", "ruamel.yaml.load"}:
            if not (call and self._has_safe_loader(call)):
                self._add(table.DESERIALISE, name, node, call, guess=guess)
            return True
        if name in {"os.getenv", "os.environ.get", "os.environ"} or name.startswith("os.environ.__"):
            return self._environment(name, node, call)
        if name in {"builtins.globals", "builtins.locals", "builtins.vars"} and not quiet:
            has_argument = bool(call and call.args)
            if name == "builtins.globals" or (has_argument and call and self._imported_root(call.args[0])):
                self._add(table.REFLECT, name, node, call)
            return True
        found = table.capability_of(name)
        if found is None or (quiet and call is None):
            return False
        self._add(found[1], found[0], node, call, guess=guess)
        return True

    def _has_safe_loader(self, call: ast.Call) -> bool:
        loaders = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "Loader")]
        return any(
            table.SAFE_LOADERS.search(name)
            for loader in loaders
            for name in self._names.resolve(loader, self._scope)
        )

    def _environment(self, name: str, node: ast.AST, call: ast.Call | None) -> bool:
        if name == "os.environ":
            if call is None and isinstance(getattr(node, "ctx", None), ast.Load):
                self._add(table.ENV_SECRET, "the whole environment", node)
            return True
        key = fold_string(call.args[0]) if call and call.args else None
        if key is not None and is_secret_name(key):
            self._add(table.ENV_SECRET, f"${key}", node, call)
        return True

    def _method(self, node: ast.Attribute, call: ast.Call) -> None:
        name = node.attr
        if name in table.METHODS:
            self._add(table.METHODS[name], f".{name}()", node, call)
        elif name in {"system", "popen"} and call.args:
            self._add(table.PROCESS, f".{name}()", node, call)
        elif name in {"rename", "replace"} and len(call.args) == 1 and not call.keywords:
            self._add(table.WRITE, f".{name}()", node, call)
        elif name == "open":
            mode = _mode(call, 0)
            if mode is not None and set(mode) & _WRITING_MODE and set(mode) <= set("rwaxbt+U"):
                self._add(table.WRITE, ".open() for writing", node, call)

    def _is_namespace(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Call):
            return False
        return bool(self._names.resolve(node.func, self._scope) & {"builtins.globals", "builtins.vars"})

    def _patched(self, dotted: str, node: ast.AST) -> None:
        root = dotted.partition(".")[0]
        hooked = table.capability_of(dotted)
        if hooked is not None and hooked[1] in (table.HOOK, table.TLS):
            self._add(hooked[1], dotted, node)
        elif root == "builtins" or root in sys.stdlib_module_names:
            self._add(table.PATCH, dotted, node)
        else:
            self._add(Capability(table.PATCH.kind, Verdict.WARN), dotted, node)

    def _switch(self, name: str, value: ast.expr, node: ast.AST) -> None:
        wrong = table.SWITCHES.get(name)
        if wrong is not None and isinstance(value, ast.Constant) and value.value is wrong:
            self._add(table.TLS, f"{name}={wrong}", node)

    def _is_dict_of_names(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute) and node.attr == "__dict__":
            return bool(self._imported_root(node.value))
        if not (isinstance(node, ast.Call) and self._names.resolve(node.func, self._scope)):
            return False
        function = self._names.resolve(node.func, self._scope)
        if "builtins.globals" in function:
            return True
        return "builtins.vars" in function and bool(node.args and self._imported_root(node.args[0]))
