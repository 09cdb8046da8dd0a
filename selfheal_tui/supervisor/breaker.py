"""The crash-loop breaker: a program that crashes too often in too short a time stays stopped.

It is remembered in one small file of the project's state folder, so that a restart of selfheal does not
forget. A file that cannot be read stops the programs, with a remedy: forgetting would start the loop anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json
from selfheal_tui.store.durable import private_directory, replace_file
from selfheal_tui.store.errors import CorruptStoreError, StoreUnavailableError, StoreWriteError
from selfheal_tui.store.lock import StoreLock

FILE_NAME = "breakers.json"


@dataclass(frozen=True, slots=True)
class BreakerEntry:
    """What is remembered of one program.

    Attributes:
        crashes: Unix times of its latest crashes, oldest first.
        opened_at: Unix time at which the breaker opened; 0 while it is closed.
        why: Why it opened, in a sentence.
    """

    crashes: tuple[float, ...] = ()
    opened_at: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Document:
    programs: dict[str, BreakerEntry] = field(default_factory=dict)


class Breakers:
    """The breakers of all programs of a project.

    Args:
        directory: The project's state folder; its parent must exist.
        count: Crashes that open a breaker.
        seconds: Within how long.
        clock: Unix time in seconds.
    """

    def __init__(
        self, directory: Path, *, count: int, seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._file = private_directory(directory) / FILE_NAME
        self._lock = StoreLock(directory / f"{FILE_NAME}.lock")
        self._count = count
        self._seconds = seconds
        self._clock = clock

    def crashed(self, name: str) -> str:
        """Counts a crash.

        Args:
            name: The program.

        Returns:
            Why its breaker is open now, or an empty string.

        Raises:
            StoreError: The file cannot be read or written; the crash is not counted then.
        """
        with self._lock.held():
            document = self._read()
            entry = document.programs.get(name, BreakerEntry())
            now = self._clock()
            # A clock that was set back must not keep crashes young for ever.
            recent = tuple(at for at in entry.crashes if now - self._seconds < at <= now)
            recent = (*recent, now)[-self._count :]
            entry = replace(entry, crashes=recent)
            if not entry.opened_at and len(recent) >= self._count:
                times = "crash" if self._count == 1 else "crashes"
                why = f"{self._count} {times} within {self._seconds:g} s"
                entry = replace(entry, opened_at=now, why=why)
            self._write(document, name, entry)
            return entry.why

    def open(self, name: str) -> str:
        """Returns why a program's breaker is open, or an empty string.

        Raises:
            StoreError: The file cannot be read.
        """
        with self._lock.held():
            return self._read().programs.get(name, BreakerEntry()).why

    def reset(self, name: str) -> bool:
        """Closes a program's breaker and forgets its crashes.

        Args:
            name: The program.

        Returns:
            Whether it was open.

        Raises:
            StoreError: The file cannot be read or written.
        """
        with self._lock.held():
            document = self._read()
            entry = document.programs.get(name)
            if entry is None:
                return False
            self._write(document, name, None)
            return bool(entry.opened_at)

    def _read(self) -> _Document:
        try:
            return from_json(self._file.read_bytes(), _Document)
        except FileNotFoundError:
            return _Document()
        except MalformedDocumentError as error:
            raise CorruptStoreError(
                self._file,
                f"cannot be understood ({error})",
                "remove it to forget which programs were stopped in a crash loop",
            ) from error
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot read {self._file}: {error.strerror or error}", "make it readable for this user"
            ) from error

    def _write(self, document: _Document, name: str, entry: BreakerEntry | None) -> None:
        programs = {key: value for key, value in document.programs.items() if key != name}
        if entry is not None:
            programs[name] = entry
        try:
            replace_file(self._file, to_json(_Document(programs)))
        except OSError as error:
            raise StoreWriteError(
                f"cannot write {self._file}: {error.strerror or error}", "free space, or make it writable"
            ) from error
