"""Follows one log through rotation by renaming, by copy-and-truncate, and over restarts: nothing lost, nothing twice.

Files that the log was rotated into are kept open for a while, because a writer may not have noticed yet. What
is remembered on disk are positions, never text: the lines of a traceback that has not ended are read again
from the file. May not decide what a traceback means.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from selfheal_tui.supervisor.logfile import SAMPLE, Identity, LogFile, Mark, open_log
from selfheal_tui.supervisor.logrotation import Rotated, rotated_files
from selfheal_tui.supervisor.logstream import Found, LogStream, Place

CHUNK = 256 * 1024
RETIRED_SECONDS = 60.0
"""How long a rotated file is still read: writers that were not told go on writing to it."""
MAX_RETIRED = 64
_LOOKS = 10
"""Listings to look through for a file that is being renamed."""
MAX_KNOWN = 500
"""Older files of a log that are told from new ones by their content too, should one be written to again."""


class LogFollower:
    """Follows one log.

    Args:
        path: The log; it may not exist yet.
        places: Where it was left off, oldest file first; empty when it was never followed.
        from_start: Whether to read what is in it already when it was never followed.
        now: Monotonic seconds.

    Attributes:
        gaps: What could not be read, a sentence each.
        bytes_read: Bytes read so far.
    """

    def __init__(self, path: Path, places: Sequence[Place], *, from_start: bool, now: float) -> None:
        self.path = path
        self.gaps: list[str] = []
        self.bytes_read = 0
        self._torn = 0
        self._retired: list[LogStream] = []
        self._current: LogStream | None = None
        self._known: dict[Identity, Mark] = {}
        self._rotated_at = now
        if places:
            self._resume(places, now)
        elif (file := open_log(path)) is not None:
            file.offset = 0 if from_start else file.size()
            self._current = LogStream(file)
        self._since = self._baseline(places)

    @property
    def torn(self) -> int:
        """Tracebacks that were given up because they never ended."""
        return self._torn + sum(stream.gatherer.torn for stream in self._streams())

    def poll(self, now: float, *, quiet: float, torn: float, most: int) -> tuple[list[Found], bool]:
        """Reads what is new.

        Args:
            now: Monotonic seconds.
            quiet: Seconds without a further line after which a traceback is whole.
            torn: Seconds after which one without its exception is given up.
            most: Bytes to read of each file.

        Returns:
            The tracebacks that ended, and whether there is more to read.
        """
        found: list[Found] = []
        if self._current is not None and self._current.file.was_cut():
            self._cut(self._current, found, now)
        more = self._read_all(found, now, most)
        if self._look_around(now):
            more = self._read_all(found, now, most) or more
        if not more:
            for stream in self._streams():
                found += stream.ripe(now, quiet, torn)
        self._forget(now)
        return found, more

    def finish(self, now: float) -> list[Found]:
        """Ends every traceback that has its exception, and takes lines without an end for whole."""
        return [found for stream in self._streams() for found in stream.flush(now)]

    def places(self) -> tuple[Place, ...]:
        """Returns what to remember, oldest file first."""
        return tuple(stream.place() for stream in self._streams())

    def close(self) -> None:
        """Closes the files."""
        for stream in self._streams():
            stream.file.close()
        self._retired, self._current = [], None

    def _streams(self) -> list[LogStream]:
        return [*self._retired, self._current] if self._current is not None else list(self._retired)

    def _read_all(self, found: list[Found], now: float, most: int) -> bool:
        more = False
        for stream in self._streams():
            more = self._read(stream, found, now, most) or more
        return more

    def _read(self, stream: LogStream, found: list[Found], now: float, most: int) -> bool:
        left = most
        while left > 0:
            data = stream.file.read(min(CHUNK, left))
            if not data:
                return False
            left -= len(data)
            self.bytes_read += len(data)
            found += stream.feed(data, now)
        return True

    # -- rotation: whatever was written since we began and is not known yet is read from its beginning ----

    def _look_around(self, now: float) -> bool:
        """Looks for files that the log was rotated into or that took its place; returns whether there are any."""
        current, new = self._current, False
        if (file := open_log(self.path)) is not None:
            if file.identity in self._identities():
                file.close()
            else:
                if current is not None:
                    current.retired = now
                    self._retired.append(current)
                self._current, self._rotated_at, new = LogStream(file), now, True
        # Rotation renames one file after the other, so a single listing may miss some: look again for a while.
        if new or now - self._rotated_at < RETIRED_SECONDS:
            for one in rotated_files(self.path):
                new = self._take_up(one, now) or new
        return new

    def _take_up(self, one: Rotated, now: float) -> bool:
        if one.modified < self._since or one.identity in self._identities():
            return False
        file = open_log(one.path)
        if file is None:
            return False  # renamed under us; the next look finds it
        known = self._known.get(file.identity)
        current = self._current.file if self._current is not None else None
        seen = file.identity in self._identities() or (known is not None and file.continues(known))
        if seen or (current is not None and file.begins_like(current)):
            file.close()  # what begins like the log is a copy that is being made before it is truncated
            return False
        self._retired.append(LogStream(file, retired=now))
        return True

    def _cut(self, stream: LogStream, found: list[Found], now: float) -> None:
        """Goes on after the log was truncated; what was not read yet is in the copy, if one was made."""
        mark = stream.file.mark_before_cut()
        rotated = [one.path for one in rotated_files(self.path) if one.identity not in self._known]
        opened = (_open_if_it_continues(path, mark) for path in reversed(rotated))
        copy = next((file for file in opened if file is not None), None)
        again = open_log(self.path)
        if copy is not None:
            copy.offset = stream.file.offset
            stream.file.close()
            stream.file, stream.retired = copy, now
            self._retired.append(stream)
        else:
            self.gaps.append(f"{self.path} was truncated; what was written just before is lost to us")
            found += stream.flush(now)
            self._close(stream)
        self._current, self._rotated_at = (LogStream(again) if again is not None else None), now

    def _identities(self) -> set[Identity]:
        return {stream.file.identity for stream in self._streams()}

    def _forget(self, now: float) -> None:
        """Closes rotated files that nobody writes to any more."""
        # Strictly oldest first: after a restart, what is older than all that is remembered counts as read.
        for stream in sorted(self._retired, key=lambda stream: stream.file.modified()):
            old = now - stream.retired >= RETIRED_SECONDS
            if not stream.is_spent() or not (old or len(self._retired) > MAX_RETIRED):
                break
            self._retired.remove(stream)
            self._close(stream)

    def _close(self, stream: LogStream) -> None:
        self._torn += stream.gatherer.torn
        self._known[stream.file.identity] = stream.place().mark
        stream.file.close()

    # -- restarts -----------------------------------------------------------------------------------

    def _resume(self, places: Sequence[Place], now: float) -> None:
        for place in places:
            file, is_log = self._find(place.mark)
            if file is None:
                if place is places[-1]:
                    self.gaps.append(
                        f"{self.path} was rotated away while nobody watched; a part is lost to us"
                    )
            elif file.identity in self._identities():
                file.close()
            elif is_log:
                self._current = LogStream.resumed(file, place, now)
            else:
                self._retired.append(LogStream.resumed(file, place, now))
                self._retired[-1].retired = now

    def _find(self, mark: Mark) -> tuple[LogFile | None, bool]:
        """Finds the file that a mark was made in; the same one rather than a copy of it.

        Returns:
            The open file, and whether it is the log itself.
        """
        same, copy = (mark.device, mark.inode), None
        for _ in range(_LOOKS):
            for path in [self.path, *(one.path for one in reversed(rotated_files(self.path)))]:
                file = _open_if_it_continues(path, mark)
                if file is None:
                    continue
                if file.identity == same:
                    if copy is not None:
                        copy[0].close()
                    return file, path == self.path
                if copy is None:
                    copy = file, path == self.path
                else:
                    file.close()
            if copy is not None:
                return copy
        return None, False

    def _baseline(self, places: Sequence[Place]) -> int:
        """Returns the time of writing from which on files are news, and notes which others there are."""
        if places:
            since = min(place.mark.modified for place in places) + 1
        elif self._current is not None:
            since = self._current.file.modified() + 1
        else:
            since = time.time_ns()
        for one in rotated_files(self.path)[-MAX_KNOWN:]:
            if one.modified < since and (file := open_log(one.path)) is not None:
                self._known.setdefault(file.identity, file.mark(min(SAMPLE, file.size())))
                file.close()
        return since


def _open_if_it_continues(path: Path, mark: Mark) -> LogFile | None:
    file = open_log(path)
    if file is not None and not file.continues(mark):
        file.close()
        return None
    return file
