"""One file of a log that is being read: its lines, the tracebacks open in it, and how far it was read.

Most of a log is no traceback, so chunks without a sign of one are passed over unparsed. Knows nothing of rotation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_tui.supervisor.logblocks import Finished, Gatherer
from selfheal_tui.supervisor.logfile import Identity, LogFile, Mark
from selfheal_tui.supervisor.loglines import LineSplitter, LogLine

_SIGNS = (b"Traceback (most recent call last)", b'  File "')


@dataclass(frozen=True, slots=True)
class Place:
    """How far one file was read.

    Attributes:
        mark: The position, and how to know the file again.
        spans: Offset and length of the lines of tracebacks that had not ended.
    """

    mark: Mark
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A traceback, and where it was.

    Attributes:
        traceback: Its text.
        identity: Device and inode of the file.
    """

    traceback: Finished
    identity: Identity


class LogStream:
    """One file that is read: the log itself, or what it was rotated into."""

    def __init__(self, file: LogFile, *, retired: float = 0.0) -> None:
        self.file = file
        self.retired = retired
        self.gatherer = Gatherer()
        self._splitter = LineSplitter(file.offset)
        self._partial_since = 0.0

    @classmethod
    def resumed(cls, file: LogFile, place: Place, now: float) -> LogStream:
        """Goes on where a file was left off, with the tracebacks that were open then."""
        file.offset = place.mark.offset
        stream = cls(file)
        for offset, length in place.spans:
            for line in LineSplitter(offset).feed(file.read_at(offset, length).rstrip(b"\n") + b"\n"):
                stream.gatherer.feed(LogLine(line.text, offset, length), now)
        return stream

    def feed(self, data: bytes, now: float) -> list[Found]:
        """Takes the next bytes."""
        told = not self.gatherer.is_idle or any(sign in self._splitter.partial + data for sign in _SIGNS)
        self._partial_since = now
        lines = self._splitter.feed(data)
        if not told:
            for line in lines[-4:]:
                self.gatherer.remember(line)
            return []
        return self._found(done for line in lines for done in self.gatherer.feed(line, now))

    def ripe(self, now: float, quiet: float, torn: float) -> list[Found]:
        """Ends what nothing was added to for a while."""
        found: list[Found] = []
        if self._splitter.partial and now - self._partial_since >= quiet and not self.gatherer.is_idle:
            found += self._last_line(self._partial_since)
        return found + self._found(iter(self.gatherer.ripe(now, quiet, torn)))

    def flush(self, now: float) -> list[Found]:
        """Ends everything."""
        return self._last_line(now) + self._found(iter(self.gatherer.ripe(now, 0.0, 0.0)))

    def place(self) -> Place:
        """Returns what to remember."""
        return Place(self.file.mark(self._splitter.position), tuple(self.gatherer.open_spans()))

    def is_spent(self) -> bool:
        """Whether everything in the file was read and nothing is open."""
        return self.gatherer.is_idle and self.file.offset >= self.file.size()

    def _last_line(self, now: float) -> list[Found]:
        return self._found(done for line in self._splitter.flush() for done in self.gatherer.feed(line, now))

    def _found(self, finished: Iterator[Finished]) -> list[Found]:
        return [Found(one, self.file.identity) for one in finished]
