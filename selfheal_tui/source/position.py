"""From a frame to the syntax node that failed, and from names to definitions and back.

`co_positions()` gives (line, end line, byte column, end byte column) of the failing instruction, which
is exactly the span of one node; on CPython 3.11 to 3.13 that found 19 of 20 kinds of failing
expressions. Where only the line is known, a node is named only if it is the single one that can have
failed in that way. May not execute anything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.model.crash import ExceptionInfo, Frame
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.source.text import split_lines

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MODULE = "<module>"
LOCALS = "<locals>"


def failing_node(text: str, frame: Frame, info: ExceptionInfo | None = None) -> ast.AST | None:
    """Finds the node that was executing.

    Args:
        text: The file as it is now.
        frame: The frame; its columns are used where it has them.
        info: The exception, which narrows the choice where there are no columns.

    Returns:
        The innermost fitting node, or None when the text does not parse, is not what ran, or several
        nodes fit.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    if not _line_is_as_it_ran(text, frame):
        return None
    located = [node for node in ast.walk(tree) if getattr(node, "end_lineno", None) is not None]
    if frame.col is not None and frame.end_col is not None:
        found = _by_columns(located, frame, frame.col, frame.end_col)
        if found is not None:
            return found
    return _by_line(tree, frame.line, info)


def reads_the_same(ran: str, now: str) -> bool:
    """Compares a captured source line, which may have been masked, with a line of the file as it is."""
    squeezed = "".join(ran.partition("\n")[0].split())
    return squeezed == "".join(now.split()) or squeezed == "".join(mask_text(now).split())


def _line_is_as_it_ran(text: str, frame: Frame) -> bool:
    lines = split_lines(text)
    if not 1 <= frame.line <= len(lines):
        return False
    return not frame.source.strip() or reads_the_same(frame.source, lines[frame.line - 1])


def _span(node: ast.AST) -> tuple[int, int, int, int]:
    return (
        getattr(node, "lineno", 0),
        getattr(node, "col_offset", 0),
        getattr(node, "end_lineno", 0),
        getattr(node, "end_col_offset", 0),
    )


def _by_columns(located: list[ast.AST], frame: Frame, col: int, end_col: int) -> ast.AST | None:
    end_line = frame.end_line or frame.line
    wanted = (frame.line, col, end_line, end_col)
    exact = [node for node in located if _span(node) == wanted]
    if exact:
        return exact[-1]  # ast.walk goes breadth first, so the last is the innermost
    around = [
        node
        for node in located
        if isinstance(node, ast.expr) and _span(node)[:2] <= wanted[:2] and _span(node)[2:] >= wanted[2:]
    ]
    return around[-1] if around else None


_KINDS: dict[str, tuple[type[ast.AST], ...]] = {
    "AttributeError": (ast.Attribute,),
    "KeyError": (ast.Subscript,),
    "IndexError": (ast.Subscript,),
    "NameError": (ast.Name,),
    "UnboundLocalError": (ast.Name,),
    "ZeroDivisionError": (ast.BinOp, ast.AugAssign),
    "ImportError": (ast.Import, ast.ImportFrom),
    "ModuleNotFoundError": (ast.Import, ast.ImportFrom),
    "AssertionError": (ast.Assert,),
}
_TYPE_ERRORS: tuple[tuple[str, tuple[type[ast.AST], ...]], ...] = (
    (r"not callable|argument|takes ", (ast.Call,)),
    (r"not subscriptable|indices must be|does not support item", (ast.Subscript,)),
    (r"unsupported operand|can only concatenate|must be str, not", (ast.BinOp, ast.AugAssign)),
    (r"not supported between|is not iterable", (ast.Compare,)),
)
_ANY: tuple[type[ast.AST], ...] = (ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.Raise, ast.Assert)


