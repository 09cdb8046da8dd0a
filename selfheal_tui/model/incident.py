"""An incident: one crash and all that became of it, as an immutable snapshot with a state machine.

No I/O; changes make new snapshots, and only along `TRANSITIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from selfheal_tui.model.candidate import Candidate, Cost
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.diagnosis import Diagnosis
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.kinds import Environment, Outcome
from selfheal_tui.model.regression import Regression


class IncidentState(StrEnum):
    """Where an incident is on its way."""

    DETECTED = "detected"
    ANALYZED = "analyzed"
    PROPOSING = "proposing"
    VALIDATING = "validating"
    AWAITING_APPROVAL = "awaiting approval"
    APPLYING = "applying"
    ON_PROBATION = "on probation"
    CLOSED = "closed"


_S = IncidentState
TRANSITIONS: dict[IncidentState, frozenset[IncidentState]] = {
    _S.DETECTED: frozenset({_S.ANALYZED, _S.CLOSED}),
    _S.ANALYZED: frozenset({_S.PROPOSING, _S.CLOSED}),
    _S.PROPOSING: frozenset({_S.VALIDATING, _S.CLOSED}),
    _S.VALIDATING: frozenset({_S.PROPOSING, _S.AWAITING_APPROVAL, _S.APPLYING, _S.CLOSED}),
    _S.AWAITING_APPROVAL: frozenset({_S.PROPOSING, _S.VALIDATING, _S.APPLYING, _S.CLOSED}),
    _S.APPLYING: frozenset({_S.ON_PROBATION, _S.AWAITING_APPROVAL, _S.PROPOSING, _S.CLOSED}),
    _S.ON_PROBATION: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset({_S.DETECTED, _S.ON_PROBATION, _S.CLOSED}),
}
"""Allowed steps. A closed incident opens anew when its crash returns; its outcome may become `rolled back`
when an operator takes the fix out, and it is on probation again when that is undone under an engine."""


class IllegalTransitionError(RuntimeError):
    """An incident was asked to take a step that its state machine does not have."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What makes two crashes the same.

    Attributes:
        value: 16 hexadecimal digits.
        version: Version of the algorithm.
    """

    value: str
    version: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One candidate that was tried, and what came of it.

    Attributes:
        candidate: The fix.
        proof: Its proof so far.
        ast_key: Hash of the fix normalised by AST, so that the same fix is never tried twice.
        note: Why it was not taken, if it was not.
    """

    candidate: Candidate
    proof: Proof
    ast_key: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One crash and all that became of it.

    Attributes:
        incident_id: Short unique id (four or more hexadecimal digits).
        fingerprint: Identity of the crash.
        report: The latest capture, with frames localised to the project.
        environment: Where it happened.
        first_seen: Unix time in seconds.
        last_seen: Unix time in seconds.
        state: Where it is.
        count: How often the crash was seen.
        diagnosis: The analysis, once made.
        attempts: Candidates tried, in order.
        chosen: Index in `attempts` of the candidate that is proposed or applied; -1 for none.
        outcome: How it closed; None while open.
        message: The last thing worth telling the operator, in a sentence.
        request_id: The open approval request, if one is.
        transaction_id: The applied change, for rollback; empty when nothing was applied.
        cost: Sum of what models cost.
        regression: What a test that keeps it healed could be; None until a fix was proved.
    """

    incident_id: str
    fingerprint: Fingerprint
    report: CrashReport
    environment: Environment
    first_seen: float
    last_seen: float
    state: IncidentState = IncidentState.DETECTED
    count: int = 1
    diagnosis: Diagnosis | None = None
    attempts: tuple[Attempt, ...] = ()
    chosen: int = -1
    outcome: Outcome | None = None
    message: str = ""
    request_id: str = ""
    transaction_id: str = ""
    cost: Cost = field(default_factory=Cost)
    regression: Regression | None = None

    @property
    def chosen_attempt(self) -> Attempt | None:
        """The attempt that is proposed or applied."""
        return self.attempts[self.chosen] if 0 <= self.chosen < len(self.attempts) else None

    def advance(self, state: IncidentState, *, message: str = "") -> Incident:
        """Takes a step.

        Args:
            state: The next state; use `close` for the last one.
            message: What to tell the operator; empty keeps the old message.

        Raises:
            IllegalTransitionError: The state machine has no such step.
        """
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransitionError(f"incident {self.incident_id}: {self.state} → {state}")
        return replace(self, state=state, message=message or self.message)

    def close(self, outcome: Outcome, message: str) -> Incident:
        """Closes the incident with an honest outcome.

        Raises:
            IllegalTransitionError: It cannot be closed from where it is.
        """
        if IncidentState.CLOSED not in TRANSITIONS[self.state]:
            raise IllegalTransitionError(f"incident {self.incident_id}: {self.state} → closed")
        return replace(self, state=IncidentState.CLOSED, outcome=outcome, message=message, request_id="")

    def reopen(self, report: CrashReport, at: float) -> Incident:
        """Opens a closed incident anew because its crash returned, keeping count and attempts.

        Raises:
            IllegalTransitionError: The incident is not closed.
        """
        if self.state is not IncidentState.CLOSED:
            raise IllegalTransitionError(f"incident {self.incident_id}: {self.state} → reopened")
        return replace(
            self,
            state=IncidentState.DETECTED,
            outcome=None,
            report=report,
            count=self.count + 1,
            last_seen=at,
            chosen=-1,
            request_id="",
            message="the crash returned",
        )
