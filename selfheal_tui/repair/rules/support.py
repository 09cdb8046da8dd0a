"""What every rule needs: the failing place as a syntax tree, and a Candidate made of new texts.

Reads the project and never writes. Positions of a crash may be exact (probe, or carets in a traceback
text) or a bare line number; `Site.nodes` serves both, and answers with several nodes when it cannot tell.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from selfheal_tui.model.candidate import Candidate, CannotFix, FileEdit
from selfheal_tui.model.crash import Frame
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.fstrings import Span, correct_positions, span, spans
from selfheal_tui.source.diff import changed_definitions
from selfheal_tui.source.edits import TextEdit, apply_edits
from selfheal_tui.source.position import find_definition
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import SourceText, UnreadableSourceError

PROPOSER = "rules"
CERTAIN, STRONG, PLAUSIBLE, GUESS = 0.95, 0.8, 0.6, 0.4
"""The confidence scale of the house."""

N = TypeVar("N", bound=ast.AST)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
ScopeNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


@lru_cache(maxsize=512)
def parse(text: str) -> ast.Module | None:
    """Parses a source text, once; None when it is not valid Python for this interpreter.

    The tree is shared: never change it.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    if sys.version_info < (3, 12):
        correct_positions(text, tree)
    return tree


def read(project: Project, path: str) -> SourceText | None:
    """Reads a file of the project; None when it cannot be read, for rules to pass over."""
    try:
        return project.read(path)
    except (OSError, UnreadableSourceError, ValueError):
        return None


def glance(project: Project, path: str) -> SourceText | None:
    """Like `read`, but keeps what it read while the file's size and time stay the same.

    For searching through all files, which several rules do for one crash; never for what an edit is
    bound to.
    """
    try:
        file = project.absolute(path)
        facts = file.stat()
    except (OSError, ValueError):
        return None
    return _kept(project, path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=4096)
def _kept(project: Project, path: str, _mtime: int, _size: int) -> SourceText | None:
    return read(project, path)


@lru_cache(maxsize=64)
def parents(tree: ast.Module) -> Mapping[ast.AST, ast.AST]:
    """Maps each node of a tree to the node that holds it."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def ancestors(tree: ast.Module, node: ast.AST) -> Iterator[ast.AST]:
    """Yields what encloses a node, nearest first, the module last."""
    up = parents(tree)
    current = up.get(node)
    while current is not None:
        yield current
        current = up.get(current)


@dataclass(frozen=True, slots=True)
class Site:
    """The place of a crash in one file, parsed.

    Attributes:
        path: The file, relative to the root.
        source: Its text.
        tree: Its syntax tree (shared: never change it).
        frame: The frame that stands there.
        innermost: Whether the exception was raised by this very frame, not by something it called.
    """

    path: str
    source: SourceText
    tree: ast.Module
    frame: Frame
    innermost: bool

    @property
    def text(self) -> str:
        """The file's text."""
        return self.source.text

    def nodes(self, kind: type[N], matches: Callable[[N], bool] = lambda _node: True) -> list[N]:
        """Finds the nodes of a kind that the crash can be about.

        With column positions: the node with exactly the failing range, else those inside it, else
        those around it. With a bare line: every match on that line.

        Args:
            kind: Type of node.
            matches: Further condition.

        Returns:
            Matches in source order; more than one means that the position does not tell.
        """
        frame = self.frame
        found = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, kind)
            and any(first <= frame.line <= last for first, _, last, _ in spans(node))
            and matches(node)
            and span(node)[0] > 0
        ]
        found.sort(key=span)
        if frame.col is None or frame.end_col is None:
            exact_line = [node for node in found if span(node)[0] == frame.line]
            return exact_line or found
        start, end = (frame.line, frame.col), (frame.end_line or frame.line, frame.end_col)
        ranges: tuple[Callable[[Span], bool], ...] = (
            lambda at: at == (*start, *end),
            # 3.12+ gives only the part after the dot when a chain is broken over lines
            lambda at: start <= at[:2] and at[2:] <= end,
            lambda at: at[2:] == end,
            lambda at: at[:2] <= start and end <= at[2:],
        )
        for fits in ranges:
            inside = [node for node in found if any(fits(at) for at in spans(node))]
            if inside:
                return inside
        return found

    def enclosing(self, node: ast.AST, kind: type[N]) -> N | None:
        """Returns the nearest enclosing node of a kind."""
        return next((up for up in ancestors(self.tree, node) if isinstance(up, kind)), None)

    def function(self, node: ast.AST) -> FunctionNode | None:
        """Returns the nearest enclosing function (lambdas are looked through)."""
        for up in ancestors(self.tree, node):
            if isinstance(up, FunctionNode):
                return up
        return None

    def method_class(self, node: ast.AST) -> ast.ClassDef | None:
        """Returns the class of the method that a node stands in, through nested functions."""
        inside_function = False
        for up in ancestors(self.tree, node):
            if isinstance(up, ast.ClassDef):
                return up if inside_function else None
            inside_function = inside_function or isinstance(up, FunctionNode)
        return None


