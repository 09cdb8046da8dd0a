"""What a rung of the proof ladder is given and what it must answer.

A check reads its context and returns one report. It never writes outside the workspace that it is
handed, and never turns a problem of its own into a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.diagnosis import Diagnosis
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.incident import Fingerprint
from selfheal_tui.model.ports import ReplayPlan, ReplayResult, TestRun, Workspace
from selfheal_tui.model.settings import Settings
from selfheal_tui.source.project import Project


@dataclass(slots=True)
class Baseline:
    """What the unfixed copy did, measured once per incident and shared by all its candidates.

    Attributes:
        replays: Result of each plan on the unfixed copy.
        tests: Test run on the unfixed copy; None until it was made.
    """

    replays: dict[ReplayPlan, ReplayResult] = field(default_factory=dict)
    tests: TestRun | None = None


@dataclass(frozen=True, slots=True)
class CheckContext:
    """All that a check may look at.

    Attributes:
        project: The live project, to be read only.
        report: The crash.
        fingerprint: Its fingerprint, computed from `report`.
        fingerprint_of: Computes the fingerprint of another report (for replays).
        diagnosis: The analysis.
        candidate: The fix in question.
        before: Current bytes of every file that the candidate edits; None for a new file.
        settings: All settings.
        plans: Ways to replay the crash, most telling first; empty when there is none.
        baseline: Results of the unfixed copy; the first check that needs one fills it.
        workspace: The isolated copy, in which the candidate is *not* yet written. Checks that write the
            candidate put the original bytes back before they return.
    """

    project: Project
    report: CrashReport
    fingerprint: Fingerprint
    fingerprint_of: Callable[[CrashReport], Fingerprint]
    diagnosis: Diagnosis
    candidate: Candidate
    before: dict[str, bytes | None]
    settings: Settings
    plans: tuple[ReplayPlan, ...]
    baseline: Baseline
    workspace: Workspace


class Check(Protocol):
    """One rung. Modules in this package expose an instance as `CHECK`."""

    @property
    def name(self) -> str:
        """One of `selfheal_tui.model.evidence.RUNGS`."""
        ...

    def run(self, context: CheckContext) -> RungReport:
        """Climbs the rung."""
        ...
