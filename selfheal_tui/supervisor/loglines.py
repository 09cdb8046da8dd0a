"""Cuts the bytes of a log into lines that know where they came from; holds back a line that has no end yet.

Lines are bounded: of a longer one the beginning is kept and the rest skipped. Bytes that are no UTF-8 become
replacement characters, zero bytes (left by a log that was cut under its writer) vanish. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_LINE = 1024 * 1024
"""Bytes kept of one line: a JSON record with a deep traceback has some tens of kilobytes."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line.

    Attributes:
        text: Without its end.
        offset: Where it starts in the file, in bytes.
        length: How many bytes of the file it is, with its end.
    """

    text: str
    offset: int
    length: int


class LineSplitter:
    """Cuts one file, read from some offset on, into lines.

    Args:
        offset: Where the first byte that is fed comes from.
    """

    def __init__(self, offset: int) -> None:
        self._start = offset
        self._partial = b""
        self._skipping = False

    @property
    def position(self) -> int:
        """Offset of the first byte that was not yet given out in a line."""
        return self._start

    @property
    def partial(self) -> bytes:
        """The line that has no end yet."""
        return self._partial

    def feed(self, data: bytes) -> list[LogLine]:
        """Takes the next bytes.

        Args:
            data: They follow directly on those before.

        Returns:
            The lines that are whole now.
        """
        lines: list[LogLine] = []
        *whole, self._partial = (self._partial + data).split(b"\n")
        for raw in whole:
            lines += self._line(raw, len(raw) + 1)
        if self._skipping:
            self._start += len(self._partial)
            self._partial = b""
        elif len(self._partial) > MAX_LINE:
            lines += self._line(self._partial, len(self._partial))
            self._partial = b""
            self._skipping = True
        return lines

    def flush(self) -> list[LogLine]:
        """Gives out the line that has no end, because none is coming."""
        raw, self._partial = self._partial, b""
        return self._line(raw, len(raw)) if raw else []

    def _line(self, raw: bytes, length: int) -> list[LogLine]:
        offset, self._start = self._start, self._start + length
        if self._skipping:
            self._skipping = False
            return []
        kept = raw[:MAX_LINE]
        text = kept.replace(b"\x00", b"").decode("utf-8", "replace").rstrip("\r")
        return [LogLine(text, offset, min(length, MAX_LINE))]
