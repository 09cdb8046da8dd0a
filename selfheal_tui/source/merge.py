"""Merges a partial fix (functions, methods, classes, constants, imports) into a module.

Definitions are addressed by qualified name; everything that the fix does not mean to change stays byte
for byte. Where it is not certain what a snippet means, it is refused with a reason that a model can act
on: a wrong merge costs more than another question. Loads libcst, so import it where it is used.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from selfheal_tui.source.csttree import Definition
from selfheal_tui.source.edits import ImportKey, add_import, import_keys
from selfheal_tui.source.merger import Merger
from selfheal_tui.source.position import definitions
from selfheal_tui.source.snippet import MergeRefusedError, clean_snippet, parse_quietly, refuse_elided
from selfheal_tui.source.text import with_newlines

__all__ = ["MergeRefusedError", "MergeResult", "merge_snippet", "replace_definition"]


@dataclass(frozen=True, slots=True)
class MergeResult:
    """A module after a merge.

    Attributes:
        text: The whole module.
        changed: Qualified names of definitions (and of module-level names) that were changed or added.
        added_imports: Modules newly imported.
    """

    text: str
    changed: tuple[str, ...]
    added_imports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A module and a snippet, parsed both ways; imports of the snippet are set apart."""

    module: cst.Module
    tree: ast.Module
    statements: tuple[cst.BaseStatement, ...]
    imports: tuple[str, ...]


def merge_snippet(text: str, snippet: str, *, qualname: str = "", line: int | None = None) -> MergeResult:
    """Merges a snippet into a module.

    Args:
        text: The module.
        snippet: Whole functions, methods (bare or inside their class), classes (only the members listed
            are touched), assignments to names, imports. It may repeat statements that the module has.
        qualname: The definition that the snippet is about, which says where bare methods and nested
            functions belong; `<module>` allows changing `if`, `try`, `with` and loops at module level.
        line: A line inside that definition, where several have its name.

    Returns:
        The merged module; `changed` is empty when the snippet changes no definition.

    Raises:
        MergeRefusedError: The snippet cannot be merged without guessing.
    """
    parsed = _parse(text, snippet)
    merger = Merger(parsed.module, parsed.tree, qualname, line)
    for statement in parsed.statements:
        merger.take(statement)
    return _result(text, parsed, merger)


def replace_definition(text: str, qualname: str, code: str, *, line: int | None = None) -> str:
    """Replaces one function or class as a whole.

    Args:
        text: The module.
        qualname: Which definition.
        code: Its new version, with nothing beside but imports. Decorators and docstring may be left out.
        line: A line inside it, where several have its name.

    Returns:
        The changed module.

    Raises:
        MergeRefusedError: There is no such definition, or the code is not one definition of that name.
    """
    parsed = _parse(text, code)
    only = parsed.statements[0] if len(parsed.statements) == 1 else None
    name = qualname.rpartition(".")[2]
    if not isinstance(only, Definition) or only.name.value != name:
        raise MergeRefusedError(
            f"the code is not one definition of {name}: give {name} in full and nothing else"
        )
    merger = Merger(parsed.module, parsed.tree, qualname, line)
    merger.replace_target(only)
    return _result(text, parsed, merger).text


def _parse(text: str, snippet: str) -> _Parsed:
    tree = parse_quietly(text, "the file itself")
    code = clean_snippet(snippet)
    snippet_tree = parse_quietly(code, "the snippet")
    refuse_elided(code, snippet_tree, text, tree)
    try:
        module = cst.parse_module(text)
        parsed = cst.parse_module(with_newlines(code, module.default_newline))
    except (cst.ParserSyntaxError, RecursionError) as error:
        raise MergeRefusedError(f"the code cannot be taken apart: {error}") from error
    statements: list[cst.BaseStatement] = []
    imports: list[str] = []
    for index, statement in enumerate(parsed.body):
        assert isinstance(statement, cst.SimpleStatementLine | cst.BaseCompoundStatement)
        small = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
        is_import = [isinstance(part, cst.Import | cst.ImportFrom) for part in small]
        if small and all(is_import):
            imports += [ast.unparse(node) for node in ast.parse(parsed.code_for_node(statement)).body]
        elif any(is_import):
            raise MergeRefusedError("an import shares its line with code: give it a line of its own")
        else:
            if index == 0 and parsed.header:
                lines = [*parsed.header, *statement.leading_lines]
                statement = statement.with_changes(leading_lines=lines)  # noqa: PLW2901 - libcst copies
            statements.append(statement)
    return _Parsed(module, tree, tuple(statements), tuple(imports))


def _result(text: str, parsed: _Parsed, merger: Merger) -> MergeResult:
    merged = merger.finish().code
    merged, added = _with_imports(merged, parsed.tree, parsed.imports)
    changed = tuple(dict.fromkeys(merger.changed))
    if merged != text:
        _refuse_loss(parsed.tree, parse_quietly(merged, "the merged module"), changed)
    return MergeResult(merged, changed, added)


def _refuse_loss(before: ast.Module, after: ast.Module, changed: Sequence[str]) -> None:
    """Makes sure that no definition vanished, except inside one that was replaced."""
    lost = {name for name, _ in definitions(before)} - {name for name, _ in definitions(after)}
    for name in sorted(lost):
        if not any(name == owner or name.startswith(owner + ".") for owner in changed):
            raise MergeRefusedError(f"the merge would lose {name}")


def _with_imports(text: str, tree: ast.Module, imports: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Adds the imports that the module does not have, at its top level or in a `try` or `if` there."""
    conditional = _conditional_imports(tree.body)
    added: list[str] = []
    for statement in imports:
        node = ast.parse(statement).body[0]
        assert isinstance(node, ast.Import | ast.ImportFrom)
        node.names = [alias for key, alias in import_keys(node) if key not in conditional]
        if node.names:
            before = text
            text = add_import(text, ast.unparse(node))
            if text != before:
                added += sorted({key[0] for key, _ in import_keys(node)})
    return text, tuple(dict.fromkeys(added))


def _conditional_imports(body: Sequence[ast.stmt]) -> set[ImportKey]:
    keys: set[ImportKey] = set()
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            blocks = [node.body, node.orelse]
        elif isinstance(node, ast.Try):
            blocks = [node.body, node.orelse, node.finalbody, *(h.body for h in node.handlers)]
        else:
            continue
        for block in blocks:
            keys |= {key for inner in block for key, _ in import_keys(inner)} | _conditional_imports(block)
    return keys
