"""Reads crashes out of log text.

The format is CPython's own (`traceback.TracebackException.format`, 3.9 to 3.13): chains, groups, notes,
repeated lines, caret lines, SyntaxError blocks. The text is untrusted: whatever it holds, the only
error is `NotATracebackError`, and what is returned is masked. May not read the files that frames name;
`Project.localise` does.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass

from selfheal_tui.model.crash import CrashReport, ExceptionInfo
from selfheal_tui.model.kinds import CaptureSource, ChainLink
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.source.traceblocks import Block
from selfheal_tui.source.tracelines import (
    CAUSE,
    CONTEXT,
    FILE_LINE,
    HEADER,
    Line,
    Mark,
    Prefix,
    clean,
    margin,
)

MAX_TEXT = 16 * 1024 * 1024
"""Of longer logs, only this many characters at the end are read: the crash that matters came last."""
_MAX_CHAIN = 64
"""Exceptions kept of one crash; a server that wraps endlessly must not fill the store."""

_EXCEPTION = re.compile(
    r"^(?P<type>[^\W\d]\w*(?:\.(?:<locals>|[^\W\d]\w*))*)(?::(?: (?P<message>.*)|\s*))?$", re.DOTALL
)
_SYNTAX = re.compile(r"^(?:SyntaxError|IndentationError|TabError|_IncompleteInputError)(?::|$)")
_SYNTAX_REACH = 4
_RECORD = re.compile(
    r"^(?:\[?\d{4}-\d\d-\d\d[ T]|\[?\d\d:\d\d:\d\d|\w{3} +\d+ \d\d:\d\d:\d\d"
    r"|\[?(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b|\{\"|Call stack:$|Stack \(most recent call last\):)"
)
"""How log records usually start: what follows an exception is then no part of its message."""
_IGNORED = re.compile(r"Exception ignored in\b")


class NotATracebackError(ValueError):
    """A text holds no Python traceback."""


def parse_traceback(text: str) -> CrashReport:
    """Reads the crash that ended the program: the last traceback that is not an ignored exception.

    Args:
        text: Log text of any kind.

    Returns:
        The crash, its texts masked. Columns are relative to the frames' source lines until
        `Project.localise` has seen the files.

    Raises:
        NotATracebackError: There is no complete traceback in the text.
    """
    reports = parse_all(text)
    if not reports:
        raise NotATracebackError(
            "no Python traceback found: give the text from “Traceback (most recent call last):” down to the "
            "line that names the exception"
        )
    return next((r for r in reversed(reports) if "unraisable" not in r.context), reports[-1])


def parse_all(text: str) -> list[CrashReport]:
    """Reads every crash of a log, in order.

    Args:
        text: Log text of any kind.

    Returns:
        The crashes; empty when there is none.
    """
    lines = clean(text[-MAX_TEXT:])
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    found: list[CrashReport] = []
    at = floor = 0
    while at < len(lines):
        start = _start(lines, at, floor)
        if start is None:
            at += 1
            continue
        reader = _Reader(bare=start == first)
        at = floor = max(at + 1, reader.read(lines, start))
        chain = reader.chain()
        if chain:
            found.append(_report(chain, lines[start - 1] if start else ""))
    return found


def _start(lines: list[str], at: int, floor: int) -> int | None:
    """Returns where a traceback starts whose first header or file line is at this line, else None."""
    line = lines[at]
    if "Traceback (most recent call last):" in line and HEADER.match(line):
        above = at - 4  # exception without frames, blank, separator, blank
        if above >= floor and lines[at - 2] in (CAUSE, CONTEXT) and _EXCEPTION.match(lines[above]):
            return above
        return at
    file_line = FILE_LINE.match(line)
    if file_line and file_line["function"] is None:
        followers = lines[at + 1 : at + 1 + _SYNTAX_REACH]
        return at if any(_SYNTAX.match(follower) for follower in followers) else None
    return None


def _report(chain: tuple[ExceptionInfo, ...], above: str) -> CrashReport:
    ignored = _IGNORED.search(above)
    return CrashReport(
        report_id=uuid.uuid4().hex,
        captured_at=time.time(),
        source=CaptureSource.TEXT,
        chain=chain,
        context={"unraisable": mask_text(above[ignored.start() :][:500])} if ignored else {},
    )


@dataclass(slots=True)
class _Level:
    """One level of a group tree: the chain that is being read there."""

    newest: Block | None = None
    link: ChainLink | None = None
    open: Block | None = None


class _Reader:
    """Reads one crash, line by line, until a line that cannot belong to it."""

    def __init__(self, *, bare: bool) -> None:
        self._bare = bare
        self._levels = [_Level()]
        self._grouped = False

    def read(self, lines: list[str], start: int) -> int:
        """Reads from a line on.

        Returns:
            The index of the first line that is not part of the crash.
        """
        prefix = Prefix(lines[start], lines[start + 1] if start + 1 < len(lines) else "")
        for at in range(start, len(lines)):
            header = HEADER.match(lines[at]) if "Traceback (most recent" in lines[at] else None
            if at == start and header:  # its prefix may be the header's alone
                self._grouped = bool(header["group"])
                text: str | None = lines[at][len(header["prefix"]) :]
            else:
                text = prefix.strip(lines[at])
            if text is None:
                return at
            if text.startswith("  + Exception Group Traceback"):
                self._grouped = True
            line = margin(text) if self._grouped else Line(Mark.TEXT, 0, text)
            if not self._take(line):
                return at
        return len(lines)

    def chain(self) -> tuple[ExceptionInfo, ...]:
        """Returns what was read: the raised exception first, then causes, contexts and members."""
        self._pop_to(0)
        self._finish()
        out: list[ExceptionInfo] = []
        if (newest := self._levels[0].newest) is not None:
            todo = [(ChainLink.RAISED, newest)]
            while todo and len(out) < _MAX_CHAIN:
                link, block = todo.pop()
                out.append(block.build(link))
                todo += [(ChainLink.GROUP, member) for member in reversed(block.members)]
                if block.older is not None:
                    todo.append(block.older)
        return tuple(out)

    def _take(self, line: Line) -> bool:
        if line.mark is Mark.OPEN and line.depth <= len(self._levels):
            self._pop_to(line.depth - 1)
            self._finish()
            self._levels.append(_Level())
            return self._levels[-2].newest is not None
        if line.mark is Mark.NEXT and line.depth < len(self._levels):
            self._pop_to(line.depth - 1)
            self._levels.append(_Level())
            return True
        if line.mark is Mark.CLOSE and line.depth < len(self._levels):
            self._pop_to(line.depth - 1)
            return True
        return line.mark is Mark.TEXT and self._text(line)

    def _text(self, line: Line) -> bool:
        stripped = line.text.strip()
        header = HEADER.match(line.text) if stripped.endswith("Traceback (most recent call last):") else None
        separator = {CAUSE: ChainLink.CAUSE, CONTEXT: ChainLink.CONTEXT}.get(stripped)
        structural = header is not None or separator is not None
        top = self._levels[-1]
        if line.depth < len(self._levels) - 1:
            if not structural and top.open is not None and top.open.type:  # lines of a message have no margin
                return self._message(top.open, line.text)
            self._pop_to(line.depth)
            top = self._levels[-1]
        if separator is not None and (top.open or top.newest):
            self._finish()
            top.link = separator
            return top.newest is not None
        if header is not None:
            self._finish()
            if top.newest is not None and top.link is None:
                return False
            top.open = Block()
            return True
        return self._body(top, line.text)

    def _body(self, top: _Level, text: str) -> bool:
        block = top.open
        if block is not None and block.type:
            return self._message(block, text)
        file_line = FILE_LINE.match(text)
        if block is None:
            if not text.strip():
                return True
            if top.newest is not None and top.link is None:
                return False
            block = top.open = Block()
            if file_line is None:
                return self._exception(block, text)
        if file_line is not None:
            block.open_frame(file_line["file"], int(file_line["line"]), file_line["function"])
            return True
        return block.detail(text) or self._exception(block, text)

    def _exception(self, block: Block, text: str) -> bool:
        found = _EXCEPTION.match(text)
        if found is None:
            self._levels[-1].open = None
            return False
        block.type = found["type"]
        block.message = [found["message"] or ""]
        return True

    def _message(self, block: Block, text: str) -> bool:
        if not self._bare and len(self._levels) == 1 and (not text.strip() or _RECORD.match(text)):
            if text.strip():
                return False
            self._finish()  # in a log a message ends at a blank line; a separator may still follow
            return True
        block.message.append(text)
        return True

    def _finish(self) -> None:
        """Ends the exception that is being read at the innermost level."""
        top = self._levels[-1]
        block, top.open = top.open, None
        if block is None:
            return
        if not block.type:
            top.link = None  # a traceback without its last line says nothing
            return
        if top.newest is not None and top.link is not None:
            block.older = (top.link, top.newest)
        top.newest, top.link = block, None

    def _pop_to(self, depth: int) -> None:
        """Closes the levels deeper than this one, handing their exceptions to the group above."""
        while len(self._levels) > depth + 1:
            self._finish()
            newest = self._levels.pop().newest
            self._parent_group(newest)

    def _parent_group(self, member: Block | None) -> None:
        parent = self._levels[-1]
        if member is not None and parent.newest is not None:
            parent.newest.members.append(member)
