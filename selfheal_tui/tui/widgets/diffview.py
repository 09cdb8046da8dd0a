"""The diff of a patch: side by side or unified, with hunks that can be taken in and out.

Painted plain at once; the comparison of long texts and all colours come from workers, whose late results are told
apart by a run number. What is written is never taken from what is drawn: `patched` works on the exact texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.source.hunks import apply_hunks
from selfheal_tui.tui.acting import Acting, bindings_of
from selfheal_tui.tui.widgets.diffpaint import Colours, Painter, cells_of, shown
from selfheal_tui.tui.widgets.diffrows import Compared, Row, compare, lay_out, patch_key
from selfheal_tui.tui.widgets.highlight import colours_of
from selfheal_tui.tui.widgets.lines import strip_of

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

Hunk = tuple[int, int]
"""Index of the file, index of the hunk in it."""

SIDE_BY_SIDE_FROM = 110
"""Cells from which two columns of code are readable beside each other."""
AT_ONCE = 1_000
"""Lines up to which texts are compared before the next paint; takes a few milliseconds."""
CONTEXTS: tuple[int | None, ...] = (0, 1, 3, 6, 12, 25, 50, None)
"""Equal lines around changes that the keys go through; None is all."""
_STEP = 8


CHANGED = frozenset({"change", "delete", "insert"})
"""Rows that differ; more context around them may not move them off the screen."""


class DiffView(Acting, ScrollView, can_focus=True):
    """Shows the files of a patch, before and after."""

    CONTEXTS = ("diff",)
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("diff")
    DEFAULT_CSS = """
    DiffView { overflow-x: auto; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    """

    class Painted(Message):
        """A patch is on the screen; sent once for each patch that `show` is given."""

        def __init__(self, diff: DiffView, patch_key: str) -> None:
            super().__init__()
            self.diff = diff
            self.patch_key = patch_key

        @property
        def control(self) -> DiffView:
            """The view."""
            return self.diff

    class HunksChanged(Message):
        """Hunks were taken in or out."""

        def __init__(self, diff: DiffView, chosen: frozenset[Hunk]) -> None:
            super().__init__()
            self.diff = diff
            self.chosen = chosen

        @property
        def control(self) -> DiffView:
            """The view."""
            return self.diff

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - the name that every widget of Textual has
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._changes: tuple[FileChange, ...] = ()
        self._key = ""
        self._run = 0
        self._files: tuple[Compared, ...] = ()
        self._rows: list[Row] = []
        self._widest = 0
        self._colours: Colours = {}
        self._wanted = ""  # what the operator chose; empty for what fits
        self._laid_out = (-1, False)
        self._around = CONTEXTS.index(3)
        self._choosing = False
        self._chosen: frozenset[Hunk] = frozenset()
        self._current: Hunk = (-1, -1)
        self._painter: Painter | None = None
        self._painted_run = 0
        self._told_run = 0

    # -- what the owner asks ------------------------------------------------------------------------

    @property
    def patch_key(self) -> str:
        """Identifies the patch that is shown; empty when there is none."""
        return self._key

    @property
    def changes(self) -> tuple[FileChange, ...]:
        """The files that are shown."""
        return self._changes

    @property
    def ready(self) -> bool:
        """Whether the texts have been compared."""
        return bool(self._files)

    @property
    def painted(self) -> bool:
        """Whether this very patch has been on the screen."""
        return bool(self._files) and self._told_run == self._run

    @property
    def unified(self) -> bool:
        """Whether removed lines are above added ones, instead of beside them."""
        return self._wanted == "unified" or (not self._wanted and self.size.width < SIDE_BY_SIDE_FROM)

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """All hunks, in order."""
        return tuple((n, k) for n, file in enumerate(self._files) for k in range(len(file.hunks)))

    @property
    def chosen_hunks(self) -> frozenset[Hunk]:
        """The hunks that are in."""
        return self._chosen

    @property
    def current_hunk(self) -> Hunk:
        """The hunk that keys are about; (-1, -1) when there is none."""
        return self._current

    def show(self, changes: Sequence[FileChange], *, choose_hunks: bool = False) -> None:
        """Shows a patch; the one that is shown already stays as it is, with scroll position and choice."""
        key = patch_key(changes) if changes else ""
        notes = [change.note for change in changes] != [change.note for change in self._changes]
        if key == self._key and not notes and choose_hunks == self._choosing:
            return
        self._changes, self._key, self._choosing = tuple(changes), key, choose_hunks
        self._run += 1
        self._files, self._rows, self._colours = (), [], {}
        self._chosen, self._current = frozenset(), (-1, -1)
        self.scroll_to(x=0, y=0, animate=False, force=True)
        if sum(change.before.count("\n") + change.after.count("\n") for change in changes) <= AT_ONCE:
            self._compared(self._run, [compare(change) for change in changes])
        else:
            run, given = self._run, self._changes
            self.run_worker(
                partial(self._compare, run, given), thread=True, group="rows", exit_on_error=False
            )
        self.refresh()

    def toggle_hunk(self, hunk: Hunk | None = None) -> bool:
        """Takes a hunk out or in, the current one if none is named; returns whether there is one."""
        hunk = self._current if hunk is None else hunk
        if not self._choosing or hunk not in self.hunks:
            return False
        self._chosen ^= {hunk}
        self.refresh()
        self._say(self.HunksChanged(self, self._chosen))
        return True

    def patched(self) -> list[EditedFile]:
        """Returns the whole texts of the files that the chosen hunks change, made from the exact texts."""
        texts = [
            (change, apply_hunks(change.before, file.hunks, {k + 1 for n, k in self._chosen if n == index}))
            for index, (change, file) in enumerate(zip(self._changes, self._files, strict=False))
        ]
        return [EditedFile(change.path, text) for change, text in texts if text != change.before]

    # -- actions ------------------------------------------------------------------------------------

    def act_layout(self) -> None:
        """Side by side, or unified."""
        self._wanted = "side" if self.unified else "unified"
        self._lay_out()

    def act_next_hunk(self) -> None:
        """To the next hunk."""
        self._to_hunk(1)

    def act_previous_hunk(self) -> None:
        """To the hunk before."""
        self._to_hunk(-1)

    def act_more(self) -> None:
        """More equal lines around changes."""
        self._around = min(self._around + 1, len(CONTEXTS) - 1)
        self._lay_out()

    def act_less(self) -> None:
        """Fewer equal lines around changes."""
        self._around = max(self._around - 1, 0)
        self._lay_out()

    def act_next_file(self) -> None:
        """To the next file of the patch, after the last one to the first."""
        heads = [n for n, row in enumerate(self._rows) if row.kind == "file"]
        top = round(self.scroll_y)
        target = next((n for n in heads if n > top), heads[0] if heads else 0)
        if target >= round(self.max_scroll_y) and top >= round(self.max_scroll_y):
            target = heads[0] if heads else 0
        self._scroll(y=target)
        self._look_for_current()

    def act_down(self) -> None:
        """One line down."""
        self._scroll(y=self.scroll_y + 1)

    def act_up(self) -> None:
        """One line up."""
        self._scroll(y=self.scroll_y - 1)

    def act_top(self) -> None:
        """To the first line."""
        self._scroll(y=0)

    def act_bottom(self) -> None:
        """To the last line."""
        self._scroll(y=self.max_scroll_y)

    def act_half_down(self) -> None:
        """Half a page down."""
        self._scroll(y=self.scroll_y + max(1, self.size.height // 2))

    def act_half_up(self) -> None:
        """Half a page up."""
        self._scroll(y=self.scroll_y - max(1, self.size.height // 2))

    def act_right(self) -> None:
        """Further right."""
        self._scroll(x=self.scroll_x + _STEP)

    def act_left(self) -> None:
        """Back to the left."""
        self._scroll(x=self.scroll_x - _STEP)

    def on_click(self, event: events.Click) -> None:
        """Makes the hunk that was clicked the current one; a click on its header takes it in or out."""
        offset = event.get_content_offset(self)
        row = self._row_at(offset.y) if offset is not None else None
        if row is None or row.hunk < 0:
            return
        self._current = (row.file, row.hunk)
        if row.kind == "hunk":
            self.toggle_hunk()
        self.refresh()

    def on_resize(self) -> None:
        """Takes the layout that fits."""
        if self._laid_out != (self.size.width, self.unified):
            self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Makes a hunk that is in view the current one."""
        super().watch_scroll_y(old_value, new_value)
        self._look_for_current()

    # -- workers ------------------------------------------------------------------------------------

    def _compare(self, run: int, changes: Sequence[FileChange]) -> None:
        """Compares texts, on a thread."""
        files = [compare(change) for change in changes]
        self.call_later(self._compared, run, files)

    def _compared(self, run: int, files: Sequence[Compared]) -> None:
        if run != self._run:
            return
        self._files = tuple(files)
        self._chosen = frozenset(self.hunks)
        self._current = self.hunks[0] if self.hunks else (-1, -1)
        self._widest = max(
            (cells_of(line) for f in files for side in (f.old, f.new) for line in side), default=0
        )
        self._lay_out()
        if self._files and self.is_attached:
            self.run_worker(
                partial(self._colour, run, self._files), thread=True, group="colours", exit_on_error=False
            )

    def _colour(self, run: int, files: Sequence[Compared]) -> None:
        """Finds the colours of the code, on a thread."""
        colours = {}
        for index, file in enumerate(files):
            for new, side in ((False, file.old), (True, file.new)):
                if run != self._run:
                    return
                colours[index, new] = colours_of([shown(line) for line in side], file.path)
        self.call_later(self._coloured, run, colours)

    def _coloured(self, run: int, colours: Colours) -> None:
        if run == self._run:
            self._colours = colours
            self.refresh()

    # -- laying out and drawing ---------------------------------------------------------------------

    def _lay_out(self) -> None:
        kept = self._change_of(self._current)
        above = kept - round(self.scroll_y)
        self._rows = lay_out(self._files, context=CONTEXTS[self._around], unified=self.unified)
        self._laid_out = (self.size.width, self.unified)
        room = self.size.width if self.unified else self.size.width // 2
        beyond = max(0, self._widest + self._gutter - room)
        self.virtual_size = Size(self.size.width + beyond if beyond else 1, len(self._rows))
        now = self._change_of(self._current)
        if kept >= 0 and now >= 0 and (round(self.scroll_y) or above < self.size.height <= now):
            self._scroll(y=now - above)
        self._painter = None
        self.refresh()

    @property
    def _gutter(self) -> int:
        longest = max((max(len(file.old), len(file.new)) for file in self._files), default=0)
        digits = max(3, len(str(longest)))
        return digits * (2 if self.unified else 1) + 4

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draws what is in view, and tells when it is a new patch."""
        console = cast("Console", self.app)
        words = self._painter.words if self._painter else {}
        self._painter = Painter(
            looks=console.looks,
            files=self._files,
            width=self.size.width,
            unified=self.unified,
            base=self.rich_style,
            x=round(self.scroll_x),
            choosing=self._choosing,
            chosen=self._chosen,
            current=self._current,
            colours=self._colours,
            words=words,
        )
        if self._files and self.size.height and self._painted_run != self._run:
            self._painted_run = self._run
            self.call_after_refresh(self._tell_painted, self._run)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draws a line of the screen."""
        row = self._row_at(y)
        if row is not None and self._painter is not None:
            return self._painter.row(row)
        text = ""
        if y == 0 and not self._files:
            text = "comparing…" if self._changes else "There is no diff to show."
        return strip_of(Text(text), self.size.width, self.rich_style)

    def _tell_painted(self, run: int) -> None:
        if run == self._run:
            self._told_run = run
            self._say(self.Painted(self, self._key))

    def _say(self, message: Message) -> None:
        # Whoever called into this widget would pass for the sender, and a message does not bubble beyond its sender.
        self.post_message(message.set_sender(self))

    # -- where things are ---------------------------------------------------------------------------

    def _row_at(self, y: int) -> Row | None:
        line = y + round(self.scroll_y)
        return self._rows[line] if 0 <= line < len(self._rows) else None

    def _line_of(self, hunk: Hunk) -> int:
        """Returns the line of a hunk's header; -1 when it has none."""
        return next(
            (n for n, row in enumerate(self._rows) if row.kind == "hunk" and (row.file, row.hunk) == hunk), -1
        )

    def _change_of(self, hunk: Hunk) -> int:
        """Returns the first changed line of a hunk; -1 when it has none."""
        changed = (
            n for n, row in enumerate(self._rows) if row.kind in CHANGED and (row.file, row.hunk) == hunk
        )
        return next(changed, -1)

    def _look_for_current(self) -> None:
        """Makes the first hunk in view the current one, unless the current one is in view."""
        top, bottom = round(self.scroll_y), round(self.scroll_y) + self.size.height
        in_view = [(row.file, row.hunk) for row in self._rows[top:bottom] if row.hunk >= 0]
        if in_view and self._current not in in_view:
            self._current = in_view[0]
            self.refresh()

    def _to_hunk(self, step: int) -> None:
        hunks = self.hunks
        if not hunks:
            return
        place = hunks.index(self._current) if self._current in hunks else 0
        line = self._line_of(self._current)
        in_view = 0 <= line - round(self.scroll_y) < self.size.height
        # The first press goes to the current hunk where that is out of view.
        place = min(max(place + step, 0), len(hunks) - 1) if in_view else place
        self._current = hunks[place]
        self._scroll(y=self._line_of(self._current) - 1)
        self._show_change()
        self.refresh()

    def _show_change(self) -> None:
        """Scrolls sideways to what changed in the current hunk's first line, where that is far out."""
        row = next(
            (r for r in self._rows if (r.file, r.hunk) == self._current and r.left >= 0 and r.right >= 0),
            None,
        )
        if row is None or row.kind == "hunk" or self._painter is None:
            return
        words = self._painter.words_of(row)
        start = min((first for first, _ in words), default=0)
        room = (self.size.width if self.unified else self.size.width // 2) - self._gutter
        if not self.scroll_x <= start < self.scroll_x + room:
            self._scroll(x=max(0, start - room // 2) if start >= room else 0)

    def _scroll(self, *, x: float | None = None, y: float | None = None) -> None:
        self.scroll_to(x=x, y=y, animate=False, force=True)
