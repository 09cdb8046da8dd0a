"""Governance: the one choke point through which every change of the live tree must pass.

Deny by default. Whatever is allowed, by policy or by a person, is put on record as an approval bound to
the exact patch and target files; `apply` consumes that approval, once, and has no other way in.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from selfheal_tui.model.approval import (
    ApprovalDecision,
    ApprovalRequest,
    DecisionKind,
    Gate,
)
from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.kinds import Environment, IssueType, RiskLevel, Severity
from selfheal_tui.model.settings import Settings
from selfheal_tui.pipeline.binding import bind
from selfheal_tui.pipeline.policy import (
    LIGHTS,
    SELF_MODIFY,
    ChangeFacts,
    needs_code,
    policy_version,
    reasons_to_ask,
)
from selfheal_tui.source.project import Project
from selfheal_tui.store import ApprovalConflictError, Store


class WrongCodeError(ValueError):
    """The typed code is missing or is not that of the request."""


class RefusedError(RuntimeError):
    """Governance refuses flatly; no person can allow it from here. The message says why."""


class Governance:
    """Judges changes, records requests and answers, and binds both to exact bytes."""

    def __init__(
        self, project: Project, settings: Settings, store: Store, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._project = project
        self._settings = settings
        self._store = store
        self._clock = clock

    @property
    def policy_version(self) -> str:
        """Hash of the policy in force."""
        return policy_version(self._settings)

    def judge(self, candidate: Candidate, facts: ChangeFacts, *, limits: str = "") -> Gate:
        """Decides what may happen with a proved candidate.

        Args:
            candidate: The fix.
            facts: What is known about it.
            limits: Why a limit forbids any change now, or empty.

        Returns:
            Allowed unasked, to be asked, or refused.
        """
        refusals = [limits] if limits else []
        paused = self._store.pause.status()
        if paused is not None:
            refusals.append(f"healing is paused by {paused.by}: `selfheal resume` allows it again")
        if facts.proof.patch_sha256 != candidate.patch_sha256:
            refusals.append("the proof is of another patch")
        if not facts.proof.acceptable:
            refusals.append("the proof failed or is not complete")
        for edit in candidate.edits:
            reason = self._project.protected(edit.path)
            if reason:
                refusals.append(f"{edit.path}: {reason}")
        if not candidate.edits:
            refusals.append("there is nothing to change")
        light = LIGHTS[SELF_MODIFY]
        if refusals:
            return Gate(allowed=False, must_ask=False, risk=light, reasons=tuple(refusals))
        asks = reasons_to_ask(facts)
        if asks:
            return Gate(
                allowed=False,
                must_ask=True,
                risk=light,
                reasons=tuple(rule.reason for rule in asks),
                needs_code=needs_code(facts),
            )
        rule = "local-full" if facts.environment is Environment.LOCAL else "critical-reliability"
        return Gate(allowed=True, must_ask=False, risk=light, reasons=(f"policy:{rule}",))

    def request(self, incident_id: str, candidate: Candidate, gate: Gate) -> ApprovalRequest:
        """Puts a change on record as a question, bound to the bytes on disk now.

        Args:
            incident_id: The incident.
            candidate: The fix.
            gate: What `judge` said.

        Returns:
            The open request.

        Raises:
            RefusedError: The gate neither allows it nor lets it be asked.
        """
        if not gate.allowed and not gate.must_ask:
            raise RefusedError("; ".join(gate.reasons))
        now = self._clock()
        request = ApprovalRequest(
            request_id=uuid.uuid4().hex[:12],
            incident_id=incident_id,
            candidate_id=candidate.candidate_id,
            action=SELF_MODIFY,
            risk=gate.risk,
            binding=bind(self._project, candidate, self.policy_version),
            why=gate.reasons,
            needs_code=gate.needs_code,
            created_at=now,
            expires_at=now + self._settings.approval.expires_seconds,
        )
        self._store.approvals.request(request)
        self._store.audit.append(
            "approval.requested",
            actor="engine",
            incident_id=incident_id,
            data={
                "request": request.request_id,
                "candidate": request.candidate_id,
                "patch_sha256": request.binding.patch_sha256,
                "policy": request.binding.policy_version,
                "why": list(gate.reasons),
            },
        )
        if gate.allowed:
            self._record(request, DecisionKind.APPROVED, gate.reasons[0], "allowed unasked by policy")
        return request

    def ordered(
        self, incident_id: str, candidate: Candidate, *, action: str, by: str, reason: str
    ) -> ApprovalRequest:
        """Puts what an operator orders by an explicit command on record, bound to the bytes on disk now.

        Args:
            incident_id: The incident.
            candidate: What is to be written.
            action: A governed action that needs no further question.
            by: The operator's name.
            reason: What was ordered.

        Returns:
            The request, approved.

        Raises:
            RefusedError: The action is unknown or RED, or healing is paused.
        """
        light = LIGHTS.get(action, RiskLevel.RED)
        if light is RiskLevel.RED:
            raise RefusedError(f"{action} is RED; it cannot be ordered, only approved")
        paused = self._store.pause.status()
        if paused is not None:
            raise RefusedError(f"healing is paused by {paused.by}; `selfheal resume` allows changes again")
        now = self._clock()
        request = ApprovalRequest(
            request_id=uuid.uuid4().hex[:12],
            incident_id=incident_id,
            candidate_id=candidate.candidate_id,
            action=action,
            risk=light,
            binding=bind(self._project, candidate, self.policy_version),
            why=(reason,),
            needs_code=False,
            created_at=now,
            expires_at=now + self._settings.approval.expires_seconds,
        )
        self._store.approvals.request(request)
        self._record(request, DecisionKind.APPROVED, f"operator:{by}", reason)
        return request

    def decide(
        self, request_id: str, *, approve: bool, by: str, reason: str = "", code: str = ""
    ) -> ApprovalDecision:
        """Records a person's answer.

        Args:
            request_id: The open request.
            approve: Yes or no.
            by: The person's name.
            reason: Why.
            code: The typed code, where the request needs one.

        Returns:
            The decision on record.

        Raises:
            WrongCodeError: The code is missing or wrong; nothing was recorded.
            ApprovalConflictError: The request is not open any more; or a yes would be worth nothing now,
                and nothing was recorded, so that the request stays open.
        """
        request = self._store.approvals.get(request_id)
        if approve:
            self._refuse_worthless(request)
        if approve and request.needs_code and code.strip().lower() != request.binding.code:
            raise WrongCodeError(
                f"this approval must be typed: read the diff (`selfheal diff {request.incident_id}`) and "
                "give the code that it shows with --code"
            )
        kind = DecisionKind.APPROVED if approve else DecisionKind.REJECTED
        return self._record(request, kind, f"operator:{by}", reason)

    def _refuse_worthless(self, request: ApprovalRequest) -> None:
        paused = self._store.pause.status()
        if paused is not None:
            raise ApprovalConflictError(
                f"healing is paused by {paused.by}", "`selfheal resume` first; the request stays open"
            )
        if request.binding.policy_version != self.policy_version:
            raise ApprovalConflictError(
                f"request {request.request_id} was made under another policy than the one in force here",
                "answer with the same --env and settings, or reject it and run the program again",
            )

    def expire(self, request_id: str, reason: str) -> None:
        """Withdraws a request that nobody answered in time; silence is a denial."""
        request = self._store.approvals.get(request_id)
        self._record(request, DecisionKind.EXPIRED, "engine", reason)

    def withdraw(self, request_id: str, *, by: str, reason: str, person: bool = True) -> None:
        """Takes a request back because another proposal takes its place, or because it is worth nothing any more.

        Args:
            request_id: The request, open or expired.
            by: Who does it: a person's name, or `engine`.
            reason: What takes its place, or why it is worth nothing.
            person: Whether `by` is a person.

        Raises:
            ApprovalConflictError: It was answered in this moment, and the answer counts.
        """
        request = self._store.approvals.get(request_id)
        self._record(request, DecisionKind.WITHDRAWN, f"operator:{by}" if person else by, reason)

    def _record(self, request: ApprovalRequest, kind: DecisionKind, by: str, reason: str) -> ApprovalDecision:
        decision = ApprovalDecision(
            request_id=request.request_id,
            kind=kind,
            by=by,
            at=self._clock(),
            reason=reason,
            binding=request.binding,
        )
        self._store.approvals.decide(decision)
        self._store.audit.append(
            f"approval.{kind.value}",
            actor=by,
            incident_id=request.incident_id,
            data={
                "request": request.request_id,
                "reason": reason,
                "patch_sha256": request.binding.patch_sha256,
            },
        )
        return decision


class ToolGovernance:
    """The seed's interface to the Traffic Light: asks about an action by name, answers with a dict.

    It judges by the action, the environment and the kind of issue alone, and is therefore only ever a
    forecast; the binding judgement is made by `Governance` on the proved patch.
    """

    def __init__(self, environment: str = Environment.PRODUCTION.value) -> None:
        self._environment = Environment(environment)
        self._requests: dict[str, dict[str, Any]] = {}

    def risk_of(self, action: str) -> RiskLevel:
        """Returns the light of an action; an unknown action is RED."""
        return LIGHTS.get(action, RiskLevel.RED)

    def check_permission(self, action: str, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Tells whether an action would be allowed unasked.

        Args:
            action: Such as `self_modify_codebase`.
            context: `issue_type`, `severity`, `file`, `environment`, `proved`, `flagged`.

        Returns:
            `allowed`, `risk_level`, `requires_approval`, `reason`.
        """
        facts = dict(context or {})
        light = self.risk_of(action)
        if action not in LIGHTS:
            return _answer(False, light, "unknown actions are refused")
        if light is not RiskLevel.RED:
            return _answer(True, light, f"{light} actions go ahead")
        environment = Environment(facts.get("environment", self._environment.value))
        critical = (
            facts.get("issue_type") == IssueType.RELIABILITY.value
            and facts.get("severity") == Severity.CRITICAL.value
        )
        if action != SELF_MODIFY or environment is Environment.PRODUCTION:
            return _answer(False, light, f"{environment} asks a person for every RED action")
        if facts.get("issue_type") == IssueType.GOVERNANCE.value:
            return _answer(False, light, "governance issues are never fixed unasked")
        if not facts.get("proved", False) or facts.get("flagged", False):
            return _answer(False, light, "only a proved and unflagged fix is applied unasked")
        if environment is Environment.LOCAL or critical:
            return _answer(True, light, "policy allows this fix unasked")
        return _answer(False, light, f"{environment} applies only critical reliability fixes unasked")

    def request_approval(
        self, action: str, details: Mapping[str, Any], context: Mapping[str, Any] | None = None
    ) -> str:
        """Notes that a person has to decide, and returns the id to quote.

        Args:
            action: The action.
            details: What to show the person.
            context: Anything else.
        """
        approval_id = uuid.uuid4().hex[:12]
        self._requests[approval_id] = {
            "action": action,
            "details": dict(details),
            "context": dict(context or {}),
            "status": "pending",
        }
        return approval_id

    def pending(self) -> dict[str, dict[str, Any]]:
        """Returns the noted requests by id."""
        return dict(self._requests)


def _answer(allowed: bool, light: RiskLevel, reason: str) -> dict[str, Any]:
    return {
        "allowed": allowed,
        "risk_level": light.value,
        "requires_approval": not allowed,
        "reason": reason,
    }
