"""Probation: an applied fix is watched in the programs that run it, and taken back when it does not hold.

Everything is derived from the incident and the audit trail, so that a watch goes on where it was after a restart of
the service. The judgement itself is `run_loop.verdict_on`; here is decided which crashes it may look at: one from a
process that still runs the old code says nothing about the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.record import AuditRecord
from selfheal_tui.model.settings import SupervisionSettings
from selfheal_tui.pipeline.intake import TakenIn
from selfheal_tui.pipeline.rollback import UNDONE
from selfheal_tui.probe.reporter import REPEATS_OF
from selfheal_tui.store import Store
from selfheal_tui.supervisor.run_loop import verdict_on

APPLIED = "change.applied"
PUT_BACK = UNDONE
"""How a watch begins; the second when a rollback was undone."""
SWAPPED = "program.swapped"
RESTART_NEEDED = "program.restart_needed"
DELIVERED = "fix.delivered"
RAN_WELL = "program.ran_well"
IN_FLIGHT_SECONDS = 3.0
"""A handled exception is reported when it is logged, which may be a while after it was raised: one that was on its
way when its code was replaced says nothing about the fix. If the fix is wrong, the crash comes again."""
_HOLDING = frozenset({Outcome.HEALED, Outcome.HEALED_UNPROVEN})


@dataclass(frozen=True, slots=True)
class Watch:
    """The watch over one applied fix.

    Attributes:
        incident_id: The incident.
        transaction_id: The change.
        applied_at: Unix time in seconds at which it was on disk.
        current: Processes that were brought up to it while they lived, by id, and since when.
        behind: Processes that are known to run the old code still.
        good_calls: Runs without a crash since then.
        delivered: Whether every program that lived at that time was told.
    """

    incident_id: str
    transaction_id: str
    applied_at: float
    current: Mapping[int, float] = field(default_factory=dict)
    behind: frozenset[int] = frozenset()
    good_calls: int = 0
    delivered: bool = False

    def runs_it(self, report: CrashReport) -> bool:
        """Returns whether a crash happened in a process that ran the fix at that time.

        A process runs it if it was swapped before, or started after it was applied. Of a process about which
        nothing is known, the crash counts against the fix: taking a fix back is the safe side.

        Args:
            report: The crash.
        """
        process = report.process
        if process.pid and (process.pid in self.current or process.pid in self.behind):
            return report.captured_at >= self.current.get(process.pid, float("inf"))
        if REPEATS_OF in report.context:
            return False  # its run time is that of the first of its kind; a new process never begins with a repeat
        return report.captured_at - max(0.0, process.seconds) >= self.applied_at

    def after(self, record: AuditRecord) -> Watch:
        """Returns the watch as it is after something was put on record about its fix.

        Args:
            record: The record.
        """
        pid, calls = record.data.get("pid"), record.data.get("calls")
        if record.kind == SWAPPED and isinstance(pid, int):
            return replace(self, current={**self.current, pid: record.at}, behind=self.behind - {pid})
        if record.kind == RESTART_NEEDED and isinstance(pid, int):
            return replace(self, behind=self.behind | {pid})
        if record.kind == RAN_WELL and isinstance(calls, int):
            return replace(self, good_calls=self.good_calls + calls)
        return replace(self, delivered=True) if record.kind == DELIVERED else self

    def until(self, settings: SupervisionSettings) -> float:
        """Returns the Unix time in seconds at which the watch ends at the latest."""
        return self.applied_at + settings.probation_seconds


def watch_over(store: Store, incident: Incident) -> Watch | None:
    """Derives the watch over an incident's fix from what is on record.

    Args:
        store: The store.
        incident: On probation, or closed with a fix that holds.

    Returns:
        The watch; None when no fix of it is on disk.
    """
    transaction = incident.transaction_id
    if not transaction:
        return None
    watch: Watch | None = None
    kinds = {APPLIED, PUT_BACK, SWAPPED, RESTART_NEEDED, DELIVERED, RAN_WELL}
    for record in store.audit.records(incident.incident_id, kinds=kinds):
        if record.data.get("transaction") != transaction or record.data.get("restored"):
            continue
        if record.kind in (APPLIED, PUT_BACK):
            watch = Watch(incident.incident_id, transaction, record.at)
        elif watch is not None:
            watch = watch.after(record)
    return watch


def speaks_against(watch: Watch, fixed: Incident, taken: Sequence[TakenIn]) -> str:
    """Returns what new crashes say against a fix, or an empty string.

    Args:
        watch: The watch over it.
        fixed: Its incident.
        taken: The crashes, as they were taken in.
    """
    crashes = [
        replace(one.incident, report=one.report) for one in taken if one.fresh and watch.runs_it(one.report)
    ]
    return verdict_on(fixed, crashes)


def is_outdated(watch: Watch | None, incident: Incident, report: CrashReport) -> bool:
    """Returns whether a report of a healed crash comes from a process that still runs the code before the fix.

    Args:
        watch: The watch over the fix.
        incident: As it stands.
        report: The new report of its crash.
    """
    healed = incident.state is IncidentState.CLOSED and incident.outcome in _HOLDING
    if watch is None or not (healed or incident.state is IncidentState.ON_PROBATION):
        return False
    return not watch.runs_it(report)


def verdict_at_end(watch: Watch, settings: SupervisionSettings, now: float) -> str:
    """Returns what speaks for a fix whose watch is over, or an empty string while it goes on.

    Args:
        watch: The watch.
        settings: How long it lasts.
        now: Unix time in seconds.
    """
    seconds = now - watch.applied_at
    if settings.probation_calls and watch.good_calls >= settings.probation_calls:
        evidence = f"the crash did not return in {watch.good_calls} runs"
    elif seconds >= settings.probation_seconds:
        evidence = f"the crash did not return within {seconds:.0f} s of probation"
    else:
        return ""
    if watch.behind:
        pids = ", ".join(str(pid) for pid in sorted(watch.behind))
        evidence += f"; restart process {pids}: it still ran the old code"
    return evidence
