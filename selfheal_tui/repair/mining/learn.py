"""Learns from histories: small fixes → edits → patterns → the learning memory. Runs nothing of what it reads."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from selfheal_tui.model.pattern import EditPattern, PatternSource
from selfheal_tui.repair.mining.extract import edits_of
from selfheal_tui.repair.mining.generalise import Generalisation, Seen, generalise
from selfheal_tui.repair.mining.history import small_fixes
from selfheal_tui.source.githistory import ask_git
from selfheal_tui.source.terms import LIST, Node, NotATermError, dump, to_code

OWN = "."
SECONDS = 120.0
"""Time for the histories of one call; as much again at most for comparing edits."""
MAX_EDITS = 4_000
_COMMITS_NAMED = 5


class Keeps(Protocol):
    """Where patterns are kept; the store's learning facet is one."""

    def learn_patterns(self, patterns: Sequence[EditPattern], *, origins: Sequence[str]) -> int:
        """Keeps patterns in place of what was learnt from those origins before; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class Mined:
    """What a history gave.

    Attributes:
        origin: The repository; `.` for the project itself.
        trusted: Whether what was learnt there is used unasked.
        fixes: Small fixes that were found.
        edits: Edits in them.
        problem: Why it could not be read, or was not read to its end; empty otherwise.
    """

    origin: str
    trusted: bool
    fixes: int
    edits: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one call learnt.

    Attributes:
        mined: One entry for each repository.
        patterns: What was learnt, best supported first.
        kept: How many of them are kept; one that holds a secret is not.
    """

    mined: tuple[Mined, ...]
    patterns: tuple[EditPattern, ...]
    kept: int


def learn(
    learning: Keeps,
    root: Path,
    repositories: Sequence[Path] = (),
    *,
    trust: bool = False,
    max_commits: int = 2_000,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.time,
) -> Lesson:
    """Mines histories and keeps the patterns that they share.

    Own and trusted histories are generalised together; those of untrusted ones apart, so that these never lend support.

    Args:
        learning: Where patterns are kept.
        root: The project.
        repositories: Whose histories; none means the project's own.
        trust: Whether the patterns of other repositories are used like the project's own.
        max_commits: How many commits of each are looked at.
        seconds: Time limit for reading, and for comparing.
        clock: Unix time.

    Returns:
        What was learnt.
    """
    ends = time.monotonic() + seconds
    mined: list[Mined] = []
    by_trust: dict[bool, list[Seen]] = defaultdict(list)
    for repository in repositories or (root,):
        own = repository.resolve() == root.resolve()
        entry, seen = _mine(
            repository, OWN if own else str(repository.resolve()), own or trust, max_commits, ends
        )
        mined.append(entry)
        by_trust[entry.trusted] += seen
    ends = time.monotonic() + seconds
    patterns = [
        pattern
        for trusted, seen in by_trust.items()
        for pattern in _patterns(generalise(seen, deadline=ends), trusted, clock())
    ]
    patterns.sort(key=lambda p: -p.support)
    readable = [m.origin for m in mined if m.fixes or not m.problem]
    kept = learning.learn_patterns(patterns, origins=readable)
    return Lesson(tuple(mined), tuple(patterns), kept)


def _mine(
    repository: Path, origin: str, trusted: bool, max_commits: int, ends: float
) -> tuple[Mined, list[Seen]]:
    if ask_git(repository, "rev-parse", "--verify", "-q", "HEAD^{commit}") is None:
        return Mined(origin, trusted, 0, 0, "is no git repository with a commit, or git may not read it"), []
    commits: set[str] = set()
    seen: list[Seen] = []
    for fix in small_fixes(repository, max_commits=max_commits, deadline=ends):
        found = edits_of(fix.before, fix.after)
        if found:
            commits.add(fix.commit)
        seen += [Seen(edit, origin, fix.commit) for edit in found]
        if len(seen) >= MAX_EDITS:
            break
    late = "not read to its end: the time was over" if time.monotonic() > ends else ""
    return Mined(origin, trusted, len(commits), len(seen), late), seen


def _patterns(found: Sequence[Generalisation], trusted: bool, now: float) -> list[EditPattern]:
    patterns = []
    for item in found:
        try:
            shown = f"{_shown(item.before)}  →  {_shown(item.after)}"
        except NotATermError:
            continue
        before, after = dump(item.before), dump(item.after)
        key = hashlib.sha256(f"{trusted}\0{before}\0{after}".encode()).hexdigest()[:24]
        by_origin: dict[str, list[str]] = defaultdict(list)
        for origin, commit in sorted(item.seen):
            by_origin[origin].append(commit)
        sources = tuple(
            PatternSource(origin, tuple(commits[:_COMMITS_NAMED]), len(commits))
            for origin, commits in by_origin.items()
        )
        patterns.append(EditPattern(key, before, after, shown, trusted, sources, now))
    return patterns


def _shown(side: object) -> str:
    """One side as code for people."""
    if isinstance(side, Node):
        return to_code(side).replace("\n", " ⏎ ") if side.label == LIST else to_code(side)
    raise NotATermError("a bare hole")
