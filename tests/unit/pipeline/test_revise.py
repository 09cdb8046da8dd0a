"""Another proposal in the place of an open question: never unasked, never over a no, never over edited files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from making import AFTER, BEFORE, a_candidate, a_diagnosis, a_project, a_proof, a_report

from selfheal_tui.model.approval import ApprovalDecision, DecisionKind, RequestState
from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Attempt, Fingerprint, Incident, IncidentState
from selfheal_tui.model.kinds import Environment, Verdict
from selfheal_tui.model.ports import SandboxError
from selfheal_tui.model.settings import LimitSettings, Settings
from selfheal_tui.pipeline.lease import IncidentBusyError, lease
from selfheal_tui.pipeline.policy import ChangeFacts, reasons_to_ask
from selfheal_tui.pipeline.revise import next_candidate, revise
from selfheal_tui.pipeline.search import Tools
from selfheal_tui.pipeline.select import SET_ASIDE
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Step
from selfheal_tui.pipeline.system import Engine
from selfheal_tui.store import Store

OTHER = AFTER.replace("sum(items)", "sum(list(items))")
CHOSEN, NEXT = a_candidate(), a_candidate(after=OTHER, rule="another")


def no_tools(_report: CrashReport) -> Tools:
    raise SandboxError("no sandbox here")


class Bench:
    """An incident with an open question about the first of two proved candidates."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.file = root / "app.py"
        self.project = a_project(root)
        self.store = Store.open(root)
        self.engine = Engine(self.project, settings, self.store, no_tools)
        attempts = tuple(Attempt(c, a_proof(c), c.rule) for c in (CHOSEN, NEXT))
        self.incident = Incident(
            "a1b2",
            Fingerprint("f" * 16, 1),
            a_report(root),
            settings.environment,
            1.0,
            2.0,
            state=IncidentState.VALIDATING,
            diagnosis=a_diagnosis(),
            attempts=attempts,
            chosen=0,
        )
        gate = self.engine.asking.judge(self.incident, attempts[0], rivals=1)
        assert gate.must_ask
        self.request = self.engine.governance.request("a1b2", CHOSEN, gate)
        self.put(state=IncidentState.AWAITING_APPROVAL, request_id=self.request.request_id)

    def put(self, **changes: object) -> None:
        self.incident = replace(self.incident, **changes)  # type: ignore[arg-type]
        self.store.incidents.put(self.incident)

    def note(self, index: int, **changes: object) -> None:
        attempts = list(self.incident.attempts)
        attempts[index] = replace(attempts[index], **changes)  # type: ignore[arg-type]
        self.put(attempts=tuple(attempts))

    def next(self, **options: object) -> Step:
        return list(next_candidate(self.engine, self.incident, by="kim", **options))[-1]  # type: ignore[arg-type]

    def revise(self, candidate: Candidate) -> Step:
        return list(revise(self.engine, self.incident, candidate, by="kim"))[-1]

    def stands(self) -> bool:
        now = self.store.incidents.get("a1b2")
        return (
            self.file.read_text() == BEFORE
            and (now.request_id, now.chosen) == (self.request.request_id, 0)
            and self.store.approvals.state(self.request.request_id) is RequestState.OPEN
        )


@pytest.fixture(params=[Environment.PRODUCTION, Environment.LOCAL])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, Settings(environment=request.param))
    yield made
    made.store.close()


def test_the_next_proved_candidate_is_asked_about_and_not_applied_even_where_policy_would(
    bench: Bench,
) -> None:
    step = bench.next()
    assert isinstance(step, ApprovalNeeded), step
    assert step.candidate == NEXT
    assert bench.file.read_text() == BEFORE
    assert bench.store.approvals.state(step.request.request_id) is RequestState.OPEN
    assert bench.store.approvals.state(bench.request.request_id) is RequestState.WITHDRAWN
    now = bench.store.incidents.get("a1b2")
    assert (now.chosen, now.request_id) == (1, step.request.request_id)
    assert now.attempts[0].note.startswith(SET_ASIDE)
    assert step.request.binding.code != bench.request.binding.code


