"""What a proposer is given and what it may answer.

A proposer turns a diagnosed crash into candidates, or says honestly that it cannot. It reads the
project and never writes; nothing it returns is trusted before the proof ladder.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.diagnosis import Diagnosis
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.laboratory import Laboratory
from selfheal_tui.model.ports import ReplayPlan
from selfheal_tui.model.settings import Settings
from selfheal_tui.model.trial import Trials
from selfheal_tui.source.project import Project


@dataclass(frozen=True, slots=True)
class RepairContext:
    """All that a proposer may look at.

    Attributes:
        project: The live project, to be read only.
        report: The crash, frames localised.
        diagnosis: The analysis.
        settings: All settings.
        interpreter: The target interpreter's executable, to be asked about its library.
        attempts: Candidates tried before for this crash, with their proofs and why they were not taken.
        rejections: Reasons that operators gave for earlier rejections of this crash's fixes.
        trials: Tries candidates quickly, for proposers that search; None when there is nothing to try them on.
        laboratory: The isolated copy, for proposers that try very many small changes; None where it cannot do that.
        plans: Ways to make the crash happen again, most telling first.
    """

    project: Project
    report: CrashReport
    diagnosis: Diagnosis
    settings: Settings
    interpreter: str
    attempts: tuple[Attempt, ...] = ()
    rejections: tuple[str, ...] = ()
    trials: Trials | None = None
    laboratory: Laboratory | None = None
    plans: tuple[ReplayPlan, ...] = ()

    @property
    def error(self) -> ExceptionInfo:
        """The exception to cure: the one with the suspect frame, else the one that was raised."""
        found = self.report.suspect()
        return found[0] if found else self.report.raised

    @property
    def frame(self) -> Frame | None:
        """The suspect frame."""
        found = self.report.suspect()
        return found[1] if found else None


class Proposer(Protocol):
    """One source of candidates."""

    @property
    def name(self) -> str:
        """`rules`, `memory` or `llm`."""
        ...

    def propose(self, context: RepairContext) -> Generator[Candidate | CannotFix, Attempt | None, None]:
        """Yields candidates, most promising first.

        The caller validates each candidate before it asks for the next one, and sends the failed
        attempt in (`generator.send`), so that an expensive proposer learns why the one before failed.
        """
        ...
