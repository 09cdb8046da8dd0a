"""Lists the files of a directory tree: by git where git knows it, else by a pruned walk.

Read-only, bounded in time, and safe against links that loop or lead out. May not decide what is the
project's own code; that is `project`'s business.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from selfheal_tui.source.places import prune_dir

_GIT_SECONDS = 20.0
"""A listing takes milliseconds; a repository on a dead network drive must not hang an incident."""


def in_repository(root: Path) -> bool:
    """Tells whether a directory can be part of a git work tree, without starting git.

    Args:
        root: A resolved directory.
    """
    return any(os.path.lexists(folder / ".git") for folder in (root, *root.parents))


def tracked_files(root: Path) -> list[str] | None:
    """Asks git for the files below a directory that are tracked, or new and not ignored.

    Args:
        root: The directory; it may be a part of a larger repository.

    Returns:
        Paths relative to it with forward slashes, or None where git cannot tell.
    """
    if not in_repository(root):
        return None
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environ |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    # A repository's own configuration may name programs; fsmonitor is the one that listing would start.
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-co", "--exclude-standard", "-z", "--", "."]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    names = [os.fsdecode(raw) for raw in done.stdout.split(b"\0") if raw]
    return names or None


def is_file(file: Path) -> bool:
    """Tells whether a path is a file; names that no file can have are not."""
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False


def walk_files(root: Path) -> Iterator[Path]:
    """Walks a tree in sorted order.

    Args:
        root: A resolved directory.

    Yields:
        Regular files, and links whose target is a regular file inside the tree. Directories that are
        links, hold a virtual environment, cannot be read, or are named in `prune_dir` are not entered.
    """
    for directory, names, files in os.walk(root, followlinks=False):
        here = Path(directory)
        names[:] = sorted(n for n in names if not prune_dir(n) and not (here / n / "pyvenv.cfg").is_file())
        for name in sorted(files):
            file = here / name
            if file.is_symlink() and not Path(os.path.realpath(file)).is_relative_to(root):
                continue
            if file.is_file():
                yield file
