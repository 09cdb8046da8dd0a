"""The proof ladder's results: what each check saw, and what that adds up to. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.model.kinds import Isolation, Verdict

RUNGS = ("syntax", "scope", "safety", "honesty", "imports", "coverage", "replay", "tests")
"""Names of the rungs, cheapest first."""


@dataclass(frozen=True, slots=True)
class RungReport:
    """How one check ended.

    Attributes:
        rung: One of `RUNGS`.
        verdict: Pass, warn, fail, or not possible.
        summary: One line, such as `red → green` or `52/52`.
        details: What was seen: findings with `path:line`, output tails. Masked and bounded.
        seconds: Wall-clock time it took.
        isolation: How well the sandbox was walled off, where one was used.
        left_failing: How many tests fail with the fix, as they did before it; for the tests rung.
        left: The first of these by name.
        settleable: A warning that is only about which behaviour is meant, so that a test may settle it.
        judged: What judged the behaviour of the fixed code: a test that the crash broke off and that now goes on
            to the end of its assertions; empty when nothing did.
        cured: Tests that failed before and pass with the fix; for the tests rung.
    """

    rung: str
    verdict: Verdict
    summary: str
    details: tuple[str, ...] = ()
    seconds: float = 0.0
    isolation: Isolation | None = None
    left_failing: int = 0
    left: tuple[str, ...] = ()
    settleable: bool = False
    judged: str = ""
    cured: int = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """All rungs of one candidate, in order.

    Attributes:
        candidate_id: The candidate they belong to.
        patch_sha256: Hash of exactly what was proved.
        reports: The rungs that ended, in order; climbing stops at the first `fail`.
    """

    candidate_id: str
    patch_sha256: str
    reports: tuple[RungReport, ...] = ()

    def report(self, rung: str) -> RungReport | None:
        """Returns the report of a rung, or None if it was not reached."""
        return next((r for r in self.reports if r.rung == rung), None)

    def verdict(self, rung: str) -> Verdict:
        """Returns the verdict of a rung; one that was not reached is `not possible`."""
        found = self.report(rung)
        return found.verdict if found else Verdict.NOT_POSSIBLE

    @property
    def failed(self) -> bool:
        """Whether any rung failed."""
        return any(r.verdict is Verdict.FAIL for r in self.reports)

    @property
    def complete(self) -> bool:
        """Whether every rung was climbed."""
        return {r.rung for r in self.reports} == set(RUNGS)

    @property
    def warnings(self) -> tuple[RungReport, ...]:
        """Rungs that ended with a warning which nothing settled.

        Whether a guard or a default is what was meant, the code alone does not tell; a test of the project's own
        that the crash broke off, and that passes with the fix, does.
        """
        settled = self.proved and self.judged
        return tuple(r for r in self.reports if r.verdict is Verdict.WARN and not (r.settleable and settled))

    @property
    def judged(self) -> bool:
        """Whether a test of the project's own judged the behaviour of the fixed code."""
        return any(r.judged for r in self.reports if r.verdict in (Verdict.PASS, Verdict.WARN))

    @property
    def flagged(self) -> bool:
        """Whether a person has to look: something failed or warned."""
        return self.failed or bool(self.warnings)

    @property
    def cured(self) -> int:
        """How many tests failed before the fix and pass with it."""
        return sum(report.cured for report in self.reports)

    @property
    def left_failing(self) -> int:
        """How many tests fail with the fix, as they did before it."""
        return sum(report.left_failing for report in self.reports)

    @property
    def acceptable(self) -> bool:
        """Whether it may be offered at all: complete, and nothing failed."""
        return self.complete and not self.failed

    @property
    def proved(self) -> bool:
        """Whether the crash was seen before and seen gone after (replay passed), nothing failed."""
        return self.acceptable and self.verdict("replay") is Verdict.PASS
