"""Read-only questions to git: which definitions a project once had, and what took their place.

Every call has a time limit and a cap on its output; hooks, pagers, external diffs, text conversion and
file-system monitors, which a repository's own configuration could turn into commands, are switched off.
A project without git, or a git that does not answer, simply has no history. Writes nothing.
"""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.source.listing import in_repository
from selfheal_tui.source.position import Definition, definitions
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import UnreadableSourceError

SECONDS = 10.0
"""Time limit of one question."""
MAX_OUTPUT = 8 * 1024 * 1024
"""Longer answers are taken for none: they are not about one definition."""
MAX_COMMITS = 12
"""How many commits that touched a definition are looked at, newest first."""

_SAFE = (
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat",
    "-c", "diff.external=", "-c", "core.quotePath=false", "-c", "core.untrackedCache=false",
)  # fmt: skip
WORKING_TREE = "the working tree"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Attributes:
        sha: Its full hash, or `WORKING_TREE` for what is not committed yet.
        parent: Hash of its first parent.
        summary: First line of its message.
    """

    sha: str
    parent: str
    summary: str

    @property
    def short(self) -> str:
        """How to name it before an operator."""
        return self.sha if self.sha == WORKING_TREE else f"commit {self.sha[:9]}"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file in one commit: its path and text before and after; None where it did not exist."""

    old_path: str | None
    new_path: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Removed:
    """A definition that a commit took away.

    Attributes:
        commit: The commit.
        path: File that held it.
        qualname: Its qualified name there.
        node: Its syntax node.
        text: Text of that file before.
        changes: All Python files of that commit, for finding what took its place.
    """

    commit: Commit
    path: str
    qualname: str
    node: Definition
    text: str
    changes: tuple[FileChange, ...]

    @property
    def owner(self) -> str:
        """Qualified name of the class that held it; empty for a module-level definition."""
        return self.qualname.rpartition(".")[0]


