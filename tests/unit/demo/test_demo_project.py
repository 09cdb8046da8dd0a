"""The demo project crashes as its scenarios say, its tests are green, and right fixes keep them green."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from selfheal_tui.demo.materialise import DemoError, materialise
from selfheal_tui.demo.scenarios import DAILY, SCENARIOS, Scenario, scenario
from selfheal_tui.model.kinds import Outcome

HAND_MADE_FIXES = {
    "publish": ("agent/orchestrator.py", "sanitizer.has_secrets(", "sanitizer.contains_secrets("),
    "report": ("agent/report.py", '", words: " + words', '", words: " + str(words)'),
    "archive": ("agent/export.py", "import io\n", "import io\nimport json\n"),
    "remember": ("agent/memory.py", "in self.notes.items():", "in list(self.notes.items()):"),
    "review": (
        "agent/sub_agents/reviewer.py",
        "review = self.review(draft)",
        "review = await self.review(draft)",
    ),
    "weekend": ("agent/overrides.py", "collections.Mapping", "collections.abc.Mapping"),
    "translate": ("agent/translation.py", '"langauge"', '"language"'),
}


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, timeout=60
    )


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (root / path).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return materialise(tmp_path_factory.mktemp("demo") / "newsdesk")


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "copy"))


@pytest.mark.parametrize("case", SCENARIOS, ids=lambda s: s.name)
def test_each_scenario_crashes_with_the_exception_it_announces(pristine: Path, case: Scenario) -> None:
    ended = run(pristine, *case.arguments)
    last = ended.stderr.strip().splitlines()[-1]
    assert ended.returncode == 1
    assert last.startswith(case.exception)
    assert case.message in last


def test_the_projects_own_tests_are_green_before_any_fix(pristine: Path) -> None:
    assert run(pristine, "-m", "unittest").returncode == 0


def test_right_fixes_end_every_healable_crash_and_keep_the_tests_green(project: Path) -> None:
    for name, (path, old, new) in HAND_MADE_FIXES.items():
        edit(project, path, old, new)
        ended = run(project, *scenario(name).arguments)
        assert ended.returncode == 0, ended.stderr
    assert run(project, "-m", "unittest").returncode == 0
    assert run(project, *DAILY).returncode == 0


def test_every_scenario_that_should_heal_has_a_fix_that_is_known_to_work() -> None:
    healable = {s.name for s in SCENARIOS if s.expected in {Outcome.HEALED, Outcome.ROLLED_BACK}}
    assert healable == set(HAND_MADE_FIXES)


def test_the_published_bulletin_carries_no_credential_once_fixed(project: Path) -> None:
    edit(project, *HAND_MADE_FIXES["publish"])
    assert "hunter" not in run(project, *scenario("publish").arguments).stdout


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (
            "agent/output_sanitizer.py",
            "    def kinds(self",
            "    def has_secrets(self, text):\n        return False\n\n    def kinds(self",
        ),
        ("agent/governance.py", 'raise PermissionError("Tool requires', 'return "nobody"  # ("Tool requires'),
        ("agent/clock.py", "if self.clock.now - self.started > self.seconds:", "if False:"),
    ],
    ids=["stub that never finds a secret", "gate opened", "deadline removed"],
)
def test_a_wrong_fix_is_caught_by_the_projects_tests(project: Path, path: str, old: str, new: str) -> None:
    edit(project, path, old, new)
    assert run(project, "-m", "unittest").returncode != 0


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_rename_is_visible_in_history_and_the_tree_is_clean(pristine: Path) -> None:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(pristine), *arguments], capture_output=True, text=True, check=True
        ).stdout

    assert git("log", "--format=%an %s").splitlines() == [
        "Newsdesk Rename has_secrets to contains_secrets",
        "Newsdesk Publish the bulletin through the sanitizer",
    ]
    patch = git("show", "HEAD", "--", "agent/output_sanitizer.py")
    assert "-    def has_secrets(" in patch
    assert "+    def contains_secrets(" in patch
    assert git("status", "--porcelain") == ""


def test_it_is_laid_out_without_git_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing-here"))
    root = materialise(tmp_path / "plain")
    assert not (root / ".git").exists()
    assert "contains_secrets" in (root / "agent/output_sanitizer.py").read_text(encoding="utf-8")


def test_a_failing_git_leaves_the_project_as_it_is_and_no_half_made_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "git").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (fake / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:/usr/bin:/bin")
    root = materialise(tmp_path / "plain")
    assert not (root / ".git").exists()
    assert "def contains_secrets" in (root / "agent/output_sanitizer.py").read_text(encoding="utf-8")


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(DemoError, match="not empty"):
        materialise(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
