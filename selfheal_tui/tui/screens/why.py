"""Says why a fix is asked for, and what approving and rejecting it would do. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from selfheal_tui.operations.snapshot import IncidentDetail, RequestView
from selfheal_tui.tui.screens.dialog import Dialog
from selfheal_tui.tui.widgets.lines import one_line


class WhyScreen(Dialog[None]):
    """The reasons of a question.

    Args:
        request: The question.
        detail: Its incident.
    """

    DEFAULT_CSS = "WhyScreen VerticalScroll { height: auto; max-height: 20; }"

    def __init__(self, request: RequestView, detail: IncidentDetail) -> None:
        super().__init__()
        self._request = request
        self._detail = detail

    def heading(self) -> str:
        """Returns the title."""
        return f"Why {one_line(self._request.risk)}"

    def body(self) -> Iterable[Widget]:
        """Returns the reasons, then what a decision does."""
        request, candidate = self._request, self._detail.candidate
        text = Text()
        text.append(
            f"{one_line(request.action.replace('_', ' '))} in {one_line(self._detail.row.environment)}\n"
        )
        for why in request.why or ("the policy asks for every change of this kind",):
            text.append(f"  {one_line(why)}\n")
        if candidate is not None:
            text.append("\nThe fix\n", "bold")
            text.append(
                f"  {one_line(candidate.by)} ({candidate.confidence:.2f}): {one_line(candidate.reason)}\n"
            )
            for note in candidate.notes:
                text.append(f"  {one_line(note)}\n")
        text.append("\nApproving\n", "bold")
        files = ", ".join(one_line(change.path) for change in candidate.changes) if candidate else "the files"
        text.append(f"  writes exactly the patch that is shown to {files}, and nothing else.\n")
        text.append(
            "  What is there now is backed up first; Backups (3) or `selfheal rollback` takes it back.\n"
        )
        if request.needs_code:
            text.append("  Because of the above it takes the typed code, not a key alone.\n")
        text.append("\nRejecting\n", "bold")
        text.append(
            "  changes nothing; your reason goes on record. So does an answer that does not come in time."
        )
        yield VerticalScroll(Static(text))
