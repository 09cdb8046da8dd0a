"""The project's own tests are run in the copy; a run that did not happen is never a pass."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.ports import TestRun
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


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter without pytest."""
    where = tmp_path_factory.mktemp("bare") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(where)], check=True)
    return str(where / "bin" / "python")


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


def sandbox(
    root: Path, level: Isolation | None = None, python: str = sys.executable, **project: object
) -> ProjectSandbox:
    settings = ProjectSettings(**project)  # type: ignore[arg-type]
    return ProjectSandbox(Project(root), SandboxSettings(), settings, python, isolation=level)


def run(
    root: Path,
    python: str = sys.executable,
    *,
    seconds: float = 60,
    only: tuple[str, ...] = (),
    **project: object,
) -> TestRun:
    with sandbox(root, None, python, **project).workspace() as workspace:
        return workspace.run_tests(seconds=seconds, only=only)


MIXED = """
import pytest

def test_good(): pass
def test_bad(): assert 0
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_expected(): assert 0
@pytest.mark.parametrize("x", [1, 2])
def test_many(x): assert x == 1
@pytest.fixture
def broken_after():
    yield
    raise RuntimeError
def test_teardown(broken_after): pass
"""


def test_outcomes_are_told_by_id_on_every_level(root, level):
    put(root, "tests/test_mixed.py", MIXED)
    with sandbox(root, level).workspace() as workspace:
        result = workspace.run_tests(seconds=60)
        assert result.ran, result
        assert result.runner == "pytest"
        assert result.passed == {f"tests/test_mixed.py::{name}" for name in ("test_good", "test_many[1]")}
        assert result.failed == {
            f"tests/test_mixed.py::{name}" for name in ("test_bad", "test_many[2]", "test_teardown")
        }
        assert result.skipped == 2
        again = workspace.run_tests(seconds=60, only=sorted(result.failed))
        assert (again.passed, again.failed) == (frozenset(), result.failed)


def test_a_fix_moves_a_test_from_failed_to_passed(root):
    put(root, "lib.py", "def f(): return 1 / 0\n")
    put(root, "test_lib.py", "import lib\ndef test_f(): assert lib.f() == 1\ndef test_other(): pass\n")
    with sandbox(root).workspace() as workspace:
        before = workspace.run_tests(seconds=60)
        workspace.write({"lib.py": b"def f(): return 1 \n"})
        after = workspace.run_tests(seconds=60)
    assert before.failed - after.failed == {"test_lib.py::test_f"}
    assert after.failed == frozenset()


def test_a_file_that_cannot_be_collected_is_a_failed_id_and_hides_no_other_test(root):
    put(root, "test_a.py", "import nothing_of_that_name\n")
    put(root, "test_b.py", "def test_b(): pass\n")
    result = run(root)
    assert result.ran
    assert (result.passed, result.failed) == ({"test_b.py::test_b"}, {"test_a.py"})


def test_stopping_at_the_first_failure_is_overruled(root):
    put(root, "pytest.ini", "[pytest]\naddopts = -x\n")
    put(root, "test_a.py", "def test_1(): assert 0\ndef test_2(): pass\ndef test_3(): assert 0\n")
    result = run(root)
    assert result.failed == {"test_a.py::test_1", "test_a.py::test_3"}
    assert result.passed == {"test_a.py::test_2"}


def test_options_for_plugins_that_are_missing_do_not_prevent_a_run(root):
    put(root, "pytest.ini", "[pytest]\naddopts = --no-such-option=of-a-plugin\n")
    put(root, "test_a.py", "def test_a(): pass\n")
    assert run(root).passed == {"test_a.py::test_a"}


def test_ids_can_be_given_back_where_pytest_has_another_root(root):
    put(root, "part/pytest.ini", "[pytest]\n")
    put(root, "part/test_a.py", "def test_a(): assert 0\n")
    first = run(root)
    assert first.failed == {"part/test_a.py::test_a"}
    assert run(root, only=("part/test_a.py::test_a",)).failed == first.failed


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"conftest.py": "import sys\nsys.exit(0)\n"}, "ended before"),
        ({"conftest.py": "import os\nos._exit(0)\n"}, "ended before"),
        ({"conftest.py": "import pytest\npytest.exit('all fine', returncode=0)\n"}, "ended before"),
        (
            {
                "conftest.py": "import pytest\ndef pytest_runtest_setup(item): pytest.exit('fine', returncode=0)\n"
            },
            "interrupted",
        ),
        ({"test_b.py": "import os\ndef test_exit(): os._exit(0)\n"}, "ended before"),
        ({"conftest.py": "def pytest_collection_modifyitems(items): items.clear()\n"}, "no tests"),
        (
            {"conftest.py": "def pytest_runtest_setup(item): __import__('pytest').skip()\n"},
            "every test was skipped",
        ),
        ({"conftest.py": "def pytest_configure(config): raise RuntimeError('no')\n"}, ""),
        (
            {"test_b.py": "import os, signal\ndef test_kill(): os.kill(os.getpid(), signal.SIGKILL)\n"},
            "signal 9",
        ),
    ],
)
def test_a_run_that_did_not_happen_is_no_pass(root, files, reason):
    put(root, "test_a.py", "def test_a(): pass\n")
    for name, text in files.items():
        put(root, name, text)
    result = run(root)
    assert not result.ran, result
    assert result.passed == frozenset()
    assert reason in result.reason
    assert result.reason


def test_garbage_on_the_result_descriptor_is_believed_in_nothing(root):
    put(
        root,
        "conftest.py",
        """
        import os
        for number in range(3, 1024):
            try:
                os.write(number, b'{"forged": true}\\n')
            except OSError:
                pass
        """,
    )
    put(root, "test_a.py", "def test_a(): assert 0\n")
    assert not run(root).ran


