"""Which Python runs the project and how its tests are run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from selfheal_tui.model.crash import CrashReport, ProcessFacts
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.model.ports import SandboxError
from selfheal_tui.sandbox.interpreter import (
    Interpreter,
    find_interpreter,
    interpreter_facts,
    is_trustworthy_interpreter,
)
from selfheal_tui.sandbox.testplan import find_tests
from selfheal_tui.source.project import Project

HERE = Interpreter(sys.executable, "3.11", "test")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def fake_python(tmp_path: Path):
    """Makes executables that hand over to the real one, to tell them apart by path."""

    def make(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        path.chmod(0o755)
        return path

    return make


def report(executable: str) -> CrashReport:
    return CrashReport("0" * 32, 0.0, CaptureSource.PROBE, (), ProcessFacts(executable=executable))


def test_the_configured_interpreter_wins(root, fake_python):
    fake_python(root / ".venv" / "bin" / "python")
    (root / ".venv" / "pyvenv.cfg").write_text("")
    found = find_interpreter(Project(root), report(sys.executable), sys.executable)
    assert (found.executable, found.version) == (sys.executable, ".".join(map(str, sys.version_info[:3])))
    assert "configured" in found.origin


def test_a_configured_interpreter_that_does_not_work_is_an_error_with_the_remedy(root):
    with pytest.raises(SandboxError, match=r"project\.interpreter"):
        find_interpreter(Project(root), None, "/no/such/python")


def test_a_configured_interpreter_may_be_relative_to_the_root(root, fake_python):
    fake_python(root / "env" / "python")
    assert find_interpreter(Project(root), None, "env/python").executable == sys.executable


def test_the_crashed_one_comes_before_the_environment_in_the_project(root, tmp_path, fake_python):
    crashed = fake_python(tmp_path / "other" / "bin" / "python3.11")
    fake_python(root / ".venv" / "bin" / "python")
    (root / ".venv" / "pyvenv.cfg").write_text("")
    assert find_interpreter(Project(root), report(str(crashed))).origin == "the program that crashed"
    assert find_interpreter(Project(root), report("/gone/python")).origin == ".venv in the project"


def test_without_anything_else_path_and_then_our_own_python_serve(root, monkeypatch):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    assert find_interpreter(Project(root), None).origin == "PATH"
    monkeypatch.setenv("PATH", "")
    assert find_interpreter(Project(root), None).origin == "the Python that runs selfheal"


def test_an_executable_that_a_report_names_is_run_only_if_it_looks_like_an_interpreter(
    root, tmp_path, fake_python
):
    good = fake_python(tmp_path / "bin" / "python3")
    assert is_trustworthy_interpreter(str(good), root)
    planted = fake_python(root / "python3")
    assert not is_trustworthy_interpreter(str(planted), root)
    assert not is_trustworthy_interpreter(str(fake_python(tmp_path / "bin" / "evil.sh")), root)
    assert not is_trustworthy_interpreter(str(fake_python(tmp_path / ".selfheal" / "inbox" / "python")), root)
    assert not is_trustworthy_interpreter("python3", root)
    good.chmod(0o757)
    assert not is_trustworthy_interpreter(str(good), root)


def test_a_planted_interpreter_is_never_started(root, tmp_path):
    trap = root / "python3"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    find_interpreter(Project(root), report(str(trap)))
    assert not (tmp_path / "sprung").exists()


def test_facts_are_asked_from_a_place_without_project_code(root, monkeypatch):
    (root / "json.py").write_text("raise SystemExit('imported the project')\n")
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", str(root))
    interpreter_facts.cache_clear()
    assert interpreter_facts(sys.executable).prefix == sys.prefix


@pytest.mark.parametrize("answer", ["echo nonsense", "echo '{}'", "exit 3", "true", "echo '[]'"])
def test_an_interpreter_that_answers_nonsense_is_an_error(tmp_path, answer):
    liar = tmp_path / "python"
    liar.write_text(f"#!/bin/sh\n{answer}\n")
    liar.chmod(0o755)
    with pytest.raises(SandboxError, match="does not work"):
        interpreter_facts(str(liar))


def test_an_interpreter_that_is_too_old_is_refused(tmp_path):
    old = tmp_path / "python"
    old.write_text(
        '#!/bin/sh\necho \'{"executable": "x", "version": "3.8.1", "prefix": "", "base_prefix": "",'
        ' "prefixes": [], "sys_path": [], "stdlib": "", "user_base": ""}\'\n'
    )
    old.chmod(0o755)
    with pytest.raises(SandboxError, match=r"Python 3\.8\.1"):
        interpreter_facts(str(old))


def plan(root: Path, configured: str = ""):
    return find_tests(Project(root), HERE, configured)


def test_a_configured_command_is_taken_as_it_is(root):
    assert plan(root, " make test ").argv == ("make test",)


@pytest.mark.parametrize("name", ["test_a.py", "tests/test_a.py", "pkg/a_test.py"])
def test_test_files_are_run_by_pytest_where_it_is_installed(root, name):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("def test_a(): pass\n")
    assert plan(root).runner == "pytest"


def test_settings_for_pytest_are_enough(root):
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    assert plan(root).reason == "settings in pyproject.toml"


def test_a_project_without_tests_has_no_plan_but_a_reason(root):
    (root / "app.py").write_text("def test(): pass\n")
    (root / "pyproject.toml").write_text("[project]\n")
    found = plan(root)
    assert found.runner == ""
    assert "project.test_command" in found.reason
