"""Finds out how the project's tests are run, by looking at files only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.sandbox.interpreter import Interpreter, interpreter_facts
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import UnreadableSourceError

_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py\Z")
_UNITTEST = re.compile(r"^\s*(import unittest|from unittest\b)|\bTestCase\b", re.MULTILINE)
_CONFIGURED = (
    ("pytest.ini", None),
    (".pytest.ini", None),
    ("pyproject.toml", "[tool.pytest"),
    ("tox.ini", "[pytest]"),
    ("setup.cfg", "[tool:pytest]"),
)
_MOST_FILES_READ = 200


@dataclass(frozen=True, slots=True)
class TestPlan:
    """How the tests are run.

    Attributes:
        runner: `pytest`, `unittest`, `command`, or empty when there is no way.
        argv: The command line, for people; for `command` the configured one as a single string.
        reason: Why this one, or why none.
    """

    __test__ = False

    runner: str
    argv: tuple[str, ...] = ()
    reason: str = ""


def find_tests(project: Project, interpreter: Interpreter, configured: str = "") -> TestPlan:
    """Finds the way to run the project's tests.

    Args:
        project: The project.
        interpreter: The Python that runs it.
        configured: `project.test_command` of the settings.

    Returns:
        The plan; its runner is empty when there is none, with the reason.
    """
    if configured.strip():
        return TestPlan("command", (configured.strip(),), "configured (project.test_command)")
    tests = [path for path in project.python_files() if _TEST_FILE.search(path)]
    settings = _pytest_settings(project.root)
    if not tests and not settings:
        return TestPlan("", (), "no tests were found (test_*.py, *_test.py); set project.test_command")
    if has_package(interpreter.executable, "pytest"):
        return TestPlan(
            "pytest", (interpreter.executable, "-m", "pytest"), settings or f"test files such as {tests[0]}"
        )
    if any(_uses_unittest(project, path) for path in tests[:_MOST_FILES_READ]):
        return TestPlan(
            "unittest",
            (interpreter.executable, "-m", "unittest"),
            "unittest test cases; pytest is not installed there",
        )
    return TestPlan(
        "",
        (),
        f"the tests need pytest, which {interpreter.executable} does not have; install it or set project.test_command",
    )


def has_package(executable: str, name: str) -> bool:
    """Tells whether an interpreter finds an installed package, without running it.

    Args:
        executable: The interpreter.
        name: Top-level package.

    Raises:
        SandboxError: The interpreter does not work.
    """
    return any(
        (Path(entry) / name / "__init__.py").is_file() for entry in interpreter_facts(executable).sys_path
    )


def _pytest_settings(root: Path) -> str:
    for name, mark in _CONFIGURED:
        try:
            text = (root / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if mark is None or mark in text:
            return f"settings in {name}"
    return ""


def _uses_unittest(project: Project, path: str) -> bool:
    try:
        return bool(_UNITTEST.search(project.read(path).text))
    except (UnreadableSourceError, ValueError):
        return False
