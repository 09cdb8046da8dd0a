"""Import statements of a module, one name at a time, made absolute.

Pure functions over syntax trees; trying imports is the sandbox's business.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from selfheal_tui.checks.statements import call_name

_TOLERANT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass(frozen=True, slots=True)
class Imported:
    """One name that a statement imports.

    Attributes:
        module: Absolute module; relative dots are kept where the package is not known.
        name: Name taken from it; empty for `import module`, `*` for everything.
        bound: Name that it is bound to.
        line: 1-based line.
        optional: Whether the code copes with its absence (`try`, `TYPE_CHECKING`, version tests).
    """

    module: str
    name: str
    bound: str
    line: int
    optional: bool

    @property
    def statement(self) -> str:
        """The import as a statement of its own, without its alias."""
        if self.name == "*" or not self.name:
            return f"import {self.module}"
        return f"from {self.module} import {self.name}"


def absolute_module(node: ast.ImportFrom, module_name: str, *, is_package: bool) -> str:
    """Resolves the dots of a relative import.

    Args:
        node: The statement.
        module_name: Dotted name of the module that it stands in.
        is_package: Whether that is an `__init__.py`.

    Returns:
        The absolute name; with its dots where they lead out of the package.
    """
    if not node.level:
        return node.module or ""
    parts = module_name.split(".")
    drop = node.level - 1 if is_package else node.level
    if drop > len(parts) or (drop == len(parts) and not node.module):
        return "." * node.level + (node.module or "")
    base = parts[: len(parts) - drop]
    return ".".join([*base, *([node.module] if node.module else [])])


def _copes(node: ast.stmt) -> bool:
    """Whether imports below a statement may fail unharmed."""
    if isinstance(node, ast.Try):
        for handler in node.handlers:
            types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            if any(t is None or call_name(t).rpartition(".")[2] in _TOLERANT for t in types):
                return True
    if isinstance(node, ast.If):
        text = ast.unparse(node.test)
        return "TYPE_CHECKING" in text or "version_info" in text or "platform" in text
    return False


def imports_of(tree: ast.Module, module_name: str = "", *, is_package: bool = False) -> list[Imported]:
    """Lists all imports of a module, wherever they stand."""
    found: list[Imported] = []

    def visit(node: ast.AST, optional: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                found.append(Imported(alias.name, "", bound, node.lineno, optional))
        elif isinstance(node, ast.ImportFrom):
            module = absolute_module(node, module_name, is_package=is_package)
            for alias in node.names:
                bound = alias.asname or alias.name
                found.append(Imported(module, alias.name, bound, node.lineno, optional))
        else:
            copes = optional or (isinstance(node, ast.stmt) and _copes(node))
            for child in ast.iter_child_nodes(node):
                visit(child, copes)

    visit(tree, False)
    return found
