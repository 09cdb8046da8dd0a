"""What a file becomes when only some of its hunks are taken: from the exact texts, never from what is drawn."""

from __future__ import annotations

from collections.abc import Collection

from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.tui.widgets.diffrows import Compared


def apply(change: FileChange, file: Compared, chosen: Collection[int]) -> str:
    """Returns a file's text with some of its hunks.

    Args:
        change: Its texts.
        file: The same, compared.
        chosen: Indexes of the hunks that are taken.

    Returns:
        The text; exactly `change.after` when all are taken, and `change.before` when none is.
    """
    out: list[str] = []
    done = 0
    for index, run in enumerate(file.runs):
        out += file.old[done : run.left]
        out += file.new[run.right : run.right_end] if index in chosen else file.old[run.left : run.left_end]
        done = run.left_end
    out += file.old[done:]
    text = "".join(out)
    assert len(chosen) < len(file.runs) or text == change.after
    return text
