"""Requests for approval and the answers to them, bound by hash to what they are about. No I/O."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from selfheal_tui.model.kinds import RiskLevel


class DecisionKind(StrEnum):
    """What was decided about a request; `withdrawn` means that another proposal took its place."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class RequestState(StrEnum):
    """Where a request stands; `consumed` means that its approval was used, once."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CONSUMED = "consumed"


@dataclass(frozen=True, slots=True)
class TargetHash:
    """A file as it was when approval was asked; `sha256` None means it did not exist."""

    path: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Binding:
    """What an approval is worth for, and for nothing else.

    Attributes:
        patch_sha256: Hash of what would be written.
        targets: Hash of each file it would be written over.
        policy_version: Hash of the policy in force.
    """

    patch_sha256: str
    targets: tuple[TargetHash, ...]
    policy_version: str

    @property
    def code(self) -> str:
        """Four characters to type, from the whole binding: whoever types it has seen this very patch."""
        text = "\0".join(
            [self.patch_sha256, self.policy_version, *(f"{t.path}={t.sha256}" for t in self.targets)]
        )
        digest = hashlib.sha256(text.encode()).digest()
        alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
        return "".join(alphabet[b % len(alphabet)] for b in digest[:4])


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A question to a person.

    Attributes:
        request_id: Unique id.
        incident_id: The incident.
        candidate_id: The candidate in question.
        action: The governed action, such as `self_modify_codebase`.
        risk: Its light.
        binding: What the answer will be bound to.
        why: Why it has to be asked, a reason each.
        needs_code: Whether `binding.code` must be typed to approve.
        created_at: Unix time in seconds.
        expires_at: Unix time in seconds; silence until then is a denial.
    """

    request_id: str
    incident_id: str
    candidate_id: str
    action: str
    risk: RiskLevel
    binding: Binding
    why: tuple[str, ...]
    needs_code: bool
    created_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """An answer.

    Attributes:
        request_id: The request it answers.
        kind: Approved, rejected, expired or withdrawn.
        by: Who decided: a user name, or `policy:<rule>`.
        at: Unix time in seconds.
        reason: Why.
        binding: What the decider saw; it must equal the request's.
    """

    request_id: str
    kind: DecisionKind
    by: str
    at: float
    reason: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class Gate:
    """What governance answers when a change is put to it.

    Attributes:
        allowed: Whether it may go ahead unasked.
        must_ask: Whether a person may allow it; False with `allowed` False is a flat refusal.
        risk: The light.
        reasons: Why, a sentence each.
        needs_code: Whether the approval must be typed.
    """

    allowed: bool
    must_ask: bool
    risk: RiskLevel
    reasons: tuple[str, ...]
    needs_code: bool = False
