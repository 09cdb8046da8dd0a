"""Gathers the lines of tracebacks out of a log in which other lines, and other tracebacks, may stand between them.

Where a logger (or journal, or container runtime) puts a prefix before every line, lines belong together that
have the same prefix but for its times: process and thread ids keep apart what runs at once. Without a prefix,
records of others are passed over. Two bare tracebacks that mix cannot be told apart; such a one is marked.
Knows only lines and the time at which they were read; the format proper is read by `source.tracebacks`.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

from selfheal_tui.source.tracelines import CAUSE, CONTEXT, FILE_LINE, HEADER, clean
from selfheal_tui.supervisor.logjson import MARKER, read_structured
from selfheal_tui.supervisor.loglines import LogLine

MAX_OPEN = 64
"""Tracebacks that may be open at once in one file."""
MAX_LINES = 4_000
MAX_MESSAGE_LINES = 20
"""Lines after the exception's own that are taken for its message, unless something ends it before."""
_MAX_FOREIGN = 500
"""Lines of others inside a traceback before it is given up."""

_RECORD = re.compile(
    r"(?:[\[(<]?\d{4}[-/]\d\d[-/]\d\d[ T]|[\[(<]?\d\d:\d\d:\d\d|\w{3} +\d+ \d\d:\d\d:\d\d"
    r"|[\[(<]?(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b|\{\"|\d{9,}[. ])"
)
"""How log records usually start."""
_EXCEPTION = re.compile(r"[^\W\d]\w*(?:\.(?:<locals>|[^\W\d]\w*))*(?::(?: .*|\s*))?\Z", re.DOTALL)
_SYNTAX = re.compile(r"(?:SyntaxError|IndentationError|TabError|_IncompleteInputError)(?::|\Z)")
_MARGIN = re.compile(r" +[|+]")
_LOGURU_FRAME = re.compile(r"> File \"")
_LOGURU_VALUE = re.compile(r"\s+[│└]")
_TIME = re.compile(r"\d{1,10}(?:[-/:.,]\d{1,9})+(?:Z|[+-]\d\d:?\d\d)?|\b[A-Z][a-z]{2} [ \d]\d\b")
_MAX_PREFIX = 300


class _Phase(Enum):
    INSIDE = auto()
    """The exception's line has not come yet."""
    AFTER = auto()
    """It has; a message may go on."""
    BLANK = auto()
    """A blank line followed; a further exception of the chain may come."""
    CHAIN = auto()
    """A chain's separator was read."""


class _Verdict(Enum):
    TAKEN = auto()
    FOREIGN = auto()
    ENDS = auto()


@dataclass(frozen=True, slots=True)
class Finished:
    """A traceback that is whole.

    Attributes:
        text: Its lines without prefix, below the line before it.
        offset: Where it starts in the file.
        record: The log record that it belongs to, or an empty string.
        context: What a structured record says beside it.
        doubtful: Whether lines of another traceback may be mixed in.
    """

    text: str
    offset: int
    record: str = ""
    context: dict[str, str] = field(default_factory=dict)
    doubtful: bool = False


