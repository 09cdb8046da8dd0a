"""Which key does what in this console: the registry's keys, and what the settings put in their place.

A keymap may not make a stray key decide: neither Enter nor Space nor an arrow may approve or write anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from selfheal_tui.tui.actions import ACTIONS, BY_ID, Action

_NAMES = {
    "question_mark": "?", "slash": "/", "colon": ":", "escape": "esc", "right_square_bracket": "]",
    "left_square_bracket": "[", "plus": "+", "equals_sign": "=", "minus": "-", "shift+tab": "S-tab", "enter": "enter",
    "space": "space", "pagedown": "PgDn", "pageup": "PgUp",
}  # fmt: skip
_CARELESS = frozenset({"enter", "space", "tab", "up", "down", "left", "right", "escape", "backspace"})
_DELIBERATE = frozenset({"review.approve", "rollback.confirm", "rollback.overwrite", "policy.pause"})


class KeymapError(ValueError):
    """The settings name an action that there is not, or a key that may not do it."""


class Keys:
    """The keys in force.

    Args:
        changed: Keys by action id, several separated by commas, as Textual names them.
    """

    def __init__(self, changed: Mapping[str, str]) -> None:
        self.keymap = dict(changed)

    def of(self, action: Action) -> tuple[str, ...]:
        """Returns the keys of an action."""
        changed = self.keymap.get(action.id)
        return tuple(changed.split(",")) if changed else action.keys

    def shown(self, action: Action) -> str:
        """Returns an action's first key as people write it."""
        return key_name(self.of(action)[0])

    def all_shown(self, action: Action) -> str:
        """Returns all keys of an action as people write them."""
        return " ".join(key_name(key) for key in self.of(action))


def key_name(key: str) -> str:
    """Returns a key as people write it, such as `^d` for `ctrl+d`."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _NAMES.get(key, key)


def parse_keymap(entries: Iterable[str]) -> dict[str, str]:
    """Reads the setting `console.keys`.

    Args:
        entries: Such as `review.approve=y` or `app.quit=Q,ctrl+q`.

    Returns:
        Keys by action id.

    Raises:
        KeymapError: An entry is wrong; the message names it and the remedy.
    """
    keymap: dict[str, str] = {}
    for entry in entries:
        action_id, sign, keys = (part.strip() for part in entry.partition("="))
        if not sign or not keys:
            raise KeymapError(f"console.keys: {entry!r} is not of the form action=key, such as app.quit=Q")
        if action_id not in BY_ID:
            raise KeymapError(f"console.keys: there is no action {action_id!r}; `selfheal keys` lists them")
        wanted = [key.strip() for key in keys.split(",") if key.strip()]
        careless = sorted(_CARELESS & set(wanted))
        if action_id in _DELIBERATE and careless:
            raise KeymapError(
                f"console.keys: {', '.join(careless)} may not do {action_id}, since it is pressed without thinking; "
                "take a letter"
            )
        keymap[action_id] = ",".join(wanted)
    _refuse_clashes(keymap)
    return keymap


def _refuse_clashes(keymap: Mapping[str, str]) -> None:
    keys = Keys(keymap)
    for action_id in keymap:
        action = BY_ID[action_id]
        for other in ACTIONS:
            if other.id == action.id or other.context not in (action.context, "app"):
                continue
            both = set(keys.of(action)) & set(keys.of(other))
            if both:
                raise KeymapError(
                    f"console.keys: {', '.join(sorted(both))} would do both {action.id} and {other.id}; take another key"
                )
