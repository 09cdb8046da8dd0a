"""What a rung objects to, and how objections add up to a report.

Rungs that read code answer with findings rather than with a verdict, so that one place decides what
they amount to, masks them, and keeps them short. Nothing here looks at code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Isolation, Verdict
from selfheal_tui.probe.redaction import mask_text

MAX_DETAILS = 40
MAX_DETAIL_CHARS = 600

_RANK = {Verdict.FAIL: 0, Verdict.WARN: 1, Verdict.NOT_POSSIBLE: 2, Verdict.PASS: 3}


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection.

    Attributes:
        verdict: How bad it is: fail or warn; pass makes it a remark.
        path: The file, relative to the root; empty when it is about the whole patch.
        line: 1-based line in the patched file; 0 when there is none.
        message: What is wrong, in a sentence.
        settleable: Whether it is only about which behaviour is meant, so that a test may settle it.
    """

    verdict: Verdict
    path: str
    line: int
    message: str
    settleable: bool = False

    @property
    def text(self) -> str:
        """The finding as one line, `path:line: message`."""
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}" if place else self.message


def fail(path: str, line: int, message: str) -> Finding:
    """Makes a finding that refuses the patch."""
    return Finding(Verdict.FAIL, path, line, message)


def warn(path: str, line: int, message: str) -> Finding:
    """Makes a finding that a person has to look at."""
    return Finding(Verdict.WARN, path, line, message)


def doubt(path: str, line: int, message: str) -> Finding:
    """Makes a finding that a person has to look at, unless a test of the project's own settles it."""
    return Finding(Verdict.WARN, path, line, message, settleable=True)


def clip(text: str, limit: int = MAX_DETAIL_CHARS) -> str:
    """Masks a text and keeps its end, where programs say what went wrong."""
    masked = mask_text(text)
    return masked if len(masked) <= limit else "…" + masked[-(limit - 1) :]


def make_report(
    rung: str,
    verdict: Verdict,
    summary: str,
    details: Iterable[str] = (),
    *,
    isolation: Isolation | None = None,
    left_failing: Collection[str] = (),
    settleable: bool = False,
    judged: str = "",
    cured: int = 0,
) -> RungReport:
    """Makes a report whose texts are masked and bounded."""
    kept = list(details)
    more = len(kept) - MAX_DETAILS
    if more > 0:
        kept = [*kept[:MAX_DETAILS], f"… and {more} more"]
    first_line = summary.splitlines()[0] if summary.strip() else verdict.value
    return RungReport(
        rung=rung,
        verdict=verdict,
        summary=mask_text(first_line)[:200],
        details=tuple(clip(text) for text in kept),
        isolation=isolation,
        left_failing=len(left_failing),
        left=tuple(sorted(left_failing)[:MAX_DETAILS]),
        settleable=settleable,
        judged=judged,
        cured=cured,
    )


def conclude(
    rung: str, findings: Sequence[Finding], passed: str, *, isolation: Isolation | None = None
) -> RungReport:
    """Adds findings up: any failure fails, else any warning warns, else it passed.

    Args:
        rung: Name of the rung.
        findings: All findings, in any order; the worst come first in the report.
        passed: Summary when there is nothing to object to.
        isolation: How well the sandbox was walled off, where one was used.

    Returns:
        The report.
    """
    ordered = sorted(dict.fromkeys(findings), key=lambda f: (_RANK[f.verdict], f.path, f.line, f.message))
    worst = ordered[0].verdict if ordered else Verdict.PASS
    objections = [f for f in ordered if f.verdict is not Verdict.PASS]
    summary = passed
    if objections:
        more = len(objections) - 1
        summary = objections[0].message + (f" (and {more} more)" if more else "")
    settleable = worst is Verdict.WARN and all(f.settleable for f in objections)
    return make_report(
        rung, worst, summary, (f.text for f in ordered), isolation=isolation, settleable=settleable
    )
