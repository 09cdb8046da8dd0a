"""Makes the proof ladder as it is shown: every rung in order, also those that are still to be climbed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from selfheal_tui.model.evidence import RUNGS, RungReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.operations import standings
from selfheal_tui.operations.safe import line, lines
from selfheal_tui.operations.snapshot import RungView

DETAIL_LINES = 40
SUMMARY_WIDTH = 300


def rung_of(report: RungReport, *, evidence: bool = True) -> RungView:
    """Makes a rung that ended.

    Args:
        report: How it ended.
        evidence: Whether to show what was seen.
    """
    return RungView(
        name=line(report.rung, 40),
        standing=standings.VERDICTS[report.verdict],
        summary=line(report.summary, SUMMARY_WIDTH),
        details=lines(report.details, most=DETAIL_LINES) if evidence else (),
        seconds=report.seconds,
        isolation=report.isolation.value if report.isolation else "",
    )


def ladder_of(reports: Sequence[RungReport], *, evidence: bool = True) -> tuple[RungView, ...]:
    """Makes the ladder of a proof that ended; what was not climbed is `not reached`."""
    ended = {report.rung: report for report in reports}
    return tuple(
        rung_of(ended[name], evidence=evidence)
        if name in ended
        else RungView(name, standings.RUNG_NOT_REACHED)
        for name in RUNGS
    )


def climbing(reports: Sequence[RungReport], *, since: float) -> tuple[RungView, ...]:
    """Makes the ladder of a proof that is being made: the next rung runs, the rest wait.

    Args:
        reports: The rungs that ended.
        since: Unix time in seconds at which the last of them ended.
    """
    ended = {report.rung: report for report in reports}
    failed = any(report.verdict is Verdict.FAIL for report in reports)
    running = "" if failed else next((name for name in RUNGS if name not in ended), "")
    return tuple(
        rung_of(ended[name])
        if name in ended
        else RungView(name, standings.RUNG_RUNNING, started_at=since)
        if name == running
        else RungView(name, standings.RUNG_NOT_REACHED if failed else standings.RUNG_WAITING)
        for name in RUNGS
    )


def running_rung(rungs: Sequence[RungView]) -> str:
    """Returns the name of the rung that runs; empty when none does."""
    return next((rung.name for rung in rungs if rung.standing is standings.RUNG_RUNNING), "")
