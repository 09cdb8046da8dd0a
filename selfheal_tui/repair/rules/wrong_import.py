"""Rules for imports that name the wrong module, or a name that the module does not have.

`wrong-import-name` is about `from m import x`, `wrong-module` about modules that are not found. What
only the operator can cure (a package that is not installed) is explained.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.imports import import_statement, importable, module_for
from selfheal_tui.repair.rules.places import absolute_module, exports, files, module_file, top_level
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import loads
from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.spans import start_of, whole
from selfheal_tui.repair.rules.support import (
    CERTAIN,
    PLAUSIBLE,
    Site,
    candidate,
    edited,
    explained,
    failing_site,
)
from selfheal_tui.repair.rules.target import is_stdlib, module_members, stdlib_modules
from selfheal_tui.source.edits import TextEdit, apply_edits, indent_of
from selfheal_tui.source.identifiers import identifier_of
from selfheal_tui.source.text import dominant_newline

IMPORT_NAME = "wrong-import-name"
MODULE = "wrong-module"

_CANNOT = re.compile(
    r"cannot import name '(?P<name>[^']+)' from (?P<partial>partially initialized module )?'(?P<module>[^']+)'"
)


def failing_from(context: RepairContext) -> tuple[Site, ast.ImportFrom, ast.alias, str] | None:
    """Finds the `from m import x` that failed because m has no x.

    Returns:
        Site, statement, alias and absolute module; None when this is another kind of ImportError.
    """
    site = failing_site(context)
    match = _CANNOT.search(context.error.message)
    if site is None or match is None:
        return None
    module = match["module"]
    for node in site.nodes(ast.ImportFrom):
        alias = next((a for a in node.names if a.name == match["name"]), None)
        written = absolute_module(context.project, site.path, node)
        if alias is not None and (written == module or module.endswith(f".{written}") or node.level):
            return site, node, alias, module
    return None


def wrong_import_name(context: RepairContext) -> Iterator[Finding]:
    """Offers near names of the module, and other modules that define the name."""
    found = failing_from(context)
    if found is None or "partially initialized" in context.error.message:
        return
    site, node, alias, module = found
    path = module_file(context.project, module, site.path)
    names = list(context.error.evidence.obj_names)
    if path is not None:
        names.extend(exports(context.project, path))
        inside = f"{context.project.module_name(path)}."
        modules = [context.project.module_name(p) for p in context.project.python_files()]
        names.extend(
            m[len(inside) :] for m in modules if m.startswith(inside) and "." not in m[len(inside) :]
        )
    else:
        names.extend(module_members(context.interpreter, module))
    if alias.name in names:
        return  # it is there: the module was not complete when it was asked
    for match in near(alias.name, names):
        fix = edited(
            context,
            IMPORT_NAME,
            f"{module} has no {alias.name!r}, but it has {match.name!r}; the import is corrected.",
            match.confidence,
            {site.path: _rename_alias(site, alias, match.name)},
        )
        if fix is not None:
            yield fix
    yield from _moved_name(context, site, node, alias, module)


def _rename_alias(site: Site, alias: ast.alias, new: str) -> list[TextEdit]:
    start = start_of(alias)
    edits = [TextEdit(start, (start[0], start[1] + len(alias.name.encode())), new)]
    if alias.asname is None:
        edits.extend(whole(use, new) for use in loads(site.tree, alias.name))
    return edits


def _moved_name(
    context: RepairContext, site: Site, node: ast.ImportFrom, alias: ast.alias, module: str
) -> Iterator[Finding]:
    project = context.project
    homes = []
    for path, _text, tree in files(project, alias.name):
        bound = top_level(tree).get(alias.name)
        if path == site.path or bound is None or isinstance(bound, ast.Import | ast.ImportFrom):
            continue
        written = None if project.protected(path) else module_for(project, site.path, path)
        if written is not None:
            homes.append((path, written))
    for path, written in homes[:3]:
        yield candidate(
            context,
            IMPORT_NAME,
            f"{module} no longer has {alias.name!r}, but {path} defines it; it is imported from there.",
            CERTAIN if len(homes) == 1 else PLAUSIBLE,
            {site.path: _reimported(site, node, alias, written)},
            adds_imports=[written],
        )


def _reimported(site: Site, node: ast.ImportFrom, alias: ast.alias, module: str) -> str:
    """The text with one name of an import taken from another module."""
    rest = [a for a in node.names if a is not alias]
    moved = ast.unparse(
        ast.ImportFrom(module.lstrip(".") or None, [ast.alias(alias.name, alias.asname)], _level(module))
    )
    if not rest:
        return apply_edits(site.text, [whole(node, moved)])
    kept = ast.unparse(ast.ImportFrom(node.module, [ast.alias(a.name, a.asname) for a in rest], node.level))
    newline = dominant_newline(site.text) + indent_of(site.text, node.lineno)
    return apply_edits(site.text, [whole(node, kept + newline + moved)])


def _level(module: str) -> int:
    return len(module) - len(module.lstrip("."))


def wrong_module(context: RepairContext) -> Iterator[Finding]:
    """Offers modules of the project and of the standard library for one that is not found."""
    site = failing_site(context)
    missing = identifier_of(context.error)
    if site is None or not missing or context.error.bare_type != "ModuleNotFoundError":
        return
    nodes: list[tuple[ast.Import | ast.ImportFrom, ast.alias | None, str]] = []
    for node in site.nodes(ast.ImportFrom):
        written = absolute_module(context.project, site.path, node)
        if written == missing or written.startswith(f"{missing}."):
            nodes.append((node, None, node.module or ""))
    for plain in site.nodes(ast.Import):
        nodes.extend(
            (plain, a, a.name) for a in plain.names if a.name == missing or a.name.startswith(f"{missing}.")
        )
    if len(nodes) != 1:
        return
    offered = False
    for finding in _other_modules(context, site, *nodes[0], missing):
        offered = True
        yield finding
    if not offered:
        yield from _foreign(context, site, missing)


def _foreign(context: RepairContext, site: Site, missing: str) -> Iterator[Finding]:
    top = missing.partition(".")[0]
    if importable(context.project, top, site.path) is None and not is_stdlib(context.interpreter, top):
        yield explained(
            f"the package {top!r} is not installed for the project's Python, and neither the project nor the "
            f"standard library has a module of that name.",
            f"Install the distribution that provides it, for example: {context.interpreter or 'python'} -m pip install {top}",
        )


def _other_modules(
    context: RepairContext, site: Site, node: ast.Import | ast.ImportFrom, alias: ast.alias | None,
    written: str, missing: str,
) -> Iterator[Finding]:  # fmt: skip
    project = context.project
    last = written.rpartition(".")[2]
    homes = [
        path
        for path in project.python_files()
        if not project.protected(path)
        and path != site.path
        and _ends_with(project.module_name(path), written, last)
    ]
    exact = [path for path in homes if project.module_name(path).endswith(f".{written}")] or homes
    names = [a.name for a in node.names] if isinstance(node, ast.ImportFrom) else []
    fitting = [path for path in exact if set(names) <= exports(project, path).keys() | {"*"} or not names]
    beside = [path for path in fitting if path.rpartition("/")[0] == site.path.rpartition("/")[0]]
    ranked = beside or fitting
    for path in ranked[:3]:
        text = _pointed_at(context, site, node, alias, path)
        if text is not None:
            yield candidate(
                context, MODULE,
                f"there is no module {missing!r} where Python looks for it; the project has it as {path}, "
                f"and it is imported from there.",
                CERTAIN if len(ranked) == 1 else PLAUSIBLE,
                {site.path: text},
                adds_imports=[project.module_name(path)],
            )  # fmt: skip
    if not ranked:
        yield from _misspelt_module(context, site, node, alias, written)


def _ends_with(dotted: str, written: str, last: str) -> bool:
    return dotted == written or dotted.rpartition(".")[2] == last


def _pointed_at(
    context: RepairContext, site: Site, node: ast.Import | ast.ImportFrom, alias: ast.alias | None, path: str
) -> str | None:
    project = context.project
    if isinstance(node, ast.ImportFrom):
        module = module_for(project, site.path, path)
        if module is None:
            return None
        new = ast.unparse(ast.ImportFrom(module.lstrip(".") or None, node.names, _level(module)))
        return apply_edits(site.text, [whole(node, new)])
    if alias is None or ("." in alias.name and alias.asname is None):
        return None  # `a.b` is written out at every use
    statement = import_statement(project, site.path, path, None)
    if statement is None:
        return None
    bound = alias.asname or alias.name
    if statement.rpartition(" ")[2] != bound:
        statement += f" as {bound}"
    rest = [a for a in node.names if a is not alias]
    newline = dominant_newline(site.text) + indent_of(site.text, node.lineno)
    kept = ast.unparse(ast.Import(rest)) + newline if rest else ""
    return apply_edits(site.text, [whole(node, kept + statement)])


def _misspelt_module(
    context: RepairContext,
    site: Site,
    node: ast.Import | ast.ImportFrom,
    alias: ast.alias | None,
    written: str,
) -> Iterator[Finding]:
    project = context.project
    wanted = absolute_module(project, site.path, node) if isinstance(node, ast.ImportFrom) else written
    ours = {project.module_name(path) for path in project.python_files() if not project.protected(path)}
    ours = {name for name in ours if importable(project, name, site.path)} - {project.module_name(site.path)}
    folder = site.path.rpartition("/")[0]
    ours |= {p.rpartition("/")[2][:-3] for p in project.python_files() if p.rpartition("/")[0] == folder} - {
        "__init__"
    }
    names = [a.name for a in node.names] if isinstance(node, ast.ImportFrom) else []
    for match in near(wanted, [*ours, *stdlib_modules(context.interpreter)]):
        path = importable(project, match.name, site.path)
        has = set(exports(project, path)) if path else set(module_members(context.interpreter, match.name))
        if names and not set(names) <= has | {"*"}:
            continue
        if isinstance(node, ast.ImportFrom):
            new = match.name
            if node.level:
                new = "." * node.level + match.name.rpartition(".")[2]
            statement = ast.unparse(ast.ImportFrom(new.lstrip(".") or None, node.names, _level(new)))
            edits = [whole(node, statement)]
        else:
            assert alias is not None
            start = start_of(alias)
            edits = [TextEdit(start, (start[0], start[1] + len(alias.name.encode())), match.name)]
            if alias.asname is None:
                if "." in alias.name or "." in match.name:
                    continue
                edits.extend(whole(use, match.name) for use in loads(site.tree, alias.name))
        fix = edited(
            context,
            MODULE,
            f"there is no module {wanted!r}, but there is {match.name!r}; the import is corrected.",
            match.confidence,
            {site.path: edits},
        )
        if fix is not None:
            yield fix


RULES = (
    Rule(IMPORT_NAME, ("ImportError",), wrong_import_name),
    Rule(MODULE, ("ModuleNotFoundError",), wrong_module),
)
