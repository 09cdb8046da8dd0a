"""Has the code of a question typed, where a key alone is too little: only the very code approves."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from selfheal_tui.operations.snapshot import Tone
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.screens.dialog import Dialog
from selfheal_tui.tui.widgets.lines import one_line

TRIES = 3
"""Wrong codes after which the dialog closes: whoever types on is typing something else."""


class CodeScreen(Dialog[str]):
    """Returns the code once it is typed; None when it was not.

    Args:
        code: What has to be typed; it stands above the diff.
        what: What it approves, in a line.
        looks: The looks in force.
    """

    HEADING = "Type the code to approve"
    FOOT = "approves as soon as the code is complete · esc goes back, nothing is approved"

    def __init__(self, code: str, what: str, looks: Looks) -> None:
        super().__init__()
        self._code = code
        self._what = what
        self._looks = looks
        self._wrong = 0

    def body(self) -> Iterable[Widget]:
        """Returns what is approved, and the line for the code."""
        yield Static(Text(one_line(self._what)))
        yield Static(
            Text(
                f"The code of this very diff is {one_line(self._code)}, as above it. Whoever has read it types it."
            )
        )
        yield Input(placeholder="code", max_length=len(self._code))
        yield Static(Text(), id="code-wrong")

    def on_mount(self) -> None:
        """Begins in the line."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value == self._code:
            self.dismiss(event.value)
        elif len(event.value) >= len(self._code):
            self._say_wrong()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value and event.value != self._code:
            self._say_wrong()

    def _say_wrong(self) -> None:
        self._wrong += 1
        if self._wrong >= TRIES:
            self.dismiss(None)
            return
        self.query_one(Input).clear()
        text = Text(f"that is not the code; {TRIES - self._wrong} more", self._looks.style(Tone.BAD))
        self.query_one("#code-wrong", Static).update(text)
