"""Describes the frames of a traceback: where, in what, which columns, and with which local variables.

It reads code objects and source lines only; it may not run, import or evaluate anything of the program.
Locals are recorded for the program's own frames only. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import os
import sys
from types import CodeType, FrameType, TracebackType
from typing import Any, Iterator

from .redaction import mask_text
from .render import Budget, clean, keys_of, render, size_of, type_name

# Of a deep recursion the beginning and the end tell the story.
HEAD_FRAMES = 24
TAIL_FRAMES = 40
MAX_LOCALS = 40
MAX_LINE = 400
_MAX_PARSED = 1_000_000
_VENDORED = ("site-packages", "dist-packages")


class Sources:
    """What is known about the source files of the frames; lives as long as one capture.

    Attributes:
        root: The project's root as a real path, `""` when every file that is not a library's counts.
        start: The folder against which relative file names are resolved.
    """

    def __init__(self, root: str, start: str = "") -> None:
        self.root = os.path.realpath(root) if root else ""
        self.start = start
        self._library = os.path.dirname(os.path.realpath(os.__file__)) + os.sep
        self._own = os.path.dirname(os.path.abspath(__file__)) + os.sep
        self._in_app: dict[str, bool] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._names: dict[str, dict[tuple[str, int], str]] = {}

    def absolute(self, file: str) -> str:
        """Makes a code object's file name absolute; `<string>` and its kin stay.

        Args:
            file: `co_filename`.

        Returns:
            The absolute file name.
        """
        if not file or file.startswith("<") or os.path.isabs(file):
            return file
        at_start = os.path.join(self.start, file)
        # The program may have changed its folder since the file was compiled.
        return (
            os.path.normpath(at_start) if self.start and os.path.exists(at_start) else os.path.abspath(file)
        )

    def is_in_app(self, file: str) -> bool:
        """Whether a file is taken to be the program's own; the console decides anew.

        Args:
            file: `co_filename`.

        Returns:
            True below the root and not below a library.
        """
        known = self._in_app.get(file)
        if known is None:
            known = self._in_app[file] = self._decide(file)
        return known

    def _decide(self, file: str) -> bool:
        if not file or (file.startswith("<") and not os.path.exists(file)):
            return False
        path = os.path.realpath(self.absolute(file))
        if path.startswith(self._own) or any(part in _VENDORED for part in path.split(os.sep)):
            return False
        if path.startswith(self._library) and not (self.root + os.sep).startswith(self._library):
            return False
        return not self.root or path.startswith(self.root.rstrip(os.sep) + os.sep)

    def tree(self, file: str) -> ast.Module | None:
        """Parses a source file, once.

        Args:
            file: `co_filename`.

        Returns:
            The tree; None when the source is not there, too large or not valid.
        """
        if file not in self._trees:
            self._trees[file] = self._parse(file)
        return self._trees[file]

    def _parse(self, file: str) -> ast.Module | None:
        text = "".join(linecache.getlines(file))
        if not text or len(text) > _MAX_PARSED:
            return None
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def qualname(self, code: CodeType) -> str:
        """Names a code object as `Class.method`; from its source before Python 3.11, which did not record it.

        Args:
            code: The code object.

        Returns:
            The qualified name; the bare name when it cannot be found out.
        """
        recorded = getattr(code, "co_qualname", None)
        if type(recorded) is str:
            return recorded
        if code.co_name == "<module>" or not self.is_in_app(code.co_filename):
            return code.co_name
        names = self._names.get(code.co_filename)
        if names is None:
            tree = self.tree(code.co_filename)
            names = dict(_definitions(tree, "")) if tree is not None else {}
            self._names[code.co_filename] = names
        return names.get((code.co_name, code.co_firstlineno), code.co_name)


_ANONYMOUS = {
    ast.Lambda: "<lambda>",
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
    ast.GeneratorExp: "<genexpr>",
}


def _definitions(node: ast.AST, owner: str) -> Iterator[tuple[tuple[str, int], str]]:
    """Yields ((bare name, first line), qualified name) of everything in a tree that has a code object."""
    for child in ast.iter_child_nodes(node):
        name, inner = _ANONYMOUS.get(type(child), ""), owner
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = child.name
            line = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
        else:
            line = getattr(child, "lineno", 0)
        if name:
            yield (name, line), owner + name
            inner = owner + name + ("." if isinstance(child, ast.ClassDef) else ".<locals>.")
        yield from _definitions(child, inner)


def walk(trace: TracebackType | None) -> list[TracebackType]:
    """Lists the levels of a traceback, outermost first, without its middle when it is very long.

    Args:
        trace: The traceback.

    Returns:
        At most `HEAD_FRAMES + TAIL_FRAMES` levels.
    """
    levels: list[TracebackType] = []
    while trace is not None:
        levels.append(trace)
        trace = trace.tb_next
    if len(levels) > HEAD_FRAMES + TAIL_FRAMES:
        levels[HEAD_FRAMES:-TAIL_FRAMES] = []
    return levels


def positions(trace: TracebackType) -> tuple[int | None, int | None, int | None, int | None]:
    """Returns the source range of the instruction that was running.

    Args:
        trace: One level of a traceback.

    Returns:
        Line, end line, byte column, end byte column; None each where unknown (always before Python 3.11).
    """
    table = getattr(trace.tb_frame.f_code, "co_positions", None)
    if table is None or trace.tb_lasti < 0:
        return (None, None, None, None)
    found: tuple[int | None, int | None, int | None, int | None] | None
    found = next(itertools.islice(table(), trace.tb_lasti // 2, None), None)
    return found or (None, None, None, None)


def describe_frame(trace: TracebackType, sources: Sources, budget: Budget) -> dict[str, Any]:
    """Describes one level of a traceback as the wire format wants it.

    Args:
        trace: The level.
        sources: Knowledge about source files.
        budget: What the capture may still spend; once spent, locals are left out.

    Returns:
        A JSON-able `Frame`.
    """
    frame, code = trace.tb_frame, trace.tb_frame.f_code
    line = line_of(trace)
    _, end_line, col, end_col = positions(trace)
    module = frame.f_globals.get("__name__", "")
    result: dict[str, Any] = {
        "file": clean(sources.absolute(code.co_filename)),
        "qualname": clean(sources.qualname(code)),
        "line": line,
        "module": clean(module) if type(module) is str else "",
        "end_line": end_line,
        "col": col,
        "end_col": end_col,
        "first_line": code.co_firstlineno,
        "source": source_line(code.co_filename, line, frame.f_globals),
    }
    if sources.is_in_app(code.co_filename) and not budget.spent():
        result["locals"] = describe_locals(frame, budget)
    return result


def line_of(trace: TracebackType) -> int:
    """Returns the line that was running; the last one before it for an instruction that has none.

    The jump back at the end of a loop belongs to no line, and a signal may arrive just there.

    Args:
        trace: One level of a traceback.

    Returns:
        The 1-based line; 0 when there is none.
    """
    line: int | None = trace.tb_lineno
    table = getattr(trace.tb_frame.f_code, "co_lines", None)
    if line or table is None:
        return line or 0
    before = [known for start, _, known in table() if known and start <= trace.tb_lasti]
    return before[-1] if before else 0


def called_by_signal(frame: FrameType, outer: FrameType) -> bool:
    """Whether a frame is a signal's handler that interrupted the one outside it.

    A handler is handed the interrupted frame; nothing else hands a function its caller's frame as second argument.

    Args:
        frame: A frame.
        outer: The frame outside it in the same traceback.

    Returns:
        True if its second argument is that frame.
    """
    code = frame.f_code
    if not 2 <= code.co_argcount <= 3:
        return False
    names = code.co_varnames[: code.co_argcount]
    return any(frame.f_locals.get(name) is outer for name in names[1:])


def source_line(file: str, line: int, names: dict[str, Any]) -> str:
    """Reads one source line, masked and bounded.

    Args:
        file: `co_filename`.
        line: 1-based line.
        names: The frame's globals, through which zipped modules find their source.

    Returns:
        The line without its newline; `""` when there is none.
    """
    return clean(mask_text(linecache.getline(file, line, names).rstrip("\r\n")))[:MAX_LINE]


def describe_locals(frame: FrameType, budget: Budget) -> list[dict[str, Any]]:
    """Describes the local variables of a frame; of a module's the ones that are not dunders or modules.

    Args:
        frame: The frame.
        budget: What may still be spent.

    Returns:
        JSON-able `LocalValue`s, at most `MAX_LOCALS`.
    """
    result: list[dict[str, Any]] = []
    at_module = frame.f_locals is frame.f_globals or frame.f_code.co_name == "<module>"
    for name, value in list(frame.f_locals.items()):
        if budget.spent() or len(result) >= MAX_LOCALS:
            break
        if at_module and (name.startswith("__") or type(value) is type(sys)):
            continue
        known = budget.described.get((name, id(value)))
        if known is None:
            known = budget.described[name, id(value)] = (value, _describe_local(name, value, budget))
        result.append(known[1])
    return result


def _describe_local(name: str, value: Any, budget: Budget) -> dict[str, Any]:
    return {
        "name": clean(name)[:200],
        "type": type_name(type(value)),
        "repr": render(name, value, budget),
        "size": size_of(value),
        "keys": [clean(key) for key in keys_of(value)],
    }
