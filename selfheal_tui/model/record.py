"""Records that outlive an incident: the audit trail, healing attempts, backups, transactions. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

GENESIS = "0" * 64
"""`previous` of the first audit record."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One decision or change, chained by hash to the one before.

    Attributes:
        sequence: 1, 2, 3, … without gaps.
        at: Unix time in seconds.
        kind: What happened, such as `incident.detected`, `candidate.proved`, `approval.granted`,
            `change.applied`, `change.rolled_back`, `policy.paused`.
        actor: Who: `engine`, `policy:<rule>`, `operator:<name>`.
        incident_id: The incident, or empty.
        data: Facts, JSON types only, masked.
        previous: Hash of the record before.
        hash: SHA-256 over all other fields in canonical JSON.
    """

    sequence: int
    at: float
    kind: str
    actor: str
    incident_id: str
    data: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class HealingAttempt:
    """One line of `healing_history`: the seed's fields first, then ours.

    Attributes:
        timestamp: ISO 8601 with offset.
        issue_hash: First 8 digits of the fingerprint.
        issue_type: The seed's category.
        severity: The seed's severity.
        file: File of the suspect frame, relative to the root.
        validation: `valid`, `errors`, `warnings`, `syntax_valid`, `imports_valid`, `safe_to_apply`.
        success: Whether the fix was applied and held.
        fix_preview: First 200 characters of the unified diff.
        incident_id: The incident.
        fingerprint: Whole fingerprint.
        error: `Type: message`, masked.
        outcome: The honest outcome.
        proposer: `rules`, `memory`, `llm` or `operator`; empty when nothing was proposed.
        rule: Which rule or model.
        candidate_id: The candidate.
        patch_sha256: What was written.
        decided_by: Who allowed or refused it.
        seconds: From detection to this record.
        usd: Money spent on models, None if unknown.
        tokens: Tokens spent.
    """

    timestamp: str
    issue_hash: str
    issue_type: str
    severity: str
    file: str
    validation: dict[str, Any]
    success: bool
    fix_preview: str
    incident_id: str = ""
    fingerprint: str = ""
    error: str = ""
    outcome: str = ""
    proposer: str = ""
    rule: str = ""
    candidate_id: str = ""
    patch_sha256: str = ""
    decided_by: str = ""
    seconds: float = 0.0
    usd: float | None = None
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class BackupEntry:
    """One saved version of one file.

    Attributes:
        backup_id: Name of the backup file relative to the backup folder.
        path: The file, relative to the root.
        created_at: Unix time in seconds.
        sha256: Hash of the saved bytes; None when the file did not exist before.
        after_sha256: Hash of what was written over it; None when it was deleted.
        mode: Permission bits of the file.
        transaction_id: The change it belongs to.
        incident_id: The incident.
    """

    backup_id: str
    path: str
    created_at: float
    sha256: str | None
    after_sha256: str | None
    mode: int
    transaction_id: str
    incident_id: str


@dataclass(frozen=True, slots=True)
class Learned:
    """Counts of the FactChecker for one key.

    Attributes:
        key: `rule:<name>`, `model:<name>` or `fingerprint:<value>`.
        successes: How often it worked.
        failures: How often it did not.
        last_at: Unix time in seconds of the last count.
    """

    key: str
    successes: int = 0
    failures: int = 0
    last_at: float = 0.0

    @property
    def rate(self) -> float:
        """Share of successes with Laplace's rule of succession, so that 1 of 1 is not certainty."""
        return (self.successes + 1) / (self.successes + self.failures + 2)


@dataclass(frozen=True, slots=True)
class ProvenFix:
    """A fix that held, kept to be used again without a model.

    Attributes:
        fingerprint: Crash it cured.
        exception: Bare exception type.
        before: Source of the function before, dedented.
        after: Source of the function after, dedented.
        qualname: Function it was made for.
        path: File it was made for.
        rule: What had proposed it.
        used: How often it was reused.
    """

    fingerprint: str
    exception: str
    before: str
    after: str
    qualname: str
    path: str
    rule: str
    used: int = 0
    extra: dict[str, str] = field(default_factory=dict)