class Gatherer:
    """Gathers the tracebacks of one file.

    Attributes:
        torn: Tracebacks that were begun and given up, for they never ended.
    """

    def __init__(self) -> None:
        self.torn = 0
        self._open: list[_Block] = []
        self._above: dict[str, deque[str]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether no traceback is open."""
        return not self._open

    def open_spans(self) -> list[tuple[int, int]]:
        """Returns offset and length of the lines that belong to open tracebacks, in order."""
        return sorted({(line.offset, line.length) for block in self._open for line in block.lines})

    def remember(self, line: LogLine) -> None:
        """Takes a line that is known to be no part of a traceback."""
        self._note("", line.text)

    def feed(self, line: LogLine, now: float) -> list[Finished]:
        """Takes the next line.

        Args:
            line: The line.
            now: When it was read, in monotonic seconds.

        Returns:
            Tracebacks that are whole because of it.
        """
        return self._feed(line, line.text, "", now)

    def ripe(self, now: float, quiet: float, torn: float) -> list[Finished]:
        """Ends the tracebacks that nothing was added to for a while.

        Args:
            now: Monotonic seconds.
            quiet: Seconds after which one that has its exception is taken for whole.
            torn: Seconds after which one that has none is given up.

        Returns:
            Those that are whole.
        """
        done: list[Finished] = []
        for block in list(self._open):
            if now - block.touched >= (torn if block.phase is _Phase.INSIDE else quiet):
                done += self._end(block)
        return done

    def _feed(self, line: LogLine, text: str, stream: str, now: float) -> list[Finished]:
        structured = read_structured(text)
        if structured is not None and structured.line is not None and not stream:
            return self._feed(line, structured.line, structured.stream, now)
        if structured is not None and structured.tracebacks:
            record = structured.context.get("log.record", "")
            return [
                Finished(_below(record, one), line.offset, record, structured.context)
                for one in structured.tracebacks
            ]
        if "\x1b" in text:
            text = "".join(clean(text))
        done: list[Finished] = []
        for block in sorted(self._open, key=lambda block: not block.is_prefixed):
            inner = block.inner(text, stream)
            if inner is None:
                continue
            verdict = block.take(line, inner, now)
            if verdict is _Verdict.TAKEN:
                return done
            if verdict is _Verdict.ENDS:
                done += self._end(block)
        self._begin(line, text, stream, now)
        return done

    def _begin(self, line: LogLine, text: str, stream: str, now: float) -> None:
        header = HEADER.match(text) if MARKER in text and len(text) < _MAX_LINE else None
        bare = FILE_LINE.match(text) if header is None and text.startswith('  File "') else None
        if header is None and (bare is None or bare["function"] is not None):
            self._note(stream, text)
            return
        prefix = header["prefix"] if header else ""
        rival = next((b for b in self._open if b.stream == stream and not b.is_prefixed and not prefix), None)
        if rival is not None:
            self._drop(rival)
        if len(self._open) >= MAX_OPEN:
            self._drop(self._open[0])
        block = _Block(stream, prefix, list(self._above.get(stream, ())), now, doubtful=rival is not None)
        block.start(
            line, text[len(prefix) :], grouped=bool(header and header["group"]), syntax=bare is not None
        )
        self._open.append(block)

    def _note(self, stream: str, text: str) -> None:
        self._above.setdefault(stream, deque(maxlen=4)).append(text[:2000])

    def _drop(self, block: _Block) -> None:
        self._open.remove(block)
        self.torn += 1

    def _end(self, block: _Block) -> list[Finished]:
        if block.phase is _Phase.INSIDE:
            self._drop(block)
            return []
        self._open.remove(block)
        self._above.pop(block.stream, None)
        return [block.finished()]


_MAX_LINE = 64 * 1024


class _Block:
    """One traceback while it is gathered."""

    def __init__(self, stream: str, prefix: str, above: list[str], now: float, *, doubtful: bool) -> None:
        self.stream = stream
        self.lines: list[LogLine] = []
        self.phase = _Phase.INSIDE
        self.touched = now
        self._texts: list[str] = []
        self._above = above
        self._doubtful = doubtful
        self._grouped = self._syntax = False
        self._foreign = self._extra = 0
        self._prefix = _pattern(prefix) if 0 < len(prefix) <= _MAX_PREFIX else None
        self._header = prefix
        self._decided = self._prefix is None

    @property
    def is_prefixed(self) -> bool:
        """Whether its lines have a prefix, as far as is known."""
        return self._prefix is not None

    def start(self, line: LogLine, text: str, *, grouped: bool, syntax: bool) -> None:
        """Takes the first line."""
        self._grouped, self._syntax = grouped, syntax
        if grouped:
            self.phase = _Phase.AFTER  # its end shows in the margin only
        self._keep(line, text)

    def inner(self, text: str, stream: str) -> str | None:
        """Returns a line without the prefix of this traceback, or None when it cannot belong to it."""
        if stream != self.stream:
            return None
        if self._prefix is None:
            return text
        found = self._prefix.match(text)
        if found:
            self._decided = True
            return text[found.end() :]
        if not text.strip():
            return text if not self._decided else None
        if not self._decided and text.startswith(("  File ", "  + ", "  | ", "> File ")):
            self._prefix, self._decided = None, True  # only the header had it, as in `ERROR:root:Traceback`
            return text
        return None

    def take(self, line: LogLine, text: str, now: float) -> _Verdict:
        """Judges a line, and keeps it if it belongs here."""
        if len(self.lines) >= MAX_LINES:
            return _Verdict.ENDS
        verdict, structural = self._judge(text)
        if verdict is _Verdict.TAKEN:
            self._keep(line, text)
            if structural:
                self.touched = now
        elif verdict is _Verdict.FOREIGN:
            self._foreign += 1
            if self._foreign > _MAX_FOREIGN:
                return _Verdict.ENDS
        return verdict

    def finished(self) -> Finished:
        """Returns the whole traceback."""
        record = self._above[-1] if self._above and self._above[-1].strip() else ""
        above = self._above if len(self._above) > 1 and self._above[-2] in (CAUSE, CONTEXT) else [record]
        if self._header and not record:
            record = self._header.strip()
        text = "\n".join([*above, *self._texts])
        return Finished(text, self.lines[0].offset, record, {}, self._doubtful)

    def _keep(self, line: LogLine, text: str) -> None:
        self.lines.append(line)
        if _LOGURU_FRAME.match(text):
            text = "  " + text[2:]
        if not _LOGURU_VALUE.match(text):
            self._texts.append(text)

    def _judge(self, text: str) -> tuple[_Verdict, bool]:
        if self._grouped and _MARGIN.match(text):
            return _Verdict.TAKEN, True
        if self.phase is _Phase.INSIDE:
            return self._inside(text)
        return self._after(text)

    def _inside(self, text: str) -> tuple[_Verdict, bool]:
        if not text.strip() or text.startswith(("    ", '  File "', "  [Previous line", "> File ")):
            return _Verdict.TAKEN, True
        if _RECORD.match(text) or MARKER in text:
            return _Verdict.FOREIGN, False
        if (_SYNTAX if self._syntax else _EXCEPTION).match(text):
            self.phase = _Phase.AFTER
            return _Verdict.TAKEN, True
        return _Verdict.FOREIGN, False

    def _after(self, text: str) -> tuple[_Verdict, bool]:
        stripped = text.strip()
        if stripped in (CAUSE, CONTEXT):
            self.phase = _Phase.CHAIN
            return _Verdict.TAKEN, True
        if self.phase is _Phase.CHAIN:
            return self._chain(text, stripped)
        if not stripped:
            if self.phase is _Phase.BLANK:
                return _Verdict.ENDS, False
            self.phase = _Phase.BLANK
            return _Verdict.TAKEN, False
        if self.phase is _Phase.BLANK or _RECORD.match(text) or MARKER in text or self._is_next_record(text):
            return _Verdict.ENDS, False
        self._extra += 1
        return (_Verdict.TAKEN if self._extra <= MAX_MESSAGE_LINES else _Verdict.ENDS), False

    def _chain(self, text: str, stripped: str) -> tuple[_Verdict, bool]:
        if not stripped:
            return _Verdict.TAKEN, True
        if MARKER in text:
            self.phase = _Phase.INSIDE
            return _Verdict.TAKEN, True
        if _EXCEPTION.match(text) and not _RECORD.match(text):
            self.phase = _Phase.AFTER
            return _Verdict.TAKEN, True
        return _Verdict.ENDS, False

    def _is_next_record(self, text: str) -> bool:
        """Whether a line starts as the record before this traceback did, whatever its format is."""
        above = self._above[-1] if self._above else ""
        first = above.split(" ", 1)[0]
        if len(first) < 3 or not re.search(r"[\d\[\]|:=]", first):
            return False
        return _shape(text.split(" ", 1)[0]) == _shape(first)


def _pattern(prefix: str) -> re.Pattern[str]:
    """Makes the pattern of a prefix: as it is, but for its times."""
    parts, at = [], 0
    for time in _TIME.finditer(prefix):
        parts += [re.escape(prefix[at : time.start()]), r"[\w:.,/+ -]{1,40}?"]
        at = time.end()
    return re.compile("".join([*parts, re.escape(prefix[at:])]))


def _shape(word: str) -> str:
    return re.sub(r"\d+", "0", re.sub(r"[a-z]+", "a", word.casefold()))


def _below(record: str, text: str) -> str:
    return f"{record}\n{text}" if record and "\n" not in record and record not in text else text
