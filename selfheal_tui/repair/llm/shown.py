"""What a model asks to see before it answers: the fault may lie in code that no traceback names.

A closed door with a short list: only Python files of the project, a few places, a few times. What is shown may be
changed like anything else that is shown, unless it is protected. Reads the project and never writes.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from rapidfuzz import process

from selfheal_tui.repair.llm.answer import MalformedAnswerError, Place
from selfheal_tui.repair.llm.excerpts import MAX_FUNCTION_LINES, MODULE, Evidence, Excerpt, add_function
from selfheal_tui.source.position import definitions, first_line
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import SourceText, UnreadableSourceError, split_lines

MOST_PLACES = 8
"""So many places are shown on demand for one crash and model."""
MOST_NAMES = 60
"""So many names of a file are listed for a model that asks for one that is not there."""
MOST_ROUNDS = 3
"""So often a model may ask to see more for one crash."""
_NEAR = 3
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def check(places: Sequence[Place], project: Project) -> None:
    """Says whether places can be shown.

    Args:
        places: As the model named them.
        project: The project.

    Raises:
        MalformedAnswerError: One is not there; the message names what is.
    """
    for place in places:
        _find(place, project)


def add(evidence: Evidence, places: Sequence[Place], project: Project) -> None:
    """Adds places to what is shown, and to what may be changed where that is allowed.

    Args:
        evidence: What is shown so far.
        places: Places that `check` let pass; one that is gone by now is left out.
        project: The project.
    """
    before = evidence.allowed()
    for place in places:
        try:
            source, node = _find(place, project)
        except MalformedAnswerError:
            continue
        evidence.files.setdefault(place.path, source)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            add_function(evidence, project, place.path, node.lineno)
        else:
            _add_stretch(evidence, project, place, source, node)
    evidence.beside = evidence.allowed() - before


def _find(place: Place, project: Project) -> tuple[SourceText, _Definition | None]:
    """The file of a place, and its definition; None for a whole module."""
    files = project.python_files()
    if place.path not in files:
        near = [name for name, _, _ in process.extract(place.path, files, limit=_NEAR)]
        raise MalformedAnswerError(f"{place.path} is no Python file of this project; near it are {near}")
    try:
        source = project.read(place.path)
        tree = ast.parse(source.text)
    except (UnreadableSourceError, OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise MalformedAnswerError(f"{place.path} cannot be shown: {type(error).__name__}") from error
    if place.qualname == MODULE:
        return source, None
    found = dict(definitions(tree))
    node = found.get(place.qualname)
    if not isinstance(node, _Definition):
        raise MalformedAnswerError(
            f"{place.path} has no {place.qualname}; it has {', '.join([*found][:MOST_NAMES]) or 'no definitions'}"
        )
    return source, node


def _add_stretch(
    evidence: Evidence, project: Project, place: Place, source: SourceText, node: _Definition | None
) -> None:
    """Shows the beginning of a module or a class: as much of it as of a function."""
    lines = len(split_lines(source.text))
    first = 1 if node is None else first_line(node)
    end = lines if node is None else node.end_lineno or lines
    last = min(end, first + MAX_FUNCTION_LINES)
    excerpt = Excerpt(place.path, place.qualname, first, last, whole=False)
    if any((e.path, e.first, e.last) == (place.path, first, last) for e in evidence.excerpts):
        return
    evidence.excerpts.append(excerpt)
    if reason := project.protected(place.path):
        evidence.refused.append(f"{place.path} may not be changed: {reason}")
        return
    evidence.modules.add(place.path)
    if node is not None:
        evidence.classes.add((place.path, place.qualname))
    for qualname, inner in definitions(ast.parse(source.text)):
        whole = first <= first_line(inner) and (inner.end_lineno or lines) <= last
        if whole and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and "<locals>" not in qualname:
            evidence.functions.add((place.path, qualname))
