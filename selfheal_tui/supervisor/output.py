"""The last output of a program, bounded in lines and in bytes, with marks where incidents began.

It holds copies for viewers; what goes on to the terminal is not its business. Text is kept as the
program wrote it: whoever shows it makes control characters visible first.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of one program's output that are kept, however many lines that is."""
LONGEST_LINE = 16 * 1024
"""Longer lines are cut into pieces, so that output without line ends stays bounded too."""


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line, or a mark.

    Attributes:
        number: Counts up from 1 and never repeats, so that a viewer can ask for what is new.
        at: Unix time at which its last byte was read, in seconds.
        stream: `stdout`, `stderr`, `terminal`, or `mark`.
        text: The line without its end; bytes that are no UTF-8 appear as U+FFFD. A mark's incident id.
        run: The run of the program that wrote it.
        whole: Whether a line end followed; False for pieces of long lines and for what a program that
            ended left unfinished.
    """

    number: int
    at: float
    stream: str
    text: str
    run: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class OutputSnapshot:
    """Lines of a program at one moment.

    Attributes:
        lines: Oldest first.
        dropped: How many lines before them are no longer kept.
        last: Number of the newest line; ask for `after=last` next time.
    """

    lines: tuple[OutputLine, ...]
    dropped: int
    last: int


class OutputRing:
    """Keeps the newest lines of a program's output. Safe between threads.

    Args:
        lines: Most lines.
        most_bytes: Most bytes of text; one unfinished line of each stream comes on top.
        clock: Unix time in seconds.
    """

    def __init__(
        self, lines: int, *, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.time
    ) -> None:
        self._most_lines = max(1, lines)
        self._most_bytes = most_bytes
        self._longest = max(1, min(LONGEST_LINE, most_bytes // 4))
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: deque[tuple[OutputLine, int]] = deque()
        self._open: dict[str, bytearray] = {}
        self._bytes = 0
        self._last = 0
        self._run = 0

    def begin(self, run: int) -> None:
        """Says which run the lines that follow belong to."""
        with self._lock:
            self._run = run

    def feed(self, stream: str, data: bytes) -> None:
        """Takes what a program wrote, in pieces of any size.

        Args:
            stream: Which stream it came from.
            data: The bytes.
        """
        with self._lock:
            now = self._clock()
            rest = self._open.setdefault(stream, bytearray())
            rest += data
            *ended, left = bytes(rest).split(b"\n")
            for line in ended:
                self._cut(stream, line, now, whole=True)
            pieces = len(left) // self._longest * self._longest
            if pieces:
                self._cut(stream, left[:pieces], now, whole=False)
            rest[:] = left[pieces:]

    def close(self, stream: str) -> None:
        """Keeps what a stream that ended left without a line end."""
        with self._lock:
            left = self._open.pop(stream, None)
            if left:
                self._cut(stream, bytes(left), self._clock(), whole=False)

    def mark(self, incident_id: str) -> None:
        """Notes that an incident begins here; once for as long as its mark is kept."""
        with self._lock:
            if any(line.stream == "mark" and line.text == incident_id for line, _ in self._lines):
                return
            self._add("mark", incident_id.encode(), self._clock(), whole=True)

    def snapshot(self, *, after: int = 0) -> OutputSnapshot:
        """Returns the lines that are kept.

        Args:
            after: Only lines with a greater number.
        """
        with self._lock:
            first = self._lines[0][0].number if self._lines else self._last + 1
            if after < first:
                kept = tuple(line for line, _ in self._lines)
            else:
                newer = min(self._last - after, len(self._lines))
                kept = tuple(self._lines[index][0] for index in range(-newer, 0)) if newer > 0 else ()
            return OutputSnapshot(kept, max(0, first - 1 - after), self._last)

    def _cut(self, stream: str, line: bytes, now: float, *, whole: bool) -> None:
        for start in range(0, max(1, len(line)), self._longest):
            piece = line[start : start + self._longest]
            self._add(stream, piece, now, whole=whole and start + self._longest >= len(line))

    def _add(self, stream: str, line: bytes, now: float, *, whole: bool) -> None:
        self._last += 1
        text = line.removesuffix(b"\r").decode("utf-8", "replace")
        self._lines.append((OutputLine(self._last, now, stream, text, self._run, whole), len(line)))
        self._bytes += len(line)
        while len(self._lines) > self._most_lines or self._bytes > self._most_bytes:
            _, size = self._lines.popleft()
            self._bytes -= size
