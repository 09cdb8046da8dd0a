"""The last line: the actions that there are here, made from the registry; greyed ones say why when pressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events
from textual.widget import Widget

from selfheal_tui.tui.acting import Acting
from selfheal_tui.tui.actions import Action, footer_of

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console


def acting_chain(focused: Widget | None, screen: Widget) -> list[Acting]:
    """Returns who acts on a key now, nearest first: from the focused widget up to the app."""
    start = focused if focused is not None else screen
    return [node for node in start.ancestors_with_self if isinstance(node, Acting)]


def actions_of(chain: Sequence[Acting]) -> list[tuple[Acting, Action]]:
    """Returns the footer's actions of a chain with their owners; a key that is taken nearer is left out."""
    found: list[tuple[Acting, Action]] = []
    taken: set[str] = set()
    for owner in chain:
        here = footer_of(owner.CONTEXTS)
        found += [(owner, action) for action in here if not taken & set(action.keys)]
        taken |= {key for action in here for key in action.keys}
    return found


class Footer(Widget):
    """The keys of here."""

    DEFAULT_CSS = "Footer { height: 1; dock: bottom; background: $panel; }"

    def __init__(self) -> None:
        super().__init__()
        self._spans: list[tuple[int, int, Acting, Action]] = []

    def on_mount(self) -> None:
        """Draws anew whenever the focus moves."""
        self.watch(self.screen, "focused", self._again, init=False)

    def _again(self) -> None:
        self.refresh()

    def render(self) -> Text:
        """Draws as many actions as there is room for; help always stays."""
        app = cast("Console", self.app)
        looks, width = app.looks, self.size.width
        line, self._spans = Text(" ", no_wrap=True), []
        chain = acting_chain(self.screen.focused, self.screen)
        shown = actions_of(chain)
        last = [(owner, action) for owner, action in shown if action.id == "app.help"]
        rest = [pair for pair in shown if pair not in last]
        room = width - sum(len(app.keys.shown(a)) + len(a.label) + 2 for _, a in last)
        for owner, action in [*rest, *last]:
            key = app.keys.shown(action)
            wide = len(key) + 1 + len(action.label) + 2
            if (owner, action) not in last and line.cell_len + wide > room:
                continue
            greyed = bool(owner.refusal(action))
            begin = line.cell_len
            line.append(f"{key} ", looks.quiet if greyed else looks.named("primary", bold=True))
            line.append(action.label, looks.quiet if greyed else "")
            if greyed:
                line.stylize("strike", begin, line.cell_len)
            self._spans.append((begin, line.cell_len, owner, action))
            line.append("  ")
        return line

    def on_click(self, event: events.Click) -> None:
        """Does what was clicked."""
        for begin, end, owner, action in self._spans:
            if begin <= event.x < end:
                owner.action_act(action.id)
                return
