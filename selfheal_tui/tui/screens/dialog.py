"""What dialogs share: a box in the middle, a title, escape closes. A dialog returns what was chosen, or None."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

R = TypeVar("R")


class Dialog(ModalScreen[R], Generic[R]):
    """A dialog. Subclasses give `title` and `body`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Back", show=False)]
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > Vertical { width: 76; max-width: 96%; height: auto; max-height: 90%; border: round $primary;
                        background: $surface; padding: 0 1; }
    Dialog .dialog-title { height: 1; text-style: bold; color: $primary; }
    Dialog .dialog-foot { height: auto; color: $quiet; margin-top: 1; }
    """
    HEADING = ""
    FOOT = "esc back"

    def compose(self) -> ComposeResult:
        """Lays the dialog out."""
        with Vertical():
            yield Static(Text(self.heading()), classes="dialog-title")
            yield from self.body()
            yield Static(Text(self.FOOT), classes="dialog-foot")

    def heading(self) -> str:
        """Returns the title."""
        return self.HEADING

    def body(self) -> Iterable[Widget]:
        """Returns what is in the dialog."""
        return ()

    def action_close(self) -> None:
        """Closes without a choice."""
        self.dismiss(None)
