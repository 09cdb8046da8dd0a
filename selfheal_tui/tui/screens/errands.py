"""What long work runs, for how long, and the way to end it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from selfheal_tui.operations.desk import DeskEvent, Working
from selfheal_tui.tui.screens.dialog import Dialog
from selfheal_tui.tui.widgets.rowlist import RowList

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console


class ErrandsScreen(Dialog[None]):
    """The list of long work."""

    HEADING = "At work"
    FOOT = "x end it · esc back"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "end", "End it")]
    DEFAULT_CSS = "ErrandsScreen RowList { height: 8; } ErrandsScreen #healing { height: auto; }"

    def body(self) -> Iterable[Widget]:
        """Returns the list and what the engine works on."""
        yield RowList[Working](self._draw, lambda errand: errand.errand, empty="nothing long runs here")
        yield Static(id="healing")

    def on_mount(self) -> None:
        """Fills the list and keeps the times going."""
        self._fill()
        self.query_one(RowList).focus()
        self.set_interval(1.0, self._fill)

    def hear(self, _event: DeskEvent) -> None:
        """Draws what changed."""
        self._fill()

    def _fill(self) -> None:
        app = cast("Console", self.app)
        self.query_one(RowList).show(list(app.errands.values()))
        self.query_one(RowList).refresh()
        working = app.board.engine.working
        text = (
            "the engine heals " + ", ".join(f"#{incident}" for incident in working)
            if working
            else "the engine heals nothing now"
        )
        if app.board.engine.queued:
            text += f"; {app.board.engine.queued} wait"
        self.query_one("#healing", Static).update(Text(text))

    def _draw(self, errand: Working, width: int, _cursor: bool) -> Sequence[Text]:
        seconds = max(0.0, cast("Console", self.app).clock() - errand.started_at)
        line = Text(f"{seconds:5.0f} s  {errand.text}")
        line.truncate(width, overflow="ellipsis")
        return (line,)

    def action_end(self) -> None:
        """Ends the work under the cursor."""
        app = cast("Console", self.app)
        key = self.query_one(RowList).cursor_key
        if key is None:
            app.tell("nothing long runs here")
            return
        app.desk.cancel_errand(key)
