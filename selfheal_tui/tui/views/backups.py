"""View 3: the tree of files and their saved versions, and what restoring one would change. Reads and writes nothing.

What a version differs in is a preview of the desk's; restoring is decided on a screen of its own (`screens.rollback`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from selfheal_tui.operations.desk import Answered, BackupsReady, DeskEvent, PreviewReady
from selfheal_tui.operations.snapshot import BackupFile, BackupVersion, Board, RollbackPreview, Tone
from selfheal_tui.operations.standings import RESTORABLE
from selfheal_tui.tui.acting import bindings_of
from selfheal_tui.tui.actions import Action
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.screens.rollback import UNDO, RollbackScreen
from selfheal_tui.tui.times import day_and_time
from selfheal_tui.tui.views.filtered import FilteredView
from selfheal_tui.tui.widgets.diffview import DiffView
from selfheal_tui.tui.widgets.filterbar import FilterBar, matches
from selfheal_tui.tui.widgets.footer import Footer
from selfheal_tui.tui.widgets.rowlist import RowList

EMPTY = (
    "No backups yet. Every file is saved here before a fix is written over it. Heal something first:  "
    "selfheal run -- python your_program.py"
)
REST_SECONDS = 0.15
"""How long the cursor rests on a version before its diff is asked for, so that scrolling asks for nothing."""

ROOM_FOR_YEARS = 60
"""Cells from which on a version's time has its year and seconds."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the tree: a file, or (`version` given) one of its versions."""

    file: BackupFile
    version: BackupVersion | None = None

    @property
    def key(self) -> str:
        """Unique in the tree."""
        return f"version {self.version.backup_id}" if self.version else f"file {self.file.path}"


