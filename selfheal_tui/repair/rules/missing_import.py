"""Rules for names that were used without importing them.

A name is looked for where Python code usually gets it from: imports of sibling modules, the project's
own definitions, modules of the target's standard library and what they export. What is done with the
name (`name.attr`, a call, `await`) must fit what was found.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.imports import import_statement, importable, reaches, with_local_import
from selfheal_tui.repair.rules.misspelt_name import unbound_names
from selfheal_tui.repair.rules.places import absolute_module, files, is_package, module_file, top_level
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import BUILTIN_NAMES, bound_names, type_checking_nodes
from selfheal_tui.repair.rules.subject import subject_of
from selfheal_tui.repair.rules.support import (
    CERTAIN,
    GUESS,
    PLAUSIBLE,
    STRONG,
    Site,
    ancestors,
    candidate,
    explained,
)
from selfheal_tui.repair.rules.target import exporters, is_installed, is_stdlib, module_members
from selfheal_tui.source.edits import add_import

NAME = "missing-import"
SUBMODULE = "missing-submodule-import"

CONVENTIONS = {
    "np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot", "sns": "seaborn", "tf": "tensorflow",
    "nx": "networkx", "sa": "sqlalchemy", "sp": "scipy", "mp": "multiprocessing", "ET": "xml.etree.ElementTree",
    "dt": "datetime",
}  # fmt: skip
"""Aliases that their libraries' own documentation uses."""


@dataclass(frozen=True, slots=True)
class Source:
    """One way to get the name.

    Attributes:
        statement: The import.
        confidence: How sure it is.
        why: Where it was found, as the end of a sentence.
        file: The project file it comes from, if it is one.
    """

    statement: str
    confidence: float
    why: str
    file: str | None = None


def missing_import(context: RepairContext) -> Iterator[Finding]:
    """Offers the imports that would bind the name."""
    found = unbound_names(context)
    if found is None:
        return
    site, nodes = found
    node = nodes[0]
    seen: set[str] = set()
    sources = [
        *_type_checking(site, node),
        *_project_definitions(context, site, node),
        *_sibling_imports(context, site, node),
        *_library(context, site, node),
    ]
    for source in sources:
        if source.statement in seen:
            continue
        seen.add(source.statement)
        yield _fix(context, site, node, source)
    convention = CONVENTIONS.get(node.id)
    if not sources and convention and not is_stdlib(context.interpreter, convention):
        yield explained(
            f"{node.id!r} is the usual alias of {convention}, which is not installed for the project's Python.",
            f"Install it (pip install {convention.partition('.')[0]}) and add `import {convention} as {node.id}`.",
        )


def _fix(context: RepairContext, site: Site, node: ast.Name, source: Source) -> Finding:
    function = site.function(node)
    statement = _with_company(context, site, source)
    circular = (
        source.file is not None and function is not None and reaches(context.project, source.file, site.path)
    )
    if circular and function is not None:
        text = with_local_import(site.text, function, statement)
    else:
        text = add_import(site.text, statement)
    parsed = ast.parse(statement).body[0]
    module = parsed.module or "" if isinstance(parsed, ast.ImportFrom) else parsed.names[0].name  # type: ignore[attr-defined]  # an import statement has names
    return candidate(
        context,
        NAME,
        f"{node.id!r} is used but never imported; {source.why}, so `{statement}` is added"
        + (" inside the function, because that module imports this one." if circular else "."),
        source.confidence,
        {site.path: text},
        adds_imports=[module] if module else [],
    )


