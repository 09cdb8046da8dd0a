"""Turns the engine's steps into proofs that are seen growing. Safe between threads; no I/O.

What another process proves cannot be followed here: its incident says `proving`, and its proof appears when it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.operations.desk import ProofMoved
from selfheal_tui.operations.details import by_of
from selfheal_tui.operations.proofs import climbing, ladder_of, running_rung
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Judged, Progressed, Proposed, RungEnded, Step

_WALKED = frozenset({IncidentState.PROPOSING, IncidentState.VALIDATING})


@dataclass(slots=True)
class _Climb:
    label: str
    started_at: float
    reports: list[RungReport] = field(default_factory=list)


class LiveProofs:
    """The proofs that are being made now.

    Args:
        tell: Takes each move, on the thread that brought the step.
        clock: Unix time in seconds.
    """

    def __init__(self, tell: Callable[[ProofMoved], None], clock: Callable[[], float] = time.time) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._climbs: dict[str, _Climb] = {}
        self._moved: dict[str, ProofMoved] = {}
        self._notes: dict[str, str] = {}

    def hear(self, step: Step, label: str = "") -> None:
        """Takes a step.

        Args:
            step: The engine's step.
            label: What is being proved; by default its candidate's number and proposer.
        """
        match step:
            case Proposed(incident=incident, candidate=candidate):
                number = len(incident.attempts) + 1
                climb = _Climb(label or _label(number, candidate), self._clock())
                self._moved_on(incident.incident_id, climb, ended=False)
            case RungEnded(incident=incident, candidate=candidate, report=report):
                climb = self._climbs.get(incident.incident_id) or _Climb(
                    label or _label(len(incident.attempts) + 1, candidate), self._clock()
                )
                climb.reports.append(report)
                self._moved_on(incident.incident_id, climb, ended=False)
            case Judged(incident=incident, candidate=candidate, proof=proof):
                climb = self._climbs.get(incident.incident_id) or _Climb(
                    label or _label(len(incident.attempts), candidate), self._clock()
                )
                climb.reports = list(proof.reports)
                self._moved_on(incident.incident_id, climb, ended=True)
            case Progressed(incident=incident) if incident.state in _WALKED:
                with self._lock:
                    self._notes[incident.incident_id] = "searching for a fix"
            case Progressed(incident=incident) | Held(incident=incident) | ApprovalNeeded(incident=incident):
                self.forget(incident.incident_id)

    def end(self, incident_id: str) -> None:
        """Tells that whoever proved for an incident is gone; what was under way will not go on."""
        climb = self._climbs.get(incident_id)
        if climb is not None:
            self._moved_on(incident_id, climb, ended=True)
        self.forget(incident_id)

    def end_all(self) -> None:
        """As `end`, for all."""
        for incident_id in list(self._climbs):
            self.end(incident_id)
        with self._lock:
            self._notes.clear()

    def forget(self, incident_id: str) -> None:
        """Drops what is known of an incident, without telling."""
        with self._lock:
            self._climbs.pop(incident_id, None)
            self._moved.pop(incident_id, None)
            self._notes.pop(incident_id, None)

    def notes(self) -> dict[str, str]:
        """Returns what is going on, by incident, such as `proving · tests`."""
        with self._lock:
            return dict(self._notes)

    def tell_again(self, incident_id: str) -> None:
        """Tells how the proof of an incident stands, if one is being made: for somebody who looks at it just now."""
        with self._lock:
            moved = self._moved.get(incident_id)
        if moved is not None:
            self._tell(moved)

    def _moved_on(self, incident_id: str, climb: _Climb, *, ended: bool) -> None:
        rungs = ladder_of(climb.reports) if ended else climbing(climb.reports, since=self._clock())
        moved = ProofMoved(incident_id, climb.label, rungs, climb.started_at, ended)
        with self._lock:
            running = running_rung(rungs)
            self._notes[incident_id] = f"proving · {running}" if running else "searching for a fix"
            if ended:
                self._climbs.pop(incident_id, None)
                self._moved.pop(incident_id, None)
            else:
                self._climbs[incident_id] = climb
                self._moved[incident_id] = moved
        self._tell(moved)


def _label(number: int, candidate: Candidate) -> str:
    return f"candidate {number} · {by_of(candidate)}"