class BackupsView(FilteredView):
    """The backup tree."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("backups",)
    BINDINGS = bindings_of(*CONTEXTS)
    DEFAULT_CSS = """
    BackupsView #backups-pane { width: 1fr; }
    BackupsView #backups-preview { display: none; width: 2fr; }
    BackupsView #backups-facts { height: auto; max-height: 8; padding: 0 1; }
    BackupsView DiffView { height: 1fr; }
    .-medium BackupsView #backups-preview, .-wide BackupsView #backups-preview { display: block; }
    .-medium BackupsView #backups-pane { width: 44; }
    .-wide BackupsView #backups-pane { width: 64; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._files: tuple[BackupFile, ...] = ()
        self._read = False
        self._folded: set[str] = set()
        self._go_to = ""
        self._resting: Timer | None = None
        self._from_top = False
        self._seen_revision = -1

    def compose(self) -> ComposeResult:
        """Lays the view out."""
        with Horizontal():
            with Vertical(id="backups-pane", classes="pane"):
                yield FilterBar()
                yield RowList[Line](self._draw, lambda row: row.key, empty="reading…", id="backups-list")
            with Vertical(id="backups-preview", classes="pane"):
                yield Static(id="backups-facts")
                yield DiffView(id="backups-diff")

    @property
    def _list(self) -> RowList[Line]:
        return self.query_one("#backups-list", RowList)

    @property
    def _version(self) -> BackupVersion | None:
        row = self._list.item()
        return row.version if row else None

    @property
    def _to_restore(self) -> BackupVersion | None:
        """The version under the cursor; on a file the newest one that can be restored."""
        row = self._list.item()
        if row is None or row.version is not None:
            return row.version if row else None
        fits = [v for v in row.file.versions if v.standing.word == RESTORABLE.word]
        return fits[0] if fits else None

    # -- what comes in ------------------------------------------------------------------------------

    def opened(self) -> None:
        """Asks for the tree."""
        self.desk.ask_backups()
        if not self.has_focus_within:
            self._list.focus()

    def go_to(self, incident_id: str) -> None:
        """Puts the cursor on the newest version that an incident left."""
        self._go_to = incident_id
        self._refill()

    def show_board(self, board: Board) -> None:
        """Asks anew when something moved meanwhile."""
        if self._read and board.revision != self._seen_revision and self.display:
            self.desk.ask_backups()
        self._seen_revision = board.revision

    def hear(self, event: DeskEvent) -> None:
        """Draws the tree, and the preview of the version under the cursor."""
        if isinstance(event, BackupsReady):
            self._files, self._read = event.files, True
            self._refill()
            if self._from_top and self._list.row_count <= self._list.size.height:
                self._list.scroll_to(
                    y=0, animate=False, force=True
                )  # what the operator did may move what they see
            self._from_top = False
        elif isinstance(event, Answered) and self._read and self.display:
            self._from_top = True
            self.desk.ask_backups()
        elif isinstance(event, PreviewReady):
            version = self._version
            if version is not None and event.target == version.backup_id:
                self._show_preview(event.preview, event.error)

    @on(RowList.Moved, "#backups-list")
    def _moved(self) -> None:
        self._look()

    @on(RowList.Chosen, "#backups-list")
    def _chosen(self) -> None:
        self.act_open()

    @on(RowList.NewAbove, "#backups-list")
    def _new_above(self, event: RowList.NewAbove) -> None:
        sign = "^" if self.console.looks.ascii else "↑"
        self.query_one("#backups-pane").border_subtitle = Content(
            f"{event.count} new {sign}" if event.count else ""
        )

    # -- drawing ------------------------------------------------------------------------------------

    def _refill(self) -> None:
        rows: list[Line] = []
        for file in self._files:
            fitting = [v for v in file.versions if self._fits(v)]
            if not fitting:
                continue
            rows.append(Line(file))
            if file.path not in self._folded:
                rows += [Line(file, version) for version in fitting]
        self._list.empty = f"nothing has all of: {' '.join(self._words)}" if self._words else EMPTY
        self._list.show(rows)
        count = sum(len(file.versions) for file in self._files)
        versions = f"{count} version{'s' if count != 1 else ''}"
        files = f"{len(self._files)} file{'s' if len(self._files) != 1 else ''}"
        title = f"Backups · {versions} of {files}" if self._files else "Backups"
        self.query_one("#backups-pane").border_title = Content(title)
        if self._go_to and self._read:
            wanted, self._go_to = self._go_to, ""
            mine = [r for r in rows if r.version and r.version.incident_id == wanted]
            if mine:
                self._list.move_to(mine[0].key)
        self._look()

    def _fits(self, version: BackupVersion) -> bool:
        return matches(
            self._words,
            *(version.path, version.what, version.incident_id, version.sha, version.standing.word),
            day_and_time(version.created_at),
        )

    def _draw(self, row: Line, width: int, _cursor: bool) -> Sequence[Text]:
        looks = self.console.looks
        line = Text(no_wrap=True)
        if row.version is None:
            folded = row.file.path in self._folded
            sign = (">" if folded else "v") if looks.ascii else ("▸" if folded else "▾")
            line.append(f"{sign} {row.file.path}", looks.named("primary", bold=True))
            line.append(f"  {len(row.file.versions)}", looks.quiet)
        else:
            version = row.version
            style = looks.style(version.standing.tone)
            line.append(f"  {looks.mark(version.standing)} ", style)
            at = day_and_time(version.created_at)
            line.append(f"{at if width >= ROOM_FOR_YEARS else at[5:-3]} ")
            line.append(version.standing.word, style)
            line.append(f" · {version.what}", looks.quiet)
        line.truncate(width, overflow="ellipsis")
        return (line,)

    def _look(self) -> None:
        """Shows what is known about the row at once; its diff once the cursor rests."""
        row = self._list.item()
        title = row.file.path if row else "no version"
        self.query_one("#backups-preview").border_title = Content(title)
        self.query_one("#backups-facts", Static).update(_facts(row, self.console.looks))
        self.console.home.query_one(Footer).refresh()
        if self._resting is not None:
            self._resting.stop()
            self._resting = None
        diff = self.query_one(DiffView)
        if row is None or row.version is None:
            diff.show(())
            return
        if self.query_one("#backups-preview").display:
            self._resting = self.set_timer(REST_SECONDS, self._ask)

    def _ask(self) -> None:
        version = self._version
        # The open preview of a restore asks for itself: what it shows is what is written, and nothing later.
        if version is not None and not isinstance(self.app.screen, RollbackScreen):
            self.desk.ask_preview(version.backup_id)

    def _show_preview(self, preview: RollbackPreview | None, error: str) -> None:
        row = self._list.item()
        text = _facts(row, self.console.looks)
        if preview is None:
            text.append(f"\n{error}", self.console.looks.style(Tone.BAD))
            self.query_one(DiffView).show(())
        else:
            for change in preview.changes:
                tone = Tone.WARN if preview.conflicts else Tone.QUIET
                text.append(f"\nR would: {change.note}", self.console.looks.style(tone))
            self.query_one(DiffView).show(() if preview.nothing else preview.changes)
        self.query_one("#backups-facts", Static).update(text)

    # -- actions ------------------------------------------------------------------------------------

    def back(self) -> bool:
        """Drops the filter."""
        if self._words:
            self.query_one(FilterBar).action_drop()
            return True
        return False

    def why_not(self, action: Action) -> str:
        """Says what is in the way."""
        if action.verb == "undo":
            return "" if self._files else "nothing was restored or rolled back yet"
        if not self._files:
            return "there are no backups yet; every applied fix makes one per file"
        if action.verb == "restore" and self._to_restore is None:
            return "no version of this file can be restored"
        return ""

    def act_open(self) -> None:
        """Opens or closes a file's versions; on a version, those it is among."""
        row = self._list.item()
        if row is None:
            return
        self._folded ^= {row.file.path}
        self._refill()
        if row.version is not None:
            self._list.move_to(Line(row.file).key)

    def act_restore(self) -> None:
        """Opens the preview of a restore."""
        version = self._to_restore
        assert version is not None
        self.app.push_screen(RollbackScreen(version.backup_id))

    def act_undo(self) -> None:
        """Opens the preview of taking the last rollback back."""
        self.app.push_screen(RollbackScreen(UNDO))


def _facts(row: Line | None, looks: Looks) -> Text:
    text = Text()
    if row is None:
        return text.append("Backups are made of every file before it is changed.", looks.quiet)
    if row.version is None:
        newest = row.file.versions[0]
        text.append(
            f"{len(row.file.versions)} saved versions, the newest of {day_and_time(newest.created_at)}\n"
        )
        return text.append(
            "enter opens and closes them; R shows what restoring one would change, here the newest that differs",
            looks.quiet,
        )
    version = row.version
    text.append(f"{looks.mark(version.standing)} {version.standing.word}", looks.style(version.standing.tone))
    size = f" · {version.size} bytes" if version.size else ""
    text.append(f" · {day_and_time(version.created_at)} · {version.what}{size} · {version.sha}\n")
    return text.append(version.backup_id, looks.quiet)
