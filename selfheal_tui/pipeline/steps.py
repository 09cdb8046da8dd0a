"""What the engine tells whoever drives it: immutable steps, one of which asks for a person.

The engine never prints and never asks; it yields these, and for `ApprovalNeeded` it looks into the
store afterwards for what was decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.model.approval import ApprovalRequest
from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.evidence import Proof, RungReport
from selfheal_tui.model.incident import Incident


@dataclass(frozen=True, slots=True)
class Progressed:
    """The incident took a step."""

    incident: Incident


@dataclass(frozen=True, slots=True)
class Proposed:
    """A candidate goes onto the ladder."""

    incident: Incident
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class RungEnded:
    """One rung of the ladder ended."""

    incident: Incident
    candidate: Candidate
    report: RungReport


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate's climb ended."""

    incident: Incident
    candidate: Candidate
    proof: Proof


@dataclass(frozen=True, slots=True)
class Held:
    """The incident is understood and left as it is for now; its message says why."""

    incident: Incident


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """A person has to decide before the engine is asked to go on.

    Whoever drives the engine waits for a decision in the store (from this or any other process) as long
    as it wants, then goes on; silence is a denial.
    """

    incident: Incident
    request: ApprovalRequest
    candidate: Candidate
    proof: Proof


Step = Progressed | Proposed | RungEnded | Judged | Held | ApprovalNeeded
