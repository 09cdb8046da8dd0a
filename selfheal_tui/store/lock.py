"""The one lock of a store, between threads and between processes.

All writers take it, and so do readers that need two files to agree. It may not be held while waiting
for a person, a model or a program.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from selfheal_tui.store.errors import StoreLockedError, StoreUnavailableError

PATIENCE_SECONDS = 30.0
"""How long another process may hold the store; the longest holder is a transaction over many files."""


class StoreLock:
    """A lock that its own thread may take again.

    `filelock` keeps processes apart, but counts one process's threads as one holder, hence the second lock.

    Args:
        file: The lock file.
        patience: Seconds to wait for another process.
    """

    def __init__(self, file: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        self._file = file
        self._threads = threading.RLock()
        self._processes = FileLock(
            file, timeout=patience, poll_interval=0.001, mode=0o600, thread_local=False
        )
        self._patience = patience

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock.

        Raises:
            StoreLockedError: Another process or thread did not let go in time.
            StoreUnavailableError: The lock file cannot be opened.
        """
        if not self._threads.acquire(timeout=self._patience):
            raise self._locked()
        try:
            try:
                self._processes.acquire()
            except Timeout as error:
                raise self._locked() from error
            except OSError as error:
                raise StoreUnavailableError(
                    f"cannot lock {self._file}: {error.strerror or error}",
                    "make the folder writable for this user; file locks must work on its file system",
                ) from error
            try:
                yield
            finally:
                self._processes.release()
        finally:
            self._threads.release()

    def _locked(self) -> StoreLockedError:
        return StoreLockedError(
            f"another selfheal has held {self._file} for more than {self._patience:g} s",
            "wait for it, or end the process that hangs",
        )
