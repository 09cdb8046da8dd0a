"""Where the project defines things: classes and functions by name, and what an import leads to.

Reads the project's sources and never runs them. A lookup first searches the texts for the word, so that
only files that can matter are parsed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_tui.repair.rules.scopes import bound_names, own_nodes
from selfheal_tui.repair.rules.support import glance, parse, read
from selfheal_tui.source.position import definitions
from selfheal_tui.source.project import Project

MAX_HOPS = 6
"""Longest chain of re-exports that is followed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A definition in the project.

    Attributes:
        path: Its file.
        tree: The file's tree.
        qualname: Its qualified name; for a plain assignment its name.
        node: The defining statement; the module itself when a module was meant.
    """

    path: str
    tree: ast.Module
    qualname: str
    node: ast.AST


def files(
    project: Project, *words: str, tree_if: re.Pattern[str] | None = None
) -> Iterator[tuple[str, str, ast.Module]]:
    """Yields the parsable files of the project in which all words occur as whole words.

    Args:
        project: The project.
        words: Identifiers; none of them yields every file.
        tree_if: A further pattern that the text must hold to be worth parsing.

    Yields:
        Path, text and tree.
    """
    patterns = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)") for word in words]
    for path in project.python_files():
        source = glance(project, path)
        if source is None or not all(word in source.text for word in words):
            continue
        if not all(pattern.search(source.text) for pattern in patterns):
            continue
        if tree_if is not None and not tree_if.search(source.text):
            continue
        tree = parse(source.text)
        if tree is not None:
            yield path, source.text, tree


def top_level(tree: ast.Module) -> dict[str, ast.AST]:
    """Names that a module binds at its top level (through `if` and `try`), with their statements."""
    found: dict[str, ast.AST] = {}
    for node in own_nodes(tree):
        for name, _kind in bound_names(node):
            found[name] = node
    return found


def exports(project: Project, path: str) -> dict[str, ast.AST]:
    """Names that can be imported from a file, with the nodes that bind them.

    Star imports of project modules are followed one step.
    """
    source = read(project, path)
    tree = parse(source.text) if source else None
    if tree is None:
        return {}
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            other = project.find_module(absolute_module(project, path, node))
            source = read(project, other) if other and other != path else None
            inner = parse(source.text) if source else None
            if inner is not None:
                found.update((k, v) for k, v in top_level(inner).items() if not k.startswith("_"))
    found.update(top_level(tree))
    return found


def is_package(path: str) -> bool:
    """Whether a file is a package's `__init__.py`."""
    return path.rpartition("/")[2] == "__init__.py"


def package_of(project: Project, path: str) -> str:
    """Dotted name of the package that a file's relative imports start from."""
    module = project.module_name(path)
    return module if is_package(path) else module.rpartition(".")[0]


def absolute_module(project: Project, path: str, node: ast.ImportFrom) -> str:
    """The absolute module that a `from … import` names."""
    if not node.level:
        return node.module or ""
    parts = package_of(project, path).split(".")
    parts = parts[: len(parts) - node.level + 1] if node.level > 1 else parts
    return ".".join([*filter(None, parts), *([node.module] if node.module else [])])


def module_file(project: Project, dotted: str, near: str = "") -> str | None:
    """Finds the file of a module, as an import from a file beside it could mean it.

    A script's own folder is on `sys.path`, which a dotted name relative to the root does not tell.

    Args:
        project: The project.
        dotted: Absolute module name.
        near: Path of the importing file.

    Returns:
        Path, or None when the project has no such module.
    """
    if not dotted:
        return None
    found = project.find_module(dotted)
    if found is None and "/" in near:
        beside = near.rpartition("/")[0] + "/" + dotted.replace(".", "/")
        known = project.python_files()
        found = next((p for p in (f"{beside}.py", f"{beside}/__init__.py") if p in known), None)
    return found


