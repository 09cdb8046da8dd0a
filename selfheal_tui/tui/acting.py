"""Turns the action registry into Textual bindings and into calls of `act_<verb>` methods.

A key that cannot be used now stays visible and says why when pressed: the reason comes from `why_not`, not from
Textual's `check_action`, which would swallow the key in silence. No action is defined here.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, cast

from textual.binding import Binding

from selfheal_tui.tui.actions import BY_ID, Action, of_context


class Host(Protocol):
    """What the app offers to whatever acts."""

    @property
    def read_only(self) -> bool:
        """Whether decisions are refused in this console."""

    def say_no(self, action: Action, reason: str) -> None:
        """Tells why an action cannot be done now."""


def bindings_of(*contexts: str) -> list[Any]:
    """Returns the bindings of some contexts, for a class's `BINDINGS`; their ids are those of keymaps."""
    return [
        Binding(
            ",".join(action.keys),
            f"act('{action.id}')",
            action.label,
            show=action.footer,
            id=action.id,
            system=False,
        )
        for action in of_context(*contexts)
    ]


class Acting:
    """Mixin for widgets, screens and the app: has the actions of `CONTEXTS`.

    A subclass sets `CONTEXTS` and `BINDINGS = bindings_of(*CONTEXTS)`, and has a method `act_<verb>` for each action.
    """

    CONTEXTS: ClassVar[tuple[str, ...]] = ()

    def why_not(self, action: Action) -> str:  # noqa: ARG002 - subclasses look at it
        """Returns why an action cannot be done now, as a sentence; empty when it can."""
        return ""

    def refusal(self, action: Action) -> str:
        """Returns why an action is refused, by this console or by its own state; empty when it is not."""
        if action.decides and self._host.read_only:
            return "this console is read-only; decide in another one, or with `selfheal approve` and its kin"
        return self.why_not(action)

    def action_act(self, action_id: str) -> None:
        """Does an action, or says why not; the way of every key, click and palette command."""
        action = BY_ID[action_id]
        reason = self.refusal(action)
        if reason:
            self._host.say_no(action, reason)
            return
        getattr(self, f"act_{action.verb}")()

    @property
    def _host(self) -> Host:
        app: Any = getattr(self, "app", self)
        return cast("Host", app)
