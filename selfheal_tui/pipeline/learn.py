"""What the healer learns: counts of what worked, fixes that held, fixes never to be tried again.

Learning only ranks and skips; it never allows anything.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from selfheal_tui.model.candidate import Candidate, Cost
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Incident
from selfheal_tui.model.kinds import Outcome, Verdict
from selfheal_tui.model.record import HealingAttempt
from selfheal_tui.source.diff import unified_diff
from selfheal_tui.store import Store

PREVIEW_CHARACTERS = 200
"""Length of `fix_preview`, as in the seed."""


class FactChecker:
    """Counts successes and failures per key, on disk when it has a store, else in memory."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._facts: list[dict[str, Any]] = []

    def record_success(self, category: str, data: Mapping[str, Any] | None = None) -> None:
        """Counts a success.

        Args:
            category: A key such as `rule:misspelt-name`, or the seed's `self_healing`.
            data: Facts to keep with it.
        """
        self._record(category, True, "", data)

    def record_failure(self, category: str, error: str = "", data: Mapping[str, Any] | None = None) -> None:
        """Counts a failure.

        Args:
            category: A key.
            error: What went wrong.
            data: Facts to keep with it.
        """
        self._record(category, False, error, data)

    def success_rate(self, category: str) -> float:
        """Returns the share of successes by Laplace's rule of succession; 0.5 when nothing is known."""
        if self._store is not None:
            return self._store.learning.get(category).rate
        wins = sum(1 for f in self._facts if f["category"] == category and f["success"])
        total = sum(1 for f in self._facts if f["category"] == category)
        return (wins + 1) / (total + 2)

    def facts(self) -> list[dict[str, Any]]:
        """Returns what was recorded through this object, oldest first."""
        return [dict(fact) for fact in self._facts]

    def _record(self, category: str, success: bool, error: str, data: Mapping[str, Any] | None) -> None:
        self._facts.append(
            {
                "category": category,
                "success": success,
                "error": error,
                "data": dict(data or {}),
                "timestamp": datetime.now(UTC).isoformat(),
            }
        )
        if self._store is not None:
            self._store.learning.count(category, success)


def keys_of(candidate: Candidate, fingerprint: str) -> tuple[str, ...]:
    """Returns the keys under which a candidate's fate is counted."""
    kind = "model" if candidate.proposer == "llm" else "rule"
    return (f"{kind}:{candidate.rule}", f"fingerprint:{fingerprint}")


def validation_dict(proof: Proof | None) -> dict[str, Any]:
    """Turns a proof into the seed's validation record, with every rung beside it.

    Args:
        proof: The proof, or None when nothing was proposed.
    """
    if proof is None:
        return {"valid": False, "errors": [], "warnings": [], "syntax_valid": False, "imports_valid": False}
    lines = {
        verdict: [f"{r.rung}: {r.summary}" for r in proof.reports if r.verdict is verdict]
        for verdict in Verdict
    }
    return {
        "valid": proof.acceptable,
        "errors": lines[Verdict.FAIL],
        "warnings": lines[Verdict.WARN],
        "not_possible": lines[Verdict.NOT_POSSIBLE],
        "syntax_valid": proof.verdict("syntax") is Verdict.PASS,
        "imports_valid": proof.verdict("imports") is Verdict.PASS,
        "safe_to_apply": proof.acceptable and not proof.flagged,
        "proved": proof.proved,
        "rungs": {r.rung: r.verdict.value for r in proof.reports},
    }


def attempt_record(
    incident: Incident,
    *,
    outcome: Outcome,
    candidate: Candidate | None,
    proof: Proof | None,
    before: Mapping[str, str],
    decided_by: str,
    now: float | None = None,
) -> HealingAttempt:
    """Builds one line of `healing_history`.

    Args:
        incident: The incident.
        outcome: How the attempt ended.
        candidate: The fix, if there was one.
        proof: Its proof, if there was one.
        before: Text of the changed files before the fix, by path.
        decided_by: Who allowed or refused it.
        now: Unix time in seconds.
    """
    at = time.time() if now is None else now
    diagnosis = incident.diagnosis
    raised = incident.report.raised
    preview = ""
    if candidate is not None:
        preview = "".join(unified_diff(before.get(e.path, ""), e.text, e.path) for e in candidate.edits)
    cost = incident.cost if candidate is None else candidate.cost
    return HealingAttempt(
        timestamp=datetime.fromtimestamp(at, UTC).isoformat(),
        issue_hash=incident.fingerprint.value[:8],
        issue_type=diagnosis.issue_type.value if diagnosis else "bug",
        severity=diagnosis.severity.value if diagnosis else "low",
        file=diagnosis.suspect.path if diagnosis and diagnosis.suspect else "",
        validation=validation_dict(proof),
        success=outcome in (Outcome.HEALED, Outcome.HEALED_UNPROVEN),
        fix_preview=preview[:PREVIEW_CHARACTERS],
        incident_id=incident.incident_id,
        fingerprint=incident.fingerprint.value,
        error=f"{raised.type}: {raised.message}",
        outcome=outcome.value,
        proposer=candidate.proposer if candidate else "",
        rule=candidate.rule if candidate else "",
        candidate_id=candidate.candidate_id if candidate else "",
        patch_sha256=candidate.patch_sha256 if candidate else "",
        decided_by=decided_by,
        seconds=max(0.0, at - incident.last_seen),
        usd=cost.usd,
        tokens=cost.prompt_tokens + cost.completion_tokens,
    )


def add_costs(left: Cost, right: Cost) -> Cost:
    """Adds two costs; an unknown price stays visible as None only if nothing is known at all."""
    known = [usd for usd in (left.usd, right.usd) if usd is not None]
    return Cost(
        prompt_tokens=left.prompt_tokens + right.prompt_tokens,
        completion_tokens=left.completion_tokens + right.completion_tokens,
        usd=sum(known) if known else None,
        seconds=left.seconds + right.seconds,
    )
