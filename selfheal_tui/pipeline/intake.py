"""Turns crash reports into incidents: same crash, one incident with a count, each report counted once.

It decides only identity; analysis and everything after it are the engine's. What a report changed and the
mark that it was taken in are one write, so that a kill at any moment neither loses nor doubles a count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Fingerprint, Incident, IncidentState
from selfheal_tui.model.kinds import Environment
from selfheal_tui.pipeline.lease import is_leased
from selfheal_tui.source.fingerprint import fingerprint
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

NEVER_HEALED = frozenset(
    {"KeyboardInterrupt", "SystemExit", "GeneratorExit", "CancelledError", "MemoryError"}
)
"""Exceptions that are somebody's wish or nobody's fault."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A report that waits to be taken in.

    Attributes:
        report: As captured; frames need not be localised yet.
        file: Name of its file in the inbox; empty when it never was one.
    """

    report: CrashReport
    file: str = ""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a report.

    Attributes:
        incident: Its incident, as it stood afterwards.
        report: The report, localised.
        fresh: False when it had been taken in before and changed nothing.
        counts_only: It was counted and changed nothing else; see `CountsOnly`.
    """

    incident: Incident
    report: CrashReport
    fresh: bool = True
    counts_only: bool = False


CountsOnly = Callable[[Incident, CrashReport], bool]
"""Tells whether a report opens nothing anew: it comes from code that was replaced, or was looked at just now."""


def never_counts_only(_incident: Incident, _report: CrashReport) -> bool:
    """Lets every report open its incident anew."""
    return False


def take_in(
    store: Store, project: Project, report: CrashReport, *, environment: Environment, now: float
) -> Incident:
    """Finds or makes the incident of a report, and puts it on record.

    Args:
        store: The store.
        project: The project.
        report: As captured; frames need not be localised yet.
        environment: Where it happened.
        now: Unix time in seconds.

    Returns:
        The incident; new, reopened, or counted up. A report that was taken in before (the inbox delivers
        at least once) changes nothing.
    """
    return take_in_all(store, project, [Arrival(report)], environment=environment, now=now)[0].incident


def take_in_all(
    store: Store,
    project: Project,
    arrivals: Sequence[Arrival],
    *,
    environment: Environment,
    now: float,
    counts_only: CountsOnly = never_counts_only,
) -> list[TakenIn]:
    """Takes in reports in order, as one write: all of them or none.

    Args:
        store: The store.
        project: The project.
        arrivals: The reports; a report may be among them twice.
        environment: Where they happened.
        now: Unix time in seconds.
        counts_only: Tells which reports count, but open nothing anew.

    Returns:
        What became of each, in order.

    Raises:
        StoreError: Nothing was taken in.
    """
    local = [(project.localise(arrival.report), arrival.file) for arrival in arrivals]
    named = [(fingerprint(report), report, file) for report, file in local]
    batch = _Batch(store, environment, now, counts_only)
    with store.incidents.exclusive():
        taken = [batch.add(identity, report, file) for identity, report, file in named]
        store.incidents.commit(list(batch.incidents.values()), batch.files)
    batch.tidy()
    batch.record(taken)
    return [
        replace(one, incident=batch.incidents.get(one.incident.fingerprint.value, one.incident))
        for one in taken
    ]


@dataclass(slots=True)
class _Batch:
    """What a batch changes, gathered under the lock and written at once."""

    store: Store
    environment: Environment
    now: float
    counts_only: CountsOnly
    incidents: dict[str, Incident] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    superseded: list[CrashReport] = field(default_factory=list)
    busy: dict[str, bool] = field(default_factory=dict)

    def add(self, identity: Fingerprint, report: CrashReport, file: str) -> TakenIn:
        known = self.incidents.get(identity.value) or self.store.incidents.find(identity.value)
        if known is not None and self._was_taken(known, report):
            if known.report.report_id != report.report_id:
                self.superseded.append(report)
            return TakenIn(known, report, fresh=False)
        late = known is not None and self.counts_only(known, report)
        incident, kind = self._changed(known, identity, report, late=late)
        self.incidents[identity.value] = incident
        self.files[report.report_id] = file
        self.kinds.setdefault(identity.value, kind)
        return TakenIn(incident, report, counts_only=late)

    def _was_taken(self, known: Incident, report: CrashReport) -> bool:
        return (
            report.report_id in self.files
            or report.report_id in self.store.incidents.taken
            or known.report.report_id == report.report_id
        )

    def _changed(
        self, known: Incident | None, identity: Fingerprint, report: CrashReport, *, late: bool
    ) -> tuple[Incident, str]:
        times = max(1, report.count)
        if known is None:
            incident = Incident(
                incident_id=self._new_id(identity),
                fingerprint=identity,
                report=report,
                environment=self.environment,
                first_seen=self.now,
                last_seen=self.now,
                count=times,
                message=f"{report.raised.type}: {report.raised.message}",
            )
            return incident, "incident.detected"
        counted = replace(known, count=known.count + times, last_seen=self.now)
        if late or self._in_work(known):
            self.superseded.append(report)
            return counted, "incident.seen_again"
        if report.tells_repeats:
            report = replace(known.report, report_id=report.report_id, captured_at=report.captured_at)
        else:
            self.superseded.append(known.report)
        if known.state is IncidentState.CLOSED:
            reopened = known.reopen(report, self.now)
            return replace(reopened, count=counted.count, environment=self.environment), "incident.reopened"
        return replace(counted, report=report, environment=self.environment), "incident.seen_again"

    def _new_id(self, identity: Fingerprint) -> str:
        return self.store.incidents.new_id(
            identity.value, besides={incident.incident_id for incident in self.incidents.values()}
        )

    def _in_work(self, incident: Incident) -> bool:
        """Whoever works on an incident has read its report, and needs the payloads of that one."""
        name = incident.incident_id
        if name not in self.busy:
            self.busy[name] = is_leased(self.store.directory, name)
        return self.busy[name]

    def tidy(self) -> None:
        """Removes the payloads of reports that no incident refers to."""
        for report in self.superseded:
            self.store.inbox.forget(report)

    def record(self, taken: Sequence[TakenIn]) -> None:
        for value, incident in self.incidents.items():
            fresh = [one for one in taken if one.fresh and one.incident.fingerprint.value == value]
            self._append(self.kinds[value], incident, fresh)
        for one in taken:
            if not one.fresh and one.report.report_id not in self.files and not self._on_record(one):
                self._append("incident.seen_again", one.incident, [one])

    def _append(self, kind: str, incident: Incident, taken: Sequence[TakenIn]) -> None:
        last = taken[-1].report
        data = {
            "error": f"{last.raised.type}: {last.raised.message}",
            "fingerprint": incident.fingerprint.value,
            "fingerprint_version": incident.fingerprint.version,
            "source": last.source.value,
            "kind": last.kind,
            "count": incident.count,
            "report": last.report_id,
        }
        if len(taken) > 1:
            data["reports"] = [one.report.report_id for one in taken]
        if any(one.counts_only for one in taken):
            data["counts_only"] = sum(one.counts_only for one in taken)
        self.store.audit.append(kind, actor="engine", incident_id=incident.incident_id, data=data)

    def _on_record(self, one: TakenIn) -> bool:
        """A kill between counting and recording leaves the record to be made up for at the next delivery."""
        wanted = one.report.report_id
        return any(
            record.data.get("report") == wanted or wanted in record.data.get("reports", ())
            for record in self.store.audit.records(one.incident.incident_id)
        )
