"""Git's memory: what it tells about definitions, and that it can be absent, odd or hostile."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from selfheal_tui.source.githistory import WORKING_TREE, GitHistory
from selfheal_tui.source.project import Project


class Repo:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q")

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self, message: str, **files: str) -> None:
        for name, text in files.items():
            file = self.root / name.replace("__", "/").replace("_py", ".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)


OLD = "class A:\n    def go(self):\n        return 1\n\n    def stay(self):\n        return 2\n"
NEW = OLD.replace("def go", "def run")


def test_a_removal_is_found_with_its_commit_and_its_text(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.commit("first", a_py=OLD)
    repo.commit("second: rename", a_py=NEW)
    repo.commit("third", b_py="x = 1\n")
    (removed,) = GitHistory(Project(tmp_path)).removals("go")
    assert (removed.qualname, removed.owner, removed.path) == ("A.go", "A", "a.py")
    assert removed.commit.summary == "second: rename"
    assert removed.text == OLD
    assert [change.after for change in removed.changes] == [NEW]


def test_a_removal_on_disk_comes_first(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.commit("first", a_py=OLD)
    (tmp_path / "a.py").write_text(NEW)
    (removed,) = GitHistory(Project(tmp_path)).removals("go")
    assert removed.commit.sha == WORKING_TREE


def test_a_deleted_file_counts(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.commit("first", a_py=OLD, b_py="x = 1\n")
    (tmp_path / "a.py").unlink()
    repo.commit("gone")
    (removed,) = GitHistory(Project(tmp_path)).removals("go")
    assert removed.changes[0].new_path is None


def test_a_root_inside_a_repository_sees_paths_relative_to_itself(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.commit("first", app__a_py=OLD)
    repo.commit("second", app__a_py=NEW)
    (removed,) = GitHistory(Project(tmp_path / "app")).removals("go")
    assert removed.path == "a.py"


def test_earlier_versions_of_a_function_come_newest_first(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    for name in ("a", "b", "c"):
        repo.commit(name, a_py=f"def f({name}):\n    pass\n")
    found = [node.args.args[0].arg for _, node in GitHistory(Project(tmp_path)).earlier("a.py", "f")]  # type: ignore[union-attr]  # functions here
    assert found == ["c", "b", "a"]


def test_no_repository_is_no_history(tmp_path: Path) -> None:
    history = GitHistory(Project(tmp_path))
    assert not history.available
    assert list(history.removals("go")) == []
    assert list(history.earlier("a.py", "f")) == []
    assert history.uncommitted() == ()


def test_an_empty_repository_is_no_history(tmp_path: Path) -> None:
    Repo(tmp_path)
    assert not GitHistory(Project(tmp_path)).available


@pytest.mark.parametrize("name", ["--output=x", "a b", "", "x|y", ".*", "ä"])
def test_what_is_no_name_never_reaches_git(tmp_path: Path, name: str) -> None:
    Repo(tmp_path).commit("first", a_py=OLD)
    assert GitHistory(Project(tmp_path)).commits_about(name) == []


def test_a_broken_version_in_history_is_passed_over(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.commit("first", a_py=OLD)
    repo.commit("broken", a_py="def go(:\n")
    repo.commit("second", a_py=NEW)
    assert [r.commit.summary for r in GitHistory(Project(tmp_path)).removals("go")] == ["broken"]


def test_commands_in_the_configuration_of_a_repository_do_not_run(tmp_path: Path) -> None:
    root, trap = tmp_path / "repo", tmp_path / "ran"
    root.mkdir()
    repo = Repo(root)
    (root / ".gitattributes").write_text("*.py diff=evil\n")
    repo.commit("first", a_py=OLD)
    repo.commit("second", a_py=NEW)
    for key in (
        "diff.evil.command",
        "diff.evil.textconv",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
    ):
        repo.git("config", key, f"sh -c 'echo {key} >> {trap}; cat'")
    (root / "a.py").write_text(OLD)
    history = GitHistory(Project(root))
    assert [r.qualname for r in history.removals("run")] == ["A.run"]
    assert [r.qualname for r in history.removals("go")] == ["A.go"]
    assert list(history.earlier("a.py", "A.stay"))
    assert not trap.exists()


def test_nothing_in_the_repository_is_written(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.commit("first", a_py=OLD)
    repo.commit("second", a_py=NEW)
    os.utime(tmp_path / "a.py", (1, 1))

    def state() -> dict[str, tuple[int, bytes]]:
        return {str(f): (f.stat().st_mtime_ns, f.read_bytes()) for f in tmp_path.rglob("*") if f.is_file()}

    before = state()
    history = GitHistory(Project(tmp_path))
    list(history.removals("go"))
    list(history.earlier("a.py", "A.stay"))
    assert state() == before
