"""Carries news between the engine service and the program manager: which crash is whose, and what to do after a fix.

Neither knows the other. A program that died is started when its fix is on disk; one that lives is started anew only
where the service found that the fix cannot be swapped in. It decides nothing about fixes and starts nothing itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.pipeline.steps import Progressed
from selfheal_tui.store.errors import StoreError
from selfheal_tui.supervisor.events import (
    CrashSeen,
    Event,
    IncidentClosed,
    JobMoved,
    ProbationBegan,
    RestartNeeded,
    Stepped,
)
from selfheal_tui.supervisor.lifecycle import ProgramChanged, ProgramState
from selfheal_tui.supervisor.queue import JobState

_LOG = logging.getLogger(__name__)
_UNDER_WAY = frozenset({JobState.QUEUED, JobState.RUNNING})
SETTLE_SECONDS = 0.5
"""How long after a crash its report may be neither in the inbox nor in the queue: it is being taken in."""


class Programs(Protocol):
    """What is needed of a `ProgramManager`."""

    def program_of(self, pid: int) -> str:
        """The program of a process, or an empty string."""

    def mark(self, incident_id: str, name: str | None = None) -> None:
        """Marks an incident in a program's output."""

    def fixed(self, name: str, incident_id: str, *, restart_needed: str = "") -> bool:
        """Tells that a fix was applied."""

    def outdated(self, name: str, why: str) -> bool:
        """Tells that a running program runs code that was taken back."""


class Liaison:
    """Stands between one service and one manager: `hear` is a subscriber of the one, `hear_program` of the other.

    Args:
        inbox: Folder that receives the programs' crash reports.
        ran_well: `EngineService.ran_well`, or None when another process serves the project.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        inbox: Path,
        ran_well: Callable[[int, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._ran_well = ran_well
        self._clock = clock
        self._runs: dict[str, tuple[int, float]] = {}  # program → its process, and since when
        self._settling: dict[
            int, float
        ] = {}  # process that crashed → until when its report may be on its way
        self._agreed: set[str] = set()
        self._programs: Programs | None = None
        self._lock = threading.Lock()
        self._under_way: set[str] = set()
        self._crashed: dict[str, set[str]] = {}  # incident → names of programs
        self._pids: dict[str, set[int]] = {}  # incident → processes

    def attach(self, programs: Programs) -> None:
        """Says whose programs these are; before the first of them is started."""
        self._programs = programs

    def healing(self, pids: Collection[int]) -> bool:
        """Whether a crash that one of these processes reported is being worked on, without a person."""
        with self._lock:
            if any(
                self._pids.get(incident, set()) & set(pids) for incident in self._under_way | self._agreed
            ):
                return True
            if any(self._settling.get(pid, 0.0) > self._clock() for pid in pids):
                return True
        return self._reported(pids)

    def agree(self, incident_id: str) -> None:
        """Notes that an open request was just approved: the engine is about to go on with it."""
        with self._lock:
            self._agreed.add(incident_id)

    def hear_program(self, change: ProgramChanged) -> None:
        """Takes a change of a program: good runs speak for fixes, crashes are on their way to the engine."""
        program = change.program
        if program.state is ProgramState.RUNNING and program.pid:
            self._runs[program.name] = (program.pid, program.since)
            return
        run = self._runs.pop(program.name, None) if program.pid == 0 and program.exit is not None else None
        if run is None or program.exit is None or program.by_us:
            return
        if program.exit.code:
            now = self._clock()
            with self._lock:
                self._settling = {pid: until for pid, until in self._settling.items() if until > now}
                self._settling[run[0]] = now + SETTLE_SECONDS
        elif self._ran_well is not None:
            self._ran_well(*run)

    def hear(self, event: Event) -> None:
        """Takes an event of the service."""
        match event:
            case CrashSeen(incident=incident, pid=pid):
                self._crash(incident, pid)
            case JobMoved(job=job):
                with self._lock:
                    (self._under_way.add if job.state in _UNDER_WAY else self._under_way.discard)(
                        job.incident_id
                    )
            case Stepped(step=Progressed(incident=incident)) if incident.state is IncidentState.ON_PROBATION:
                self._applied(incident)
            case ProbationBegan(incident=incident):
                self._applied(incident)
            case RestartNeeded(incident_id=incident_id, pid=pid, reasons=reasons, restored=restored):
                name = self._name_of(pid)
                why = "; ".join(f"{reason.what}: {reason.why}" for reason in reasons) or "it runs old code"
                if name and restored:
                    self._restart(name, f"code was taken back on disk ({why})")
                elif name:
                    self._tell(name, incident_id, why)
            case IncidentClosed(incident=incident):
                with self._lock:
                    self._crashed.pop(incident.incident_id, None)
                    self._pids.pop(incident.incident_id, None)
                    self._agreed.discard(incident.incident_id)
            case _:
                pass

    def _crash(self, incident: Incident, pid: int) -> None:
        name = self._name_of(pid)
        if not name or self._programs is None:
            return
        with self._lock:
            self._crashed.setdefault(incident.incident_id, set()).add(name)
            self._pids.setdefault(incident.incident_id, set()).add(pid)
        self._programs.mark(incident.incident_id, name)

    def _applied(self, incident: Incident) -> None:
        with self._lock:
            names = self._crashed.pop(incident.incident_id, set())
            self._agreed.discard(incident.incident_id)
        for name in sorted(names):
            self._tell(name, incident.incident_id, "")

    def _tell(self, name: str, incident_id: str, restart_needed: str) -> None:
        if self._programs is None:
            return
        try:
            self._programs.fixed(name, incident_id, restart_needed=restart_needed)
        except StoreError:
            _LOG.exception("the program %s could not be started after a fix", name)

    def _restart(self, name: str, why: str) -> None:
        if self._programs is None:
            return
        try:
            self._programs.outdated(name, why)
        except StoreError:
            _LOG.exception("the program %s could not be started after a rollback", name)

    def _name_of(self, pid: int) -> str:
        return self._programs.program_of(pid) if self._programs is not None and pid else ""

    def _reported(self, pids: Collection[int]) -> bool:
        """Whether a report of these processes lies in the inbox; its name holds the process id."""
        wanted = {str(pid) for pid in pids}
        try:
            names = [file.name for file in self._inbox.iterdir() if file.suffix == ".json"]
        except OSError:
            return False
        return any(name.split("-")[1:2] and name.split("-")[1] in wanted for name in names)
