"""Large texts, each in a private file named by its hash, so that journal documents stay small."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from selfheal_tui.store.durable import private_directory, remove_file, replace_file
from selfheal_tui.store.errors import CorruptStoreError, StoreWriteError
from selfheal_tui.store.lock import StoreLock

_NAME = re.compile(r"[0-9a-f]{64}")


class BlobStore:
    """Content-addressed files.

    Args:
        directory: Where they lie.
        lock: The store's lock.
    """

    def __init__(self, directory: Path, lock: StoreLock) -> None:
        self._directory = private_directory(directory)
        self._lock = lock

    def _file(self, sha: str) -> Path:
        if not _NAME.fullmatch(sha):
            raise ValueError(f"not a SHA-256: {sha!r}")
        return self._directory / sha

    def put(self, data: bytes) -> str:
        """Keeps bytes; they are on the disk when this returns.

        Args:
            data: Anything; what is for reading must be masked already.

        Returns:
            Their SHA-256, to get them back by.

        Raises:
            StoreWriteError: The disk is full or failing.
        """
        sha = hashlib.sha256(data).hexdigest()
        with self._lock.held():
            self._write(self._file(sha), sha, data)
        return sha

    def _write(self, file: Path, sha: str, data: bytes) -> None:
        try:
            if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha:
                return
            replace_file(file, data)
        except OSError as error:
            raise StoreWriteError(
                f"cannot write {file}: {error.strerror or error}", "free space on its disk and try again"
            ) from error

    def get(self, sha: str) -> bytes:
        """Returns the bytes with that hash.

        Raises:
            CorruptStoreError: They are missing or not what was put.
        """
        file = self._file(sha)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CorruptStoreError(
                file, f"cannot be read: {error.strerror or error}", "restore .selfheal from a backup"
            ) from error
        if hashlib.sha256(data).hexdigest() != sha:
            raise CorruptStoreError(
                file, "was altered since it was written", "restore .selfheal from a backup"
            )
        return data

    def written_at(self, sha: str) -> float:
        """Returns when the bytes with that hash were written, as Unix time in seconds; 0 if they are not there."""
        try:
            return self._file(sha).stat().st_mtime
        except OSError:
            return 0.0

    def discard(self, sha: str) -> None:
        """Deletes the bytes with that hash, if they are there."""
        remove_file(self._file(sha))
