"""Asks why a fix is rejected. Enter sends it off here, because whoever is here pressed `r` on purpose; escape goes back."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from selfheal_tui.tui.screens.dialog import Dialog
from selfheal_tui.tui.widgets.lines import one_line

LONGEST = 500
"""Characters of a reason."""


class ReasonScreen(Dialog[str]):
    """Returns the reason, perhaps empty; None when nothing is rejected after all.

    Args:
        what: What is rejected, in a line.
    """

    HEADING = "Reject this fix?"
    FOOT = "enter rejects it · esc goes back, nothing is rejected"

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def body(self) -> Iterable[Widget]:
        """Returns what is rejected, and the line for the reason."""
        yield Static(Text(one_line(self._what)))
        yield Static(Text("The reason goes into the history, and to whoever proposes the next fix."))
        yield Input(placeholder="why (optional)", max_length=LONGEST)

    def on_mount(self) -> None:
        """Begins in the line."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        self.dismiss(one_line(event.value).strip())
