"""What views with a list to filter as one types have in common. Knows no list of its own."""

from __future__ import annotations

from typing import Any

from textual import on

from selfheal_tui.tui.views.base import View
from selfheal_tui.tui.widgets.filterbar import FilterBar
from selfheal_tui.tui.widgets.rowlist import RowList


class FilteredView(View):
    """A view over one list with a filter. Subclasses have the list as `_list`, and draw it in `_refill`."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words: tuple[str, ...] = ()

    @property
    def _list(self) -> RowList[Any]:
        raise NotImplementedError

    def _refill(self) -> None:
        """Draws the rows that fit the words."""
        raise NotImplementedError

    @on(RowList.FilterAsked)
    def _filter_asked(self) -> None:
        self.query_one(FilterBar).begin()

    @on(FilterBar.Filtered)
    def _filtered(self, event: FilterBar.Filtered) -> None:
        self._words = event.words
        self._refill()
        if event.ended:
            self._list.focus()
