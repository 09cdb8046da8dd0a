"""Approvals: bound to one thing, valid once, for a time, and refused in every other case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.model.approval import (
    ApprovalDecision,
    ApprovalRequest,
    Binding,
    DecisionKind,
    RequestState,
    TargetHash,
)
from selfheal_tui.model.kinds import RiskLevel
from selfheal_tui.store import ApprovalConflictError, Store, UnknownRequestError

BINDING = Binding("a" * 64, (TargetHash("a.py", "b" * 64), TargetHash("new.py", None)), "policy-1")
OTHERS = [
    replace(BINDING, patch_sha256="c" * 64),
    replace(BINDING, policy_version="policy-2"),
    replace(BINDING, targets=BINDING.targets[:1]),
    replace(BINDING, targets=(TargetHash("a.py", "d" * 64), BINDING.targets[1])),
]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock):
    with Store.open(tmp_path, clock=clock) as opened:
        opened.approvals.request(request())
        yield opened


def request(name: str = "r1") -> ApprovalRequest:
    return ApprovalRequest(
        name,
        "ab12",
        "c" * 12,
        "self_modify_codebase",
        RiskLevel.RED,
        BINDING,
        ("production",),
        False,
        1000.0,
        1900.0,
    )


def decision(kind: DecisionKind = DecisionKind.APPROVED, binding: Binding = BINDING) -> ApprovalDecision:
    return ApprovalDecision("r1", kind, "ada", 1001.0, "looks right", binding)


def test_an_approval_can_be_used_exactly_once(store: Store, tmp_path: Path) -> None:
    assert store.approvals.state("r1") is RequestState.OPEN
    assert [r.request_id for r in store.approvals.open_requests()] == ["r1"]
    store.approvals.decide(decision())
    assert store.approvals.state("r1") is RequestState.APPROVED
    assert store.approvals.open_requests() == []
    with Store.open(tmp_path, clock=lambda: 1002.0) as other:
        assert other.approvals.consume("r1", BINDING) == decision()
    assert store.approvals.state("r1") is RequestState.CONSUMED
    with pytest.raises(ApprovalConflictError, match="consumed"):
        store.approvals.consume("r1", BINDING)


def test_a_request_reads_back(store: Store) -> None:
    assert store.approvals.get("r1") == request()
    store.approvals.request(request())
    with pytest.raises(ApprovalConflictError):
        store.approvals.request(replace(request(), expires_at=9999.0))


@pytest.mark.parametrize("other", OTHERS)
def test_an_answer_about_anything_else_is_refused(store: Store, other: Binding) -> None:
    with pytest.raises(ApprovalConflictError, match="another patch"):
        store.approvals.decide(decision(binding=other))
    assert store.approvals.state("r1") is RequestState.OPEN


@pytest.mark.parametrize("other", OTHERS)
def test_an_approval_is_not_usable_for_anything_else(store: Store, other: Binding) -> None:
    store.approvals.decide(decision())
    with pytest.raises(ApprovalConflictError, match="another patch"):
        store.approvals.consume("r1", other)
    assert store.approvals.state("r1") is RequestState.APPROVED


def test_what_was_not_approved_cannot_be_used(store: Store) -> None:
    with pytest.raises(ApprovalConflictError, match="open"):
        store.approvals.consume("r1", BINDING)
    store.approvals.decide(decision(DecisionKind.REJECTED))
    with pytest.raises(ApprovalConflictError, match="rejected"):
        store.approvals.consume("r1", BINDING)


def test_an_answer_cannot_be_changed(store: Store) -> None:
    store.approvals.decide(decision(DecisionKind.REJECTED))
    with pytest.raises(ApprovalConflictError, match="rejected"):
        store.approvals.decide(decision())
    assert store.approvals.state("r1") is RequestState.REJECTED


def test_silence_is_a_denial(store: Store, clock: Clock) -> None:
    clock.now = 1900.0
    assert store.approvals.state("r1") is RequestState.EXPIRED
    assert store.approvals.open_requests() == []
    with pytest.raises(ApprovalConflictError, match="expired"):
        store.approvals.decide(decision())
    store.approvals.decide(decision(DecisionKind.EXPIRED))
    with pytest.raises(ApprovalConflictError, match="expired"):
        store.approvals.consume("r1", BINDING)
    assert store.approvals.wait("r1", 0, cancelled=lambda: False) == decision(DecisionKind.EXPIRED)


def test_an_approval_that_was_not_used_in_time_expires(store: Store, clock: Clock) -> None:
    store.approvals.decide(decision())
    clock.now = 1900.0
    with pytest.raises(ApprovalConflictError, match="expired"):
        store.approvals.consume("r1", BINDING)


def test_unknown_requests_are_errors(store: Store) -> None:
    for ask in (store.approvals.get, store.approvals.state):
        with pytest.raises(UnknownRequestError):
            ask("r9")
    with pytest.raises(UnknownRequestError):
        store.approvals.consume("r9", BINDING)
    assert store.approvals.decision("r9") is None


def test_waiting_ends_when_cancelled_expired_or_answered(store: Store, clock: Clock) -> None:
    looks = iter([False, False, True])
    assert store.approvals.wait("r1", 60, cancelled=lambda: next(looks)) is None
    clock.now = 1900.0
    assert store.approvals.wait("r1", 60, cancelled=lambda: False) is None
    clock.now = 1001.0
    store.approvals.decide(decision(DecisionKind.REJECTED))
    assert store.approvals.wait("r1", 60, cancelled=lambda: False) == decision(DecisionKind.REJECTED)