class GitHistory:
    """Git's memory of a project.

    Args:
        project: The project; its root may be a folder inside a repository.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._available: bool | None = None

    @property
    def available(self) -> bool:
        """Whether the project is in a git repository that has a commit."""
        if self._available is None:
            self._available = (
                in_repository(self._project.root)
                and self._git("rev-parse", "--verify", "-q", "HEAD^{commit}") is not None
            )
        return self._available

    def show(self, sha: str, path: str) -> str | None:
        """Returns the text of a file at a commit; None when it was not there or is not UTF-8 text."""
        raw = self._git("show", "--no-textconv", f"{sha}:./{path}")
        try:
            return raw.decode("utf-8-sig") if raw is not None else None
        except UnicodeDecodeError:
            return None

    def commits_about(self, name: str, limit: int = MAX_COMMITS) -> list[Commit]:
        """Lists commits that added or removed a line that defines a name, newest first.

        Args:
            name: A function or class name; anything that is not an identifier finds nothing.
            limit: How many at most.
        """
        if not name.isidentifier() or not name.isascii() or not self.available:
            return []
        pattern = f"(def|class)[[:space:]]+{name}([^A-Za-z0-9_]|$)"
        return self._log(f"-G{pattern}", limit=limit)

    def commits_of(self, path: str, limit: int = MAX_COMMITS) -> list[Commit]:
        """Lists commits that changed a file, newest first."""
        return self._log(limit=limit, path=path) if self.available else []

    def changes_about(
        self, path: str, word: str, limit: int = MAX_COMMITS
    ) -> Iterator[tuple[Commit, FileChange]]:
        """Yields the changes to a file that touched lines with a word, newest first, the disk's own first.

        Args:
            path: The file.
            word: An identifier; anything else finds nothing.
            limit: How many commits are looked at.
        """
        if not word.isidentifier() or not word.isascii() or not self.available:
            return
        for change in self.uncommitted():
            if change.old_path == path:
                yield Commit(WORKING_TREE, "HEAD", ""), change
        pattern = f"(^|[^A-Za-z0-9_]){word}([^A-Za-z0-9_]|$)"
        for commit in self._log(f"-G{pattern}", limit=limit, path=path):
            if commit.parent:
                before, after = self.show(commit.parent, path), self.show(commit.sha, path)
                yield commit, FileChange(path, path, before, after)

    def _log(self, *options: str, limit: int, path: str = "*.py") -> list[Commit]:
        raw = self._git(
            "log",
            f"-n{limit}",
            "--format=%H%x00%P%x00%s%x00",
            "--no-textconv",
            "--no-ext-diff",
            *options,
            "--",
            path,
        )
        parts = (raw or b"").decode("utf-8", "replace").split("\0")
        return [
            Commit(sha.strip(), parents.split(" ")[0], summary)
            for sha, parents, summary in zip(parts[0::3], parts[1::3], parts[2::3], strict=False)
            if sha.strip()
        ]

    def changes(self, commit: Commit) -> tuple[FileChange, ...]:
        """Lists the Python files that a commit changed, with both texts; renames are followed."""
        raw = self._git(
            "diff-tree", "-r", "-M", "--root", "--no-commit-id", "--name-status", "-z", "--relative", "--no-ext-diff",
            commit.sha, "--", "*.py",
        )  # fmt: skip
        fields = [field for field in (raw or b"").decode("utf-8", "surrogateescape").split("\0") if field]
        found = []
        while fields:
            status = fields.pop(0)
            if not fields:
                break
            old = new = fields.pop(0)
            if status[0] in "RC" and fields:
                new = fields.pop(0)
            found.append(
                FileChange(
                    old_path=None if status[0] == "A" else old,
                    new_path=None if status[0] == "D" else new,
                    before=None if status[0] == "A" or not commit.parent else self.show(commit.parent, old),
                    after=None if status[0] == "D" else self.show(commit.sha, new),
                )
            )
        return tuple(found)

    def uncommitted(self) -> tuple[FileChange, ...]:
        """Lists the Python files whose text on disk is not the last commit's."""
        if not self.available:
            return ()
        raw = self._git(
            "diff-index", "-r", "--name-only", "-z", "--relative", "--no-ext-diff", "HEAD", "--", "*.py"
        )
        found = []
        for path in (raw or b"").decode("utf-8", "surrogateescape").split("\0"):
            if not path:
                continue
            before = self.show("HEAD", path)
            try:
                after = self._project.read(path).text
            except (OSError, ValueError, UnreadableSourceError):
                after = None
            if before != after:
                found.append(FileChange(path, path if after is not None else None, before, after))
        return tuple(found)

    def removals(self, name: str) -> Iterator[Removed]:
        """Finds the commits that took a definition away, newest first.

        Args:
            name: Bare name of a function, method or class.

        Yields:
            The definition as it last was, with the other changes of its commit.
        """
        if not self.available:
            return
        pending = self.uncommitted()
        yield from self._removed(name, Commit(WORKING_TREE, "HEAD", ""), pending)
        for commit in self.commits_about(name):
            if commit.parent:
                yield from self._removed(name, commit, self.changes(commit))

    def _removed(self, name: str, commit: Commit, changes: tuple[FileChange, ...]) -> Iterator[Removed]:
        for change in changes:
            if change.before is None or change.old_path is None or name not in change.before:
                continue
            after = {q for q, _ in parsed_definitions(change.after)}
            for qualname, node in parsed_definitions(change.before):
                if node.name == name and qualname not in after:
                    yield Removed(commit, change.old_path, qualname, node, change.before, changes)

    def earlier(
        self, path: str, qualname: str, limit: int = MAX_COMMITS
    ) -> Iterator[tuple[Commit, Definition]]:
        """Yields earlier versions of a definition, newest first.

        Args:
            path: Its file.
            qualname: Its qualified name, which it must have had then, too.
            limit: How many commits are looked at.

        Yields:
            The commit that changed it, and what it was before.
        """
        if not self.available:
            return
        head = self.show("HEAD", path)
        for name, node in parsed_definitions(head):
            if name == qualname:
                yield Commit(WORKING_TREE, "HEAD", ""), node
        for commit in self.commits_of(path, limit):
            before = self.show(commit.parent, path) if commit.parent else None
            for name, node in parsed_definitions(before):
                if name == qualname:
                    yield commit, node

    def _git(self, *arguments: str) -> bytes | None:
        return ask_git(self._project.root, *arguments)


def ask_git(directory: Path, *arguments: str, said: bytes = b"", seconds: float = SECONDS) -> bytes | None:
    """Asks git one question, with nothing switched on that a repository's own configuration could make run.

    Args:
        directory: A folder inside a repository, or a bare one.
        arguments: Command and its arguments; only commands that read.
        said: Standard input.
        seconds: Time limit.

    Returns:
        What it printed; None when it failed, took too long, or printed too much.
    """
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environ |= {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(
            ["git", "--no-pager", *_SAFE, *arguments],
            cwd=directory,
            env=environ,
            input=said,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode != 0 or len(done.stdout) > MAX_OUTPUT:
        return None
    return done.stdout


def parsed_definitions(text: str | None) -> list[tuple[str, Definition]]:
    """All definitions of a text with their qualified names; none when it does not parse."""
    if text is None:
        return []
    try:
        return list(definitions(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError):
        return []
