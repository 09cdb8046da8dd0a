"""The rule for relative imports in files that have no package, or not enough of one, around them.

A file that is run as a script has no package; what it imports from its own folder is found by plain
name, because that folder is on the path.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.imports import importable
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, edited, explained, failing_site

NAME = "relative-import"


def relative(context: RepairContext) -> Iterator[Finding]:
    """Offers the absolute import by which the same module is found."""
    site = failing_site(context)
    message = context.error.message
    alone = "no known parent package" in message
    if site is None or not (alone or "beyond top-level package" in message):
        return
    nodes = site.nodes(ast.ImportFrom, lambda node: node.level > 0)
    if len(nodes) != 1:
        return
    node = nodes[0]
    dotted = context.project.module_name(site.path)
    if alone and "." in dotted:
        yield explained(
            f"{site.path} is part of a package and was run as a script, so its relative imports have nothing to "
            f"start from.",
            f"Run it from the root as `python -m {dotted}`.",
        )
    text = _absolute(context, site.path, node, alone)
    if text is None:
        return
    fix = edited(
        context,
        NAME,
        f"the relative import has no package to start from; `{text}` finds the same module on the import path.",
        PLAUSIBLE if alone and "." in dotted else STRONG,
        {site.path: [whole(node, text)]},
    )
    if fix is not None:
        yield fix


def _absolute(context: RepairContext, path: str, node: ast.ImportFrom, alone: bool) -> str | None:
    folder = path.rpartition("/")[0]
    for _ in range(node.level - 1):
        folder = folder.rpartition("/")[0]
    known = set(context.project.python_files())

    def exists(dotted: str) -> bool:
        base = "/".join(filter(None, (folder, dotted.replace(".", "/"))))
        found = {f"{base}.py", f"{base}/__init__.py"} & known
        return (
            bool(found) if alone and node.level == 1 else importable(context.project, dotted, path) in found
        )

    if node.module is not None:
        return ast.unparse(ast.ImportFrom(node.module, node.names, 0)) if exists(node.module) else None
    if all(exists(alias.name) for alias in node.names):
        return ast.unparse(ast.Import(node.names))
    return None


RULES = (Rule(NAME, ("ImportError",), relative),)
