"""What a mined edit pattern is: code before and after, with holes, and where it was seen. No I/O.

A template is a term in JSON types, so that it is stored as it is: `[label, *children]` for a node, a string for an
identifier, `{"hole": n, "sort": s}` for a hole, `{"const": text}` for a literal, None for what is absent.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PatternSource:
    """One repository in which an edit of that kind was seen.

    Attributes:
        origin: Its folder, or `.` for the project itself.
        commits: Short hashes, a few of them.
        count: How many commits.
    """

    origin: str
    commits: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class EditPattern:
    """An edit that fixed something, with holes for what differed from one fix to the next.

    Attributes:
        key: Hash of both sides and of who vouches for it.
        before: Template of what stood there, as JSON.
        after: Template of what took its place, as JSON.
        shown: Both sides as code, holes as `_0`, `_1`, …
        trusted: Whether it comes from the project itself, or from a repository that an operator trusts.
        sources: Where it was seen.
        learnt_at: Unix time in seconds.
    """

    key: str
    before: str
    after: str
    shown: str
    trusted: bool
    sources: tuple[PatternSource, ...]
    learnt_at: float = 0.0

    @property
    def support(self) -> int:
        """How many commits it was seen in."""
        return sum(source.count for source in self.sources)
