"""Where a program that did not come to its end was: the loops and functions on its stack, and what their ends hang on.

Shared by the rules about endless loops. A loop's condition is what its test reads and what the tests of its exits
read; a gap is a way through its body on which none of that changes. Pure functions on syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfheal_tui.model.crash import Frame
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.spans import line_bytes
from selfheal_tui.repair.rules.support import FunctionNode, Site, ancestors, site_of
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.text import dominant_newline

MAX_LOOPS = 6
LoopNode = ast.While | ast.For | ast.AsyncFor
_MUTATORS = frozenset(
    [
        "append",
        "add",
        "extend",
        "update",
        "insert",
        "pop",
        "popleft",
        "popitem",
        "remove",
        "discard",
        "clear",
        "appendleft",
        "extendleft",
        "push",
        "get",
        "put",
        "get_nowait",
        "put_nowait",
        "read",
        "readline",
        "next",
        "advance",
        "send",
        "step",
        "setdefault",
        "rotate",
        "consume",
        "shift",
        "seek",
    ]
)


@dataclass(frozen=True, slots=True)
class Stuck:
    """One loop in which the program may hang.

    Attributes:
        site: The file and frame.
        loop: The loop.
        rank: 0 for the innermost one of the stack, more further out.
    """

    site: Site
    loop: LoopNode
    rank: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A place at which a statement would run on a way through a loop that lacks it.

    Attributes:
        kind: `end` of a block, a missing `else` of a statement, or `before` a statement.
        block: The block, for `end`.
        statement: The statement, for the others.
    """

    kind: str
    block: tuple[ast.stmt, ...] = ()
    statement: ast.stmt | None = None


def own_frames(context: RepairContext) -> list[Frame]:
    """Frames of the project's own code that no fix is barred from, innermost first; each function once."""
    frames: list[Frame] = []
    seen: set[tuple[str, str]] = set()
    for frame in reversed(context.error.interrupted_frames or context.error.frames):
        key = (frame.path or "", frame.qualname)
        if frame.in_app and frame.path and key not in seen and not context.project.protected(frame.path):
            seen.add(key)
            frames.append(frame)
    return frames


def stuck_loops(context: RepairContext) -> list[Stuck]:
    """Returns the loops around the lines of the stack, innermost first; none for other crashes."""
    if not context.report.stuck:
        return []
    found: list[Stuck] = []
    for frame in own_frames(context):
        site = site_of(context, frame)
        if site is None:
            continue
        function = function_at(site)
        loops = [
            node
            for node in ast.walk(function or site.tree)
            if isinstance(node, LoopNode) and node.lineno <= frame.line <= (node.end_lineno or node.lineno)
            and site.function(node) is function
        ]  # fmt: skip
        loops.sort(key=lambda node: -node.lineno)
        found += [Stuck(site, loop, len(found) + at) for at, loop in enumerate(loops)]
    return found[:MAX_LOOPS]


def function_at(site: Site) -> FunctionNode | None:
    """Returns the function whose frame a site stands for."""
    name, line = site.frame.function, site.frame.line
    best: FunctionNode | None = None
    for node in ast.walk(site.tree):
        if not isinstance(node, FunctionNode) or not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        if (node.name == name or name.startswith("<")) and (best is None or node.lineno > best.lineno):
            best = node
    return best


def place(node: ast.AST) -> str:
    """Spells a variable or an attribute of one (`x`, `self.x`); empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = place(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def read_places(node: ast.AST) -> set[str]:
    """Everything with a name that an expression reads, functions that it calls left out."""
    called = {id(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
    found = {
        place(n) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute) and id(n) not in called
    }
    # `queue.empty()` reads the queue
    found |= {
        place(n.func.value)
        for n in ast.walk(node)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
    }
    return found - {"", "self", "cls"}


def exit_tests(loop: LoopNode) -> list[ast.expr]:
    """The loop's own condition and those on which it is left."""
    tests = [loop.test] if isinstance(loop, ast.While) and not isinstance(loop.test, ast.Constant) else []
    leaving = (ast.Break, ast.Return)
    tests += [
        node.test
        for node in ast.walk(loop)
        if isinstance(node, ast.If) and any(isinstance(s, leaving) for s in (*node.body, *node.orelse))
    ]
    return tests


