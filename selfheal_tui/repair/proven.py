"""Takes the lasting part out of a fix that held, and puts it back in where it fits again.

A fix is kept as functions before and after, plus the imports that it added. What cannot be said that way
(constants, class bodies, removed functions) is not remembered: a fix that is put back only in part would
be a new, unproved fix. Texts in, texts out.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
import warnings
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.record import ProvenFix
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.source.edits import EditError, add_import
from selfheal_tui.source.position import definitions, find_definition, first_line
from selfheal_tui.source.text import dominant_newline, split_lines, with_newlines

GROUP, GROUP_SIZE, IMPORTS = "group", "group_size", "imports"
"""Keys of `ProvenFix.extra`: which fixes belong together, how many they are, imports to add, a line each."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class UnfitFixError(ValueError):
    """A remembered fix does not fit the text that it is put into."""


def extract_proven(
    before_text: str,
    after_text: str,
    *,
    path: str,
    fingerprint: str,
    exception: str,
    rule: str,
    suspect: str = "",
    group: str = "",
) -> tuple[ProvenFix, ...]:
    """Makes records of what a fix did to one file.

    Args:
        before_text: The file before.
        after_text: The file after.
        path: The file, relative to the root.
        fingerprint: The crash it cured.
        exception: Bare exception type.
        rule: What had proposed it.
        suspect: Qualified name of the crashing function: the anchor of a fix that only adds imports.
        group: Id that binds the records of one candidate.

    Returns:
        One record for each function that changed, or none when the fix cannot be kept exactly, or holds
        a secret (stored it would be masked, and so be wrong).
    """
    old, new = _functions(before_text), _functions(after_text)
    if old is None or new is None or old.keys() - new.keys():
        return ()
    changed = [name for name in new if _shapes(old.get(name, [])) != _shapes(new[name])]
    if any(len(old.get(name, [])) > 1 or len(new[name]) > 1 for name in changed):
        return ()
    imports = "\n".join(sorted(_top_imports(after_text) - _top_imports(before_text)))
    if not changed and imports and len(new.get(suspect, [])) == 1:
        changed = [suspect]
    fixes = [
        ProvenFix(
            fingerprint=fingerprint,
            exception=exception,
            before=_source_of(before_text, old[name][0]) if name in old else "",
            after=_source_of(after_text, new[name][0]),
            qualname=name,
            path=path,
            rule=rule,
            extra={GROUP: group, GROUP_SIZE: str(len(changed))} if group else {},
        )
        for name in changed
    ]
    if not fixes:
        return ()
    if imports:
        fixes[0] = replace(fixes[0], extra={**fixes[0].extra, IMPORTS: imports})
    if any(mask_text(text) != text for fix in fixes for text in (fix.before, fix.after, imports)):
        return ()
    return tuple(fixes) if _comes_back(before_text, after_text, fixes) else ()


def proven_of(
    candidate: Candidate,
    before: Mapping[str, str],
    *,
    fingerprint: str,
    exception: str,
    suspect: str = "",
) -> tuple[ProvenFix, ...]:
    """Makes the records of an applied candidate that held.

    Args:
        candidate: The fix.
        before: Text of each edited file before, by path; a new file has none.
        fingerprint: The crash it cured.
        exception: Bare exception type.
        suspect: Qualified name of the crashing function.

    Returns:
        The records of all its files, or none when one of them cannot be kept exactly.
    """
    fixes: list[ProvenFix] = []
    for edit in candidate.edits:
        part = extract_proven(
            before.get(edit.path, ""),
            edit.text,
            path=edit.path,
            fingerprint=fingerprint,
            exception=exception,
            rule=candidate.rule,
            suspect=suspect,
            group=candidate.candidate_id,
        )
        if not part or edit.before_sha256 is None:
            return ()
        fixes += part
    return tuple(replace(f, extra={**f.extra, GROUP_SIZE: str(len(fixes))}) for f in fixes)


def apply_proven(text: str, fix: ProvenFix, qualname: str) -> str:
    """Puts a remembered fix into a text.

    Args:
        text: The file.
        fix: The record.
        qualname: The function that is, but for layout, `fix.before`; or the name of the new function.

    Returns:
        The new text.

    Raises:
        UnfitFixError: The text has no such function.
    """
    try:
        if not fix.before:
            text = _insert(text, fix.after, qualname)
        elif fix.before != fix.after:
            text = _exchange(text, fix, qualname)
        for statement in filter(None, fix.extra.get(IMPORTS, "").split("\n")):
            text = add_import(text, statement)
    except (EditError, SyntaxError, ValueError, RecursionError) as error:
        raise UnfitFixError(f"the remembered fix of {qualname} does not fit: {error}") from error
    return text


