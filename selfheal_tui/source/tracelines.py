"""Cleans log text into the lines of a traceback: no colours, no escapes, no log prefix, no group margin.

Loggers indent, prefix, colour and JSON-encode what the interpreter printed; exception groups draw a tree
in the margin. All of that is taken off here, so that the reader proper sees CPython's own format. Works
on untrusted text of any size in linear time, and never raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

HEADER = re.compile(
    r"^(?P<prefix>.*?)(?P<plus>  \+ )?(?P<group>Exception Group )?Traceback \(most recent call last\):\s*$"
)
FILE_LINE = re.compile(r'^  File "(?P<file>[^"\n]+)", line (?P<line>\d{1,9})(?:, in (?P<function>.+?))?\s*$')
CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"

_ANSI = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_ESCAPED = re.compile(r"Traceback \(most recent call last\):\\+n")
_IN_DOUBLE = re.compile(r'(?:[^"\\]|\\.)*')
_IN_SINGLE = re.compile(r"(?:[^'\\]|\\.)*")
_MAX_NESTING = 3
"""Times that loggers are taken to have encoded each other's output."""
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_OPEN = re.compile(r"^(?P<indent> *)\+-\+-+ (?:\d+|\.\.\.) -+$")
_NEXT = re.compile(r"^(?P<indent> *)\+-+ (?:\d+|\.\.\.) -+$")
_CLOSE = re.compile(r"^(?P<indent> *)\+-+$")
_MARGIN = re.compile(r"^(?P<indent> *)\| ?(?P<text>.*)$")
_LEVEL_INDENT = 2
"""Spaces by which CPython indents each level of an exception group (`traceback.TracebackException.format`)."""


class Mark(Enum):
    """What a line means for the tree of an exception group."""

    TEXT = auto()
    OPEN = auto()
    NEXT = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a traceback without what was drawn or logged around it.

    Attributes:
        mark: Text, or a border of an exception group.
        depth: Level of the group tree; 0 for the plain text and for the outermost group itself.
        text: The line as CPython prints it.
    """

    mark: Mark
    depth: int
    text: str


def clean(text: str) -> list[str]:
    """Takes colours and JSON escapes off, and splits into lines.

    Args:
        text: Any log text.

    Returns:
        Its lines without ends.
    """
    out: list[str] = []
    for line in _plain(text).split("\n"):
        out += _unescaped(line).split("\n") if _ESCAPED.search(line) else [line]
    return out


def _plain(text: str) -> str:
    return _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def _unescaped(line: str) -> str:
    r"""Decodes the string literal of a line that holds a traceback with `\n` for newlines, as JSON logs do."""
    for _ in range(_MAX_NESTING):
        found = _ESCAPED.search(line)
        if found is None:
            break
        start, quote = _opening_quote(line, found.start())
        body = (_IN_DOUBLE if quote == '"' else _IN_SINGLE).match(line, start) if quote else None
        line = _plain(_ESCAPE.sub(_escape, body[0] if body else line[start:]))
    return line


def _opening_quote(line: str, before: int) -> tuple[int, str]:
    """Finds where the literal around a position starts, and its quote; the line's start without one."""
    for at in range(before - 1, -1, -1):
        if line[at] in "\"'" and (at == 0 or line[at - 1] != "\\"):
            return at + 1, line[at]
    return 0, ""


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "u" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _SIMPLE_ESCAPES.get(code, match[0])


class Prefix:
    """What a logger put before each line, learned from the first header.

    A prefix that only the header has (`ERROR:root:Traceback …`) is not expected on the other lines; digits
    may differ from line to line, as in time stamps.
    """

    def __init__(self, header: str, following: str) -> None:
        self._length, self._shape = 0, ""
        found = HEADER.match(header)
        prefix = found["prefix"] if found else ""
        if prefix and _shape(following[: len(prefix)]) == _shape(prefix):
            self._length, self._shape = len(prefix), _shape(prefix)

    def strip(self, line: str) -> str | None:
        """Returns a line without the prefix, or None when it lacks it (so is no part of the traceback)."""
        if not self._length:
            return line
        if _shape(line[: self._length]) == self._shape:
            return line[self._length :]
        return "" if not line.strip() else None


def _shape(prefix: str) -> str:
    return re.sub(r"\d", "0", prefix)


def margin(line: str) -> Line:
    """Reads the margin that exception groups draw.

    Args:
        line: A line without its log prefix.

    Returns:
        Its level and text.
    """
    for pattern, mark, shift in ((_OPEN, Mark.OPEN, 0), (_NEXT, Mark.NEXT, -1), (_CLOSE, Mark.CLOSE, -1)):
        if (found := pattern.match(line)) and (level := len(found["indent"]) // _LEVEL_INDENT + shift) > 0:
            return Line(mark, level, "")
    if line.startswith("  + Exception Group Traceback"):
        return Line(Mark.TEXT, 0, line[4:])
    if (found := _MARGIN.match(line)) and len(found["indent"]) >= _LEVEL_INDENT:
        return Line(Mark.TEXT, len(found["indent"]) // _LEVEL_INDENT - 1, found["text"])
    return Line(Mark.TEXT, 0, line)
