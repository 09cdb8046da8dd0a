"""The choke point: approvals are bound, single-use, typed where asked, and denied by default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from making import AFTER, BEFORE, a_candidate, a_diagnosis, a_project, a_proof

from selfheal_tui.model.approval import Gate
from selfheal_tui.model.kinds import Environment, RiskLevel, Verdict
from selfheal_tui.model.settings import Settings
from selfheal_tui.pipeline.apply import ApplyError, DriftError, apply_candidate
from selfheal_tui.pipeline.govern import Governance, RefusedError, ToolGovernance, WrongCodeError
from selfheal_tui.pipeline.policy import ChangeFacts
from selfheal_tui.source.project import Project
from selfheal_tui.store import ApprovalConflictError, Store

CANDIDATE = a_candidate()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    def __init__(self, root: Path, environment: Environment) -> None:
        self.clock = Clock()
        self.project: Project = a_project(root)
        self.settings = Settings(environment=environment)
        self.store = Store.open(root, clock=self.clock)
        self.governance = Governance(self.project, self.settings, self.store, clock=self.clock)
        self.file = root / "app.py"

    def gate(self, **changes: object) -> Gate:
        facts = ChangeFacts(self.settings.environment, a_diagnosis(), a_proof(CANDIDATE), "rules")
        return self.governance.judge(CANDIDATE, replace(facts, **changes))  # type: ignore[arg-type]

    def apply(self, request_id: str) -> None:
        apply_candidate(
            self.store,
            self.project,
            CANDIDATE,
            request_id=request_id,
            policy=self.governance.policy_version,
            incident_id="a1b2",
            fingerprint="f",
        )


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, Environment.LOCAL)
    yield bench
    bench.store.close()


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, Environment.PRODUCTION)
    yield bench
    bench.store.close()


def test_an_allowed_change_is_applied_and_on_record(local: Bench) -> None:
    request = local.governance.request("a1b2", CANDIDATE, local.gate())
    local.apply(request.request_id)
    assert local.file.read_text() == AFTER
    kinds = [r.kind for r in local.store.audit.records()]
    assert kinds == ["approval.requested", "approval.approved", "change.applied"]
    assert local.store.audit.verify().ok


def test_without_a_decision_nothing_is_written(production: Bench) -> None:
    request = production.governance.request("a1b2", CANDIDATE, production.gate())
    with pytest.raises(DriftError):
        production.apply(request.request_id)
    assert production.file.read_text() == BEFORE


def test_an_approval_is_used_up_by_one_apply(local: Bench) -> None:
    request = local.governance.request("a1b2", CANDIDATE, local.gate())
    local.apply(request.request_id)
    local.file.write_text(BEFORE)
    with pytest.raises(DriftError):
        local.apply(request.request_id)
    assert local.file.read_text() == BEFORE


def test_an_approval_is_void_when_the_file_changed(local: Bench) -> None:
    request = local.governance.request("a1b2", CANDIDATE, local.gate())
    edited = BEFORE + "\n# somebody's edit\n"
    local.file.write_text(edited)
    with pytest.raises(DriftError):
        local.apply(request.request_id)
    assert local.file.read_text() == edited


def test_an_approval_is_void_for_another_patch(local: Bench) -> None:
    request = local.governance.request("a1b2", CANDIDATE, local.gate())
    other = a_candidate(after=AFTER + "import os\n")
    with pytest.raises(DriftError):
        apply_candidate(
            local.store,
            local.project,
            other,
            request_id=request.request_id,
            policy=local.governance.policy_version,
            incident_id="a1b2",
            fingerprint="f",
        )
    assert local.file.read_text() == BEFORE


def test_an_approval_is_void_under_another_policy(local: Bench) -> None:
    request = local.governance.request("a1b2", CANDIDATE, local.gate())
    with pytest.raises(DriftError):
        apply_candidate(
            local.store,
            local.project,
            CANDIDATE,
            request_id=request.request_id,
            policy="another",
            incident_id="a1b2",
            fingerprint="f",
        )
    assert local.file.read_text() == BEFORE


def test_an_approval_expires(local: Bench) -> None:
    request = local.governance.request("a1b2", CANDIDATE, local.gate())
    local.clock.now = request.expires_at + 1
    with pytest.raises(DriftError):
        local.apply(request.request_id)
    assert local.file.read_text() == BEFORE


def test_production_wants_the_very_code(production: Bench) -> None:
    request = production.governance.request("a1b2", CANDIDATE, production.gate())
    for wrong in ("", "zzzz", request.binding.code[:3]):
        with pytest.raises(WrongCodeError):
            production.governance.decide(request.request_id, approve=True, by="kim", code=wrong)
    assert production.store.approvals.decision(request.request_id) is None
    production.governance.decide(
        request.request_id, approve=True, by="kim", code=request.binding.code.upper()
    )
    production.apply(request.request_id)
    assert production.file.read_text() == AFTER


def test_a_rejection_cannot_be_turned_into_an_approval(production: Bench) -> None:
    request = production.governance.request("a1b2", CANDIDATE, production.gate())
    production.governance.decide(request.request_id, approve=False, by="kim", reason="no")
    with pytest.raises(ApprovalConflictError):
        production.governance.decide(request.request_id, approve=True, by="kim", code=request.binding.code)
    with pytest.raises(DriftError):
        production.apply(request.request_id)
    assert production.file.read_text() == BEFORE


@pytest.mark.parametrize("rung", ["syntax", "scope", "safety", "honesty", "imports", "replay", "tests"])
def test_a_failed_rung_is_refused_flatly(local: Bench, rung: str) -> None:
    gate = local.gate(proof=a_proof(CANDIDATE, **{rung: Verdict.FAIL}))
    assert not gate.allowed
    assert not gate.must_ask
    with pytest.raises(RefusedError):
        local.governance.request("a1b2", CANDIDATE, gate)
    assert not local.store.approvals.open_requests()


def test_a_proof_of_another_patch_is_refused(local: Bench) -> None:
    other = a_candidate(after=AFTER + "\n")
    gate = local.gate(proof=a_proof(other))
    assert not gate.allowed
    assert not gate.must_ask


def test_a_proof_that_stopped_early_is_refused(local: Bench) -> None:
    whole = a_proof(CANDIDATE)
    gate = local.gate(proof=replace(whole, reports=whole.reports[:-1]))
    assert not gate.allowed
    assert not gate.must_ask


def test_the_kill_switch_refuses_and_stops_an_approved_change(local: Bench) -> None:
    request = local.governance.request("a1b2", CANDIDATE, local.gate())
    local.store.pause.pause("kim", "night")
    assert not local.gate().allowed
    with pytest.raises(ApplyError, match="paused"):
        local.apply(request.request_id)
    assert local.file.read_text() == BEFORE
    local.store.pause.resume("kim")
    assert local.gate().allowed


@pytest.mark.parametrize(
    "path", ["tests/test_app.py", "conftest.py", "pyproject.toml", ".selfheal/history.jsonl", "selfheal.toml"]
)
def test_protected_files_are_refused_even_when_proved(tmp_path: Path, path: str) -> None:
    bench = Bench(tmp_path, Environment.LOCAL)
    candidate = a_candidate(path=path)
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(BEFORE)
    facts = ChangeFacts(Environment.LOCAL, a_diagnosis(), a_proof(candidate), "rules")
    gate = bench.governance.judge(candidate, facts)
    assert not gate.allowed
    assert not gate.must_ask
    with pytest.raises(ApplyError, match="may not be changed"):
        apply_candidate(
            bench.store,
            bench.project,
            candidate,
            request_id="x",
            policy="p",
            incident_id="i",
            fingerprint="f",
        )
    assert (tmp_path / path).read_text() == BEFORE
    bench.store.close()


def test_a_limit_refuses(local: Bench) -> None:
    facts = ChangeFacts(Environment.LOCAL, a_diagnosis(), a_proof(CANDIDATE), "rules")
    gate = local.governance.judge(CANDIDATE, facts, limits="circuit breaker")
    assert not gate.allowed
    assert not gate.must_ask
    assert "circuit breaker" in gate.reasons


def test_unknown_actions_are_red_and_refused() -> None:
    tools = ToolGovernance("local")
    assert tools.risk_of("launch_rocket") is RiskLevel.RED
    assert not tools.check_permission("launch_rocket")["allowed"]


def test_the_seeds_interface_allows_only_what_the_table_allows() -> None:
    tools = ToolGovernance()
    critical = {"issue_type": "reliability", "severity": "critical", "proved": True}
    assert not tools.check_permission("self_modify_codebase", critical)["allowed"]
    assert tools.check_permission("self_modify_codebase", critical | {"environment": "dev"})["allowed"]
    assert not tools.check_permission(
        "self_modify_codebase", critical | {"environment": "dev", "severity": "high"}
    )["allowed"]
    assert not tools.check_permission(
        "self_modify_codebase", critical | {"environment": "local", "proved": False}
    )["allowed"]
    assert not tools.check_permission(
        "self_modify_codebase", {"environment": "local", "proved": True, "issue_type": "governance"}
    )["allowed"]
    approval = tools.request_approval("self_modify_codebase", {"file": "app.py"})
    assert tools.pending()[approval]["status"] == "pending"
