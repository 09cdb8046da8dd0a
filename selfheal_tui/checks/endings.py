"""Endless loops and recursions: whether a fix makes the code come to its end, or merely leaves it early.

A loop that is broken off ends as surely as one that is mended, so its ending proves nothing by itself: it
needs somebody who looks at the result. Pure functions over frames, texts and syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.coverage import changed_by
from selfheal_tui.checks.definitions import enclosing_qualname, plain_qualname, scoped_nodes
from selfheal_tui.checks.pairs import python_pairs
from selfheal_tui.checks.surplus import Item, surplus
from selfheal_tui.model.crash import CrashReport, Frame

_CERTAIN = 0.9
_LONGEST_TEST = 1 << 20
_HANG_FRAMES = 2
_DEPTHS = ("depth", "level", "limit", "max_", "attempt", "guard")


def is_endless(context: CheckContext) -> bool:
    """Whether the incident is about code that did not come to its end."""
    return context.report.stuck or context.diagnosis.signal == "recursion"


def is_same_hang(context: CheckContext, other: CrashReport) -> bool:
    """Whether another report is about the same loop; in which line and how deep in it a program is, is chance.

    Args:
        context: The incident.
        other: A report of a replay.
    """
    if not other.stuck and other.raised.bare_type != "MemoryError":
        return False
    ours = _innermost(context, context.report)
    theirs = _innermost(context, context.project.localise(other))
    return bool(ours & theirs) or not ours or not theirs


def _innermost(context: CheckContext, report: CrashReport) -> set[tuple[str, str]]:
    found = report.suspect()
    frames = (found[0].interrupted_frames or found[0].frames) if found else ()
    own = [f for f in frames if f.in_app and f.path and not context.project.protected(f.path)]
    return {(f.path or "", f.qualname) for f in own[-_HANG_FRAMES:]}


def doubt_about_ending(context: CheckContext) -> str:
    """Says why an ending proves too little; empty when it does not.

    Args:
        context: The incident and the fix.
    """
    if not is_endless(context):
        return ""
    stopper = _stopper(context)
    if stopper:
        return stopper
    candidate = context.candidate
    if candidate.proposer == "rules" and candidate.confidence >= _CERTAIN and not context.report.stuck:
        return ""  # a recursion that cannot have been meant, such as a property that reads itself
    if any(_is_looked_at(context, frame) for info in context.report.chain for frame in info.frames):
        return ""
    if context.settings.project.run_tests and _named_in_tests(context):
        return ""
    return "it comes to its end, but nothing checks what it does then"


def _stopper(context: CheckContext) -> str:
    for pair in python_pairs(context):
        for item in surplus(_exits(pair.after_tree), _exits(pair.before_tree)):
            return f"line {item.line} {item.message}"
    return ""


def _exits(tree: ast.Module) -> Iterator[Item]:
    for scope, node in scoped_nodes(tree):
        if isinstance(node, ast.While | ast.For | ast.AsyncFor):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Break):
                    yield Item("break", "", scope, inner.lineno, "leaves the loop early")
        elif isinstance(node, ast.If | ast.While) and _counts_depth(node.test):
            text = "stops at a depth or number of rounds"
            yield Item("depth", ast.dump(node.test), scope, node.lineno, text)
        elif isinstance(node, ast.Attribute) and node.attr == "setrecursionlimit":
            yield Item("limit", "", scope, node.lineno, "changes the limit of recursion")


def _counts_depth(test: ast.expr) -> bool:
    names = {n.id for n in ast.walk(test) if isinstance(n, ast.Name)}
    compared = any(isinstance(n, ast.Compare) for n in ast.walk(test))
    return compared and any(word in name.lower() for name in names for word in _DEPTHS)


def _is_looked_at(context: CheckContext, frame: Frame) -> bool:
    """Whether a frame of the stack checks what comes out of the call that it waits for."""
    if frame.path is None:
        return False
    if frame.function.startswith("test") and "test" in frame.path.lower():
        return True
    text = context.before.get(frame.path)
    if text is None:
        try:
            text = context.project.read(frame.path).text.encode()
        except (OSError, ValueError):
            return False
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    used = _names_at(tree, frame.line)
    scope = enclosing_qualname(tree, frame.line)
    return any(
        isinstance(node, ast.Assert)
        and (node.end_lineno or node.lineno) >= frame.line
        and (node.lineno <= frame.line or used & _names(node.test))
        and enclosing_qualname(tree, node.lineno) == scope
        for node in ast.walk(tree)
    )


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _names_at(tree: ast.Module, line: int) -> set[str]:
    """Names in the smallest statement on a line."""
    hits = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    smallest = min(hits, key=lambda n: (n.end_lineno or n.lineno) - n.lineno, default=None)
    return _names(smallest) if smallest is not None else set()


def _named_in_tests(context: CheckContext) -> bool:
    names = {plain_qualname(q).rpartition(".")[2] for _, q in changed_by(python_pairs(context))}
    names = {name for name in names if name and not name.startswith("<") and not name.startswith("__")}
    if not names:
        return False
    for path in context.project.python_files():
        stem = path.rpartition("/")[2]
        if not (stem.startswith("test") or stem.endswith("_test.py")):
            continue
        try:
            text = context.project.read(path).text
        except (OSError, ValueError):
            continue
        if len(text) <= _LONGEST_TEST and any(name in text for name in names):
            return True
    return False