def _with_company(context: RepairContext, site: Site, source: Source) -> str:
    """The import, with all other names of the file that the same library module should have given."""
    parsed = ast.parse(source.statement).body[0]
    if (
        source.file is not None
        or not isinstance(parsed, ast.ImportFrom)
        or parsed.level
        or len(parsed.names) != 1
    ):
        return source.statement
    if parsed.names[0].asname is not None or not is_stdlib(context.interpreter, parsed.module or ""):
        return source.statement
    bound = {name for part in ast.walk(site.tree) for name, _kind in bound_names(part)}
    bound |= {part.arg for part in ast.walk(site.tree) if isinstance(part, ast.arg)}
    loose = {
        part.id
        for part in ast.walk(site.tree)
        if isinstance(part, ast.Name) and part.id not in bound and part.id not in BUILTIN_NAMES
    }
    company = sorted(
        name
        for name in loose - {parsed.names[0].name}
        if parsed.module in exporters(context.interpreter, name)[:1]
    )
    return ", ".join([source.statement, *company])


def used_attributes(tree: ast.AST, name: str) -> frozenset[str]:
    """Attributes that are read from a name anywhere in a tree."""
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    )


def _type_checking(site: Site, node: ast.Name) -> Iterator[Source]:
    """The name is imported for the type checker only, and now used at run time."""
    for hidden in type_checking_nodes(site.tree):
        if not isinstance(hidden, ast.Import | ast.ImportFrom):
            continue
        for alias in hidden.names:
            bound = alias.asname or (
                alias.name.partition(".")[0] if isinstance(hidden, ast.Import) else alias.name
            )
            if bound == node.id:
                statement = _single(hidden, alias)
                yield Source(statement, CERTAIN, "it is imported under `if TYPE_CHECKING:` only")


