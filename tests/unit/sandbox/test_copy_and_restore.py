"""Copies hold what they should and reach nothing else; runs leave no trace in them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal_tui.model.ports import SandboxError
from selfheal_tui.model.settings import SandboxSettings
from selfheal_tui.sandbox import scratchdirs
from selfheal_tui.sandbox.copy import copy_project
from selfheal_tui.sandbox.restore import RestorableTree, remove_tree
from selfheal_tui.source.project import Project


def files(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "live"
    made.mkdir()
    (made / "app.py").write_text("x = 1\n")
    return made


def test_content_modes_and_times_are_kept_and_inodes_are_not_shared(root: Path, tmp_path: Path):
    (root / "app.py").chmod(0o755)
    os.utime(root / "app.py", ns=(10**18, 10**18))
    facts = copy_project(Project(root), tmp_path / "copy", SandboxSettings())
    copy = (tmp_path / "copy" / "app.py").stat()
    live = (root / "app.py").stat()
    assert (copy.st_mode, copy.st_mtime_ns, copy.st_size) == (live.st_mode, live.st_mtime_ns, live.st_size)
    assert copy.st_ino != live.st_ino
    assert live.st_nlink == 1
    assert (facts.files, facts.size) == (1, 6)


def test_caches_environments_and_state_stay_behind(root: Path, tmp_path: Path):
    for name in (
        "__pycache__/a.pyc",
        ".git/config",
        ".selfheal/db",
        "node_modules/x.js",
        "env/pyvenv.cfg",
        "env/lib/y.py",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    copy_project(Project(root), tmp_path / "copy", SandboxSettings())
    assert files(tmp_path / "copy") == {"app.py"}
    assert not (tmp_path / "copy" / "env").exists()


def test_empty_directories_are_made_as_programs_expect_them(root: Path, tmp_path: Path):
    (root / "logs" / "old").mkdir(parents=True)
    copy_project(Project(root), tmp_path / "copy", SandboxSettings())
    assert (tmp_path / "copy" / "logs" / "old").is_dir()


def test_what_git_ignores_is_left_out_but_for_code(root: Path, tmp_path: Path):
    (root / ".gitignore").write_text("*.db\nsecret/\n_version.py\n")
    (root / "data.db").write_text("x")
    (root / "secret").mkdir()
    (root / "secret" / "key.txt").write_text("x")
    (root / "_version.py").write_text("x")
    (root / "new.txt").write_text("x")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    facts = copy_project(Project(root), tmp_path / "copy", SandboxSettings())
    assert files(tmp_path / "copy") == {".gitignore", "app.py", "_version.py", "new.txt"}
    assert "data.db: ignored by git" in facts.left_out


def test_links_inside_stay_links_inside_and_links_that_leave_are_left_out(root: Path, tmp_path: Path):
    (tmp_path / "outside.txt").write_text("secret")
    (root / "sub").mkdir()
    (root / "sub" / "alias.py").symlink_to("../app.py")
    (root / "absolute.py").symlink_to(root / "app.py")
    (root / "leak.txt").symlink_to(tmp_path / "outside.txt")
    (root / "up").symlink_to(tmp_path)
    (root / "loop").symlink_to(root)
    (root / "here").symlink_to("sub")
    copy = tmp_path / "copy"
    copy_project(Project(root), copy, SandboxSettings())
    assert (copy / "sub" / "alias.py").resolve() == (copy / "app.py").resolve()
    assert (copy / "absolute.py").resolve() == (copy / "app.py").resolve()
    assert (copy / "here").resolve() == (copy / "sub").resolve()
    assert (copy / "loop").resolve() == copy.resolve()
    assert not os.path.lexists(copy / "leak.txt")
    assert not os.path.lexists(copy / "up")


def test_large_and_special_files_are_left_out(root: Path, tmp_path: Path):
    (root / "model.bin").write_bytes(b"x" * ((1 << 20) + 1))
    os.mkfifo(root / "pipe")
    facts = copy_project(Project(root), tmp_path / "copy", SandboxSettings(file_mb=1))
    assert files(tmp_path / "copy") == {"app.py"}
    assert any("sandbox.file_mb" in line for line in facts.left_out)


def test_a_copy_over_the_cap_is_refused_with_the_remedy(root: Path, tmp_path: Path):
    for index in range(3):
        (root / f"{index}.bin").write_bytes(b"x" * (600 << 10))
    with pytest.raises(SandboxError, match=r"sandbox\.copy_mb"):
        copy_project(Project(root), tmp_path / "copy", SandboxSettings(copy_mb=1))


def test_too_many_files_are_refused(root: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("selfheal_tui.sandbox.copy._MOST_FILES", 3)
    for index in range(4):
        (root / f"{index}.txt").write_text("x")
    with pytest.raises(SandboxError, match="more than 3 files"):
        copy_project(Project(root), tmp_path / "copy", SandboxSettings())


def test_a_copy_inside_the_project_is_refused(root: Path):
    with pytest.raises(SandboxError, match="TMPDIR"):
        copy_project(Project(root), root / "copy", SandboxSettings())
    assert files(root) == {"app.py"}


def make(tmp_path: Path, contents: dict[str, str]) -> RestorableTree:
    tree = RestorableTree(tmp_path / "pristine", tmp_path / "working")
    tree.pristine.mkdir(parents=True)
    for name, text in contents.items():
        (tree.pristine / name).parent.mkdir(parents=True, exist_ok=True)
        (tree.pristine / name).write_text(text)
    tree.populate()
    return tree


def state(root: Path) -> dict[str, object]:
    return {
        path.relative_to(root).as_posix(): (
            str(path.readlink()) if path.is_symlink() else None if path.is_dir() else path.read_bytes(),
            path.lstat().st_mode,
            None if path.is_dir() or path.is_symlink() else path.lstat().st_mtime_ns,
        )
        for path in root.rglob("*")
    }


def test_an_untouched_tree_needs_no_work(tmp_path: Path):
    tree = make(tmp_path, {"a.txt": "a", "b/c.txt": "c"})
    assert tree.restore() == 0


def test_an_edit_that_hides_behind_the_old_size_and_time_is_undone(tmp_path: Path):
    tree = make(tmp_path, {"a.txt": "aa"})
    before = (tree.working / "a.txt").stat()
    (tree.working / "a.txt").write_text("bb")
    os.utime(tree.working / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tree.restore() == 1
    assert (tree.working / "a.txt").read_text() == "aa"


WRECKAGE = st.lists(
    st.tuples(
        st.sampled_from(["write", "delete", "chmod", "mkdir", "link", "rename", "swap"]),
        st.sampled_from(["a.txt", "b/c.txt", "b", "new.txt", "b/new", "deep/er/x"]),
    ),
    max_size=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(wreckage=WRECKAGE)
def test_whatever_a_run_does_the_tree_comes_back(tmp_path_factory, wreckage):
    base = tmp_path_factory.mktemp("tree")
    tree = make(base, {"a.txt": "a", "b/c.txt": "c", "b/d.txt": "d"})
    (tree.pristine / "link").symlink_to("a.txt")
    tree.restore()
    before = state(tree.working)
    for action, name in wreckage:
        path = tree.working / name
        try:
            if action == "write":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("pwned")
            elif action == "delete":
                remove_tree(path) if path.is_dir() else path.unlink()
            elif action == "chmod":
                path.chmod(0)
            elif action == "mkdir":
                path.mkdir(parents=True)
            elif action == "link":
                path.symlink_to("/etc")
            elif action == "rename":
                path.rename(tree.working / "moved")
            else:
                (tree.working / "link").unlink()
                (tree.working / "link").mkdir()
        except OSError:
            continue
    tree.restore()
    assert state(tree.working) == before
    assert state(tree.pristine) == before


def test_each_write_has_a_second_of_its_own(tmp_path: Path):
    tree = make(tmp_path, {"a.py": "x = 0\n"})
    seconds = set()
    for value in range(5):
        tree.write("a.py", f"x = {value}\n".encode())
        seconds.add(int((tree.working / "a.py").stat().st_mtime))
    assert len(seconds) == 5


def test_a_written_file_is_the_new_state_and_a_deleted_one_stays_deleted(tmp_path: Path):
    tree = make(tmp_path, {"a.txt": "a", "b.txt": "b"})
    tree.write("a.txt", b"new")
    tree.write("b.txt", None)
    tree.write("c/d.txt", b"made")
    (tree.working / "a.txt").write_text("wrecked")
    (tree.working / "b.txt").write_text("wrecked")
    tree.restore()
    assert (tree.working / "a.txt").read_text() == "new"
    assert not (tree.working / "b.txt").exists()
    assert (tree.working / "c" / "d.txt").read_text() == "made"


def test_copies_of_killed_processes_are_swept_and_those_in_use_are_not(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(scratchdirs, "_SETTLING_SECONDS", -1.0)
    left_behind = tmp_path / "selfheal-sandbox-dead"
    left_behind.mkdir()
    (left_behind / "big").write_text("x")
    somebody_elses = tmp_path / "other-sandbox"
    somebody_elses.mkdir()
    with scratchdirs.scratch_directory() as first, scratchdirs.scratch_directory() as second:
        assert not left_behind.exists()
        assert first.is_dir()
        assert second.is_dir()
        assert scratchdirs.sweep() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other-sandbox"]
