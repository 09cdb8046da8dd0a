"""How one file of the project imports from another, and what importing it would set off.

Knows packages, scripts (whose own folder is on the path) and source roots. Reads only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from selfheal_tui.repair.rules.places import absolute_module, is_package, package_of
from selfheal_tui.repair.rules.support import parse, read
from selfheal_tui.source.edits import add_import, indent_of, insert_before_line
from selfheal_tui.source.project import Project


def importable(project: Project, dotted: str, from_path: str) -> str | None:
    """Finds the file that an absolute import in a file would load, by Python's own rules.

    Args:
        project: The project.
        dotted: Module name.
        from_path: The importing file; its folder counts when it is not in a package.

    Returns:
        Path of the module, or None. (`Project.find_module` also accepts what is not on any path.)
    """
    known = set(project.python_files())
    tail = dotted.replace(".", "/")
    folders = list(project.source_roots)
    folder = from_path.rpartition("/")[0]
    if folder and f"{folder}/__init__.py" not in known:
        folders.insert(0, folder)
    for root in folders:
        for shape in (f"{tail}/__init__.py", f"{tail}.py"):
            candidate = f"{root}/{shape}" if root else shape
            if candidate in known:
                return candidate
    return None


def imported_files(project: Project, path: str) -> set[str]:
    """Files of the project that a file imports when it is itself imported (not inside functions)."""
    source = read(project, path)
    tree = parse(source.text) if source else None
    found: set[str] = set()
    for node in _immediate(tree) if tree is not None else ():
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = absolute_module(project, path, node)
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        for name in names:
            file = importable(project, name, path) if name else None
            if file is not None:
                found.add(file)
    return found


def _immediate(tree: ast.AST) -> Iterator[ast.AST]:
    stack = list(ast.iter_child_nodes(tree))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            stack.extend(node.orelse)
            continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def reaches(project: Project, start: str, goal: str) -> bool:
    """Whether importing one file also imports another, directly or through others."""
    seen, queue = {start}, [start]
    while queue:
        for path in imported_files(project, queue.pop()):
            if path == goal:
                return True
            if path not in seen:
                seen.add(path)
                queue.append(path)
    return False


def uses_relative(project: Project, path: str) -> bool | None:
    """Whether a file imports its own package by relative names; None when it imports nothing of it."""
    source = read(project, path)
    tree = parse(source.text) if source else None
    own = package_of(project, path).partition(".")[0]
    styles = []
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.ImportFrom):
            if node.level:
                styles.append(True)
            elif own and (node.module or "").partition(".")[0] == own:
                styles.append(False)
    return max(styles, key=styles.count) if styles else None


def module_for(project: Project, from_path: str, to_path: str) -> str | None:
    """How a file names another module in `from … import`: relative, beside it, or from a source root.

    Returns:
        The module as written (with leading dots when relative), or None when it cannot be imported.
    """
    known = set(project.python_files())
    folder = from_path.rpartition("/")[0]
    in_package = f"{folder}/__init__.py" in known if folder else "__init__.py" in known
    dotted = project.module_name(to_path)
    if in_package and uses_relative(project, from_path):
        return _relative(project, from_path, to_path) or dotted
    if not in_package and folder and to_path.startswith(f"{folder}/"):
        beside = PurePosixPath(to_path).relative_to(folder).with_suffix("").parts
        if all(part.isidentifier() for part in beside):
            return ".".join(beside[:-1] if beside[-1] == "__init__" else beside)
    if (
        all(part.isidentifier() for part in dotted.split("."))
        and importable(project, dotted, from_path) == to_path
    ):
        return dotted
    return _relative(project, from_path, to_path) if in_package else None


def _relative(project: Project, from_path: str, to_path: str) -> str | None:
    here = [part for part in package_of(project, from_path).split(".") if part]
    there = project.module_name(to_path).split(".")
    common = 0
    while common < min(len(here), len(there)) and here[common] == there[common]:
        common += 1
    if not common:
        return None
    return "." * (len(here) - common + 1) + ".".join(there[common:])


def import_statement(project: Project, from_path: str, to_path: str, name: str | None) -> str | None:
    """The statement by which a file imports a name of another file, or that module itself.

    Args:
        project: The project.
        from_path: The importing file.
        to_path: The defining file.
        name: What to import; None for the module under its own last name.

    Returns:
        `from m import name`, `import m`, or None when there is no way.
    """
    module = module_for(project, from_path, to_path)
    if module is None or (is_package(to_path) and name is None and module.strip(".") == ""):
        return None
    if name is not None:
        return f"from {module} import {name}"
    if module.startswith("."):
        dots = len(module) - len(module.lstrip("."))
        head, _, last = module.lstrip(".").rpartition(".")
        return f"from {'.' * dots}{head} import {last}" if last else None
    head, _, last = module.rpartition(".")
    return f"from {head} import {last}" if head else f"import {last}"


def with_local_import(text: str, function: ast.FunctionDef | ast.AsyncFunctionDef, statement: str) -> str:
    """Puts an import at the top of a function's body, after its docstring.

    Args:
        text: The module.
        function: A function of its tree, with its body on lines of its own.
        statement: The import.

    Returns:
        The changed text; the module-level import instead when the body stands on the `def` line.
    """
    first = function.body[0]
    if first.lineno == function.lineno:
        return add_import(text, statement)
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(function.body) > 1:
        first = function.body[1]
    line = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", ()))])
    return insert_before_line(text, line, indent_of(text, line) + statement + "\n")
