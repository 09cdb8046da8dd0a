"""Each edited file before and after, parsed once for all rungs that read code.

Reads nothing but the context. A file whose original does not parse (the crash may be a SyntaxError) is
compared with an empty module, and only lines that the patch wrote are held against it.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.findings import Finding
from selfheal_tui.model.candidate import FileEdit
from selfheal_tui.source.text import SourceText, decode_source

PYTHON_SUFFIXES = (".py", ".pyi", ".pyw")


class UnparsableError(ValueError):
    """Source that the tool's own parser cannot read; nothing can be said about it."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def parse(text: str) -> ast.Module:
    """Parses source text without the parser's warnings.

    Raises:
        UnparsableError: It is not Python, or nested too deeply to be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise UnparsableError(error.lineno or 0, error.msg or "invalid syntax") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnparsableError(0, f"cannot be parsed: {error}") from error


@lru_cache(maxsize=32)
def _parse_cached(text: str) -> ast.Module:
    return parse(text)


@dataclass(frozen=True, slots=True)
class SourcePair:
    """One Python file before and after.

    Attributes:
        path: Relative to the root.
        before: Text before; empty for a new file.
        after: Text after.
        before_tree: Tree before; empty when there was no file or it does not parse.
        after_tree: Tree after.
        is_new: Whether the patch creates the file.
        before_parsed: Whether `before_tree` is the whole truth about the original.
        fresh_lines: Lines of `after` that the patch wrote.
    """

    path: str
    before: str
    after: str
    before_tree: ast.Module
    after_tree: ast.Module
    is_new: bool
    before_parsed: bool
    fresh_lines: frozenset[int]

    def relevant(self, findings: Iterable[Finding]) -> list[Finding]:
        """Drops findings on lines that were there before, where there was no tree to compare with."""
        if self.before_parsed:
            return list(findings)
        return [f for f in findings if not f.line or f.line in self.fresh_lines]

    def written_lines(self) -> frozenset[int]:
        """Lines of `after` that the patch wrote, whether or not the original parses."""
        return fresh_lines(self.before, self.after)


def fresh_lines(before: str, after: str) -> frozenset[int]:
    """Lists the lines (1-based) of `after` that `before` does not have at that place."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new)
    found: set[int] = set()
    for tag, _, _, start, end in matcher.get_opcodes():
        if tag != "equal":
            found.update(range(start + 1, end + 1))
    return frozenset(found)


def make_pair(path: str, before: str | None, after: str) -> SourcePair:
    """Parses a file before and after.

    Args:
        path: Relative to the root.
        before: Text before; None for a new file.
        after: Text after.

    Returns:
        The pair.

    Raises:
        UnparsableError: The text after does not parse.
    """
    after_tree = _parse_cached(after)
    parsed = True
    try:
        before_tree = _parse_cached(before or "")
    except UnparsableError:
        before_tree, parsed = ast.Module(body=[], type_ignores=[]), False
    return SourcePair(
        path=path,
        before=before or "",
        after=after,
        before_tree=before_tree,
        after_tree=after_tree,
        is_new=before is None,
        before_parsed=parsed,
        fresh_lines=frozenset() if parsed else fresh_lines(before or "", after),
    )


def is_python(path: str) -> bool:
    """Says whether a file is Python source by its name."""
    return path.endswith(PYTHON_SUFFIXES)


def source_before(context: CheckContext, edit: FileEdit) -> SourceText | None:
    """Decodes a file as it is now; None when the patch creates it.

    Raises:
        UnreadableSourceError: The bytes are no text in the encoding that the file declares.
    """
    data = context.before.get(edit.path)
    return None if data is None else decode_source(data, edit.path)


def python_pairs(context: CheckContext) -> list[SourcePair]:
    """Parses all Python files of a candidate.

    Raises:
        UnparsableError: A file does not parse after the patch.
        UnreadableSourceError: A file cannot be decoded.
    """
    pairs = []
    for edit in context.candidate.edits:
        if is_python(edit.path):
            before = source_before(context, edit)
            pairs.append(make_pair(edit.path, before.text if before else None, edit.text))
    return pairs
