"""The command palette: every action of the registry that works here, by name. Adds none of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Provider
from textual.content import Content

from selfheal_tui.tui.acting import Acting
from selfheal_tui.tui.actions import Action, of_context
from selfheal_tui.tui.widgets.footer import acting_chain

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console


class ActionProvider(Provider):
    """Finds actions."""

    def _actions(self) -> list[tuple[Acting, Action]]:
        chain = acting_chain(self.focused, self.screen)
        found = [
            (owner, action)
            for owner in chain
            for action in of_context(*owner.CONTEXTS)
            if action.id != "app.palette"
        ]
        return list({action.id: (owner, action) for owner, action in reversed(found)}.values())[::-1]

    def _label(self, action: Action) -> str:
        return f"{action.label} ({cast('Console', self.app).keys.shown(action)})"

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Lists all."""
        for owner, action in self._actions():
            yield DiscoveryHit(
                Content(self._label(action)), partial(owner.action_act, action.id), help=action.help
            )

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Ranks by name and sentence."""
        matcher = self.matcher(query)
        for owner, action in self._actions():
            score = matcher.match(f"{action.label} {action.help}")
            if score > 0:
                yield Hit(
                    score,
                    Content(self._label(action)),
                    partial(owner.action_act, action.id),
                    help=action.help,
                )


class Palette(CommandPalette):
    """Textual's palette, which fails on a page key in the moment before its list is laid out."""

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).size.height:
            super()._action_command_list(action)


def open_palette(app: Console) -> None:
    """Opens the palette over the screen in front."""
    app.push_screen(Palette(providers=(ActionProvider,), placeholder="what to do…"))