def resolve(project: Project, path: str, tree: ast.Module, name: str, hops: int = MAX_HOPS) -> Place | None:
    """Follows a module-level name to its definition in the project.

    Args:
        project: The project.
        path: The file that uses the name.
        tree: Its tree.
        name: A name, or a dotted one (`module.Class`).
        hops: How many imports may still be followed.

    Returns:
        The definition; a Place with a Module node when the name is a module of the project; None when
        it is foreign, unknown, or bound to something that cannot be followed.
    """
    head, _, rest = name.partition(".")
    node = top_level(tree).get(head)
    if node is None or hops <= 0:
        return None
    place: Place | None
    if isinstance(node, ast.ImportFrom):
        place = _through_from(project, path, node, head, hops)
    elif isinstance(node, ast.Import):
        place, rest = _through_import(project, path, node, head, rest)
    else:
        place = Place(path, tree, head, node)
    if place is None or not rest:
        return place
    if isinstance(place.node, ast.Module):
        return resolve(project, place.path, place.tree, rest, hops - 1)
    if isinstance(place.node, ast.ClassDef):
        return inside(place, rest)
    return None


def inside(place: Place, name: str) -> Place | None:
    """Finds a (dotted) definition directly inside a class."""
    wanted = f"{place.qualname}.{name}"
    found = [Place(place.path, place.tree, q, node) for q, node in definitions(place.tree) if q == wanted]
    return found[-1] if found else None


def _module_place(project: Project, dotted: str, near: str) -> Place | None:
    path = module_file(project, dotted, near)
    source = read(project, path) if path else None
    tree = parse(source.text) if source else None
    return Place(path, tree, "<module>", tree) if path and tree is not None else None


def _through_from(project: Project, path: str, node: ast.ImportFrom, name: str, hops: int) -> Place | None:
    alias = next((a for a in node.names if (a.asname or a.name) == name), None)
    if alias is None:
        return None
    module = absolute_module(project, path, node)
    place = _module_place(project, module, path)
    found = resolve(project, place.path, place.tree, alias.name, hops - 1) if place else None
    return found or _module_place(project, f"{module}.{alias.name}".lstrip("."), path)


def _through_import(
    project: Project, path: str, node: ast.Import, head: str, rest: str
) -> tuple[Place | None, str]:
    for alias in node.names:
        if alias.asname == head:
            return _module_place(project, alias.name, path), rest
    words = f"{head}.{rest}".strip(".").split(".")
    for length in range(len(words), 0, -1):  # `import a.b` makes `a.b.c` reach into module a.b
        place = _module_place(project, ".".join(words[:length]), path)
        if place is not None:
            return place, ".".join(words[length:])
    return None, rest


def named(project: Project, name: str, *, top: bool = False) -> list[Place]:
    """All definitions of a function or class of that bare name.

    Args:
        project: The project.
        name: Bare name.
        top: Whether only module-level definitions count.

    Returns:
        Definitions outside of protected files (tests and the like), in file order.
    """
    found = []
    defined = re.compile(rf"(?:def|class)\s+{re.escape(name)}(?!\w)")
    for path, _text, tree in files(project, name, tree_if=defined):
        if project.protected(path):
            continue
        for qualname, node in definitions(tree):
            if qualname == name or (not top and qualname.endswith(f".{name}")):
                found.append(Place(path, tree, qualname, node))
    return found


def find_class(
    project: Project, type_name: str, *, file: str | None = None, near: Place | None = None
) -> Place | None:
    """Finds the class that an object's type name means.

    Args:
        project: The project.
        type_name: `module.Class`, `module.Outer.Inner`, `__main__.Class` or a bare name.
        file: File that defines it, where the crash told.
        near: Module from which a bare name is looked up first.

    Returns:
        The class; None when the project does not define it or several fit.
    """
    bare = type_name.rpartition(".")[2]
    if near is not None and "." not in type_name:
        place = resolve(project, near.path, near.tree, bare)
        if place is not None and isinstance(place.node, ast.ClassDef):
            return place
    found = [place for place in named(project, bare) if isinstance(place.node, ast.ClassDef)]
    wanted = project.relative(file) if file else None
    if wanted is not None:
        found = [place for place in found if place.path == wanted]
    elif file and not type_name.startswith("__main__."):
        found = []  # `__main__` may be a launcher, but any other module is where it says
    if len(found) > 1 and "." in type_name:
        exact = [p for p in found if _fits(project, p, type_name)]
        found = exact or found
    if len(found) > 1 and near is not None:
        found = [place for place in found if place.path == near.path]
    return found[-1] if len({(p.path, p.qualname) for p in found}) == 1 else None


def _fits(project: Project, place: Place, type_name: str) -> bool:
    full = f"{project.module_name(place.path)}.{place.qualname}"
    return type_name == full or type_name == f"__main__.{place.qualname}" or full.endswith(f".{type_name}")
