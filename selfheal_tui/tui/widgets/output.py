"""A supervised program's output, live, with incidents marked in it; above it the program's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from selfheal_tui.operations.snapshot import Board, ProgramView, Tone
from selfheal_tui.source.display import visible
from selfheal_tui.supervisor.output import OutputLine
from selfheal_tui.tui.actions import BY_ID
from selfheal_tui.tui.times import age
from selfheal_tui.tui.widgets.textpane import LONGEST_LINE, TextPane

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

MOST_LINES = 2000
_NEXT, _RESTART = BY_ID["incidents.next_program"], BY_ID["incidents.program_restart"]
_LOOK_SECONDS = 0.25
NO_PROGRAM = (
    "This console supervises no program. Start one under it with:",
    "  selfheal run -- python your_program.py",
    "or keep programs in selfheal.toml as [[program]] and start them with: selfheal run",
)


class OutputPane(Vertical):
    """The output of one program at a time."""

    DEFAULT_CSS = """
    OutputPane { height: 1fr; }
    OutputPane Static { height: auto; max-height: 4; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.program = ""
        self._last = 0

    def compose(self) -> ComposeResult:
        """Lays the pane out."""
        yield Static(id="program")
        yield TextPane(follow=True)

    def on_mount(self) -> None:
        """Looks for new lines, while the pane is seen."""
        self.set_interval(_LOOK_SECONDS, self.look)
        self.show_board(self._host_app.board)

    @property
    def _host_app(self) -> Console:
        return cast("Console", self.app)

    def show_board(self, board: Board) -> None:
        """Draws the program's state; chooses the first program where none is chosen."""
        names = [program.name for program in board.programs]
        if self.program not in names:
            self.choose(names[0] if names else "")
        for program in board.programs:
            if program.name == self.program:
                self.query_one("#program", Static).update(self._state(program, len(names)))

    def choose(self, name: str) -> None:
        """Shows another program."""
        self.program, self._last = name, 0
        pane = self.query_one(TextPane)
        quiet = self._host_app.looks.quiet
        if name:
            pane.show([], key=name)
            self.look()
        else:
            self.query_one("#program", Static).update(Text())
            pane.show([Text(line, quiet) for line in NO_PROGRAM], key="none")

    def next_program(self, board: Board) -> None:
        """Goes to the next program."""
        names = [program.name for program in board.programs]
        if names:
            place = names.index(self.program) if self.program in names else -1
            self.choose(names[(place + 1) % len(names)])
            self.show_board(board)

    def look(self) -> None:
        """Takes the lines that are new."""
        if not self.program or not self.display or not self.is_attached:
            return
        new = self._host_app.desk.output(self.program, after=self._last)
        if new.last == self._last:
            return
        self._last = new.last
        lines = [self._line(line) for line in new.lines]
        if new.dropped:
            lines.insert(
                0, Text(f"({new.dropped} earlier lines are no longer kept)", self._host_app.looks.quiet)
            )
        self.query_one(TextPane).add(lines, most=MOST_LINES)

    def _line(self, line: OutputLine) -> Text:
        looks = self._host_app.looks
        if line.stream == "mark":
            rule = "--" if looks.ascii else "──"
            return Text(f"{rule} incident #{visible(line.text)} {rule}", looks.style(Tone.BAD, bold=True))
        text = visible(line.text[:LONGEST_LINE]).replace("\t", "    ")
        return Text(text, looks.style(Tone.WARN) if line.stream == "stderr" else "")

    def _state(self, program: ProgramView, several: int) -> Text:
        looks = self._host_app.looks
        line = Text(f"{program.name}  ", "bold").append_text(looks.badge(program.standing))
        since = age(self._host_app.clock() - program.since)
        pid = f"pid {program.pid}, " if program.pid else ""
        facts = f"  {pid}for {since}, run {program.run}, {program.crashes} crash{'' if program.crashes == 1 else 'es'}"
        line.append(facts, looks.quiet)
        keys = self._host_app.keys
        if several > 1:
            line.append(f"   {keys.shown(_NEXT)} next program", looks.quiet)
        if program.message:
            line.append(f"\n{program.message}", looks.quiet)
        if not program.pid:
            line.append(f"\n{keys.shown(_RESTART)} starts it anew", looks.quiet)
        return line
