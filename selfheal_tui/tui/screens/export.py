"""Asks in which form and where to write something. Writes nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual import on
from textual.widget import Widget
from textual.widgets import Input, RadioButton, RadioSet

from selfheal_tui.tui.screens.dialog import Dialog


@dataclass(frozen=True, slots=True)
class Export:
    """What was chosen: a form, and a file relative to the project."""

    form: str
    file: str


class ExportScreen(Dialog[Export]):
    """The dialog.

    Args:
        what: What is written, such as `history`.
        forms: Forms that there are, as (form, what it is good for).
    """

    FOOT = "tab between the two · enter writes the file · esc back"
    DEFAULT_CSS = "ExportScreen RadioSet { width: 1fr; border: none; } ExportScreen Input { margin-top: 1; }"

    def __init__(self, what: str, forms: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._what = what
        self._forms = tuple(forms)

    def heading(self) -> str:
        """Returns the title."""
        return f"Export the {self._what}"

    def body(self) -> Iterable[Widget]:
        """Returns the choice of forms and the file's name."""
        yield RadioSet(
            *(
                RadioButton(f"{form}: {purpose}", value=number == 0)
                for number, (form, purpose) in enumerate(self._forms)
            )
        )
        yield Input(self._file(self._forms[0][0]), placeholder="file, relative to the project")

    def on_mount(self) -> None:
        """Begins with the forms."""
        self.query_one(RadioSet).focus()

    def _file(self, form: str) -> str:
        return f"selfheal-{self._what}.{form}"

    @on(RadioSet.Changed)
    def _chosen(self, event: RadioSet.Changed) -> None:
        self.query_one(Input).value = self._file(self._forms[event.index][0])

    @on(Input.Submitted)
    def _done(self) -> None:
        index = max(0, self.query_one(RadioSet).pressed_index)
        file = self.query_one(Input).value.strip()
        if file:
            self.dismiss(Export(self._forms[index][0], file))
