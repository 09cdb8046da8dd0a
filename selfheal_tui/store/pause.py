"""The kill switch: a file of its own, so that it works even when the rest of the store does not.

Whoever can create `.selfheal/PAUSED`, with any content, stops the healer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json
from selfheal_tui.store.durable import remove_file, replace_file, sync_directory
from selfheal_tui.store.errors import StoreWriteError
from selfheal_tui.store.masking import clean_text


@dataclass(frozen=True, slots=True)
class Paused:
    """That the healer is paused.

    Attributes:
        by: Who did it.
        reason: Why.
        at: Unix time in seconds.
    """

    by: str
    reason: str
    at: float


class PauseSwitch:
    """Pauses and resumes.

    Args:
        file: The file whose existence means "paused".
        clock: Unix time in seconds.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock

    def status(self) -> Paused | None:
        """Returns who paused the healer, or None; a file that cannot be read still means paused."""
        try:
            raw = self._file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            return Paused("unknown", f"{self._file} cannot be read: {error.strerror or error}", 0.0)
        try:
            return from_json(raw, Paused)
        except MalformedDocumentError:
            return Paused("unknown", f"{self._file} exists", self._file.stat().st_mtime)

    def pause(self, by: str, reason: str) -> Paused:
        """Pauses the healer.

        Raises:
            StoreWriteError: The file cannot be written.
        """
        paused = Paused(clean_text(by), clean_text(reason), self._clock())
        try:
            replace_file(self._file, to_json(paused))
        except OSError as error:
            raise StoreWriteError(
                f"cannot write {self._file}: {error.strerror or error}",
                f"create it by hand: touch {self._file}",
            ) from error
        return paused

    def resume(self, by: str) -> bool:
        """Resumes; returns whether it was paused.

        Args:
            by: Who resumes, for the caller's audit record.

        Raises:
            StoreWriteError: The file cannot be removed.
        """
        del by
        try:
            was_paused = remove_file(self._file)
            sync_directory(self._file.parent)
        except OSError as error:
            raise StoreWriteError(
                f"cannot remove {self._file}: {error.strerror or error}", "remove it by hand"
            ) from error
        return was_paused