def test_a_forged_report_without_the_token_is_believed_in_nothing(root):
    put(
        root,
        "conftest.py",
        """
        import json, os
        lines = [{"id": "test_a.py::test_a", "outcome": "passed"}, {"end": 0, "interrupted": False}]
        for number in range(3, 1024):
            try:
                os.write(number, "".join(json.dumps(line) + "\\n" for line in lines).encode())
            except OSError:
                pass
        os._exit(0)
        """,
    )
    put(root, "test_a.py", "def test_a(): assert 0\n")
    assert not run(root).ran


def test_tests_that_hang_are_reported_as_timed_out(root, level):
    put(root, "test_a.py", "import time\ndef test_a(): time.sleep(300)\n")
    with sandbox(root, level).workspace() as workspace:
        result = workspace.run_tests(seconds=4)
    assert (result.ran, result.timed_out) == (False, True)
    assert "sandbox.test_seconds" in result.reason


def test_a_project_without_tests_says_so(root):
    put(root, "app.py", "x = 1\n")
    result = run(root)
    assert (result.ran, result.runner) == (False, "")
    assert "no tests were found" in result.reason


def test_tests_can_be_switched_off(root):
    put(root, "test_a.py", "def test_a(): pass\n")
    assert "switched off" in run(root, run_tests=False).reason


UNITTEST = """
import unittest

class T(unittest.TestCase):
    def test_good(self): pass
    def test_bad(self): self.fail()
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i): self.assertNotEqual(i, 1)
    @unittest.skip("x")
    def test_skipped(self): pass

class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise RuntimeError
    def test_never(self): pass
"""


def test_unittest_is_used_where_pytest_is_missing(root, bare_python, level):
    put(root, "tests/test_unit.py", UNITTEST)
    put(root, "tests/test_load.py", "import unittest\nimport nothing_of_that_name\n")
    with sandbox(root, level, bare_python).workspace() as workspace:
        result = workspace.run_tests(seconds=60)
        assert result.ran, result
        assert result.runner == "unittest"
        assert result.passed == {"test_unit.T.test_good"}
        assert result.failed >= {"test_unit.T.test_bad", "test_unit.T.test_sub"}
        assert any("test_load" in name for name in result.failed)
        assert any("Broken" in name for name in result.failed)
        assert result.skipped == 1


def test_single_unittest_tests_can_be_run_again(root, bare_python):
    put(root, "tests/__init__.py", "")
    put(root, "tests/test_unit.py", UNITTEST)
    result = run(root, bare_python, only=("tests.test_unit.T.test_good", "tests.test_unit.T.test_bad"))
    assert (result.passed, result.failed) == ({"tests.test_unit.T.test_good"}, {"tests.test_unit.T.test_bad"})


def test_unittest_tests_in_a_plain_folder_can_be_run_again(root, bare_python):
    put(root, "tests/test_unit.py", UNITTEST)
    result = run(root, bare_python, only=("test_unit.T.test_bad",))
    assert (result.passed, result.failed) == (frozenset(), {"test_unit.T.test_bad"})


@pytest.mark.parametrize("code", ["sys.exit(0)", "os._exit(0)"])
def test_a_unittest_run_that_ends_early_is_no_pass(root, bare_python, code):
    put(root, "test_a.py", UNITTEST)
    put(root, "test_b.py", f"import os, sys, unittest\n{code}\n")
    result = run(root, bare_python)
    # Some versions of unittest turn a SystemExit while loading into a test that failed.
    assert not result.ran or any("test_b" in name for name in result.failed)


def test_pytest_tests_without_pytest_are_not_run_and_the_remedy_is_named(root, bare_python):
    put(root, "test_a.py", "def test_a(): pass\n")
    result = run(root, bare_python)
    assert not result.ran
    assert "install it or set project.test_command" in result.reason


def test_a_configured_command_with_pytest_reports_ids(root):
    put(root, "test_a.py", "def test_a(): pass\ndef test_b(): assert 0\n")
    result = run(root, test_command="python -m pytest -q test_a.py")
    assert result.runner == "command"
    assert (result.passed, result.failed) == ({"test_a.py::test_a"}, {"test_a.py::test_b"})


def test_a_command_that_starts_pytest_without_our_descriptor_reports_ids_too(root):
    put(root, "test_a.py", "def test_a(): pass\ndef test_b(): assert 0\n")
    put(
        root,
        "check.py",
        "import subprocess, sys\nsys.exit(subprocess.call([sys.executable, '-m', 'pytest']))\n",
    )
    result = run(root, test_command="python check.py")
    assert (result.passed, result.failed) == ({"test_a.py::test_a"}, {"test_a.py::test_b"})


@pytest.mark.parametrize(
    ("command", "ran", "passes"),
    [
        ("python -c pass", True, True),
        ("python -c 'raise SystemExit(2)'", True, False),
        ("true && false", True, False),
        ("false || true", True, True),
        ("no-such-command-anywhere", False, False),
        ("no-such-command-anywhere | no-such-command-anywhere", False, False),
        ("python -m pytest -q test_a.py && false", True, False),
        ("python -c 'import os; os.abort()'", False, False),
    ],
)
def test_a_configured_command_counts_by_its_exit_status(root, command, ran, passes):
    put(root, "test_a.py", "def test_a(): pass\n")
    result = run(root, test_command=command)
    assert result.ran is ran, result
    assert (bool(result.passed) and not result.failed) is passes
    assert bool(result.reason) is not ran