def site_of(context: RepairContext, frame: Frame | None = None) -> Site | None:
    """Parses the file of a frame.

    Args:
        context: The crash.
        frame: A frame of `context.error`; by default the suspect one.

    Returns:
        The site; None when the frame is not in a readable, parsable file of the project.
    """
    frame = frame or context.frame
    if frame is None or frame.path is None:
        return None
    source = read(context.project, frame.path)
    tree = parse(source.text) if source else None
    if source is None or tree is None:
        return None
    frames = context.error.frames
    return Site(frame.path, source, tree, frame, bool(frames) and frames[-1] is frame)


def failing_site(context: RepairContext) -> Site | None:
    """The suspect frame's site, if the exception was raised right there."""
    site = site_of(context)
    return site if site is not None and site.innermost else None


def candidate(
    context: RepairContext,
    rule: str,
    reason: str,
    confidence: float,
    changes: Mapping[str, str],
    *,
    targets: Sequence[Location] = (),
    notes: Sequence[str] = (),
    adds_imports: Sequence[str] = (),
) -> Candidate:
    """Makes a candidate out of whole new texts.

    Args:
        context: The crash.
        rule: Name of the rule.
        reason: Why this should help, a sentence for the operator.
        confidence: See `CERTAIN` to `GUESS`.
        changes: Path to new text; unreadable or missing files count as new ones.
        targets: What it means to change; worked out from the texts when not given.
        notes: Assumptions and alternatives.
        adds_imports: Modules that it newly imports.

    Returns:
        The candidate, bound to the files as they are now.
    """
    edits: list[FileEdit] = []
    places: list[Location] = list(targets)
    for path, text in changes.items():
        before = read(context.project, path)
        edits.append(
            FileEdit(path, before.sha256 if before else None, text, before.encoding if before else "utf-8")
        )
        if not targets:
            places.extend(_changed_places(path, before.text if before else "", text))
    return Candidate(
        proposer=PROPOSER,
        rule=rule,
        reason=reason,
        confidence=confidence,
        edits=tuple(edits),
        targets=tuple(places),
        notes=tuple(notes),
        adds_imports=tuple(adds_imports),
    )


def edited(
    context: RepairContext,
    rule: str,
    reason: str,
    confidence: float,
    edits: Mapping[str, Sequence[TextEdit]],
    *,
    notes: Sequence[str] = (),
    guess: bool = False,
) -> Candidate | None:
    """Makes a candidate out of text edits by file; None when a file cannot be read.

    A `guess` is applied unasked only where a test judges what it does.
    """
    changes: dict[str, str] = {}
    for path, file_edits in edits.items():
        source = read(context.project, path)
        if source is None:
            return None
        changes[path] = apply_edits(source.text, file_edits)
    made = candidate(context, rule, reason, confidence, changes, notes=notes)
    return replace(made, guess=True) if guess else made


def explained(reason: str, explanation: str = "") -> CannotFix:
    """A cause that is known and has no safe fix.

    Args:
        reason: The cause, a sentence for the operator.
        explanation: The cure that only a person can bring.
    """
    return CannotFix(PROPOSER, reason, explanation)


def _changed_places(path: str, before: str, after: str) -> Iterator[Location]:
    try:
        changed = changed_definitions(before, after)
    except SyntaxError:  # the engine refuses a broken result, and a broken original has no definitions
        changed = frozenset({"<module>"})
    for qualname in sorted(changed):
        node = None if qualname == "<module>" else find_definition(before, qualname)
        yield Location(path, qualname, getattr(node, "lineno", 1))