def stored_places(node: ast.AST) -> set[str]:
    """Everything with a name that a statement (with what is inside it) gives a value to, or changes."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name | ast.Attribute) and isinstance(part.ctx, ast.Store | ast.Del):
            found.add(place(part))
        elif isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store | ast.Del):
            found.add(place(part.value))
        elif (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr in _MUTATORS
        ):
            found.add(place(part.func.value))
        elif isinstance(part, ast.Call) and place(part.func) == "next" and part.args:
            found.add(place(part.args[0]))
    return found - {""}


def gaps(loop: LoopNode, places: set[str]) -> list[Gap]:
    """Finds the ways through a loop's body on which none of some places changes.

    Returns:
        Where the ways end; a single `end` of the body itself when no way changes any.
    """
    found: list[Gap] = []
    state = _through(loop.body, [Gap("end", tuple(loop.body))], places, found)
    return found + (state or [])


def _through(
    block: Sequence[ast.stmt], state: list[Gap] | None, places: set[str], found: list[Gap]
) -> list[Gap] | None:
    """Follows a block; the state lists ends of ways without a change, and is None where nothing gets."""
    for statement in block:
        if state is None:
            return None
        if isinstance(statement, ast.Continue):
            found += [Gap("before", statement=statement)] if state else []
            return None
        if isinstance(statement, ast.Break | ast.Return | ast.Raise):
            return None
        if isinstance(statement, ast.If):
            state = _through_if(statement, state, places, found)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            state = _through(statement.body, state, places, found)
        elif isinstance(statement, ast.Try):
            state = _through_try(statement, state, places, found)
        elif stored_places(statement) & places:
            state = []
    return state


def _through_if(statement: ast.If, state: list[Gap], places: set[str], found: list[Gap]) -> list[Gap] | None:
    if stored_places(statement.test) & places:
        state = []
    body = _through(statement.body, [Gap("end", tuple(statement.body))] if state else [], places, found)
    missing = (
        [Gap("end", tuple(statement.orelse))] if statement.orelse else [Gap("else", statement=statement)]
    )
    other = _through(statement.orelse, missing if state else [], places, found)
    ways = [way for way in (body, other) if way is not None]
    if not ways:
        return None
    if all(ways) and len(ways) == 2:
        return state  # no branch changes anything: it can be done after both
    return [gap for way in ways for gap in way]


def _through_try(
    statement: ast.Try, state: list[Gap], places: set[str], found: list[Gap]
) -> list[Gap] | None:
    ways = [_through([*statement.body, *statement.orelse], state, places, found)]
    ways += [
        _through(handler.body, [Gap("end", tuple(handler.body))] if state else [], places, found)
        for handler in statement.handlers
    ]
    reached = [way for way in ways if way is not None]
    if not reached:
        return None
    if all(reached):
        reached = [state]
    if statement.finalbody and any(stored_places(s) & places for s in statement.finalbody):
        return []
    return [gap for way in reached for gap in way]


def fill(site: Site, gap: Gap, text: str) -> TextEdit | None:
    """Puts a statement into a gap.

    Args:
        site: The file.
        gap: The place.
        text: One or more lines without indentation.
    """
    if gap.kind == "before" and gap.statement is not None:
        indent = indent_text(site, gap.statement)
        at = (gap.statement.lineno, gap.statement.col_offset)
        return (
            None
            if indent is None
            else TextEdit(at, at, _lines(site, text, indent).lstrip() + _newline(site) + indent)
        )
    if gap.kind == "else" and isinstance(gap.statement, ast.If):
        outer, inner = indent_text(site, gap.statement), indent_text(site, gap.statement.body[0])
        if inner is None:
            return None
        if outer is None:  # an `elif`
            head = line_bytes(site.text, gap.statement.lineno).decode()
            outer = head[: len(head) - len(head.lstrip())]
        text = f"{outer}else:{_newline(site)}{_lines(site, text, inner)}"
        return after_line(site, gap.statement.body[-1], text)
    if gap.block:
        indent = indent_text(site, gap.block[-1])
        return None if indent is None else after_line(site, gap.block[-1], _lines(site, text, indent))
    return None


def after_line(site: Site, statement: ast.stmt, text: str) -> TextEdit:
    """Puts lines, with their indentation, after the last line of a statement."""
    line = statement.end_lineno or statement.lineno
    column = len(line_bytes(site.text, line).rstrip(b"\r\n"))
    return TextEdit((line, column), (line, column), _newline(site) + text)


def indent_text(site: Site, statement: ast.stmt) -> str | None:
    """The indentation of a statement; None when something else stands before it on its line."""
    head = line_bytes(site.text, statement.lineno)[: statement.col_offset].decode()
    return None if head.strip() else head


def _lines(site: Site, text: str, indent: str) -> str:
    return _newline(site).join(indent + line for line in text.splitlines())


def _newline(site: Site) -> str:
    return dominant_newline(site.text)


def local_value(site: Site, name: str) -> str:
    """What the capture shows of a variable, as a `repr`; empty when it shows nothing."""
    return next((value.repr for value in site.frame.locals if value.name == name), "")


def local_type(site: Site, name: str) -> str:
    """Bare type of a captured variable; empty when unknown."""
    return next((v.type.rpartition(".")[2] for v in site.frame.locals if v.name == name), "")


def number_of(site: Site, name: str) -> float | None:
    """A captured variable's value, if it is a number."""
    try:
        return float(local_value(site, name)) if local_type(site, name) in ("int", "float") else None
    except (ValueError, OverflowError):
        return None


def enclosing_call(site: Site, node: ast.AST) -> Iterator[ast.Call]:
    """Yields the calls around a node within its statement, nearest first."""
    for up in ancestors(site.tree, node):
        if isinstance(up, ast.stmt):
            return
        if isinstance(up, ast.Call):
            yield up


def bounds_of(tests: list[ast.expr]) -> Iterator[tuple[ast.Compare, ast.expr, ast.cmpop, ast.expr]]:
    """Comparisons of the tests with each side once in front."""
    mirror = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
    for test in tests:
        for node in ast.walk(test):
            if isinstance(node, ast.Compare) and len(node.ops) == 1:
                yield node, node.left, node.ops[0], node.comparators[0]
                yield node, node.comparators[0], mirror.get(type(node.ops[0]), type(node.ops[0]))(), node.left
