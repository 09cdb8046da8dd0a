"""Builds one exception of a printed traceback: its frames, their columns, and its evidence.

Column markers (`~~~^^^`, CPython 3.11+) are turned into byte columns *of the frame's source text as
printed*; `localise` moves them to where the line stands in the file. No columns are better than wrong
ones. Everything kept is bounded and masked here. No I/O.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from itertools import pairwise

from selfheal_tui.model.crash import ExceptionInfo, Frame, NameEvidence
from selfheal_tui.model.kinds import ChainLink
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.source.identifiers import lacking_object, missing_identifier, without_suggestion

MAX_FRAMES = 400
"""Frames kept of one exception; only endless recursion has more."""
MAX_REPEATS = 20
"""Copies kept for "Previous line repeated"; the fingerprint folds them anyway."""
_MAX_MESSAGE = 8_000
_MAX_LINE = 2_000
_MARKERS = re.compile(r"^\s*[~^][~^ ]*$")
_ELIDED = re.compile(r"^\s+\.\.\.<(?P<count>\d{1,6}) lines>\.\.\.$")
_REPEATED = re.compile(r"^  \[Previous line repeated (?P<count>\d{1,9}) more times?\]\s*$")
_DEFINED_IN = re.compile(r"\((?P<file>[^()\n]+\.\w+)\)$")
_ONE_LINE = frozenset(
    {
        "AttributeError", "ImportError", "IndexError", "KeyError", "ModuleNotFoundError", "NameError",
        "UnboundLocalError", "ZeroDivisionError", "RecursionError",
    }
)  # fmt: skip
"""Types whose own messages have one line, so that further lines are notes (PEP 678)."""


@dataclass(slots=True)
class Block:
    """One exception while it is being read.

    Attributes:
        frames: Frames so far, outermost first.
        place: File and line of a SyntaxError.
        members: Exceptions of a group, each with its own chain.
        older: What it was raised from or while handling, and how.
    """

    frames: list[Frame] = field(default_factory=list)
    place: tuple[str, int] | None = None
    type: str = ""
    message: list[str] = field(default_factory=list)
    members: list[Block] = field(default_factory=list)
    older: tuple[ChainLink, Block] | None = None
    shown: list[str] = field(default_factory=list)

    def open_frame(self, file: str, line: int, function: str | None) -> None:
        """Takes a `File` line; without a function it is the place of a SyntaxError."""
        self.close_frame()
        if function is None:
            self.place = (file, line)
        else:
            self.frames.append(Frame(file=file, qualname=function, line=line))
            if len(self.frames) > MAX_FRAMES:
                del self.frames[MAX_FRAMES // 2]  # both ends tell something; the middle is a recursion

    def detail(self, text: str) -> bool:
        """Takes a line that belongs to the last frame.

        Returns:
            Whether it does.
        """
        if repeated := _REPEATED.match(text):
            self.close_frame()
            room = min(int(repeated["count"]), MAX_REPEATS, MAX_FRAMES - len(self.frames))
            # What is folded has the same line, but the last of it need not have failed at the same place.
            copies = [replace(f, end_line=None, col=None, end_col=None) for f in self.frames[-1:]]
            self.frames += copies * max(0, room)
            return True
        if text.startswith("    ") or not text.strip():
            self.shown.append(text[:_MAX_LINE])
            return True
        return False

    def close_frame(self) -> None:
        """Reads source and markers of the last frame off the lines shown below it."""
        shown, self.shown = [line for line in self.shown if line.strip()], []
        if shown and self.place is None and self.frames:
            self.frames[-1] = _with_source(self.frames[-1], shown)
        elif self.place is not None:
            self.shown = shown

    def build(self, link: ChainLink) -> ExceptionInfo:
        """Returns the finished exception."""
        self.close_frame()
        lines = [line.rstrip() if i else line for i, line in enumerate(self.message)]
        while len(lines) > 1 and not lines[-1]:
            lines.pop()
        name = self.type.removeprefix("__main__.")
        bare = name.rpartition(".")[2]
        notes: tuple[str, ...] = ()
        if bare in _ONE_LINE and len(lines) > 1:
            notes, lines = tuple(mask_text(line[:_MAX_LINE]) for line in lines[1:]), lines[:1]
        message = "\n".join(lines)
        suggestion = None
        if bare in _ONE_LINE:
            message, suggestion = without_suggestion(message)
        message = mask_text(message[:_MAX_MESSAGE])
        return ExceptionInfo(
            type=name,
            message=message,
            frames=tuple(self.frames),
            link=link,
            evidence=_evidence(name, message, suggestion),
            syntax=self._syntax(),
            notes=notes,
        )

    def _syntax(self) -> tuple[str, int, int, str] | None:
        if self.place is None:
            return None
        source = self.shown[0] if self.shown else ""
        caret = next((line for line in self.shown[1:] if _MARKERS.match(line)), "")
        indent = len(source) - len(source.lstrip())
        offset = max(0, len(caret) - len(caret.lstrip()) - indent) + 1 if caret else 0
        return (*self.place, offset, mask_text(source.strip()))


def _evidence(name: str, message: str, suggestion: str | None) -> NameEvidence:
    kind, module = lacking_object(message)
    defined = _DEFINED_IN.search(message) if name.endswith("ImportError") else None
    return NameEvidence(
        name=missing_identifier(name, message),
        obj_type=kind,
        obj_module=module,
        obj_file=defined["file"] if defined else None,
        obj_names=(suggestion,) if suggestion else (),
    )


def _with_source(frame: Frame, shown: list[str]) -> Frame:
    first = shown[0]
    indent = len(first) - len(first.lstrip())
    end_line, last, first_marks, last_marks = frame.line, first, "", ""
    for previous, text in pairwise(shown):
        if elided := _ELIDED.match(text):
            end_line += int(elided["count"])
        elif _MARKERS.match(text):
            last, last_marks = previous, text.rstrip()
            first_marks = first_marks or (text.rstrip() if previous is first else "")
        else:
            end_line += 1
    source = first.strip()
    frame = replace(frame, source=mask_text(source))
    if not first_marks or "\t" in first + last or _has_wide(first + last):
        return frame
    start = len(first_marks) - len(first_marks.lstrip())
    start_byte = _bytes_before(first, start, indent)
    end_byte = _bytes_before(last, len(last_marks), indent)
    if start_byte < 0 or end_byte < 0 or (end_line == frame.line and end_byte <= start_byte):
        return frame
    return replace(frame, end_line=end_line, col=start_byte, end_col=end_byte)


def _bytes_before(line: str, column: int, indent: int) -> int:
    """Turns a column of a line as shown into UTF-8 bytes from where the first line's text starts."""
    return len(line[:column].encode("utf-8", "surrogatepass")) - indent


def _has_wide(text: str) -> bool:
    """Tells whether columns depend on the version: 3.13 counts wide characters twice, 3.11 once."""
    return not text.isascii() and any(unicodedata.east_asian_width(char) in "WF" for char in text)
