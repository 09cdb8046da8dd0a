"""Where crashes found in logs go: to the engine that serves the project, or else into its incidents directly.

Without being asked to heal it only records and explains. It walks one incident after the other, leaves requests
open, and never takes a crash of code that was replaced meanwhile for a new one. Draws nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfheal_tui.model.crash import CrashReport, Frame
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.pipeline.intake import Arrival, TakenIn
from selfheal_tui.pipeline.lease import IncidentBusyError, is_leased
from selfheal_tui.pipeline.steps import Step
from selfheal_tui.pipeline.system import Engine, Silence
from selfheal_tui.source.position import reads_the_same
from selfheal_tui.source.text import UnreadableSourceError, split_lines
from selfheal_tui.supervisor.holder import DUTY
from selfheal_tui.supervisor.sentry import inbox_sink

_S = IncidentState
_FIXED = frozenset({Outcome.HEALED, Outcome.HEALED_UNPROVEN})
LIVE_UNKNOWN = "applied; proved in an isolated copy; restart the program to have it run the new code"


@dataclass(frozen=True, slots=True)
class LogCrash:
    """Crashes from a log were recorded.

    Attributes:
        incident: Their incident; None when the project's engine will take the report in.
        report: The latest of them.
        times: How many.
        outdated: They come from code that was replaced since: the program was not restarted.
    """

    incident: Incident | None
    report: CrashReport
    times: int
    outdated: bool = False


class LogDesk:
    """Takes the crashes of logs.

    Args:
        engine: The engine of the project.
        heal: Whether to heal, not only to explain.
    """

    def __init__(self, engine: Engine, *, heal: bool) -> None:
        self._engine = engine
        self._heal = heal
        self._news: list[LogCrash] = []
        self._waiting: dict[str, None] = {}
        inbox = engine.store.inbox.directory
        self._to_engine = inbox_sink(engine.project.root, inbox)

    def take(self, reports: Sequence[CrashReport]) -> None:
        """Puts crashes on disk; it returns when they are there. A sink for `LogWatcher`.

        Raises:
            StoreError: They could not be recorded.
            OSError: They could not be handed to the engine.
        """
        if is_leased(self._engine.store.directory, DUTY):
            for report in reports:
                self._to_engine(report)
                self._news.append(LogCrash(None, report, report.count))
            return
        arrivals = [Arrival(self._recognised(report)) for report in reports]
        taken = self._engine.take_in_all(arrivals, counts_only=self._is_outdated)
        for one in taken:
            if not one.fresh:
                continue
            self._news.append(LogCrash(one.incident, one.report, one.report.count, one.counts_only))
            if not one.counts_only and not _is_doubtful(one):
                self._waiting[one.incident.incident_id] = None

    def take_up(self, logs: Sequence[Path]) -> None:
        """Takes up incidents of these logs that were recorded before and not looked at to the end."""
        files = {str(path.absolute()) for path in logs}
        for incident in self._engine.store.incidents.all():
            open_states = (_S.DETECTED, _S.ANALYZED) if self._heal else (_S.DETECTED,)
            if incident.state in open_states and (
                incident.report.context.get("log.file") in files
                and "log.doubtful" not in incident.report.context
            ):
                self._waiting[incident.incident_id] = None

    def news(self) -> list[LogCrash]:
        """Returns what was recorded since the last call."""
        news, self._news = self._news, []
        return news

    def work(self) -> Generator[Step, Silence | None, list[Incident]]:
        """Explains, or heals, what waits.

        Yields:
            The engine's steps.

        Returns:
            The incidents as they stand.
        """
        ended: list[Incident] = []
        while self._waiting:
            incident_id = next(iter(self._waiting))
            del self._waiting[incident_id]
            incident = self._engine.store.incidents.get(incident_id)
            if incident.state not in (_S.DETECTED, _S.ANALYZED):
                continue  # a request is open, or a fix is being watched: more crashes change nothing
            try:
                walk = self._engine.walk(incident) if self._heal else self._engine.explain(incident)
                ended.append(self._confirmed((yield from walk)))
            except IncidentBusyError:
                continue  # whoever works on it goes on
        return ended

    def _confirmed(self, incident: Incident) -> Incident:
        # A log does not tell when its program was restarted, so there is nothing to watch the fix by.
        if incident.state is _S.ON_PROBATION:
            return self._engine.closer.confirm(incident, LIVE_UNKNOWN)
        return incident

    def _recognised(self, report: CrashReport) -> CrashReport:
        """Gives frames of code that a fix has replaced the names that they had when the fix was made.

        A log has bare function names, and what is on disk now cannot complete them for lines that are gone.
        """
        local = self._engine.project.localise(report)
        suspect = local.suspect()
        if suspect is None or self._stands(suspect[1]):
            return report
        names: dict[tuple[str | None, str, str], str] = {}
        for incident in self._engine.store.incidents.all():
            if incident.state is _S.CLOSED and incident.outcome in _FIXED:
                for info in incident.report.chain:
                    names |= {_place(frame): frame.qualname for frame in info.frames if frame.in_app}
        chain = tuple(
            replace(
                info, frames=tuple(replace(f, qualname=names.get(_place(f), f.qualname)) for f in info.frames)
            )
            for info in local.chain
        )
        return report.with_chain(chain)

    def _is_outdated(self, incident: Incident, report: CrashReport) -> bool:
        """Whether a crash of a healed incident shows a line that is no longer there."""
        suspect = report.suspect()
        if incident.state is not _S.CLOSED or incident.outcome not in _FIXED or suspect is None:
            return False
        return not self._stands(suspect[1])

    def _stands(self, frame: Frame) -> bool:
        """Whether the line of a frame is in its file still; where nothing can be compared, it is."""
        if frame.path is None or not frame.source.strip():
            return True
        try:
            lines = split_lines(self._engine.project.read(frame.path).text)
        except (OSError, UnreadableSourceError):
            return True
        return frame.line <= len(lines) and reads_the_same(frame.source, lines[frame.line - 1])


def _place(frame: Frame) -> tuple[str | None, str, str]:
    return frame.path, frame.function, frame.source.strip()


def _is_doubtful(one: TakenIn) -> bool:
    """Whether frames of two tracebacks may be mixed up in it: such a thing is shown, and not worked on."""
    return "log.doubtful" in one.report.context
