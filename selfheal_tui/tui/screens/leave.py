"""Asks before leaving where that stops programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from selfheal_tui.tui.screens.dialog import Dialog


class LeaveScreen(Dialog[None]):
    """Names the programs that would be stopped.

    Args:
        programs: Their names.
    """

    HEADING = "Leave?"
    FOOT = "q stop them and leave · esc stay"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+c", "leave", "Leave")]

    def __init__(self, programs: tuple[str, ...]) -> None:
        super().__init__()
        self._programs = programs

    def body(self) -> Iterable[Widget]:
        """Returns the sentence."""
        names = ", ".join(self._programs)
        yield Static(Text(f"This stops {names}. Open questions stay open; what is healed stays healed."))

    def action_leave(self) -> None:
        """Leaves."""
        self.app.exit(return_code=0)
