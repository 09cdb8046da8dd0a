"""Exceptions of failing tests come back from the copy as crash reports, and packages under `src` are found in tests."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.ports import Examiner, TestRun, Workspace
from selfheal_tui.model.settings import ProjectSettings, SandboxSettings
from selfheal_tui.sandbox.isolation import try_isolation
from selfheal_tui.sandbox.workspace import ProjectSandbox
from selfheal_tui.source.project import Project


@pytest.fixture(params=tuple(Isolation), ids=lambda level: level.value)
def level(request: pytest.FixtureRequest) -> Isolation:
    problem = try_isolation(request.param)
    if problem:
        pytest.skip(f"LOUD: {request.param.value} is not tested on this machine: {problem}")
    return request.param


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter without pytest."""
    where = tmp_path_factory.mktemp("bare") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(where)], check=True)
    return str(where / "bin" / "python")


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"))


@contextmanager
def workspace(
    root: Path, level: Isolation | None = None, python: str = sys.executable, **project: object
) -> Iterator[Workspace]:
    settings = ProjectSettings(**project)  # type: ignore[arg-type]
    box = ProjectSandbox(Project(root), SandboxSettings(), settings, python, isolation=level)
    with box.workspace() as made:
        yield made


def crashes(made: Workspace, *only: str, seconds: float = 60) -> dict[str, CrashReport]:
    assert isinstance(made, Examiner)
    found = made.test_crashes(seconds=seconds, only=only)
    assert len(dict(found)) == len(found)
    return dict(found)


LIB = """
def half(number):
    doubled = number * 2
    return doubled / 0
"""
TESTS = """
import lib


def test_fails():
    assert lib.half(21) == 1


def test_asserts():
    wanted = 3
    assert wanted == 4


def test_passes():
    pass


def test_is_not_asked_for():
    raise KeyError("other")
"""
ASKED = tuple(f"tests/test_lib.py::{name}" for name in ("test_fails", "test_asserts", "test_passes"))


def test_exceptions_come_back_with_live_paths_and_locals_on_every_level(root: Path, level: Isolation) -> None:
    put(root, "lib.py", LIB)
    put(root, "tests/test_lib.py", TESTS)
    put(root, "conftest.py", "")  # has pytest put the root on the path
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    with workspace(root, level) as made:
        found = crashes(made, *ASKED)
    assert set(found) == set(ASKED[:2])
    report = found["tests/test_lib.py::test_fails"]
    assert report.raised.bare_type == "ZeroDivisionError"
    frame = report.raised.frames[-1]
    assert (frame.file, frame.qualname, frame.line) == (str(root / "lib.py"), "half", 3)
    assert {(v.name, v.type, v.repr) for v in frame.locals} == {
        ("number", "int", "21"),
        ("doubled", "int", "42"),
    }
    suspect = Project(root).localise(report).suspect()
    assert suspect is not None
    assert suspect[1].path == "lib.py"
    assert found["tests/test_lib.py::test_asserts"].raised.bare_type == "AssertionError"
    assert {file: file.read_bytes() for file in root.rglob("*") if file.is_file()} == before


def test_what_is_written_into_the_copy_is_what_fails(root: Path) -> None:
    put(root, "test_a.py", "def test_a(): pass\n")
    with workspace(root) as made:
        made.write({"test_a.py": b"def test_a():\n    n = None\n    n.x\n"})
        (report,) = crashes(made, "test_a.py::test_a").values()
    assert report.raised.bare_type == "AttributeError"
    assert report.raised.frames[-1].file == str(root / "test_a.py")


GARBAGE = """
import os


def pytest_configure(config):
    for plugin in config.pluginmanager.get_plugins():
        if hasattr(plugin, "crashes_left"):
            own = [{}, [], 5, "crash_of", None, {"crash_of": 1}, {"crash_of": "x", "crash": None},
                   {"crash_of": "x", "crash": {"chain": 3}}, {"crash": {}}, ["crash_of"]]
            for line in own:
                plugin.write(line)
            for raw in ("{", "nonsense", "[" * 100_000, '{"crash_of": "x", "crash": ', "\\ud800", ""):
                os.write(plugin.descriptor, (plugin.token + raw + "\\n").encode("utf-8", "surrogatepass"))
"""


