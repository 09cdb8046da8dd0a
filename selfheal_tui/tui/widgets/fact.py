"""A few words on the screen which are drawn again only when they change: a countdown costs nothing between its ticks."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class Fact(Static):
    """A text; never markup."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - the name that every widget of Textual has
        super().__init__(id=id, markup=False)
        self._put = Text()

    @property
    def plain(self) -> str:
        """What it says."""
        return self._put.plain

    def put(self, text: Text) -> None:
        """Says something else."""
        if text != self._put or text.style != self._put.style:
            lines = text.plain.count("\n") != self._put.plain.count("\n")
            self._put = text
            self.update(text, layout=lines or text.no_wrap is not True)
