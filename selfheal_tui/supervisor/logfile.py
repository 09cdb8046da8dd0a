"""One log file that is read while others write it, and the mark by which it is found again.

A file is known by its inode and by hashes of what was read of it, so that a file which was cut and grew again,
or a copy that a rotation made, is told from the one that was read. Files are opened for reading only; pipes and
devices are refused.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

SAMPLE = 256
"""Bytes hashed at the beginning and before the offset: time stamps make them differ between files."""

Identity = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file was read, and how to know it again.

    Attributes:
        device: Its device.
        inode: Its inode.
        offset: Bytes of it that need not be read again.
        head: Hash of its beginning, as far as it was read.
        tail: Hash of the bytes before the offset.
        modified: When it was last written, in nanoseconds.
    """

    device: int
    inode: int
    offset: int
    head: str
    tail: str
    modified: int


class LogFile:
    """An open log file.

    Args:
        path: The file.
        offset: Where to read on.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(self._descriptor)
            raise OSError(f"{path} is no regular file; name a log file")
        self.identity: Identity = (found.st_dev, found.st_ino)
        self.offset = offset
        self._seen = (-1, -1)
        self.head: bytes | None = None
        self._samples: tuple[str, str] | None = None

    def close(self) -> None:
        """Closes it."""
        os.close(self._descriptor)

    def size(self) -> int:
        """Its size in bytes."""
        return os.fstat(self._descriptor).st_size

    def was_cut(self) -> bool:
        """Whether what was read is no longer in it: it was truncated, and may have grown again since."""
        found = os.fstat(self._descriptor)
        if found.st_size < self.offset:
            return True
        seen = (found.st_size, found.st_mtime_ns)
        if seen != self._seen:
            now = self._sample(self.offset)
            if self._samples is not None and now != self._samples:
                return True
            self._samples, self._seen = now, seen
        return False

    def read(self, limit: int) -> bytes:
        """Reads on.

        Args:
            limit: Bytes at most.

        Returns:
            What was there; empty at the end, and when the file was cut in the meantime.
        """
        data = os.pread(self._descriptor, limit, self.offset)
        if not data or self.size() < self.offset + len(data):
            return b""
        self.offset += len(data)
        if self.head is None or len(self.head) < SAMPLE:
            self.head = self.read_at(0, min(SAMPLE, self.offset))
        self._samples = self._sample(self.offset)
        return data

    def read_at(self, offset: int, length: int) -> bytes:
        """Reads a part again."""
        return os.pread(self._descriptor, length, offset)

    def mark_before_cut(self) -> Mark:
        """Makes the mark of what was read before the file was cut."""
        head, tail = self._samples or ("", "")
        return Mark(*self.identity, self.offset, head, tail, self.modified())

    def modified(self) -> int:
        """When it was last written, in nanoseconds."""
        return os.fstat(self._descriptor).st_mtime_ns

    def mark(self, offset: int) -> Mark:
        """Makes the mark for an offset that was read already."""
        head, tail = self._sample(offset)
        return Mark(*self.identity, offset, head, tail, self.modified())

    def continues(self, mark: Mark) -> bool:
        """Whether it holds, at the same places, what was read when the mark was made."""
        if mark.offset == 0:
            return self.identity == (mark.device, mark.inode)
        return self.size() >= mark.offset and self._sample(mark.offset) == (mark.head, mark.tail)

    def begins_like(self, other: LogFile) -> bool:
        """Whether it begins with what another file began with when that one was read."""
        if other.head is None:
            return False
        size = min(len(other.head), self.size())
        return size > 0 and self.read_at(0, size) == other.head[:size]

    def _sample(self, offset: int) -> tuple[str, str]:
        size = min(SAMPLE, offset)
        return _hash(self.read_at(0, size)), _hash(self.read_at(offset - size, size))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def open_log(path: Path) -> LogFile | None:
    """Opens a log file; returns None when it does not exist.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    try:
        return LogFile(path)
    except FileNotFoundError:
        return None