def test_lines_that_make_no_sense_are_ignored_and_the_others_count(root: Path) -> None:
    put(root, "conftest.py", GARBAGE)
    put(root, "test_a.py", "def test_a():\n    raise KeyError('k')\n")
    with workspace(root) as made:
        found = crashes(made, "test_a.py::test_a")
    assert [report.raised.bare_type for report in found.values()] == ["KeyError"]


def test_a_line_that_was_not_written_by_our_driver_discredits_all(root: Path) -> None:
    forging = GARBAGE.replace("plugin.token + raw", "raw")
    put(root, "conftest.py", forging)
    put(root, "test_a.py", "def test_a():\n    raise KeyError('k')\n")
    with workspace(root) as made:
        assert crashes(made, "test_a.py::test_a") == {}


def test_where_tests_are_switched_off_nothing_is_run(root: Path) -> None:
    put(root, "test_a.py", "def test_a():\n    raise KeyError\n")
    with workspace(root, run_tests=False) as made:
        assert crashes(made, "test_a.py::test_a") == {}


@pytest.mark.parametrize("settings", [{"test_command": "python -m pytest"}, {}], ids=["command", "no tests"])
def test_where_pytest_is_not_what_runs_the_tests_nothing_is_told(
    root: Path, settings: dict[str, object]
) -> None:
    if settings:
        put(root, "test_a.py", "def test_a():\n    raise KeyError\n")
    with workspace(root, **settings) as made:
        assert crashes(made, "test_a.py::test_a") == {}


SRC_LIB = "def two():\n    return 2\n\n\ndef fails():\n    return [][two()]\n"
SRC_TESTS = """
import unittest
import pack.lib


class Lib(unittest.TestCase):
    def test_two(self):
        self.assertEqual(pack.lib.two(), 2)

    def test_fails(self):
        pack.lib.fails()
"""


def outcomes(run: TestRun) -> tuple[set[str], set[str]]:
    assert run.ran, run
    return ({name.replace("::", ".").rpartition(".")[2] for name in run.passed},
            {name.replace("::", ".").rpartition(".")[2] for name in run.failed})  # fmt: skip


@pytest.fixture
def in_src(root: Path) -> Path:
    put(root, "src/pack/__init__.py", "")
    put(root, "src/pack/lib.py", SRC_LIB)
    put(root, "tests/test_lib.py", SRC_TESTS)
    return root


def test_packages_under_src_are_found_by_pytest(in_src: Path) -> None:
    with workspace(in_src) as made:
        run = made.run_tests(seconds=60)
        assert run.runner == "pytest"
        assert outcomes(run) == ({"test_two"}, {"test_fails"})
        assert dict(run.failed_at) == {"tests/test_lib.py::Lib::test_fails": "src/pack/lib.py"}
        (report,) = crashes(made, *run.failed).values()
    assert report.raised.frames[-1].file == str(in_src / "src/pack/lib.py")


def test_packages_under_src_are_found_by_unittest(in_src: Path, bare_python: str) -> None:
    with workspace(in_src, None, bare_python) as made:
        run = made.run_tests(seconds=60)
        assert run.runner == "unittest"
        assert outcomes(run) == ({"test_two"}, {"test_fails"})


def test_packages_in_a_configured_folder_are_found_by_a_configured_command(in_src: Path) -> None:
    (in_src / "src").rename(in_src / "lib")
    put(in_src, "pyproject.toml", '[tool.setuptools.package-dir]\n"" = "lib"\n')
    with workspace(in_src, test_command="python -m pytest -q") as made:
        run = made.run_tests(seconds=60)
        assert run.runner == "command"
        assert outcomes(run) == ({"test_two"}, {"test_fails"})
