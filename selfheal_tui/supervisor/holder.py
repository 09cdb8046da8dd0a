"""Who serves a project: one engine at a time, by a lease that dies with it, and a note that says who it is."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json
from selfheal_tui.pipeline.lease import IncidentBusyError, is_leased, lease

DUTY = "engine"
LOOK_SECONDS = 0.2
"""Longest time for which somebody holds the lease only to see whether it is free."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The engine of a project.

    Attributes:
        pid: Its process id.
        since: Unix time in seconds.
    """

    pid: int
    since: float


class EngineBusyError(RuntimeError):
    """Another engine serves the project; the message says which, and what to do."""


@contextlib.contextmanager
def engine_lease(state_directory: Path) -> Iterator[None]:
    """Holds the duty of serving a project.

    Args:
        state_directory: The project's `.selfheal`.

    Raises:
        EngineBusyError: Somebody else holds it.
    """
    try:
        with lease(state_directory, DUTY, wait_seconds=LOOK_SECONDS):
            note = _note(state_directory)
            note.write_bytes(to_json(Holder(os.getpid(), time.time())))
            try:
                yield
            finally:
                note.unlink(missing_ok=True)
    except IncidentBusyError as error:
        holder = engine_holder(state_directory)
        who = f"process {holder.pid}" if holder else "another process"
        raise EngineBusyError(
            f"{who} serves this project already; stop it first, or let your programs report to it"
        ) from error


def engine_holder(state_directory: Path) -> Holder | None:
    """Returns who serves a project now, or None when nobody does.

    Args:
        state_directory: The project's `.selfheal`.
    """
    if not is_leased(state_directory, DUTY):
        return None
    try:
        return from_json(_note(state_directory).read_bytes(), Holder)
    except (OSError, MalformedDocumentError):
        return Holder(0, 0.0)  # it has the lease, and has not written its note yet


def _note(state_directory: Path) -> Path:
    return state_directory / "leases" / f"{DUTY}.json"
