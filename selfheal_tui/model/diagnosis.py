"""What is thought to be wrong, and how that was concluded. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.model.kinds import IssueType, Nature, Severity


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the project.

    Attributes:
        path: Relative to the root, forward slashes.
        qualname: Function, class or `<module>`.
        line: 1-based.
    """

    path: str
    qualname: str
    line: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The analysis of one crash.

    Attributes:
        signal: Id of the row of the classification table that matched.
        issue_type: The seed's category.
        severity: How much it hurts.
        nature: Code, the world, somebody else's code, or a policy doing its job.
        reason: Why the row matched, in a sentence.
        root_cause: One sentence for the operator.
        suspect: Innermost in-app frame; None when there is none.
        failing_expression: Source of the failing sub-expression, where column positions tell.
        identifier: The missing name, attribute, key, module or keyword.
        explanation: Longer text: what happened, what usually causes it, what to do.
        trail: Places the bad value passed through, latest first, where that was traced.
    """

    signal: str
    issue_type: IssueType
    severity: Severity
    nature: Nature
    reason: str
    root_cause: str
    suspect: Location | None = None
    failing_expression: str = ""
    identifier: str = ""
    explanation: str = ""
    trail: tuple[Location, ...] = ()

    @property
    def is_code(self) -> bool:
        """Whether changing the project's code could be the cure."""
        return self.nature is Nature.CODE
