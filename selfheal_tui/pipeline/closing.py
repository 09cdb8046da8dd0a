"""How incidents end: the honest outcome, the record of the attempt, and what is learnt from it.

Reverting a fix that failed its probation is here too, since it is an ending; it goes through the same
planned, conflict-aware rollback as an operator's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from selfheal_tui.model.approval import ApprovalDecision, DecisionKind
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Attempt, Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.record import AuditRecord
from selfheal_tui.pipeline.learn import FactChecker, attempt_record, keys_of
from selfheal_tui.pipeline.propose import Told
from selfheal_tui.pipeline.rollback import (
    FIX,
    UNDONE,
    FilePlan,
    RollbackAction,
    execute_rollback,
    plan_rollback,
)
from selfheal_tui.repair.memory import proven_of
from selfheal_tui.source.diff import unified_diff
from selfheal_tui.source.project import OutsideRootError, Project
from selfheal_tui.source.text import UnreadableSourceError, decode_source
from selfheal_tui.store import Store

SETTLED = frozenset({Outcome.HEALED, Outcome.HEALED_UNPROVEN, Outcome.EXTERNAL, Outcome.TRANSIENT})
"""Outcomes after which the captured arguments are of no more use; a crash that may come back keeps them."""


class Closer:
    """Ends incidents."""

    def __init__(self, project: Project, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._project = project
        self._store = store
        self._clock = clock
        self._facts = FactChecker(store)

    def close(self, incident: Incident, outcome: Outcome, message: str, *, decided_by: str = "") -> Incident:
        """Closes an incident, on record.

        Args:
            incident: Where it stands.
            outcome: The honest outcome.
            message: For the operator.
            decided_by: Who allowed or refused the fix, if there was one.

        Returns:
            The closed incident.
        """
        closed = incident.close(outcome, message)
        attempt = incident.chosen_attempt
        self._store.incidents.put(closed)
        if outcome in SETTLED:
            self._store.inbox.forget(incident.report)
        self._store.attempts.append(
            attempt_record(
                closed,
                outcome=outcome,
                candidate=attempt.candidate if attempt else None,
                proof=attempt.proof if attempt else _last_proof(incident),
                before=self.texts_before(attempt),
                decided_by=decided_by,
                now=self._clock(),
            )
        )
        self._store.audit.append(
            "incident.closed",
            actor="engine",
            incident_id=closed.incident_id,
            data={"outcome": outcome.value, "message": message},
        )
        return closed

    def nothing_found(self, incident: Incident, told: Told) -> Incident:
        """Closes an incident for which there is no fix to offer, with the best explanation at hand."""
        diagnosis = incident.diagnosis
        lines = [r.explanation for r in told.refusals if r.explanation][:3]
        if not lines and diagnosis is not None:
            lines = [diagnosis.explanation or diagnosis.root_cause]
        if not lines or any(r.cost.seconds for r in told.refusals):
            lines += [r.reason for r in told.refusals if r.reason and not r.explanation][:3]
        failed = [a for a in incident.attempts if a.proof.failed]
        if failed:
            last = failed[-1].proof.reports[-1]
            lines.append(
                f"{len(failed)} candidate(s) failed the proof, the last at {last.rung}: {last.summary}"
            )
            self._facts.record_failure(f"fingerprint:{incident.fingerprint.value}", last.summary)
        message = " · ".join(dict.fromkeys(line for line in lines if line))
        return self.close(incident, Outcome.EXPLAINED, message or "no safe fix is known")

    def rejected(self, incident: Incident, decision: ApprovalDecision) -> Incident:
        """Closes an incident whose fix was refused; a person's no is never asked again."""
        attempt = incident.chosen_attempt
        if attempt is not None and decision.kind is DecisionKind.REJECTED:
            why = f"rejected by {decision.by}: {decision.reason or 'no reason given'}"
            incident = _with_note(incident, why)
            self._store.learning.blacklist(incident.fingerprint.value, attempt.ast_key, why)
            for key in keys_of(attempt.candidate, incident.fingerprint.value)[:1]:
                self._facts.record_failure(key, why)
        message = f"{decision.kind.value} by {decision.by}" + (
            f": {decision.reason}" if decision.reason else ""
        )
        return self.close(incident, Outcome.REJECTED, message, decided_by=decision.by)

    def confirm(self, incident: Incident, evidence: str) -> Incident:
        """Closes an applied fix as healed, and remembers it.

        One that was put back in after a rollback is counted only if it had not been counted before, and is called
        proved only if its files were put back exactly.

        Args:
            incident: On probation.
            evidence: What showed that it holds, such as `the command ran to its end`.
        """
        attempt = incident.chosen_attempt
        undo = self._undo_of(incident)
        exact = undo is None or RollbackAction.MERGE.value not in undo.data["files"].values()
        proved = attempt is not None and attempt.proof.proved and exact
        before = self.texts_before(attempt)
        if attempt is not None and (undo is None or not self._was_healed(incident, attempt)):
            for key in keys_of(attempt.candidate, incident.fingerprint.value):
                self._facts.record_success(key, {"incident": incident.incident_id})
            if proved:
                self._remember(incident, attempt, before)
        outcome = Outcome.HEALED if proved else Outcome.HEALED_UNPROVEN
        return self.close(incident, outcome, evidence, decided_by=self._decider(incident))

    def revert(
        self,
        incident: Incident,
        why: str,
        *,
        actor: str = "engine",
        overwrite: bool = False,
        plans: Sequence[FilePlan] | None = None,
    ) -> Incident:
        """Takes an applied fix back and never tries it again for this crash.

        Args:
            incident: On probation, or closed as healed.
            why: What speaks against the fix.
            actor: Who wants it back.
            overwrite: Restore over conflicting later edits (backed up first).
            plans: What was shown to whoever wants it back; None plans anew.

        Raises:
            RollbackConflictError: Later edits are in the way; nothing was written.
            StoreError: Writing failed; nothing was changed.
        """
        if plans is None:
            entries = self._store.backups.of_transaction(incident.transaction_id)
            plans = plan_rollback(self._store, self._project, entries)
        execute_rollback(
            self._store, plans, incident_id=incident.incident_id, actor=actor, overwrite=overwrite, of=FIX
        )
        attempt = incident.chosen_attempt
        if attempt is not None:
            self._store.learning.blacklist(incident.fingerprint.value, attempt.ast_key, why)
            for key in keys_of(attempt.candidate, incident.fingerprint.value):
                self._facts.record_failure(key, why)
        noted = replace(_with_note(incident, f"rolled back by {actor}: {why}"), transaction_id="")
        return self.close(noted, Outcome.ROLLED_BACK, why, decided_by=actor)

    def put_back(
        self, incident: Incident, transaction_id: str, *, exact: bool, actor: str, watched: bool = False
    ) -> Incident:
        """Puts on record that a fix which was rolled back is in again.

        What was learnt from the rollback is taken back; the success was counted when the fix was confirmed, if it
        was, and is not counted again.

        Args:
            incident: Closed as rolled back.
            transaction_id: The change that put the fix back; the way to take it out again.
            exact: Whether its files hold exactly what was proved, without later edits.
            actor: Who put it back.
            watched: Whether an engine serves the project, which is to watch the fix in living programs anew.

        Returns:
            The incident: on probation if it is watched; otherwise closed, and healed only if the same fix had been
            seen to hold, and nothing else is in its files.
        """
        attempt = incident.chosen_attempt
        if attempt is not None:
            self._store.learning.unbar(incident.fingerprint.value, attempt.ast_key)
            for key in keys_of(attempt.candidate, incident.fingerprint.value):
                self._store.learning.retract(key, success=False)
        back_in = f"put back in by {actor} after it was rolled back ({incident.message})"
        noted = replace(_with_note(incident, ""), transaction_id=transaction_id)
        if watched:
            again = replace(noted.advance(IncidentState.ON_PROBATION, message=back_in), outcome=None)
            self._store.incidents.put(again)
            return again
        held = exact and self._was_healed(incident, attempt)
        outcome = Outcome.HEALED if held else Outcome.HEALED_UNPROVEN
        seen = "it had been seen to hold" if held else "not seen to hold since"
        return self.close(noted, outcome, f"{back_in}; {seen}", decided_by=actor)

    def _undo_of(self, incident: Incident) -> AuditRecord | None:
        """The record of the undo by which the fix of an incident was put back in, if it was."""
        undone = self._store.audit.records(incident.incident_id, kinds={UNDONE})
        mine = (record for record in undone if record.data["transaction"] == incident.transaction_id)
        return next(mine, None)

    def _was_healed(self, incident: Incident, attempt: Attempt | None) -> bool:
        """Whether this very patch was confirmed for this incident before it was rolled back."""
        patch = attempt.candidate.patch_sha256 if attempt is not None else ""
        mine = [
            record
            for record in self._store.attempts.all()
            if record.incident_id == incident.incident_id and record.patch_sha256 == patch
        ]
        return bool(patch) and any(record.outcome == Outcome.HEALED.value for record in mine)

    def _remember(self, incident: Incident, attempt: Attempt, before: dict[str, str]) -> None:
        suspect = incident.diagnosis.suspect if incident.diagnosis else None
        for fix in proven_of(
            attempt.candidate,
            before,
            fingerprint=incident.fingerprint.value,
            exception=incident.report.raised.bare_type,
            suspect=suspect.qualname if suspect else "",
        ):
            self._store.learning.remember(fix)

    def _decider(self, incident: Incident) -> str:
        applied = self._store.audit.records(incident.incident_id, kinds={"change.applied"})
        return applied[-1].actor if applied else ""

    def texts_before(self, attempt: Attempt | None) -> dict[str, str]:
        """Reads what the fix's files held before, from the backups if it was applied, else from disk."""
        texts: dict[str, str] = {}
        for edit in attempt.candidate.edits if attempt else ():
            data = self._bytes_before(edit.path, edit.before_sha256)
            if data is None:
                continue
            try:
                texts[edit.path] = decode_source(data, edit.path).text
            except UnreadableSourceError:
                texts[edit.path] = ""
        return texts

    def diff_of(self, attempt: Attempt) -> str:
        """Returns the unified diff of an attempt, against what its files held before."""
        before = self.texts_before(attempt)
        return "".join(
            unified_diff(before.get(edit.path, ""), edit.text, edit.path) for edit in attempt.candidate.edits
        )

    def _bytes_before(self, path: str, sha256: str | None) -> bytes | None:
        if sha256 is None:
            return None
        for entry in reversed(self._store.backups.entries()):
            if entry.path == path and entry.sha256 == sha256:
                return self._store.backups.read(entry)
        try:
            return self._project.absolute(path).read_bytes()
        except (OSError, OutsideRootError):
            return None


def _last_proof(incident: Incident) -> Proof | None:
    return incident.attempts[-1].proof if incident.attempts else None


def _with_note(incident: Incident, note: str) -> Incident:
    if not 0 <= incident.chosen < len(incident.attempts):
        return incident
    attempts = list(incident.attempts)
    attempts[incident.chosen] = replace(attempts[incident.chosen], note=note)
    return replace(incident, attempts=tuple(attempts))
