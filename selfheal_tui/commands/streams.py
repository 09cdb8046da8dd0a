"""Hands the output of supervised programs on to our own: as it is for one, line by line with names for several.

One program's bytes are never changed. Of several, each line gets its program's name, and a very long line is broken
up. It may block when our reader is slow: the
programs then wait as they would without us.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

LONGEST_LINE = 64 * 1024
"""A line of several programs is held back until it ends, or is this long."""
_DESCRIPTORS = {"stderr": 2}


class Outlet:
    """The way out for the output of some programs.

    Args:
        names: The programs; a single one gets no name before its lines.
        write: Writes to a descriptor; returns how many bytes it took.
    """

    def __init__(self, names: Sequence[str], write: Callable[[int, memoryview], int] = os.write) -> None:
        self._prefixed = len(names) > 1
        self._width = max(map(len, names), default=0)
        self._write = write
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], bytearray] = {}

    def sink(self, name: str) -> Callable[[str, bytes], None]:
        """Returns what takes the output of a program."""

        def take(stream: str, data: bytes) -> None:
            with self._lock:
                if self._prefixed:
                    self._take_lines(name, stream, data)
                else:
                    self._out(stream, data)

        return take

    def flush(self, name: str) -> None:
        """Writes what a program that ended left without a line end."""
        with self._lock:
            for (owner, stream), held in self._held.items():
                if owner == name and held:
                    line = bytes(held)
                    held.clear()
                    self._out(stream, self._prefix(name) + line + b"\n")

    def _take_lines(self, name: str, stream: str, data: bytes) -> None:
        held = self._held.setdefault((name, stream), bytearray())
        *lines, rest = (bytes(held) + data).split(b"\n")
        while len(rest) >= LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        held[:] = rest
        prefix = self._prefix(name)
        if lines:
            self._out(stream, b"".join(prefix + line + b"\n" for line in lines))

    def _prefix(self, name: str) -> bytes:
        return f"{name.ljust(self._width)} | ".encode()

    def _out(self, stream: str, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._write(_DESCRIPTORS.get(stream, 1), view) :]