def _single(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    names = [ast.alias(alias.name, alias.asname)]
    if isinstance(node, ast.Import):
        return ast.unparse(ast.Import(names))
    return ast.unparse(ast.ImportFrom(node.module, names, node.level))


def _project_definitions(context: RepairContext, site: Site, node: ast.Name) -> Iterator[Source]:
    project, name = context.project, node.id
    found = []
    for path, _text, tree in files(project, name):
        bound = top_level(tree).get(name)
        if path == site.path or project.protected(path) or bound is None:
            continue
        if isinstance(bound, ast.Import | ast.ImportFrom):
            continue
        statement = import_statement(project, site.path, path, name)
        if statement is not None:
            found.append((statement, path))
    for statement, path in found:
        sure = STRONG if len(found) > 1 else CERTAIN
        yield Source(statement, sure if len(name) > 3 else PLAUSIBLE, f"{path} defines it", path)
    module = importable(project, name, site.path) or project.find_module(name)
    attributes = used_attributes(site.tree, name)
    if module is not None and module != site.path and attributes and not project.protected(module):
        known = dict(top_level_of(context, module))
        submodules = is_package(module)
        if attributes <= known.keys() or submodules:
            statement = import_statement(project, site.path, module, None)
            if statement is not None:
                yield Source(statement, CERTAIN, f"{module} is a module of the project", module)


def top_level_of(context: RepairContext, path: str) -> dict[str, ast.AST]:
    """Top-level names of a file of the project."""
    from selfheal_tui.repair.rules.places import exports

    return exports(context.project, path)


def _sibling_imports(context: RepairContext, site: Site, node: ast.Name) -> Iterator[Source]:
    """Other modules of the project import the name; all that do so alike are one witness."""
    project = context.project
    votes: dict[str, list[str]] = {}
    for path, _text, tree in files(project, node.id):
        bound = top_level(tree).get(node.id)
        if path == site.path or not isinstance(bound, ast.Import | ast.ImportFrom):
            continue
        alias = next((a for a in bound.names if (a.asname or a.name.partition(".")[0]) == node.id), None)
        if alias is None:
            continue
        statement = _single(bound, alias)
        if isinstance(bound, ast.ImportFrom) and bound.level:
            module = absolute_module(project, path, bound)
            target = module_file(project, module, path)
            other = import_statement(project, site.path, target, alias.name) if target else None
            if other is None or alias.asname:
                continue
            statement = other
        votes.setdefault(statement, []).append(path)
    ranked = sorted(votes.items(), key=lambda item: -len(item[1]))
    for index, (statement, paths) in enumerate(ranked[:3]):
        confidence = CERTAIN if len(ranked) == 1 else STRONG if index == 0 else PLAUSIBLE
        yield Source(statement, confidence, f"{paths[0]} imports it that way")


def _library(context: RepairContext, site: Site, node: ast.Name) -> Iterator[Source]:
    interpreter, name = context.interpreter, node.id
    attributes = used_attributes(site.tree, name)
    if is_stdlib(interpreter, name):
        members = frozenset(module_members(interpreter, name))
        if attributes and attributes <= members:
            yield Source(
                f"import {name}", CERTAIN, "it is a module of the standard library that has what is used"
            )
        elif not members and attributes:
            yield Source(f"import {name}", STRONG, "it is a module of the standard library")
    convention = CONVENTIONS.get(name)
    if convention and (
        is_stdlib(interpreter, convention) or is_installed(interpreter, convention.partition(".")[0])
    ):
        yield Source(f"import {convention} as {name}", STRONG, f"it is the usual alias of {convention}")
    elif not is_stdlib(interpreter, name) and attributes and is_installed(interpreter, name):
        yield Source(f"import {name}", STRONG, "a package of that name is installed")
    homes = [home for home in exporters(interpreter, name) if _fits(interpreter, home, name, attributes)]
    if any(isinstance(up, ast.Await | ast.AsyncWith | ast.AsyncFor) for up in _near(site, node)):
        homes.sort(key=lambda home: home != "asyncio")
    plain = name.islower() and not _is_called(site, name)
    for index, home in enumerate(homes[:3]):
        confidence = CERTAIN if len(homes) == 1 else STRONG if index == 0 else GUESS
        if name.islower():  # functions and constants with everyday names prove little
            sure = CERTAIN if len(name) > 5 else STRONG
            confidence = min(confidence, GUESS if plain else sure if len(homes) == 1 else PLAUSIBLE)
        yield Source(f"from {home} import {name}", confidence, f"{home} of the standard library exports it")


def _is_called(site: Site, name: str) -> bool:
    """Whether a name is called, or used as a decorator, anywhere in the file."""
    for node in ast.walk(site.tree):
        used = [node.func] if isinstance(node, ast.Call) else getattr(node, "decorator_list", [])
        if any(isinstance(part, ast.Name) and part.id == name for part in used):
            return True
    return False


def _near(site: Site, node: ast.AST) -> list[ast.AST]:
    found = []
    for up in ancestors(site.tree, node):
        found.append(up)
        if isinstance(up, ast.stmt):
            break
    return found


def _fits(interpreter: str, home: str, name: str, attributes: frozenset[str]) -> bool:
    """Whether the exported thing has what is read from it."""
    return not attributes or attributes <= frozenset(module_members(interpreter, home, name))


def missing_submodule(context: RepairContext) -> Iterator[Finding]:
    """`import package` does not load `package.module`; offers the import that does."""
    subject = subject_of(context)
    if subject is None or subject.kind != "module" or subject.name in subject.names:
        return
    dotted = f"{subject.type_name}.{subject.name}"
    if not _is_module(context, subject.site, dotted) or ast.unparse(subject.nodes[0]) != dotted:
        return  # under an alias, `import a.b` would bind another name
    for up in ancestors(subject.site.tree, subject.nodes[0]):
        deeper = ast.unparse(up) if isinstance(up, ast.Attribute) else ""
        if not deeper.startswith(f"{dotted}.") or not _is_module(context, subject.site, deeper):
            break
        dotted = deeper
    yield candidate(
        context,
        SUBMODULE,
        f"{dotted} is a module inside the package {subject.type_name}, and importing the package does not load "
        f"it; `import {dotted}` is added.",
        CERTAIN,
        {subject.site.path: add_import(subject.site.text, f"import {dotted}")},
        adds_imports=[dotted],
    )


def _is_module(context: RepairContext, site: Site, dotted: str) -> bool:
    ours = importable(context.project, dotted, site.path) is not None
    return ours or bool(module_members(context.interpreter, dotted))


RULES = (
    Rule(NAME, ("NameError",), missing_import),
    Rule(SUBMODULE, ("AttributeError",), missing_submodule),
)
