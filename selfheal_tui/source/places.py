"""Which names of files and directories mean what: foreign code, machine state, tests, policy.

Pure tables and functions over relative paths, kept apart from `Project` so that each promise ("no fix
touches a test, a policy, the history") can be read in one place. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

PRUNED_DIRS = frozenset(
    {
        ".git", ".hg", ".svn", ".bzr", ".jj",
        "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".pytype", ".cache",
        ".tox", ".nox", ".venv", ".eggs", "__pypackages__", "site-packages", "dist-packages",
        "node_modules", ".selfheal", ".self_healing_backups", ".idea", ".vscode", ".direnv",
        ".ipynb_checkpoints",
    }
)  # fmt: skip
"""Directories that hold no source of the project: version control, caches, environments, our own state."""

FOREIGN_DIRS = frozenset({"site-packages", "dist-packages", "__pypackages__", "node_modules"})
_STDLIB = re.compile(r"(^|/)lib(64)?/python\d+(\.\d+)?t?/")

_STATE_DIRS = {
    ".selfheal": "it is this tool's own state",
    ".self_healing_backups": "it is a backup",
    ".git": "it belongs to version control",
    ".hg": "it belongs to version control",
    ".svn": "it belongs to version control",
    ".github": "it configures continuous integration",
    ".gitlab": "it configures continuous integration",
    ".circleci": "it configures continuous integration",
    ".buildkite": "it configures continuous integration",
    ".ci": "it configures continuous integration",
}
_TEST_DIRS = frozenset({"test", "tests", "testing"})
_TEST_FILES = ("test_*.py", "*_test.py", "tests.py", "conftest.py")
_POLICY_FILES = (
    "pyproject.toml", "selfheal.toml", "setup.cfg", "setup.py", "tox.ini", "noxfile.py", "pytest.ini",
    ".coveragerc", "mypy.ini", ".mypy.ini", "ruff.toml", ".ruff.toml", ".pre-commit-config.yaml",
    "CODEOWNERS", ".gitattributes", ".gitignore", ".gitmodules",
)  # fmt: skip
_CI_FILES = (
    ".gitlab-ci.yml",
    ".travis.yml",
    "azure-pipelines*.yml",
    "Jenkinsfile",
    "bitbucket-pipelines.yml",
)
_STARTUP_FILES = ("*.pth", "sitecustomize.py", "usercustomize.py")
_SECRET_FILES = (".env", ".env.*", "*.pem", "*.key")


def prune_dir(name: str) -> bool:
    """Tells whether a directory of this name is left out of every walk through a project."""
    return name in PRUNED_DIRS or name.endswith(".egg-info")


def is_foreign(path: str) -> bool:
    """Tells whether a path inside the project is installed code or a standard library.

    Args:
        path: Relative to the root, with forward slashes; directories above the root play no part.
    """
    parents = PurePosixPath(path).parts[:-1]
    return any(part in FOREIGN_DIRS or prune_dir(part) for part in parents) or bool(_STDLIB.search(path))


def glob_match(path: str, patterns: Iterable[str]) -> str:
    """Returns the first pattern that a relative path matches, or "".

    A pattern without a slash matches the file's name or any directory on the way; `dir/` and `dir/**`
    match everything below; `*` also matches slashes, as in `fnmatch`; `**/` matches any depth.
    """
    pure = PurePosixPath(path)
    above = [str(parent) for parent in pure.parents if str(parent) != "."]
    for pattern in patterns:
        trimmed = pattern.strip().removeprefix("./").removesuffix("/**").rstrip("/")
        if not trimmed:
            continue
        shapes = {trimmed, trimmed.removeprefix("**/")}
        names = [path, *above] if "/" in trimmed else [path, *above, *pure.parts]
        if any(fnmatchcase(name, shape) for name in names for shape in shapes):
            return pattern
    return ""


def is_test(path: str) -> bool:
    """Tells whether a relative path is a test, a helper of tests, or test configuration."""
    pure = PurePosixPath(path)
    return any(part in _TEST_DIRS for part in pure.parts[:-1]) or _named(pure.name, _TEST_FILES)


TESTS_JUDGE = "tests judge a fix, so a fix may not change them"
"""Why tests are protected."""


def protection(path: str, shown: str = "") -> str:
    """Returns why no fix may touch a relative path, judged by its name alone, or "".

    Args:
        path: Relative to the root, with forward slashes.
        shown: What to call it, where the caller knows it by another name.
    """
    shown = shown or path
    pure = PurePosixPath(path)
    for part in pure.parts:
        if part.lower() in _STATE_DIRS:  # case-blind file systems
            return f"{shown} is protected: {_STATE_DIRS[part.lower()]}"
    if any(prune_dir(part) for part in pure.parts[:-1]) or is_foreign(path):
        return f"{shown} is protected: it is installed or generated, not this project's source"
    reasons = (
        (is_test(path), TESTS_JUDGE),
        (_named(pure.name, _POLICY_FILES), "it is configuration or policy"),
        (_named(pure.name, _CI_FILES), "it configures continuous integration"),
        (_named(pure.name, _STARTUP_FILES), "it runs at every start of the interpreter"),
        (_named(pure.name, _SECRET_FILES), "it holds secrets"),
    )
    return next((f"{shown} is protected: {reason}" for holds, reason in reasons if holds), "")


def _named(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
