"""Where a None came from, which exception of a chain is explained, and what a weak report still tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.kinds import CaptureSource, ChainLink, Nature
from selfheal_tui.pipeline.analyze import analyze
from selfheal_tui.source.project import Project

LIB = """
def load(name):
    if name:
        return {"name": name}


def find(name):
    if not name:
        return None
    return name


def through(name):
    return find(name)
"""


def crash(root: Path, code: str, line: int, message: str, kind: str = "AttributeError") -> CrashReport:
    (root / "lib.py").write_text(LIB)
    (root / "main.py").write_text(code)
    frame = Frame(
        str(root / "main.py"),
        "<module>",
        line,
        source=code.splitlines()[line - 1],
        path="main.py",
        in_app=True,
    )
    return CrashReport("0" * 32, 0.0, CaptureSource.TEXT, (ExceptionInfo(kind, message, (frame,)),))


NONE = "'NoneType' object has no attribute 'go'"


@pytest.mark.parametrize(
    ("code", "line", "part", "trail", "says"),
    [
        ("from lib import load\n\nx = load('')\nx.go()\n", 4, "x", [("main.py", 3), ("lib.py", 3)], "can reach its end"),
        ("from lib import find\n\nfind('').go()\n", 3, "find('')", [("lib.py", 9)], "returns None here"),
        ("from lib import through\n\nthrough('').go()\n", 3, "through('')", [("lib.py", 9)], "returns None here"),
        ("import lib\n\nlib.find('').go()\n", 3, "lib.find('')", [("lib.py", 9)], "returns None here"),
        ("x = None\nx.go()\n", 2, "x", [("main.py", 1)], "is set to None here"),
        ("d = {}\nd.get('a').go()\n", 2, "d.get('a')", [("main.py", 2)], "key is missing"),
        ("import re\nre.match('a', 'b').go()\n", 2, "re.match('a', 'b')", [("main.py", 2)], "nothing matches"),
        ("d = {}\nd.get('a', 1).go()\n", 2, "d.get('a', 1)", [], "does not show"),
    ],
)  # fmt: skip
def test_the_trail_of_a_none_leads_to_its_origin(
    code: str, line: int, part: str, trail: list[tuple[str, int]], says: str, tmp_path: Path
) -> None:
    found = analyze(crash(tmp_path, code, line, NONE), Project(tmp_path))
    assert found.signal == "none-value"
    assert f"`{part}` is None" in found.root_cause
    assert [(place.path, place.line) for place in found.trail] == trail
    assert says in found.explanation


def test_a_file_that_changed_since_the_crash_gives_no_expression(tmp_path: Path) -> None:
    report = crash(tmp_path, "x = None\nx.go()\n", 2, NONE)
    (tmp_path / "main.py").write_text("# another line\nx = None\nx.go()\n")
    found = analyze(report, Project(tmp_path))
    assert (found.failing_expression, found.trail) == ("", ())
    assert found.signal == "none-value"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00broken", b"def broken(:\n", b""])
def test_an_unreadable_source_costs_detail_but_not_the_diagnosis(content: bytes, tmp_path: Path) -> None:
    report = crash(tmp_path, "x = None\nx.go()\n", 2, NONE)
    (tmp_path / "main.py").write_bytes(content)
    assert analyze(report, Project(tmp_path)).signal == "none-value"


def test_a_refusal_stays_a_refusal_even_if_another_error_caused_it(tmp_path: Path) -> None:
    inner = crash(tmp_path, "x = {}\nx['a']\n", 2, "'a'", "KeyError").raised
    (tmp_path / "gate.py").write_text("raise PermissionError('not approved')\n")
    frame = Frame(
        str(tmp_path / "gate.py"),
        "<module>",
        1,
        source="raise PermissionError('not approved')",
        path="gate.py",
        in_app=True,
    )
    outer = ExceptionInfo("PermissionError", "not approved", (frame,))
    cause = ExceptionInfo(inner.type, inner.message, inner.frames, ChainLink.CAUSE)
    found = analyze(CrashReport("0" * 32, 0.0, CaptureSource.PROBE, (outer, cause)), Project(tmp_path))
    assert found.nature is Nature.POLICY
    assert found.suspect is not None
    assert found.suspect.path == "gate.py"


def test_a_cause_is_explained_rather_than_what_it_led_to(tmp_path: Path) -> None:
    inner = crash(tmp_path, "x = {}\nx['a']\n", 2, "'a'", "KeyError").raised
    (tmp_path / "run.py").write_text("raise RuntimeError('failed')\n")
    frame = Frame(
        str(tmp_path / "run.py"),
        "<module>",
        1,
        source="raise RuntimeError('failed')",
        path="run.py",
        in_app=True,
    )
    outer = ExceptionInfo("RuntimeError", "failed", (frame,))
    cause = ExceptionInfo(inner.type, inner.message, inner.frames, ChainLink.CAUSE)
    found = analyze(CrashReport("0" * 32, 0.0, CaptureSource.PROBE, (outer, cause)), Project(tmp_path))
    assert (found.signal, found.identifier) == ("missing-key", "a")


def test_foreign_frames_alone_make_it_external(tmp_path: Path) -> None:
    frame = Frame("/env/lib/python3.11/site-packages/other/main.py", "f", 3, source="x[1]")
    report = CrashReport(
        "0" * 32, 0.0, CaptureSource.TEXT, (ExceptionInfo("IndexError", "list index out of range", (frame,)),)
    )
    found = analyze(report, Project(tmp_path))
    assert found.nature is Nature.EXTERNAL
    assert found.suspect is None
    assert "No frame" in found.explanation
