"""Puts a proved attempt to governance with all that is known about it: for the engine's proposals and an operator's.

It gathers facts and asks; what they allow is `policy`'s and `govern`'s business.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from selfheal_tui.model.approval import Gate
from selfheal_tui.model.incident import Attempt, Incident
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.model.settings import Settings
from selfheal_tui.pipeline.govern import Governance
from selfheal_tui.pipeline.limits import change_limit
from selfheal_tui.pipeline.policy import ChangeFacts
from selfheal_tui.pipeline.select import SET_ASIDE
from selfheal_tui.store import Store

OPERATOR = "operator"
"""`Candidate.proposer` of a person's own version."""


class Asking:
    """Judges attempts by everything that governance wants to know.

    Args:
        settings: All settings.
        store: The store.
        governance: Who judges.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        governance: Governance,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._governance = governance
        self._clock = clock

    def judge(self, incident: Incident, attempt: Attempt, *, rivals: int) -> Gate:
        """Tells what may happen with an attempt.

        Args:
            incident: The incident, with its diagnosis.
            attempt: The proved fix.
            rivals: How many other fixes were proved just as well.
        """
        candidate = attempt.candidate
        diagnosis = incident.diagnosis
        assert diagnosis is not None
        facts = ChangeFacts(
            environment=self._settings.environment,
            diagnosis=diagnosis,
            proof=attempt.proof,
            proposer=candidate.proposer,
            adds_imports=candidate.adds_imports,
            rivals=rivals,
            guess=candidate.guess,
            doubt=candidate.doubt,
            sweeping=candidate.sweeping,
            foreseen=incident.report.source is CaptureSource.SCAN,
            set_aside=any(one.note.startswith(SET_ASIDE) for one in incident.attempts),
        )
        return self._governance.judge(candidate, facts, limits=self._limits(incident, attempt))

    def _limits(self, incident: Incident, attempt: Attempt) -> str:
        if attempt.candidate.proposer == OPERATOR:
            return ""  # the breaker calls for a person, and here one is
        return change_limit(
            self._store,
            self._settings.limits,
            fingerprint=incident.fingerprint.value,
            paths=[edit.path for edit in attempt.candidate.edits],
            now=self._clock(),
        )
