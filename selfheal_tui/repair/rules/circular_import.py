"""The rule for modules that import each other before they are complete.

An import that closes the circle moves into the functions that use it, if only functions do; otherwise
the circle is explained, since breaking it is a matter of design.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.imports import with_local_import
from selfheal_tui.repair.rules.places import exports, module_file
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import loads
from selfheal_tui.repair.rules.spans import end_of, start_of, whole
from selfheal_tui.repair.rules.support import STRONG, FunctionNode, Site, candidate, explained
from selfheal_tui.repair.rules.wrong_import import failing_from
from selfheal_tui.source.edits import TextEdit, apply_edits

CIRCULAR = "circular-import"


def circular_import(context: RepairContext) -> Iterator[Finding]:
    """Moves an import that closes a circle into the functions that use it, if only functions do."""
    found = failing_from(context)
    if found is None or "partially initialized" not in context.error.message:
        return
    site, node, alias, module = found
    bound = alias.asname or alias.name
    path = module_file(context.project, module, site.path)
    if path is None or bound not in (alias.asname, *exports(context.project, path)):
        return
    uses = loads(site.tree, bound)
    functions: list[FunctionNode] = []
    for use in uses:
        outer = _outermost(site, use)
        if outer is None:
            yield explained(
                f"{site.path} and {path} import each other, and {site.path} needs {bound!r} already while it is loaded.",
                f"Move {bound!r}, or what needs it, into a third module that both import.",
            )
            return
        if outer not in functions:
            functions.append(outer)
    if not functions or node not in site.tree.body:
        return
    statement = ast.unparse(ast.ImportFrom(node.module, [ast.alias(alias.name, alias.asname)], node.level))
    text = site.text
    for function in sorted(functions, key=lambda f: -f.lineno):
        text = with_local_import(text, function, statement)
    rest = [ast.alias(a.name, a.asname) for a in node.names if a is not alias]
    if rest:
        text = apply_edits(text, [whole(node, ast.unparse(ast.ImportFrom(node.module, rest, node.level)))])
    else:
        text = apply_edits(text, [_line_removal(site, node)])
    yield candidate(
        context,
        CIRCULAR,
        f"{site.path} and {path} import each other; {bound!r} is only used inside functions, so it is imported "
        f"there, when both modules are complete.",
        STRONG,
        {site.path: text},
        adds_imports=[module],
    )


def _outermost(site: Site, node: ast.AST) -> FunctionNode | None:
    """The outermost function whose body (not its decorators, defaults or annotations) holds a node."""
    found: FunctionNode | None = None
    function = site.function(node)
    child: ast.AST = node
    while function is not None:
        inside = any(child is part or child in ast.walk(part) for part in function.body)
        found = function if inside else None
        child, function = function, site.function(function)
    return found


def _line_removal(site: Site, node: ast.stmt) -> TextEdit:
    lone = site.text.splitlines()[node.lineno - 1].strip() and node.col_offset == 0
    line, column = end_of(node)
    last = site.source.text.count("\n") + 1
    if (
        lone
        and line < last
        and not any(
            other is not node and other.lineno <= line <= (other.end_lineno or 0) for other in site.tree.body
        )
    ):
        return TextEdit((node.lineno, 0), (line + 1, 0), "")
    return TextEdit(start_of(node), (line, column), "pass")


RULES = (Rule(CIRCULAR, ("ImportError",), circular_import),)
