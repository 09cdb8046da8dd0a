"""Gives the terminal to another program and takes it back. Runs what it is given, without a shell."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from textual.app import App, SuspendNotSupported

from selfheal_tui.operations.editor import NoEditorError


def run_in_terminal(app: App[Any], command: Sequence[str]) -> int:
    """Runs a program on the terminal and waits for it.

    Returns:
        Its exit code.

    Raises:
        NoEditorError: The terminal cannot be given away, as in a browser.
    """
    try:
        with app.suspend():
            return subprocess.run(list(command), check=False).returncode
    except SuspendNotSupported as error:
        raise NoEditorError("no editor can be opened from here; use a terminal") from error
