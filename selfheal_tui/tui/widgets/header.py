"""The first lines of the console: what is supervised, whether anything needs somebody, and which view this is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from selfheal_tui.operations.snapshot import Board, Tone
from selfheal_tui.operations.standings import ENGINE_FAILED

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console


class Header(Widget):
    """One line of facts: project, environment, engine, what needs somebody, and the time."""

    DEFAULT_CSS = "Header { height: 1; dock: top; background: $panel; }"

    def on_mount(self) -> None:
        """Keeps the clock going."""
        self.set_interval(1.0, self.refresh)

    def render(self) -> Text:
        """Draws the line; what matters least is left out first where there is no room."""
        app = cast("Console", self.app)
        board, looks, width = app.board, app.looks, self.size.width
        clock = time.strftime("%H:%M:%S", time.localtime(app.clock()))
        engine = looks.badge(board.engine.standing)
        need = _need(board)
        parts: list[tuple[int, Text]] = [
            (3, Text("selfheal", looks.named("primary", bold=True))),
            (2, _shortened(board.project or "…", width // 4)),
            (
                1,
                Text(
                    board.environment,
                    looks.style(Tone.WARN if board.environment == "production" else Tone.QUIET),
                ),
            ),
            # Only that it runs goes without saying.
            (2 if board.engine.standing.tone is Tone.GOOD else 1, Text.assemble("engine ", engine)),
            (
                0,
                Text(
                    need, looks.style(Tone.ASK if board.requests else Tone.QUIET, bold=bool(board.requests))
                ),
            ),
        ]
        down = [program for program in board.programs if program.standing.tone is Tone.BAD]
        if down:
            name = down[0].name if len(down) == 1 else f"{len(down)} programs"
            text = looks.badge(down[0].standing)
            parts.append((1, Text.assemble(_shortened(name, 16), " ", text)))
        if board.read_only:
            parts.insert(3, (1, Text("read-only", looks.style(Tone.WARN))))
        if app.errands:
            parts.append((2, Text(f"{len(app.errands)} at work", looks.style(Tone.BUSY))))
        while len(parts) > 1:
            line = Text(" ").append_text(Text(looks.dot).join([part for _, part in parts]))
            if line.cell_len + len(clock) + 2 <= width:
                break
            parts.remove(max(parts, key=lambda part: part[0]))
        line = Text(" ").append_text(Text(looks.dot).join([part for _, part in parts]))
        line.truncate(max(0, width - len(clock) - 2), overflow="ellipsis")
        line.append(" " * max(1, width - line.cell_len - len(clock) - 1))
        line.append(clock, looks.quiet)
        return line


def _shortened(name: str, width: int) -> Text:
    text = Text(name, "bold")
    text.truncate(max(8, width), overflow="ellipsis")
    return text


def _need(board: Board) -> str:
    if board.loading:
        return "reading the store"
    if board.engine.standing.word == ENGINE_FAILED.word:
        return "look below"
    count = board.needs_you
    return f"{count} need{'s' if count == 1 else ''} you" if count else "nothing needs you"


class Tabs(Widget):
    """Names in a line, one of them in front; a click chooses."""

    DEFAULT_CSS = "Tabs { height: 1; }"

    class Chosen(Message):
        """A name was clicked."""

        def __init__(self, tabs: Tabs, name: str) -> None:
            super().__init__()
            self.tabs = tabs
            self.name = name

        @property
        def control(self) -> Tabs:
            """The tabs that were clicked."""
            return self.tabs

    def __init__(
        self,
        names: Sequence[tuple[str, str]],
        *,
        numbered: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._names = tuple(names)
        self._numbered = numbered
        self.active = self._names[0][0]

    def activate(self, name: str) -> None:
        """Puts a name in front."""
        self.active = name
        self.refresh()

    def _spans(self) -> list[tuple[str, str]]:
        return [
            (name, f" {number} {label} " if self._numbered else f" {label} ")
            for number, (name, label) in enumerate(self._names, 1)
        ]

    def render(self) -> Text:
        """Draws the names; the active one is marked by brackets too, not by colour alone."""
        looks = cast("Console", self.app).looks
        line = Text(no_wrap=True)
        for name, label in self._spans():
            if name == self.active:
                line.append(f"[{label[1:-1]}]", looks.named("primary", bold=True))
            else:
                line.append(label, looks.quiet)
        return line

    def on_click(self, event: events.Click) -> None:
        """Chooses the name under the pointer."""
        at = 0
        for name, label in self._spans():
            if at <= event.x < at + len(label):
                self.post_message(self.Chosen(self, name))
                return
            at += len(label)
