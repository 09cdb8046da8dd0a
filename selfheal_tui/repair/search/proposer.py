"""Offers what a search found, and says what the evidence is worth. It is asked when the rules have run dry.

Whatever it offers was found by trying, so that it climbs the whole ladder like any other candidate; where fixes that
behave differently are left, or little was seen of them, a person chooses.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.ports import ReplayPlan
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.engine import asserted, exception_names
from selfheal_tui.repair.rules.support import candidate
from selfheal_tui.repair.search.engine import Found, Oracle, search
from selfheal_tui.repair.search.generate import Change, applied
from selfheal_tui.repair.search.judge import Finding, rivals

PROPOSER = "search"
OFFERED = 5
"""So many differing fixes are offered at most; beyond that nothing is applied unasked."""
SPARES = 3
"""So many are offered besides that could not be told apart from those on the little that was seen."""
_SURE, _SPARE, _STEP = 0.7, 0.55, 0.005
_WANTED = frozenset({"AssertionError", "RecursionError", "Failed"})


class SearchProposer:
    """The proposer that searches."""

    @property
    def name(self) -> str:
        """Always `search`."""
        return PROPOSER

    def propose(self, context: RepairContext) -> Generator[Candidate | CannotFix, Attempt | None, None]:
        """Yields one candidate for each behaviour that turned the failing program green.

        Args:
            context: The crash, with a laboratory and the ways to replay it.
        """
        plan = _plan(context)
        if plan is None or context.laboratory is None:
            return
        oracle = Oracle(context.laboratory, plan, noticing(context), hangs=context.report.stuck)
        found = search(context.project, oracle, context.settings.search)
        serious = rivals(found.findings)
        if not serious:
            yield CannotFix(PROPOSER, _nothing(found))
            return
        for rank, finding in enumerate(serious[:OFFERED]):
            yield _offered(context, found, finding, finding.change, _SURE - _STEP * rank, len(serious))
        for rank, (finding, change) in enumerate(_spare(serious)):
            yield _offered(context, found, finding, change, _SPARE - _STEP * rank, len(serious))


def _spare(serious: list[Finding]) -> list[tuple[Finding, Change]]:
    """Changes that little was seen of: they may differ from the one that stands for them, and pass tests that it fails."""
    return [(f, change) for f in serious[:OFFERED] if f.doubt for change in f.others][:SPARES]


def _plan(context: RepairContext) -> ReplayPlan | None:
    """The replay to search with; None for a crash that says nothing about answers."""
    if context.settings.search.seconds <= 0 or not context.plans:
        return None
    wanted = context.report.stuck or _WANTED & exception_names(context.report.raised)
    return context.plans[0] if wanted else None


def noticing(context: RepairContext) -> tuple[tuple[str, str], ...]:
    """The functions that noticed the fault: all on the traceback of a failed assertion, else those of tests only."""
    error = context.report.raised
    judged = asserted(error)
    places = [
        (frame.path, frame.function)
        for frame in error.frames
        if frame.path and (judged or context.project.protected(frame.path))
    ]
    last = places[-1][0] if places else ""
    kept: list[tuple[str, str]] = []
    for path, name in reversed(places):  # what lies further out only started the test
        if path != last and not context.project.protected(path):
            break
        kept.append((path, name))
    return tuple(dict.fromkeys(reversed(kept)))


def _nothing(found: Found) -> str:
    if found.problem:
        return f"no small change could be tried: {found.problem}"
    where = ", ".join(f"{name}()" for name in found.functions[:4])
    return f"none of {found.tried} small changes of {where} makes it pass"


def _offered(
    context: RepairContext, found: Found, finding: Finding, change: Change, confidence: float, of: int
) -> Candidate:
    text = applied(found.sources[change.path].text, change)
    shown = (
        f"{finding.inputs} different arguments were seen, {finding.changed} answered differently than before"
    )
    reason = (
        f"of {found.tried} small changes tried, this one makes it pass: in {change.qualname}(), {change.why}"
    )
    made = candidate(
        context,
        f"search-{change.kinds[0]}",
        reason,
        confidence,
        {change.path: text},
        notes=(
            shown,
            *((f"{finding.alike} other changes do the same on all of them",) if finding.alike else ()),
        ),
    )
    doubt = finding.doubt
    if of > OFFERED:
        doubt = f"{of} small changes that behave differently make it pass"
    # Where several assertions leave a single behaviour, these are the judge, be they in a test or in the program.
    return replace(made, proposer=PROPOSER, guess=bool(doubt) or of > 1, doubt=doubt)
