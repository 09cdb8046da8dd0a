"""The help: every key that works where the operator is, made from the registry. Lists nothing by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.widget import Widget

from selfheal_tui.tui.acting import Acting
from selfheal_tui.tui.actions import of_context
from selfheal_tui.tui.screens.dialog import Dialog
from selfheal_tui.tui.widgets.textpane import TextPane

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

TITLES = {
    "app": "Everywhere", "list": "Lists and texts", "incidents": "Incidents", "review": "Review of a fix",
    "diff": "Diff", "history": "History", "backups": "Backups", "rollback": "Taking back", "insights": "Insights",
    "policy": "Policy",
}  # fmt: skip
LEGEND = (
    "! needs you   ~ being worked on   ✓ healed   ? explained: no safe fix is known   - not this project's fault",
    "RED: changes the program's own code, and is asked for. A stray key never approves: decision keys work only in the",
    "review, once its diff was painted. Nothing is written without a backup; Backups takes anything back.",
)


class HelpScreen(Dialog[None]):
    """Keys of here.

    Args:
        chain: Who acts on a key, nearest first.
    """

    HEADING = "Help"
    FOOT = "j k scroll · esc back"
    DEFAULT_CSS = "HelpScreen > Vertical { width: 100; height: 90%; }"

    def __init__(self, chain: Sequence[Acting]) -> None:
        super().__init__()
        self._chain = chain

    def body(self) -> Iterable[Widget]:
        """Returns the pane."""
        yield TextPane(id="help-text")

    def on_mount(self) -> None:
        """Fills the pane."""
        pane = self.query_one(TextPane)
        pane.show(self._lines(), key="help")
        pane.focus()

    def _lines(self) -> list[Text]:
        app = cast("Console", self.app)
        looks, seen = app.looks, set[str]()
        lines: list[Text] = []
        for owner in self._chain:
            for context in owner.CONTEXTS:
                if context in seen:
                    continue
                seen.add(context)
                lines.append(Text(TITLES.get(context, context), looks.named("primary", bold=True)))
                for action in of_context(context):
                    why = owner.refusal(action)
                    line = Text(
                        f"  {app.keys.all_shown(action):<14} {action.help}", looks.quiet if why else ""
                    )
                    if why:
                        line.append(f"  (now not: {why})", looks.quiet)
                    lines.append(line)
                lines.append(Text())
        lines += [Text(line) for line in LEGEND]
        return lines
