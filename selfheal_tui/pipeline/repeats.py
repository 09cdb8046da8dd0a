"""Makes a replacement of an expression wherever a file has the same expression: copies share a fault.

Pure but for reading the file; whether the other places need it is for the proof ladder to show.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.repair.rules.spans import whole
from selfheal_tui.repair.search.generate import offsets
from selfheal_tui.source.diff import changed_range
from selfheal_tui.source.edits import EditError, apply_edits
from selfheal_tui.source.position import qualname_at
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import UnreadableSourceError

LESS_SURE = 0.95
"""Each part makes a whole that much less certain."""
JOIN = "; then also "
"""Between the reasons of a fix's parts."""
_TELLING = ast.Call | ast.Compare | ast.BoolOp | ast.BinOp | ast.Subscript | ast.Attribute
"""Expressions that say enough for two equal ones to mean the same; a name alone does not."""


def repeated(project: Project, candidate: Candidate) -> Iterator[Candidate]:
    """The same replacement of an expression at every other place of the file that reads the same: copies share a fault.

    Args:
        project: The live project.
        candidate: A fix that replaces one expression.

    Yields:
        The fix made everywhere in its file, if the expression stands there more than once.
    """
    if len(candidate.edits) != 1:
        return
    edit = candidate.edits[0]
    try:
        old = project.read(edit.path).text
        tree = ast.parse(old)
    except (OSError, UnreadableSourceError, SyntaxError, ValueError, RecursionError):
        return
    changed = _replaced(old, edit.text, tree)
    if changed is None:
        return
    node, new = changed
    shape = ast.dump(node)
    places = [n for n in ast.walk(tree) if type(n) is type(node) and ast.dump(n) == shape]
    if len(places) < 2:
        return
    text = _everywhere(old, places, node, new)
    if not text:
        return
    reason = f"{candidate.reason}{JOIN}the same at {len(places) - 1} other place(s) that read the same"
    yield replace(
        candidate,
        reason=reason,
        confidence=round(candidate.confidence * LESS_SURE, 3),
        parts=candidate.parts + 1,
        edits=(replace(edit, text=text),),
        targets=tuple(
            dict.fromkeys(
                (
                    *candidate.targets,
                    *(Location(edit.path, qualname_at(old, p.lineno), p.lineno) for p in places),
                )
            )
        ),
    )


def _everywhere(old: str, places: Sequence[ast.expr], first: ast.expr, new: str) -> str:
    """The file with all places replaced, in parentheses where operators around would tear it apart; else empty."""
    for other in (new, f"({new})"):
        try:
            shape = _shape(ast.parse(f"({new})", mode="eval").body)
            text = apply_edits(old, [whole(place, new if place is first else other) for place in places])
            kept = sum(isinstance(n, ast.expr) and _shape(n) == shape for n in ast.walk(ast.parse(text)))
        except (EditError, SyntaxError, ValueError, RecursionError):
            continue
        if kept >= len(places):
            return text
    return ""


def _shape(node: ast.expr) -> str:
    return ast.dump(node).replace("ctx=Store()", "ctx=Load()").replace("ctx=Del()", "ctx=Load()")


def _replaced(old: str, new: str, tree: ast.Module) -> tuple[ast.expr, str] | None:
    """The innermost expression that a change replaces, and by what; None when it replaces more than one."""
    first, last, _ = changed_range(old, new)
    around = [n for n in ast.walk(tree) if isinstance(n, _TELLING)]
    ranges = offsets(old, [whole(node, "") for node in around])
    inside = [
        (end - start, start, end, node)
        for node, (start, end, _) in zip(around, ranges, strict=True)
        if start <= first and last <= end
    ]
    if not inside:
        return None
    _, start, end, node = min(inside, key=lambda item: item[0])
    return node, new[start : len(new) - (len(old) - end)]
