"""What belongs to a project, what it is called, and what no fix may touch."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import selfheal_tui
from selfheal_tui.model.settings import ProjectSettings
from selfheal_tui.source.project import OutsideRootError, Project, prune_dir


def write(root: Path, *paths: str, text: str = "x = 1\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = (
        tmp_path / "lib" / "python3.11" / "site-packages" / "proj"
    )  # what lies above the root plays no part
    folder.mkdir(parents=True)
    return folder


def test_files_below_the_root_are_in_app_and_installed_code_is_not(root):
    write(
        root,
        "pkg/a.py",
        "venv/pyvenv.cfg",
        "venv/lib/x.py",
        "env/lib/python3.12/json/a.py",
        "b/site-packages/c.py",
    )
    project = Project(root)
    assert project.is_in_app(str(root / "pkg/a.py"))
    assert project.is_in_app("pkg/a.py")
    for other in (
        "venv/lib/x.py",
        "env/lib/python3.12/json/a.py",
        "b/site-packages/c.py",
        ".tox/a.py",
        ".git/x.py",
    ):
        assert not project.is_in_app(str(root / other)), other
    for name in (
        "<stdin>",
        "<string>",
        "<frozen importlib._bootstrap>",
        "",
        "/etc/passwd",
        str(root),
        "a\0b",
    ):
        assert not project.is_in_app(name), name


def test_include_goes_before_exclude_and_exclude_before_the_rest(root):
    write(root, "pkg/a.py", "pkg/gen/b.py", "vendor/site-packages/v.py")
    settings = ProjectSettings(include=("vendor/**", "pkg/gen/keep_*.py"), exclude=("pkg/gen/",))
    project = Project(root, settings)
    assert project.is_in_app("pkg/a.py")
    assert not project.is_in_app("pkg/gen/b.py")
    assert project.is_in_app("pkg/gen/keep_b.py")
    assert project.is_in_app("vendor/site-packages/v.py")
    assert not Project(root, ProjectSettings(include=("*",))).is_in_app("/etc/hosts")


def test_a_link_out_of_the_root_is_outside_and_a_link_inside_is_its_target(root, tmp_path):
    outside = tmp_path / "outside.py"
    outside.write_text("secret = 1\n")
    write(root, "real/a.py")
    (root / "out.py").symlink_to(outside)
    (root / "linked").symlink_to(root / "real")
    (root / "loop").symlink_to(root)
    project = Project(root)
    assert project.relative("out.py") is None
    assert not project.is_in_app("out.py")
    assert project.relative("linked/a.py") == "real/a.py"
    assert project.absolute("linked/a.py") == root.resolve() / "real/a.py"
    assert project.python_files() == ("real/a.py",)
    assert [f.name for f in project.walk()] == ["a.py"]
    with pytest.raises(OutsideRootError):
        project.read("out.py")


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x.py", "a/../../x.py", "a\\b.py", "a\0.py", "."])
def test_paths_that_lead_out_are_refused(root, path):
    with pytest.raises(OutsideRootError):
        Project(root).absolute(path)


def test_the_project_may_be_reached_through_a_link(root, tmp_path):
    write(root, "a.py")
    (tmp_path / "alias").symlink_to(root)
    project = Project(tmp_path / "alias")
    assert project.root == root.resolve()
    assert project.is_in_app(str(tmp_path / "alias" / "a.py"))


def test_python_files_are_what_git_knows_and_does_not_ignore(root):
    write(root, ".gitignore", text="ignored.py\nbuild/\n")
    write(
        root,
        "sub/a.py",
        "sub/ignored.py",
        "sub/build/b.py",
        "sub/venv/pyvenv.cfg",
        "sub/venv/c.py",
        "other.py",
        "sub/data.txt",
    )
    write(root, "sub/deleted.py")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "init", "-q"], cwd=root, check=True)
    subprocess.run([*git, "add", "sub/deleted.py", ".gitignore"], cwd=root, check=True)
    (root / "sub/deleted.py").unlink()
    assert Project(root).python_files() == ("other.py", "sub/a.py")
    assert Project(root / "sub").python_files() == ("a.py",)


def test_a_repository_cannot_make_the_listing_run_a_program(root):
    write(root, "a.py")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    hook = root / "hook.sh"
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(hook)], cwd=root, check=True)
    assert Project(root).python_files() == ("a.py",)
    assert not (root / "ran").exists()


def test_without_git_the_walk_finds_the_same(root, monkeypatch):
    monkeypatch.setenv("PATH", "")
    write(
        root,
        "pkg/a.py",
        "pkg/__pycache__/a.py",
        ".selfheal/x.py",
        "node_modules/y.py",
        "e/pyvenv.cfg",
        "e/z.py",
    )
    assert Project(root).python_files() == ("pkg/a.py",)


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("a.py", "a"),
        ("pkg/__init__.py", "pkg"),
        ("pkg/sub/x.py", "pkg.sub.x"),
        ("src/other/__init__.py", "other"),
        ("src/other/x.py", "other.x"),
        ("lib-code/mod/x.py", "mod.x"),
        ("python/deep/x.py", "deep.x"),
    ],
)
def test_modules_and_files_name_each_other(root, path, module):
    write(
        root,
        "a.py",
        "pkg/__init__.py",
        "pkg/sub/x.py",
        "src/other/__init__.py",
        "src/other/x.py",
        "lib-code/mod/x.py",
        "python/deep/x.py",
    )
    write(
        root,
        "pyproject.toml",
        text='[tool.setuptools.packages.find]\nwhere = ["python", "/etc", "../x", 7]\n',
    )
    project = Project(root)
    assert project.module_name(path) == module
    assert project.find_module(module) == path


def test_modules_that_are_not_there_or_not_certain_are_not_found(root):
    write(root, "one/x.py", "two/x.py", "ns/deep/y.py", "pyproject.toml", text="not toml [")
    project = Project(root)
    assert project.find_module("x") is None
    assert project.find_module("ns.deep") is None
    assert project.find_module("..etc.passwd") is None
    assert project.find_module("ns.deep.y") == "ns/deep/y.py"


@pytest.mark.parametrize(
    "path",
    ["tests/a.py", "pkg/tests/helper.py", "pkg/test_a.py", "pkg/a_test.py", "conftest.py", "pyproject.toml", "selfheal.toml",
     "setup.cfg", "setup.py", ".selfheal/audit.jsonl", ".self_healing_backups/a.py.bak", ".git/config", ".GIT/config",
     ".github/workflows/x.yml", ".gitlab-ci.yml", "Jenkinsfile", "venv/lib/a.py", "x/site-packages/a.py", ".env",
     "sitecustomize.py", "../out.py", "/etc/passwd", "special/a.py", "linked.py", "pkg/Tests.py"],
)  # fmt: skip
def test_no_fix_may_touch_tests_policy_state_environments_or_what_the_user_protects(root, path):
    write(root, "venv/pyvenv.cfg", "tests/a.py", "special/a.py")
    (root / "linked.py").symlink_to(root / "tests/a.py")
    project = Project(root, ProjectSettings(protect=("special/**",)))
    assert project.protected(path).startswith(f"{path} is protected: ")


@pytest.mark.parametrize(
    "path", ["pkg/a.py", "contest.py", "latest/a.py", "testimony.py", "pkg/environment.py", "git/a.py"]
)
def test_ordinary_code_may_be_changed(root, path):
    assert Project(root).protected(path) == ""


def test_the_healer_never_changes_itself():
    own = Path(selfheal_tui.__file__).resolve().parents[1]
    project = Project(own)
    assert "never changes itself" in project.protected("selfheal_tui/source/text.py")
    assert not project.is_in_app(str(own / "selfheal_tui/source/text.py"))


def test_directories_of_tools_are_pruned_by_name():
    assert all(
        prune_dir(name)
        for name in (".git", "__pycache__", ".venv", "node_modules", ".selfheal", "x.egg-info")
    )
    assert not any(prune_dir(name) for name in ("src", "build", "venv", "env", "lib"))


def test_an_unreadable_directory_is_passed_over(root):
    write(root, "a.py", "closed/b.py")
    (root / "closed").chmod(0)
    try:
        assert "a.py" in Project(root).python_files()
    finally:
        (root / "closed").chmod(0o755)