def _by_line(tree: ast.Module, line: int, info: ExceptionInfo | None) -> ast.AST | None:
    kinds = _ANY
    if info is not None:
        kinds = _KINDS.get(info.bare_type, _ANY)
        if info.bare_type == "TypeError":
            kinds = next((k for pattern, k in _TYPE_ERRORS if re.search(pattern, info.message)), _ANY)
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, kinds) and getattr(node, "lineno", 0) <= line <= getattr(node, "end_lineno", 0)
    ]
    name = info.evidence.name if info is not None else None
    if name and len(found) > 1:
        found = [node for node in found if _mentions(node, name)] or found
    starting_here = [node for node in found if getattr(node, "lineno", 0) == line]
    found = starting_here or found
    return found[0] if len(found) == 1 else None


def _mentions(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == name
    if isinstance(node, ast.Name):
        return node.id == name
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and name in (node.slice.value, repr(node.slice.value))
    return True


def failing_expression(text: str, frame: Frame, info: ExceptionInfo | None = None) -> str:
    """Returns the source of the failing node, or "" where it is not known; see `failing_node`."""
    node = failing_node(text, frame, info)
    return (ast.get_source_segment(text, node) or "") if node is not None else ""


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yields the statements directly inside, through `if`, `try`, `with`, loops and `match`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield child


def definitions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Yields every definition below a node with its qualified name, in source order.

    Args:
        node: A module or any statement.
        prefix: Qualified name to put before, with its final dot.

    Yields:
        `("A.m", node)` and so on; functions inside functions have `<locals>` in their names.
    """
    for child in _children(node):
        if isinstance(child, Definition):
            qualname = prefix + child.name
            yield qualname, child
            inner = qualname + "." if isinstance(child, ast.ClassDef) else f"{qualname}.{LOCALS}."
            yield from definitions(child, inner)
        else:
            yield from definitions(child, prefix)


def first_line(node: ast.AST) -> int:
    """Returns the line where a statement begins, decorators included."""
    decorators = [int(d.lineno) for d in getattr(node, "decorator_list", ())]
    return min([int(getattr(node, "lineno", 1)), *decorators])


def _covers(node: ast.AST, line: int) -> bool:
    return first_line(node) <= line <= (getattr(node, "end_lineno", None) or 0)


def enclosing_function(tree_or_text: ast.AST | str, line: int) -> Function | None:
    """Finds the innermost function that holds a line (decorators belong to their function).

    Returns:
        Its node, or None at class or module level, or when the text does not parse.
    """
    if isinstance(tree_or_text, str):
        try:
            tree_or_text = ast.parse(tree_or_text)
        except (SyntaxError, ValueError, RecursionError):
            return None
    found = [n for _, n in definitions(tree_or_text) if isinstance(n, Function) and _covers(n, line)]
    return found[-1] if found else None


def spans(text: str) -> list[tuple[str, int, int]]:
    """Lists qualified name, first and last line of every definition, outer ones before inner ones.

    Returns:
        Nothing when the text does not parse.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    return [(name, first_line(node), node.end_lineno or 0) for name, node in definitions(tree)]


def qualname_at(text: str, line: int) -> str:
    """Returns the qualified name of the innermost definition that holds a line, else `<module>`."""
    return next((name for name, first, last in reversed(spans(text)) if first <= line <= last), MODULE)


def find_definition(text: str, qualname: str, line: int | None = None) -> ast.AST | None:
    """Finds a definition by its qualified name.

    Args:
        text: The module.
        qualname: `f`, `A.m`, `f.<locals>.g`, or `<module>` for the whole module.
        line: Where several have that name (properties, overloads, `if`/`else`), the one that holds
            this line; else the last one that is not an overload, as at run time.

    Returns:
        Its node, or None when there is none or the text does not parse.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    if qualname in ("", MODULE):
        return tree
    found = [node for name, node in definitions(tree) if name == qualname]
    if line is not None:
        found = [node for node in found if _covers(node, line)] or found
    real = [node for node in found if not is_overload(node)] or found
    return real[-1] if real else None


def is_overload(node: Definition) -> bool:
    """Tells whether a definition is a `typing.overload` declaration."""
    names = (d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in node.decorator_list)
    return "overload" in names
