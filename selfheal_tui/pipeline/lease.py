"""One process at a time works on an incident; a lease that dies with its holder says which.

`selfheal approve` in another terminal finds out by it whether a waiting `selfheal run` will apply the
fix, or whether it must do so itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout


class IncidentBusyError(RuntimeError):
    """Another process is working on the incident."""


@contextlib.contextmanager
def lease(state_directory: Path, name: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Holds the lease of an incident (or of another named duty).

    Args:
        state_directory: The project's `.selfheal`.
        name: Incident id, or the name of the duty.
        wait_seconds: How long to wait for another holder.

    Raises:
        IncidentBusyError: Somebody else holds it for longer than that.
    """
    directory = state_directory / "leases"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(directory / f"{name}.lock", timeout=wait_seconds)
    try:
        lock.acquire()
    except Timeout as error:
        raise IncidentBusyError(f"{name} is being worked on by another process") from error
    try:
        yield
    finally:
        lock.release()


def is_leased(state_directory: Path, name: str) -> bool:
    """Returns whether somebody holds a lease at this moment.

    Args:
        state_directory: The project's `.selfheal`.
        name: Incident id, or the name of the duty.
    """
    if not (state_directory / "leases" / f"{name}.lock").exists():
        return False
    try:
        with lease(state_directory, name):
            return False
    except IncidentBusyError:
        return True
