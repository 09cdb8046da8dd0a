"""Lays the bundled demo project out on disk, with a small git history where git is present.

The history matters: the renamed method of the first scenario is proved by the commit that renamed it.
Writes only below the target; runs nothing but git, isolated from the user's configuration.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_IGNORED = ("__pycache__", "var")
_GITIGNORE = "__pycache__/\nvar/\n.selfheal/\n.self_healing_backups/\n"
_OLD_NAME, _NEW_NAME = "has_secrets", "contains_secrets"
_RENAMED_IN = (
    "agent/output_sanitizer.py",
    "agent/sub_agents/writer.py",
    "tests/test_output_sanitizer.py",
)
_GIT_SECONDS = 30


class DemoError(RuntimeError):
    """The demo project cannot be laid out; the message names the remedy."""


def materialise(target: Path) -> Path:
    """Copies the demo project into a folder.

    Args:
        target: A folder that does not exist yet, or is empty.

    Returns:
        The resolved folder, ready to run. It is a git repository of two commits when git works here,
        and a plain folder otherwise.

    Raises:
        DemoError: The folder holds something already, or cannot be written.
    """
    return _lay_out("project", target, _write_history)


def materialise_live(target: Path) -> Path:
    """Copies the agent that keeps running into a folder; as `materialise`, without a history.

    Raises:
        DemoError: The folder holds something already, or cannot be written.
    """
    return _lay_out("live_project", target, lambda _root: None)


def _lay_out(source: str, target: Path, finish: Callable[[Path], None]) -> Path:
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise DemoError(f"{target} is not empty; name a new folder for the demo")
        _copy(files("selfheal_tui.demo") / source, target)
        (target / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
        finish(target)
    except OSError as error:
        raise DemoError(f"{target} cannot be written ({error}); name another folder for the demo") from error
    return target.resolve()


def _copy(source: Traversable, target: Path) -> None:
    for entry in source.iterdir():
        if entry.name in _IGNORED:
            continue
        if entry.is_dir():
            (target / entry.name).mkdir()
            _copy(entry, target / entry.name)
        else:
            (target / entry.name).write_bytes(entry.read_bytes())


def _write_history(root: Path) -> None:
    """Commits the project as it was before the rename, then as it is; silently plain where git fails."""
    if shutil.which("git") is None:
        return
    now = {path: (root / path).read_text(encoding="utf-8") for path in _RENAMED_IN}
    try:
        for path, text in now.items():
            (root / path).write_text(text.replace(_NEW_NAME, _OLD_NAME), encoding="utf-8")
        done = _git(root, "init", "--quiet", "--initial-branch=main") and _commit(
            root, "Publish the bulletin through the sanitizer", "2026-03-02T09:00:00+00:00"
        )
    finally:
        for path, text in now.items():
            (root / path).write_text(text, encoding="utf-8")
    if done:
        done = _commit(root, f"Rename {_OLD_NAME} to {_NEW_NAME}", "2026-04-14T16:20:00+00:00")
    if not done:
        shutil.rmtree(root / ".git", ignore_errors=True)


def _commit(root: Path, message: str, when: str) -> bool:
    return _git(root, "add", "--all") and _git(
        root, "commit", "--quiet", "--no-verify", "--message", message, when=when
    )


def _git(root: Path, *arguments: str, when: str = "") -> bool:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Newsdesk",
        "GIT_AUTHOR_EMAIL": "newsdesk@example.invalid",
        "GIT_COMMITTER_NAME": "Newsdesk",
        "GIT_COMMITTER_EMAIL": "newsdesk@example.invalid",
    }
    if when:
        environment |= {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    try:
        ended = subprocess.run(
            ["git", "-C", str(root), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
