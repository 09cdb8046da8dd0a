"""Coverage beyond the traceback: code that ran before the crash and made the value that it crashed on.

What returned before the crash has no frame. A patch there belongs to the crash if the functions on the traceback call
it, directly or through a few others, and it makes the kind of value that failed. Reads source only, by bare names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.definitions import MODULE, definitions, own_nodes
from selfheal_tui.checks.pairs import SourcePair
from selfheal_tui.checks.statements import call_name
from selfheal_tui.model.crash import Frame
from selfheal_tui.source.text import UnreadableSourceError

_HOPS = 4
_VALUE = re.compile(r"NoneType|coroutine|non-iterator")


def made_before(context: CheckContext, pairs: list[SourcePair], changed: Iterable[tuple[str, str]]) -> str:
    """Says in what way a patch outside of the traceback made what the crash was about.

    Args:
        context: The check's context.
        pairs: The patched files.
        changed: What the patch changes, as path and qualified name.

    Returns:
        How, or an empty string.
    """
    frames = [f for info in context.report.chain for f in info.frames if f.in_app and f.path]
    found = context.report.suspect()
    if found is None:
        return ""
    error, suspect = found
    started = _sets_attribute(pairs, suspect, context.diagnosis.identifier)
    if started:
        return f"changes {started}, where the missing attribute is set now"
    names = {q for _, q in changed}
    made_here = _constructs(pairs, names, frames)
    # Whoever asserts judges what was made by what ran before.
    judges = error.bare_type == "AssertionError"
    if not _VALUE.search(error.message) and not made_here and not judges:
        return ""
    reached = _called_from(context, frames)
    if "non-iterator" in error.message:
        reached.add("__iter__")
    for qualname in sorted(names - {MODULE}):
        if (made_here and qualname not in made_here) or qualname.rpartition(".")[2] not in reached:
            continue
        return f"changes {qualname}, which the functions of the traceback call for a value"
    return ""


def _sets_attribute(pairs: list[SourcePair], suspect: Frame, identifier: str) -> str:
    owner = suspect.qualname.partition(".<locals>")[0].rpartition(".")[0]
    init = f"{owner}.__init__"
    for pair in pairs:
        if owner and identifier and pair.path == suspect.path:
            before, after = (
                _stores(pair.before_tree, init, identifier),
                _stores(pair.after_tree, init, identifier),
            )
            if after > before:
                return init
    return ""


def _stores(tree: ast.Module, qualname: str, attribute: str) -> int:
    return sum(
        isinstance(n, ast.Attribute) and n.attr == attribute and isinstance(n.ctx, ast.Store)
        for entry in definitions(tree).get(qualname, [])
        for n in own_nodes(entry.node)
    )


def _constructs(pairs: list[SourcePair], names: set[str], frames: list[Frame]) -> set[str]:
    """Changed functions that make an object of a class which the traceback is in."""
    classes = {f.qualname.rpartition(".")[0].rpartition(".")[2] for f in frames}
    classes |= {v.type.rpartition(".")[2] for f in frames for v in f.locals}
    return {
        name
        for pair in pairs
        for name in names
        for entry in definitions(pair.after_tree).get(name, [])
        for n in own_nodes(entry.node)
        if isinstance(n, ast.Call) and call_name(n).rpartition(".")[2] in classes - {""}
    }


def _called_from(context: CheckContext, frames: list[Frame]) -> set[str]:
    """Bare names that the functions of the traceback call, and those in turn, a few steps deep."""
    bodies: dict[str, list[ast.AST]] = {}
    for path in context.project.python_files():
        try:
            tree = ast.parse(context.project.read(path).text)
        except (UnreadableSourceError, SyntaxError, ValueError, OSError, RecursionError):
            continue
        for qualname, entries in definitions(tree).items():
            bodies.setdefault(qualname.rpartition(".")[2], []).extend(e.node for e in entries)
        if any(f.path == path and f.qualname == MODULE for f in frames):
            bodies.setdefault(MODULE, []).append(tree)
    reached: set[str] = set()
    front = {f.function for f in frames}
    for _ in range(_HOPS):
        called = {
            name
            for start in front
            for body in bodies.get(start, [])
            for n in ast.walk(body)
            if isinstance(n, ast.Call | ast.Attribute) and (name := call_name(n).rpartition(".")[2])
        }
        called |= {
            call_name(d).rpartition(".")[2]
            for name in (front | called) & bodies.keys()
            for body in bodies[name]
            for d in getattr(body, "decorator_list", [])
        }
        called |= {"__init__"} if called & bodies.keys() else set()
        front = (called & bodies.keys()) - reached
        reached |= called
        if not front:
            break
    return reached
