"""Finds small fixes in a git history: commits that say so and change a few lines of a few functions.

Every question to git has a time limit and a cap on its answer (`source.githistory.ask_git`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from selfheal_tui.source.githistory import ask_git

MAX_LINES = 5
"""A fix that changes more lines is more than one edit."""
MAX_FILES = 2
MAX_FILE_BYTES = 400_000
LOG_SECONDS = 60.0
_PAGE = 500
"""Commits in one question, so that no answer grows too long."""

_SAYS_FIX = re.compile(
    r"\b(fix(?:e[sd]|ing)?|bug(?:s|fix|fixes)?|hotfix|crash(?:e[sd]|ing)?|regression|correct(?:s|ed)?|wrong(?:ly)?"
    r"|broken|fault|repair(?:s|ed)?|handle[sd]?|avoid(?:s|ed)?|exception|traceback|(?:Type|Value|Key|Index|Attribute|"
    r"Name|ZeroDivision|UnboundLocal|Import|Runtime|Recursion|Unicode)\w*Error)\b",
    re.IGNORECASE,
)
_NO_FIX = re.compile(
    r"\b(typos?|docs?|docstrings?|lint|flake8|pep ?8|mypy|format(?:ting)?|readme|changelog)\b", re.IGNORECASE
)
_NUMSTAT = re.compile(r"(\d+)\t(\d+)\t([^\t\"]+)")


@dataclass(frozen=True, slots=True)
class SmallFix:
    """One file that a small fix changed.

    Attributes:
        commit: Short hash.
        path: The file.
        before: Its text before.
        after: Its text after.
    """

    commit: str
    path: str
    before: str
    after: str


def is_test(path: str) -> bool:
    """Whether a file belongs to tests, by its name and folders."""
    parts = PurePosixPath(path).parts
    name = parts[-1] if parts else ""
    folders = {part.lower() for part in parts[:-1]}
    tests = {"test", "tests", "testing", "unittests"}
    return (
        bool(folders & tests) or name.startswith("test") or name.endswith("_test.py") or name == "conftest.py"
    )


def says_fix(message: str) -> bool:
    """Whether a commit's message speaks of a fix of behaviour."""
    summary = message.partition("\n")[0]
    return bool(_SAYS_FIX.search(message[:2_000])) and not _NO_FIX.search(summary)


def small_fixes(repository: Path, *, max_commits: int, deadline: float) -> Iterator[SmallFix]:
    """Yields the small fixes of a history, newest first.

    Args:
        repository: A folder inside a repository, or a bare one; only what lies in that folder counts.
        max_commits: How many commits are looked at.
        deadline: `time.monotonic()` at which it stops.
    """
    seen = 0
    while seen < max_commits and time.monotonic() < deadline:
        page = min(_PAGE, max_commits - seen)
        raw = ask_git(
            repository, "log", f"-n{page}", f"--skip={seen}", "--no-merges", "--no-renames", "--numstat",
            "--no-textconv", "--no-ext-diff", "--format=%x01%H%x00%P%x00%B%x00", "--", "*.py",
            seconds=LOG_SECONDS,
        )  # fmt: skip
        entries = (raw or b"").decode("utf-8", "replace").split("\x01")[1:]
        for entry in entries:
            if time.monotonic() > deadline:
                return
            yield from _fix_of(repository, entry)
        seen += page
        if len(entries) < page:
            return


def _fix_of(repository: Path, entry: str) -> Iterator[SmallFix]:
    sha, parents, message, numbers = (*entry.split("\0"), "", "", "")[:4]
    parent = parents.split(" ")[0]
    if not parent or not says_fix(message):
        return
    changed = [line for line in numbers.split("\n") if line.strip()]
    found = [_NUMSTAT.fullmatch(line.strip()) for line in changed]
    files = [m for m in found if m is not None and not is_test(m.group(3))]
    if None in found or not 1 <= len(files) <= MAX_FILES:
        return
    if sum(max(int(m.group(1)), int(m.group(2))) for m in files) > MAX_LINES:
        return
    for m in files:
        before, after = _texts(repository, parent, sha, m.group(3))
        if before and after:
            yield SmallFix(sha[:12], m.group(3), before, after)


def _texts(repository: Path, parent: str, sha: str, path: str) -> tuple[str, str]:
    """Both texts of a file in one question; empty where one is missing, too long or no UTF-8."""
    wanted = f"{parent}:{path}\n{sha}:{path}\n".encode()
    raw = ask_git(repository, "cat-file", "--batch", said=wanted) or b""
    texts: list[str] = []
    at = 0
    for _ in range(2):
        end = raw.find(b"\n", at)
        fields = raw[at:end].rsplit(b" ", 2) if end >= 0 else []
        if len(fields) != 3 or fields[1] != b"blob" or not fields[2].isdigit():
            return "", ""
        size = int(fields[2])
        data = raw[end + 1 : end + 1 + size]
        at = end + 2 + size
        if size > MAX_FILE_BYTES:
            return "", ""
        try:
            texts.append(data.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return "", ""
    return texts[0], texts[1]
