"""Finds the files that a log was rotated into, oldest first, by their names: `app.log.1`, `app.log.2024-05-01` and kin.

Only names that rotation makes count (digits, dates), and compressed files do not. Rotation renames one file
after the other, so a listing may miss one that the next shows. Reads names and times, no contents.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_STAMP = r"[.\-_]?(\d[\d.\-_T:]*)"


@dataclass(frozen=True, slots=True)
class Rotated:
    """A file that a log was rotated into.

    Attributes:
        path: The file.
        identity: Device and inode.
        modified: When it was last written, in nanoseconds.
        stamp: The part of its name that rotation added.
    """

    path: Path
    identity: tuple[int, int]
    modified: int
    stamp: str


def rotated_files(log: Path) -> list[Rotated]:
    """Lists what a log was rotated into, oldest first.

    Args:
        log: The log itself; it need not exist at the moment.

    Returns:
        The files, without compressed ones.
    """
    return sorted(_list(log), key=lambda file: (file.modified, file.stamp))


def _list(log: Path) -> list[Rotated]:
    patterns = [
        re.compile(re.escape(log.name) + _STAMP + r"\Z"),
        re.compile(re.escape(log.stem) + _STAMP + re.escape(log.suffix) + r"\Z"),
    ]
    found: list[Rotated] = []
    try:
        entries = sorted(os.scandir(log.parent), key=lambda entry: entry.name)
    except OSError:
        return found
    for entry in entries:
        match = next((hit for pattern in patterns if (hit := pattern.match(entry.name))), None)
        if match is None or entry.name == log.name:
            continue
        try:
            status = entry.stat(follow_symlinks=False)
            if entry.is_file(follow_symlinks=False):
                identity = (status.st_dev, status.st_ino)
                found.append(Rotated(Path(entry.path), identity, status.st_mtime_ns, match[1]))
        except FileNotFoundError:
            continue  # renamed under us; the next listing shows where to
    return found
