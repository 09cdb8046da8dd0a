"""What the engine service tells whoever watches: immutable facts, beside the engine's own steps.

A viewer (the command line, the console, a program manager) gets each of them once, in order, on the service's thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.model.incident import Incident
from selfheal_tui.pipeline.steps import Step
from selfheal_tui.supervisor.channels import RestartReason
from selfheal_tui.supervisor.queue import Job


@dataclass(frozen=True, slots=True)
class ServiceStarted:
    """The engine serves the project.

    Attributes:
        root: The project.
        pid: Our process id.
        workers: How many crashes are healed at once.
    """

    root: str
    pid: int
    workers: int


@dataclass(frozen=True, slots=True)
class ServiceStopped:
    """The engine serves no more.

    Attributes:
        reason: Why.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class CrashSeen:
    """Reports of one crash were taken in.

    Attributes:
        incident: As it stands.
        kind: What was captured (`CrashReport.kind`).
        pid: The process that crashed; 0 when unknown.
        times: How many occurrences these reports stand for.
        counts_only: They open nothing anew: they come from code that was replaced, or it was looked at just now.
    """

    incident: Incident
    kind: str
    pid: int
    times: int
    counts_only: bool = False


@dataclass(frozen=True, slots=True)
class ReportRefused:
    """A file in the inbox was no report.

    Attributes:
        file: Its name.
        why: Why.
    """

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class JobMoved:
    """A job took a step.

    Attributes:
        job: As it stands.
    """

    job: Job


@dataclass(frozen=True, slots=True)
class Stepped:
    """A worker took a step with its incident.

    Attributes:
        step: The engine's step.
    """

    step: Step


@dataclass(frozen=True, slots=True)
class ProgramSwapped:
    """A live program runs the files as they are on disk now.

    Attributes:
        incident_id: For which incident.
        pid: The program.
        swapped: `module:qualname` of what was swapped.
        restored: Whether a fix was taken back, or a saved version restored.
    """

    incident_id: str
    pid: int
    swapped: tuple[str, ...]
    restored: bool = False


@dataclass(frozen=True, slots=True)
class RestartNeeded:
    """A live program runs code that is not on disk any more, and that cannot be swapped.

    Attributes:
        incident_id: For which incident.
        pid: The program.
        reasons: What could not be swapped, and why.
        files: Files that changed, relative to the root.
        restored: Whether a fix was taken back, or a saved version restored.
    """

    incident_id: str
    pid: int
    reasons: tuple[RestartReason, ...]
    files: tuple[str, ...]
    restored: bool = False


@dataclass(frozen=True, slots=True)
class WaitersAnswered:
    """Guards that waited were told the verdict.

    Attributes:
        incident_id: The incident.
        pid: The program.
        reports: How many waited there.
        verdict: `healed` or `not healed`.
    """

    incident_id: str
    pid: int
    reports: int
    verdict: str


@dataclass(frozen=True, slots=True)
class ProbationBegan:
    """A fix is on disk and is watched.

    Attributes:
        incident: On probation.
        until: Unix time in seconds at which the watch ends.
    """

    incident: Incident
    until: float


@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """An incident ended.

    Attributes:
        incident: Closed, with its outcome.
    """

    incident: Incident


@dataclass(frozen=True, slots=True)
class ServiceProblem:
    """Something in the service itself failed; it goes on.

    Attributes:
        where: What was being done.
        error: What went wrong, and what to do about it.
    """

    where: str
    error: str


Event = (
    ServiceStarted
    | ServiceStopped
    | CrashSeen
    | ReportRefused
    | JobMoved
    | Stepped
    | ProgramSwapped
    | RestartNeeded
    | WaitersAnswered
    | ProbationBegan
    | IncidentClosed
    | ServiceProblem
)
