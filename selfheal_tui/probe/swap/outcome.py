"""What a swap answers, and how one of its parts says that it cannot be done.

Holds values only; standard library only, CPython 3.9+.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class SwapOutcome:
    """What became of one swap; when `error` or `restart_needed` says something, the program was left as it was.

    Attributes:
        swapped: What runs new code now, each `module:qualname`.
        restart_needed: What a running program cannot take over, and why: (what, why).
        error: Why nothing was done, when that has another reason (such as a syntax error), or "".
        notes: What the operator should know although the swap was done: (what, remark).
        seconds: How long it took.
    """

    swapped: list[str] = field(default_factory=list)
    restart_needed: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the living program now corresponds to the files on disk."""
        return not self.error and not self.restart_needed


class NotSwappableError(Exception):
    """A part of a change which only a restart can bring in."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why
