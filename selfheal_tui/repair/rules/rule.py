"""What a rule is, so that rule modules need not know the engine or each other. No logic here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.repair.base import RepairContext

Finding = Candidate | CannotFix
"""What a rule may answer: a complete fix, or a cause that it knows no safe fix for."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One offline rule.

    Attributes:
        name: Stable id in kebab case, kept in records and counted by the FactChecker.
        exceptions: Bare names of the exception types it is about; subclasses count too.
        apply: Yields findings; it must check its precondition on the syntax tree, and never writes.
    """

    name: str
    exceptions: tuple[str, ...]
    apply: Callable[[RepairContext], Iterable[Finding]]
