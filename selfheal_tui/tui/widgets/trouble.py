"""What is wrong with the tool itself, or keeps it from working, under the header: nobody should have to look for it.

Says what the board says; gone when there is nothing to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text

from selfheal_tui.operations.snapshot import Board, Tone
from selfheal_tui.operations.standings import ENGINE_PAUSED
from selfheal_tui.tui.actions import BY_ID
from selfheal_tui.tui.widgets.fact import Fact
from selfheal_tui.tui.widgets.lines import one_line

if TYPE_CHECKING:
    from selfheal_tui.tui.app import Console

_POLICY, _PAUSE = BY_ID["app.policy"], BY_ID["policy.pause"]
_IN_THE_WAY = frozenset({Tone.WARN, Tone.BAD})


class Trouble(Fact):
    """A few lines: why the engine does not work, and the newest problem."""

    DEFAULT_CSS = "Trouble { height: auto; max-height: 5; padding: 0 1; display: none; }"

    def show_board(self, board: Board) -> None:
        """Draws it."""
        looks = cast("Console", self.app).looks
        engine = board.engine
        said = [engine.detail] if engine.detail and engine.standing.tone in _IN_THE_WAY else []
        if said and engine.standing.word == ENGINE_PAUSED.word:
            keys = cast("Console", self.app).keys
            said[0] += f": {keys.shown(_POLICY)}, then {keys.shown(_PAUSE)}"
        newest = board.problems[-1] if board.problems else ""
        if newest and newest not in said:
            more = f" ({len(board.problems) - 1} more)" if len(board.problems) > 1 else ""
            said.append(newest + more)
        self.display = bool(said)
        mark = looks.mark(engine.standing) if engine.standing.tone in _IN_THE_WAY else "!"
        tone = Tone.BAD if board.problems else Tone.WARN
        self.put(Text("\n").join([Text(f"{mark} {one_line(each)}", looks.style(tone)) for each in said]))
