"""The engine's end of the doorbell: wakes it the moment that a report is in place.

It only wakes: what arrives is looked for in the inbox, whatever the datagram says. Without local sockets there is
no doorbell, and the engine's regular look into the inbox finds everything a little later.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from selfheal_tui.probe import places

_MAX_RINGS = 10_000
"""Datagrams taken off at once, so that a flood cannot hold the engine at its door."""


class Doorbell:
    """A bound doorbell; only the holder of the project's engine lease may bind it.

    Args:
        root: The project.

    Raises:
        OSError: It cannot be bound.
    """

    def __init__(self, root: Path) -> None:
        self.address = Path(places.doorbell_address(str(root)))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            # Whatever lies here belonged to an engine that is gone: we hold the lease.
            self.address.unlink(missing_ok=True)
            self._socket.bind(str(self.address))
            self._inode = self.address.lstat().st_ino
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Number to wait on."""
        return self._socket.fileno()

    def answer(self) -> int:
        """Takes the waiting rings off; returns how many there were."""
        for count in range(_MAX_RINGS):
            try:
                self._socket.recv(512)
            except BlockingIOError:
                return count
        return _MAX_RINGS

    def in_place(self) -> bool:
        """Returns whether its address still is ours; cleaners of temporary folders remove it."""
        try:
            found = os.lstat(self.address)
        except OSError:
            return False
        return stat.S_ISSOCK(found.st_mode) and found.st_ino == self._inode

    def close(self) -> None:
        """Gives the doorbell up."""
        with contextlib.suppress(OSError):
            if self.in_place():
                self.address.unlink()
        self._socket.close()
