"""What every view of the console is: drawn from snapshots, told of events, with actions of its own. Reads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.containers import Container

from selfheal_tui.operations.desk import Desk, DeskEvent
from selfheal_tui.operations.snapshot import Board
from selfheal_tui.tui.acting import Acting

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console


class View(Acting, Container):
    """A view. Subclasses set `CONTEXTS`, `BINDINGS`, and override what they need."""

    @property
    def console(self) -> Console:
        """The app, which has the board, the desk and the looks."""
        return cast("Console", self.app)

    @property
    def desk(self) -> Desk:
        """Where questions and decisions go."""
        return self.console.desk

    def opened(self) -> None:
        """Called each time the view comes to the front: the place to ask the desk and to take the focus."""

    def show_board(self, board: Board) -> None:
        """Draws what changed; must not move cursor, scroll position or selection."""

    def hear(self, event: DeskEvent) -> None:
        """Takes what the desk tells, on the app's thread."""

    def go_to(self, incident_id: str) -> None:
        """Puts the cursor on an incident, where the view has one."""

    def back(self) -> bool:
        """Goes one step back inside of the view; returns whether there was one to go."""
        return False
