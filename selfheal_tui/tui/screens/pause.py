"""Asks back before the kill switch is thrown, and for a reason that goes on record."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from selfheal_tui.tui.screens.dialog import Dialog


class PauseScreen(Dialog[str]):
    """Returns the reason, perhaps empty.

    Args:
        paused: Whether changes are stopped now.
    """

    def __init__(self, *, paused: bool) -> None:
        super().__init__()
        self._paused = paused

    def heading(self) -> str:
        """Returns the title."""
        return "Allow changes again?" if self._paused else "Stop all changes, in every process?"

    def body(self) -> Iterable[Widget]:
        """Returns what it means, and the line for the reason."""
        yield Static(
            Text(
                "Fixes are proposed, proved and applied again as the policy allows."
                if self._paused
                else "Crashes are still recorded and explained; no fix is applied, and none can be approved, "
                "until somebody allows it again."
            )
        )
        yield Input(placeholder="why (optional, goes on record); enter does it, esc does not")

    def on_mount(self) -> None:
        """Begins in the line."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())
