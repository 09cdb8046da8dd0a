"""Chooses what of a project a model gets to see about one crash, and what of that it may change.

Reads the project, never writes. Everything chosen is bounded; masking is done where the text is written
down (`prompt.py`), not here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from selfheal_tui.model.crash import Frame
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.model.laboratory import TracedCall
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.engine import asserted
from selfheal_tui.repair.search.proposer import noticing
from selfheal_tui.source.calls import CallResolver
from selfheal_tui.source.position import definitions, find_definition, first_line
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import SourceText, UnreadableSourceError, split_lines

MAX_FRAMES = 16
WINDOW_LINES = 5
"""Lines around the failing line of frames that are not shown whole."""
MAX_FUNCTION_LINES = 300
"""Longer functions are shown in part and cannot be replaced."""
MAX_SIGNATURES = 15
MAX_TRAIL = 3
MAX_RAN = 6
MODULE = "<module>"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of one file.

    Attributes:
        path: Relative to the root.
        qualname: Function it belongs to, or `<module>`.
        first: First line, 1-based.
        last: Last line.
        whole: Whether it is the whole function.
        frame: The frame that it illustrates, if any.
    """

    path: str
    qualname: str
    first: int
    last: int
    whole: bool
    frame: Frame | None = None


@dataclass(slots=True)
class Evidence:
    """What a model is shown of the source, and what it may change.

    Attributes:
        files: The files, by path.
        excerpts: Stretches to show, suspect first.
        functions: (path, qualname) of functions that may be replaced.
        classes: (path, qualname) of classes that may get new methods or changed class-level statements.
        modules: Paths in which statements at module level may change and functions may be added.
        signatures: Headers of functions that the suspect calls.
        outlines: Headers of the methods of the object that lacked something, by `path :: class`.
        refused: Why a shown function may not be changed, a sentence each.
        beside: Functions, classes and (with an empty name) files that may be changed only because a model asked for them.
    """

    files: dict[str, SourceText] = field(default_factory=dict)
    excerpts: list[Excerpt] = field(default_factory=list)
    functions: set[tuple[str, str]] = field(default_factory=set)
    classes: set[tuple[str, str]] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    signatures: list[str] = field(default_factory=list)
    outlines: dict[str, list[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    beside: frozenset[tuple[str, str]] = frozenset()

    def is_beside(self, targets: Iterable[Location]) -> bool:
        """Whether any place lies where nothing of the crash itself pointed."""
        return any(not self.beside.isdisjoint({(t.path, t.qualname), (t.path, "")}) for t in targets)

    def allowed(self) -> frozenset[tuple[str, str]]:
        """All functions, classes and (with an empty name) files that may be changed."""
        return frozenset(self.functions | self.classes | {(path, "") for path in self.modules})


def shown_frames(context: RepairContext) -> list[Frame]:
    """Picks at most `MAX_FRAMES` frames of the exception in question, in-app ones first, in traceback order."""
    frames = list(context.error.frames)
    order = sorted(range(len(frames)), key=lambda i: (not frames[i].in_app, -i))[:MAX_FRAMES]
    return [frames[i] for i in sorted(order)]


def what_ran(context: RepairContext) -> tuple[TracedCall, ...]:
    """Traces the replay of a wrong answer, nearest to where it was noticed first.

    The traceback of a failed assertion names who noticed the fault, and seldom who made it: that has returned by then.

    Args:
        context: The crash.

    Returns:
        Functions that ran and may be changed; none where it cannot be known.
    """
    if not asserted(context.report.raised) or context.laboratory is None or not context.plans:
        return ()
    seconds = context.settings.sandbox.replay_seconds
    trace = context.laboratory.trace(context.plans[0], seconds=seconds, noticing=noticing(context))
    calls = [call for call in trace.calls if not context.project.protected(call.path)]
    near = [call for call in calls if call.below] or calls
    return tuple(sorted(near, key=lambda call: (call.depth, -call.last))[:MAX_RAN])


def gather(context: RepairContext, ran: Sequence[TracedCall] = ()) -> Evidence:
    """Collects the source that belongs to a crash.

    Args:
        context: The crash and its project.
        ran: What `what_ran` found.

    Returns:
        The evidence; with nothing editable when no in-app function could be read.
    """
    evidence = Evidence()
    # The traceback of a cause begins where it was caught: who called that is in what was raised from it.
    errors = dict.fromkeys((context.error, context.report.raised))
    frames = [f for e in errors for f in reversed(e.frames) if f.in_app and f.path]
    whole = _innermost_two(frames)
    for frame in whole:
        add_function(evidence, context.project, frame.path or "", frame.line, frame)
    diagnosis = context.diagnosis
    trail = [*([diagnosis.suspect] if diagnosis.suspect else []), *diagnosis.trail[:MAX_TRAIL]]
    for place in trail:
        add_function(evidence, context.project, place.path, place.line)
    for call in ran:
        add_function(evidence, context.project, call.path, call.line)
    for frame in frames[:MAX_FRAMES]:
        if frame not in whole:
            _add_window(evidence, context.project, frame)
    _add_signatures(evidence, context)
    _add_outline(evidence, context)
    return evidence


def import_lines(text: str) -> list[str]:
    """Returns the import statements at the top level of a module, as they stand there."""
    tree = _parse(text)
    if tree is None:
        return []
    found = (n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom))
    return [ast.get_source_segment(text, node) or "" for node in found]


def offset_of_line(text: str, line: int) -> int:
    """Returns the character offset at which a 1-based line begins (the end of the text past the last)."""
    return sum(len(piece) for piece in split_lines(text)[: line - 1])


def _innermost_two(frames: Iterable[Frame]) -> list[Frame]:
    """The suspect and the nearest in-app function above it; recursion counts once."""
    chosen: list[Frame] = []
    for frame in frames:
        if all((frame.path, frame.qualname) != (c.path, c.qualname) for c in chosen):
            chosen.append(frame)
        if len(chosen) == 2:
            break
    return chosen


def _read(evidence: Evidence, project: Project, path: str) -> SourceText | None:
    if path not in evidence.files:
        try:
            evidence.files[path] = project.read(path)
        except (UnreadableSourceError, OSError, ValueError):
            return None
    return evidence.files[path]


def _parse(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _outermost_function(text: str, line: int) -> tuple[str, ast.AST] | None:
    tree = _parse(text)
    if tree is None:
        return None
    for qualname, node in definitions(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
            first_line(node) <= line <= (node.end_lineno or 0)
        ):
            return qualname, node
    return None


def add_function(
    evidence: Evidence, project: Project, path: str, line: int, frame: Frame | None = None
) -> None:
    """Shows the function around a line whole and allows its change, where it may be changed.

    Args:
        evidence: What is shown so far.
        project: The project.
        path: The file, relative to the root.
        line: 1-based.
        frame: The frame that it illustrates, if any.
    """
    source = _read(evidence, project, path)
    if source is None:
        return
    found = _outermost_function(source.text, line)
    lines = len(split_lines(source.text))
    if found is None:
        excerpt = Excerpt(path, MODULE, max(1, line - 20), min(lines, line + 20), whole=False, frame=frame)
    else:
        qualname, node = found
        first, last = first_line(node), getattr(node, "end_lineno", line) or line
        whole = last - first < MAX_FUNCTION_LINES
        if not whole:
            first, last = max(first, line - 40), min(last, line + 40)
        excerpt = Excerpt(path, qualname, first, last, whole=whole, frame=frame)
    if any(
        (e.path, e.qualname, e.first) == (path, excerpt.qualname, excerpt.first) for e in evidence.excerpts
    ):
        return
    evidence.excerpts.append(excerpt)
    reason = project.protected(path)
    if reason:
        evidence.refused.append(f"{path} may not be changed: {reason}")
        return
    evidence.modules.add(path)
    if excerpt.whole:
        evidence.functions.add((path, excerpt.qualname))
        _allow_owner(evidence, path, excerpt.qualname)


def _allow_owner(evidence: Evidence, path: str, qualname: str) -> None:
    owner = qualname.rpartition(".")[0]
    if owner and "<locals>" not in owner:
        evidence.classes.add((path, owner))


def _add_window(evidence: Evidence, project: Project, frame: Frame) -> None:
    source = _read(evidence, project, frame.path or "")
    if source is None:
        return
    first = max(1, frame.line - WINDOW_LINES)
    last = min(len(split_lines(source.text)), frame.line + WINDOW_LINES)
    covered = any(e.path == source.path and e.first <= frame.line <= e.last for e in evidence.excerpts)
    if not covered and first <= last:
        evidence.excerpts.append(
            Excerpt(frame.path or "", frame.qualname, first, last, whole=False, frame=frame)
        )


def _header(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The header of a function, and the first line of its docstring."""
    stub = f"{'async ' if isinstance(node, ast.AsyncFunctionDef) else ''}def {node.name}({ast.unparse(node.args)})"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    doc = (ast.get_docstring(node) or "").strip().splitlines()
    return f"{stub}{returns}:" + (f"  # {doc[0]}" if doc else "")


def _add_signatures(evidence: Evidence, context: RepairContext) -> None:
    if not evidence.excerpts:
        return
    suspect = evidence.excerpts[0]
    text = evidence.files[suspect.path].text
    tree, node = _parse(text), find_definition(text, suspect.qualname, suspect.first)
    if tree is None or node is None:
        return
    types = {v.name: v.type for v in suspect.frame.locals} if suspect.frame else {}
    resolver = CallResolver(context.project, suspect.path, tree, suspect.qualname, types)
    for call in _calls(node):
        found = resolver.resolve(call)
        if found is None:
            continue
        line = f"{found.path} :: {found.qualname}: {_header(found.node)}"
        if line not in evidence.signatures and len(evidence.signatures) < MAX_SIGNATURES:
            evidence.signatures.append(line)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (n for n in ast.walk(node) if isinstance(n, ast.Call))


def _add_outline(evidence: Evidence, context: RepairContext) -> None:
    """Shows what the object that lacked an attribute does have, when its class is the project's own."""
    lacking = context.error.evidence
    if not lacking.obj_type or not lacking.obj_file:
        return
    path = context.project.relative(lacking.obj_file)
    source = _read(evidence, context.project, path) if path else None
    tree = _parse(source.text) if source else None
    if path is None or tree is None:
        return
    bare = lacking.obj_type.rpartition(".")[2]
    for qualname, node in definitions(tree):
        if isinstance(node, ast.ClassDef) and node.name == bare:
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
            evidence.outlines[f"{path} :: {qualname}"] = [_header(m) for m in methods]
            if not context.project.protected(path):
                evidence.classes.add((path, qualname))
            return