def test_what_was_set_aside_comes_back_only_by_its_number(bench: Bench) -> None:
    bench.next()
    bench.incident = bench.store.incidents.get("a1b2")
    assert isinstance(bench.next(), Held)
    step = bench.next(number=1)
    assert isinstance(step, ApprovalNeeded)
    assert step.candidate == CHOSEN


def test_a_candidate_that_somebody_said_no_to_is_not_next(bench: Bench) -> None:
    bench.note(1, note="rejected by operator:lee: no")
    assert isinstance(bench.next(), Held)
    assert isinstance(bench.next(number=2), Held)
    assert bench.stands()


def test_a_barred_candidate_is_not_next(bench: Bench) -> None:
    bench.store.learning.blacklist(bench.incident.fingerprint.value, NEXT.rule, "rolled back")
    assert isinstance(bench.next(), Held)
    assert bench.stands()


def test_a_candidate_whose_proof_failed_is_not_next(bench: Bench) -> None:
    bench.note(1, proof=a_proof(NEXT, tests=Verdict.FAIL))
    assert isinstance(bench.next(), Held)
    assert isinstance(bench.next(number=2), Held)
    assert bench.stands()


def test_a_proof_of_other_files_than_those_on_disk_is_worth_nothing(bench: Bench) -> None:
    edited = BEFORE + "# edited\n"
    bench.file.write_text(edited)
    assert isinstance(bench.next(), Held)
    assert isinstance(bench.next(number=2), Held)
    assert bench.file.read_text() == edited
    assert bench.store.incidents.get("a1b2").request_id == bench.request.request_id


@pytest.mark.parametrize("number", [1, 3])
def test_a_number_that_is_no_other_candidate_is_refused(bench: Bench, number: int) -> None:
    assert isinstance(bench.next(number=number), Held)
    assert bench.stands()


def test_the_circuit_breaker_holds_for_the_next_candidate_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Settings(limits=LimitSettings(heals_per_hour=1)))
    bench.store.audit.append("change.applied", actor="engine", data={"fingerprint": "x", "files": []})
    step = bench.next()
    assert isinstance(step, Held)
    assert "circuit breaker" in step.incident.message
    assert bench.stands()
    bench.store.close()


def test_while_paused_nothing_is_replaced(bench: Bench) -> None:
    bench.store.pause.pause("lee", "")
    assert isinstance(bench.next(), Held)
    assert bench.stands()


def test_a_question_that_was_answered_is_not_replaced(bench: Bench) -> None:
    request = bench.request
    answer = ApprovalDecision(
        request.request_id, DecisionKind.APPROVED, "operator:lee", 3.0, "", request.binding
    )
    bench.store.approvals.decide(answer)
    assert isinstance(bench.next(), Held)
    assert bench.store.incidents.get("a1b2").request_id == request.request_id


def test_another_question_than_the_one_that_was_seen_is_not_replaced(bench: Bench) -> None:
    assert isinstance(bench.next(request_id="older"), Held)
    assert bench.stands()


def test_a_protected_file_is_not_even_proved(bench: Bench) -> None:
    step = bench.revise(a_candidate("selfheal.toml", proposer="operator"))
    assert isinstance(step, Held)
    assert "may not be changed" in step.incident.message
    assert bench.stands()


def test_where_there_is_no_sandbox_nothing_is_asked(bench: Bench) -> None:
    step = bench.revise(a_candidate(after=OTHER, proposer="operator", reason="mine"))
    assert isinstance(step, Held)
    assert bench.stands()


def test_whoever_holds_the_incident_is_not_disturbed(bench: Bench) -> None:
    with lease(bench.store.directory, "a1b2"), pytest.raises(IncidentBusyError):
        bench.next()
    assert bench.stands()


@pytest.mark.parametrize("change", [{"proposer": "operator"}, {"set_aside": True}])
def test_what_an_operator_chose_is_asked_about_in_every_environment(change: dict[str, object]) -> None:
    for environment in Environment:
        proved = ChangeFacts(environment, a_diagnosis(), a_proof(CHOSEN), "rules")
        assert reasons_to_ask(replace(proved, **change))  # type: ignore[arg-type]
