"""Temporary directories that are removed even when the process that made them was killed.

A copy can be large, and `kill -9` removes nothing. So each directory holds a locked file while it is in
use; whoever makes the next one removes those whose lock is free. Nothing that we did not make is touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfheal_tui.sandbox.restore import remove_tree

_PREFIX = "selfheal-sandbox-"
_LOCK = "in-use.lock"
_SETTLING_SECONDS = 60.0  # between making a directory and locking it lies a moment


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Makes a private directory and removes it afterwards, with those that killed processes left behind.

    Yields:
        Its resolved path.

    Raises:
        OSError: It cannot be made.
    """
    sweep()
    base = Path(os.path.realpath(tempfile.mkdtemp(prefix=_PREFIX)))
    lock = os.open(base / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield base
    finally:
        try:
            remove_tree(base)
        finally:
            os.close(lock)


def sweep() -> int:
    """Removes directories whose makers are gone.

    Returns:
        How many were removed.
    """
    removed = 0
    for base in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another process sweeps too, or the directory is not ours
            status = base.lstat()
            if (
                status.st_uid != os.getuid()
                or base.is_symlink()
                or time.time() - status.st_mtime < _SETTLING_SECONDS
            ):
                continue
            lock = os.open(base / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(base)
                removed += 1
            finally:
                os.close(lock)
    return removed
