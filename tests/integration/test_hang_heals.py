"""`selfheal run --hang-after`: an endless loop is ended, mended and run again; a loop nobody checks is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import PYTHON, Shell, tree

LINES = '''"""Text."""


def squeeze(line):
    while "  " in line:
        line.replace("  ", " ")
    return line
'''
CHECKED = "from lines import squeeze\n\nassert squeeze('a   b') == 'a b'\nprint('done')\n"
UNCHECKED = "from lines import squeeze\n\nprint(squeeze('a   b'))\n"
RUN = ("run", "--env", "local", "--hang-after", "1", "--", PYTHON, "main.py")


def shell_with(tmp_path: Path, main: str) -> Shell:
    root = tmp_path / "project"
    root.mkdir()
    return Shell(root, {"lines.py": LINES, "main.py": main})


def test_an_endless_loop_is_ended_mended_and_run_again(tmp_path: Path) -> None:
    shell = shell_with(tmp_path, CHECKED)
    done = shell(*RUN)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["done"]
    assert 'line = line.replace("  ", " ")' in (shell.root / "lines.py").read_text()


def test_an_end_that_nobody_checks_is_asked_about_and_changes_nothing(tmp_path: Path) -> None:
    shell = shell_with(tmp_path, UNCHECKED)
    before = tree(shell.root)
    done = shell(*RUN)
    assert done.returncode != 0
    assert "nothing checks what it does then" in done.stderr
    assert tree(shell.root) == before


@pytest.mark.parametrize("flags", [(), ("--hang-after", "0")])
def test_by_default_no_program_is_watched_for_hanging(tmp_path: Path, flags: tuple[str, ...]) -> None:
    shell = shell_with(tmp_path, "import os\n\nprint(os.environ.get('SELFHEAL_HANG_SECONDS'))\n")
    done = shell("run", "--env", "local", *flags, "--", PYTHON, "main.py")
    assert done.stdout.split() == ["None"]


def test_a_program_that_is_kept_running_is_never_ended_for_hanging(tmp_path: Path) -> None:
    shell = shell_with(tmp_path, UNCHECKED)
    done = shell("run", "--restart", "always", "--hang-after", "1", "--", PYTHON, "main.py")
    assert done.returncode == 2
    assert "--hang-after is for one command that is not kept running" in done.stderr
