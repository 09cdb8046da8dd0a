"""The preview of taking something back: exactly what would be written, and the two keys that have it written.

A stray key writes nothing: the keys are armed only once the very diff has been painted and looked at for a moment, and
anew whenever it changes or the terminal was looked away from. Over conflicts nothing is written but after a typed word.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input, Static

from selfheal_tui.operations.desk import Answered, DeskEvent, PreviewReady
from selfheal_tui.operations.snapshot import RollbackPreview, Tone
from selfheal_tui.tui.acting import bindings_of
from selfheal_tui.tui.actions import Action
from selfheal_tui.tui.screens.armed import ArmedScreen
from selfheal_tui.tui.screens.dialog import Dialog
from selfheal_tui.tui.widgets.diffrows import patch_key
from selfheal_tui.tui.widgets.diffview import DiffView
from selfheal_tui.tui.widgets.footer import Footer

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

UNDO = "undo"
"""The target that stands for the last rollback."""
WORD = "overwrite"


class RollbackScreen(ArmedScreen):
    """What taking something back would change.

    Args:
        target: A backup id, an incident id, or `undo`.
    """

    CONTEXTS: ClassVar[tuple[str, ...]] = ("rollback",)
    BINDINGS = bindings_of(*CONTEXTS)
    DEFAULT_CSS = """
    RollbackScreen #rollback-title { height: auto; max-height: 2; background: $panel; text-style: bold; padding: 0 1; }
    RollbackScreen #rollback-facts { height: auto; max-height: 6; padding: 0 1; }
    RollbackScreen DiffView { height: 1fr; }
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target
        self._preview: RollbackPreview | None = None
        self._error = ""
        self._writing = False

    def compose(self) -> ComposeResult:
        """Lays the screen out."""
        yield Static(id="rollback-title")
        yield Static(id="rollback-facts")
        yield DiffView()
        yield Footer()

    @property
    def _face(self) -> Console:
        return cast("Console", self.app)

    @property
    def _diff(self) -> DiffView:
        return self.query_one(DiffView)

    # -- what comes in ------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Asks for the preview."""
        self._draw()
        self._diff.focus()
        self._face.desk.ask_preview(self.target)

    def hear(self, event: DeskEvent) -> None:
        """Takes the preview, and what came of having it written."""
        if isinstance(event, PreviewReady) and event.target == self.target:
            if event.preview is None or event.preview != self._preview:
                self._take(event.preview, event.error)
        elif isinstance(event, Answered) and event.about == self.target and self._writing:
            self._writing = False
            if event.ok:
                self._leave()
            else:
                self._ask_again()
        self.query_one(Footer).refresh()

    def _leave(self) -> None:
        if self in self.app.screen_stack:
            while self.app.screen is not self:
                self.app.pop_screen()
            self.app.pop_screen()

    def _ask_again(self) -> None:
        self._take(None, "")
        self._face.desk.ask_preview(self.target)

    def _take(self, preview: RollbackPreview | None, error: str) -> None:
        self._preview, self._error = preview, error
        patch = patch_key(preview.changes) if preview is not None and not preview.nothing else ""
        self._turn(self.arming.offered(patch).again(time.monotonic()))
        self._draw()

    # -- arming -------------------------------------------------------------------------------------

    def arming_changed(self) -> None:
        """Draws whether keys count."""
        self.query_one(Footer).refresh()

    @on(DiffView.Painted)
    def _is_painted(self, event: DiffView.Painted) -> None:
        self.shown(event.patch_key)

    # -- drawing ------------------------------------------------------------------------------------

    def _draw(self) -> None:
        looks, preview = self._face.looks, self._preview
        title = preview.title if preview else self.target
        self.query_one("#rollback-title", Static).update(Text(title))
        facts = Text()
        if self._error:
            facts.append(f"This cannot be taken back: {self._error}", looks.style(Tone.BAD))
        elif preview is None:
            facts.append("working out what would change…", looks.quiet)
        elif preview.nothing:
            facts.append("There is nothing to do: the files are like that already.", looks.quiet)
        else:
            for change in preview.changes:
                if change.path in preview.conflicts:
                    facts.append(f"{change.path}: {change.note}\n", looks.style(Tone.WARN))
            if preview.conflicts:
                facts.append(
                    "Conflict: nothing is written. O writes over the later edits, which are backed up first.",
                    looks.style(Tone.BAD),
                )
            else:
                facts.append(
                    "y writes exactly this; esc goes back. What is replaced is backed up.", looks.quiet
                )
        self.query_one("#rollback-facts", Static).update(facts)
        self._diff.show(preview.changes if preview is not None and not preview.nothing else ())

    # -- actions ------------------------------------------------------------------------------------

    def why_not(self, action: Action) -> str:
        """Says what is in the way."""
        preview = self._preview
        if self._writing:
            return "it is being written"
        if preview is None:
            return self._error or "what would change is being worked out"
        if preview.nothing:
            return "there is nothing to do"
        if action.verb == "overwrite" and not preview.conflicts:
            return "there is no conflict; y writes it"
        if action.verb == "confirm" and preview.conflicts:
            return "it conflicts with later edits; O would write over them"
        return self.why_not_armed()

    def act_confirm(self) -> None:
        """Has it written."""
        self._write(overwrite=False)

    def act_overwrite(self) -> None:
        """Asks for the word, then has it written over later edits."""
        preview = self._preview
        assert preview is not None

        def answered(word: str | None) -> None:
            # What was conflicting when the word was asked for, and nothing that came in meanwhile.
            if word == WORD and self._preview == preview and not self._writing:
                self._write(overwrite=True)

        self.app.push_screen(OverwriteScreen(preview.conflicts), answered)

    def _write(self, *, overwrite: bool) -> None:
        self._writing = True
        self.look_again()
        self._face.desk.roll_back(self.target, overwrite=overwrite)


class OverwriteScreen(Dialog[str]):
    """Asks for the word without which later edits are not written over.

    Args:
        paths: The files that were edited since.
    """

    HEADING = "Write over later edits?"
    FOOT = f"type {WORD} and press enter · esc back"

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__()
        self._paths = paths

    def body(self) -> Iterable[Widget]:
        """Returns what would be lost, and the line for the word."""
        yield Static(
            Text(
                f"These were edited since in the same place: {', '.join(self._paths)}. Their edits go; a backup stays."
            )
        )
        yield Input(placeholder=f"type {WORD}")

    def on_mount(self) -> None:
        """Begins in the line."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        if event.value.strip().lower() == WORD:
            self.dismiss(WORD)
        else:
            self.query_one(Input).value = ""
            self.query_one(Input).placeholder = f"nothing was written; type {WORD}, or esc"
