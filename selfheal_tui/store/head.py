"""The last sequence and hash of the audit log, in a file of its own, so that a cut end shows.

Two slots take turns, each with its checksum, written in place: one sync a record, and a write that is
torn leaves the slot of the record before. It knows nothing of the log.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.record import GENESIS
from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json
from selfheal_tui.store.durable import replace_file

SLOT = 160
"""Bytes; two slots lie in one disk sector of 512 bytes, and a record needs at most 130."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last record."""

    sequence: int
    hash: str


NOTHING = Head(0, GENESIS)


class HeadFile:
    """The file.

    Args:
        file: Where it is.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> Head:
        """Returns the newest head that was written whole; `NOTHING` when none ever was.

        Raises:
            MalformedDocumentError: The file is not what this class wrote.
            OSError: It cannot be read.
        """
        try:
            raw = self.file.read_bytes()
        except FileNotFoundError:
            return NOTHING
        good = [head for slot in (raw[:SLOT], raw[SLOT:]) if (head := _decode(slot.strip())) is not None]
        if not good:
            raise MalformedDocumentError("neither of its two slots is whole")
        return max(good, key=lambda head: head.sequence)

    def write(self, head: Head) -> None:
        """Writes a head; it is on the disk when this returns.

        Raises:
            OSError: It cannot be written; the head before is kept.
        """
        if not self.file.exists():
            replace_file(self.file, _encode(NOTHING) * 2)
        descriptor = os.open(self.file, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, _encode(head), (head.sequence % 2) * SLOT)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)


def _encode(head: Head) -> bytes:
    body = to_json(head)
    return (b"%08x " % zlib.crc32(body) + body).ljust(SLOT - 1) + b"\n"


def _decode(slot: bytes) -> Head | None:
    if slot[8:9] != b" " or slot[:8] != b"%08x" % zlib.crc32(slot[9:]):
        return None
    return from_json(slot[9:], Head)
