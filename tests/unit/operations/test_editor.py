"""The operator's editor gets private copies of the exact texts, and what it leaves is taken to the byte."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from selfheal_tui.operations.editor import NoEditorError, edit, editor_command
from selfheal_tui.operations.snapshot import FileChange

CHANGES = (
    FileChange("app/agent.py", "old\r\n", "new\r\nline\r\n"),
    FileChange("other/agent.py", "", "ümlaut\u202e\n"),
)
ENVIRON = {"EDITOR": "true"}


def test_line_ends_and_letters_survive_an_editor_that_changes_nothing() -> None:
    files = edit(CHANGES, ENVIRON, lambda _command: 0)
    assert [(f.path, f.text) for f in files] == [(c.path, c.after) for c in CHANGES]


def test_files_keep_their_names_and_are_nobody_elses_to_read() -> None:
    seen: list[Path] = []

    def run(command: list[str]) -> int:
        seen.extend(Path(name) for name in command[1:])
        assert [file.name for file in seen] == ["agent.py", "agent.py"]
        assert all(stat.S_IMODE(file.parent.stat().st_mode) == 0o700 for file in seen)
        seen[0].write_bytes(b"mine\n")
        return 0

    assert edit(CHANGES, ENVIRON, run)[0].text == "mine\n"
    assert not any(file.exists() for file in seen)


@pytest.mark.parametrize("leave", [b"\xff\xfe", None])
def test_what_cannot_be_read_back_is_not_taken(leave: bytes | None) -> None:
    def run(command: list[str]) -> int:
        file = Path(command[1])
        file.unlink() if leave is None else file.write_bytes(leave)
        return 0

    with pytest.raises(NoEditorError, match="cannot be read"):
        edit(CHANGES, ENVIRON, run)


def test_an_editor_that_fails_takes_nothing_over() -> None:
    with pytest.raises(NoEditorError, match="ended with 1"):
        edit(CHANGES, ENVIRON, lambda _command: 1)


def test_the_editor_is_the_operators() -> None:
    assert editor_command({"VISUAL": "true --wait", "EDITOR": "false"}) == ["true", "--wait"]
    with pytest.raises(NoEditorError, match="EDITOR"):
        editor_command({"EDITOR": "no-such-editor-here"})