def function_shape(node: ast.AST) -> str:
    """Returns what a function is, whatever its layout, comments and the indentation of its docstring."""
    documentation = ast.get_docstring(node) if isinstance(node, _Function) else None
    if documentation is not None:
        node = copy.deepcopy(node)
        assert isinstance(node, _Function)
        node.body[0] = ast.Expr(ast.Constant(inspect.cleandoc(documentation)))
    return ast.dump(node)


def shape_of_source(source: str) -> str:
    """Returns the shape of a dedented function; empty when the text is not one function."""
    tree = _parse(source)
    return function_shape(tree.body[0]) if tree is not None and len(tree.body) == 1 else ""


def _exchange(text: str, fix: ProvenFix, qualname: str) -> str:
    node = find_definition(text, qualname)
    if not isinstance(node, _Function) or function_shape(node) != shape_of_source(fix.before):
        raise UnfitFixError(f"{qualname} is not the function that the remembered fix was made for")
    if _source_of(text, node) != fix.before:
        from selfheal_tui.source.merge import replace_definition

        return replace_definition(text, qualname, fix.after)
    lines = split_lines(text)
    first, last = first_line(node), node.end_lineno or first_line(node)
    line = lines[first - 1]
    indent = line[: len(line) - len(line.lstrip())]
    block = with_newlines(textwrap.indent(fix.after, indent), dominant_newline(text))
    if not lines[last - 1].endswith(("\n", "\r")):
        block = block.rstrip("\r\n")
    return "".join([*lines[: first - 1], block, *lines[last:]])


def _insert(text: str, code: str, qualname: str) -> str:
    from selfheal_tui.source.merge import MergeRefusedError, merge_snippet

    try:
        return merge_snippet(text, code, qualname=qualname).text
    except MergeRefusedError as error:
        raise UnfitFixError(str(error)) from error


def _comes_back(before_text: str, after_text: str, fixes: list[ProvenFix]) -> bool:
    """Whether putting the records into the old text gives, but for layout and order, the new one."""
    text = before_text
    try:
        for fix in fixes:
            text = apply_proven(text, fix, fix.qualname)
    except UnfitFixError:
        return False
    return _remainder(text) == _remainder(after_text)


def _parse(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _functions(text: str) -> dict[str, list[_Function]] | None:
    tree = _parse(text)
    if tree is None:
        return None
    found: dict[str, list[_Function]] = defaultdict(list)
    for qualname, node in definitions(tree):
        if isinstance(node, _Function) and "<locals>" not in qualname:
            found[qualname].append(node)
    return found


def _shapes(nodes: list[_Function]) -> list[str]:
    return [function_shape(node) for node in nodes]


def _source_of(text: str, node: _Function) -> str:
    lines = split_lines(text)[first_line(node) - 1 : node.end_lineno]
    return textwrap.dedent(with_newlines("".join(lines), "\n")).rstrip("\n") + "\n"


def _top_imports(text: str) -> set[str]:
    """Top-level imports, one name a statement, so that merged statements compare equal."""
    tree = _parse(text)
    found: set[str] = set()
    for node in tree.body if tree is not None else []:
        if isinstance(node, ast.Import):
            found |= {ast.unparse(ast.Import([alias])) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {ast.unparse(ast.ImportFrom(node.module, [alias], node.level)) for alias in node.names}
    return found


def _remainder(text: str) -> tuple[dict[str, list[str]], set[str], str]:
    """A module as its functions, its imports, and everything else, each comparable by itself."""
    tree = _parse(text)
    functions = _functions(text)
    if tree is None or functions is None:
        return {}, set(), text
    imports = _top_imports(text)
    tree.body = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
    rest = ast.dump(_WithoutFunctions().visit(tree))
    return {name: _shapes(nodes) for name, nodes in functions.items()}, imports, rest


class _WithoutFunctions(ast.NodeTransformer):
    """Drops functions, so that the rest of a module can be compared."""

    def visit_FunctionDef(self, _node: ast.FunctionDef) -> None:
        """Drops a function."""

    def visit_AsyncFunctionDef(self, _node: ast.AsyncFunctionDef) -> None:
        """Drops an asynchronous function."""
