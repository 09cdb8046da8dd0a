"""The line in which a list is filtered as one types. Printable keys go nowhere else while it has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterBar(Input):
    """A filter; hidden while it is not used and empty."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", show=False),
        Binding("down", "keep", show=False),
    ]
    DEFAULT_CSS = """
    FilterBar { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
    FilterBar.-shown { display: block; }
    FilterBar:focus { border: none; }
    """

    class Filtered(Message):
        """The words changed; `ended` when the list is to have the focus back."""

        def __init__(self, words: tuple[str, ...], *, ended: bool) -> None:
            super().__init__()
            self.words = words
            self.ended = ended

    def __init__(self) -> None:
        super().__init__(placeholder="filter: words that must all occur", compact=True)
        self.can_focus = False  # hidden: a typed letter must never end up in it

    @property
    def words(self) -> tuple[str, ...]:
        """The words, in lower case."""
        return tuple(self.value.lower().split())

    def begin(self) -> None:
        """Shows itself and takes the focus."""
        self.add_class("-shown")
        self.can_focus = True
        self.focus()

    def action_drop(self) -> None:
        """Filters no more."""
        self.value = ""
        self.remove_class("-shown")
        self.can_focus = False
        self.post_message(self.Filtered((), ended=True))

    def action_keep(self) -> None:
        """Keeps the filter and goes back to the list."""
        self.set_class(bool(self.value), "-shown")
        self.can_focus = bool(self.value)
        self.post_message(self.Filtered(self.words, ended=True))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Filtered(self.words, ended=False))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()


def matches(words: tuple[str, ...], *texts: str) -> bool:
    """Returns whether every word occurs in one of some texts, whatever their case."""
    if not words:
        return True
    together = "\n".join(texts).lower()
    return all(word in together for word in words)
