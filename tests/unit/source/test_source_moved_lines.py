"""A crash whose file was edited since: its line is found again where it stands now, or left alone."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.model.settings import ProjectSettings
from selfheal_tui.source.project import Project

BEFORE = "def f(items):\n    return sum(itms)\n\n\ndef g(items):\n    return sum(itms)\n"


def localised(tmp_path: Path, text: str, qualname: str = "g", line: int = 6) -> Frame:
    (tmp_path / "app.py").write_text(text)
    frame = Frame(
        file=str(tmp_path / "app.py"),
        qualname=qualname,
        line=line,
        end_line=line,
        col=15,
        end_col=19,
        first_line=line - 1,
        source="    return sum(itms)",
    )
    report = CrashReport("r", 1.0, CaptureSource.PROBE, (ExceptionInfo("NameError", "", (frame,)),))
    return Project(tmp_path, ProjectSettings()).localise(report).chain[0].frames[0]


def test_a_line_that_did_not_move_stays(tmp_path: Path) -> None:
    assert localised(tmp_path, BEFORE).line == 6


def test_a_line_that_an_import_above_has_moved_is_followed(tmp_path: Path) -> None:
    frame = localised(tmp_path, "import os\n\n\n" + BEFORE)
    assert (frame.line, frame.end_line, frame.first_line, frame.col) == (9, 9, 8, 15)


def test_only_the_frames_own_function_is_searched(tmp_path: Path) -> None:
    frame = localised(
        tmp_path,
        "import os\n" + BEFORE.replace("def g(items):\n    return sum(itms)", "def g(items):\n    return 0"),
    )
    assert frame.line == 6


def test_two_lines_that_read_the_same_are_not_told_apart(tmp_path: Path) -> None:
    text = "import os\n" + BEFORE + "    return sum(itms)\n"
    assert localised(tmp_path, text).line == 6


def test_localising_again_changes_nothing(tmp_path: Path) -> None:
    text = "import os\n" + BEFORE
    once = localised(tmp_path, text)
    report = CrashReport("r", 1.0, CaptureSource.PROBE, (ExceptionInfo("NameError", "", (once,)),))
    assert Project(tmp_path, ProjectSettings()).localise(report).chain[0].frames[0] == once
