"""Calls for the operator without taking anything away: bell, terminal title, desktop notification. Moves no focus."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selfheal_tui.operations.snapshot import Board

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

_PLAIN = re.compile(r"[^ -:<-~]")
"""Everything but printable ASCII without the semicolon, which separates fields of these sequences."""
_LONGEST = 120


class Attention:
    """Knows which questions were called for already.

    Args:
        app: The console.
        bell: Whether to ring.
        desktop: Whether to send desktop notifications.
    """

    def __init__(self, app: Console, *, bell: bool, desktop: bool) -> None:
        self._app = app
        self._bell = bell
        self._desktop = desktop
        self._known: frozenset[str] = frozenset()
        self._title = ""
        self.blurred = False

    def look(self, board: Board) -> None:
        """Calls for what is asked anew, and keeps the title true."""
        asked = frozenset(request.request_id for request in board.requests)
        new = [request for request in board.requests if request.request_id not in self._known]
        self._known = asked
        self._entitle(f"{f'({len(asked)}) ' if asked else ''}selfheal {board.project}")
        if not new:
            return
        if self._bell:
            self._app.bell()
        if self._desktop and self.blurred:
            request = new[-1]
            text = f"{request.risk} {request.incident_id} needs you: {request.headline}"
            self._write(f"\x1b]9;{_plain(text)}\x07\x1b]777;notify;selfheal;{_plain(text)}\x07")

    def close(self) -> None:
        """Gives the terminal's own title back."""
        if self._title:
            self._write("\x1b[23;2t")
            self._title = ""

    def _entitle(self, title: str) -> None:
        if title == self._title:
            return
        if not self._title:
            self._write("\x1b[22;2t")
        self._title = title
        self._write(f"\x1b]2;{_plain(title)}\x07")

    def _write(self, sequence: str) -> None:
        driver = self._app._driver
        if driver is not None and not self._app.is_headless:
            driver.write(sequence)
            driver.flush()


def _plain(text: str) -> str:
    return _PLAIN.sub("?", text)[:_LONGEST]
