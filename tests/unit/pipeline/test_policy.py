"""The Traffic Light, row by row: what is allowed unasked, what asks, what must be typed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from making import a_candidate, a_diagnosis, a_proof

from selfheal_tui.model.kinds import Environment, IssueType, Nature, Severity, Verdict
from selfheal_tui.model.settings import LimitSettings, Settings
from selfheal_tui.pipeline.policy import ChangeFacts, needs_code, policy_version, reasons_to_ask

CANDIDATE = a_candidate()


def facts(environment: Environment, **changes: object) -> ChangeFacts:
    base = ChangeFacts(environment, a_diagnosis(), a_proof(CANDIDATE), "rules")
    return replace(base, **changes)  # type: ignore[arg-type]


def asked(given: ChangeFacts) -> set[str]:
    return {rule.name for rule in reasons_to_ask(given)}


def test_local_allows_whatever_is_proved_and_unflagged() -> None:
    bug = a_diagnosis(IssueType.BUG, Severity.LOW)
    assert not asked(facts(Environment.LOCAL, diagnosis=bug))


@pytest.mark.parametrize("environment", [Environment.DEV, Environment.STAGING])
def test_dev_and_staging_allow_critical_reliability_alone(environment: Environment) -> None:
    for issue, severity in itertools.product(IssueType, Severity):
        given = facts(environment, diagnosis=a_diagnosis(issue, severity))
        allowed = issue is IssueType.RELIABILITY and severity is Severity.CRITICAL
        assert (not asked(given)) is allowed, (issue, severity)


def test_production_always_asks_and_has_the_answer_typed() -> None:
    for issue, severity in itertools.product(IssueType, Severity):
        given = facts(Environment.PRODUCTION, diagnosis=a_diagnosis(issue, severity))
        assert "production" in asked(given)
        assert needs_code(given)


@pytest.mark.parametrize("environment", list(Environment))
def test_a_governance_issue_asks_everywhere(environment: Environment) -> None:
    assert "governance" in asked(facts(environment, diagnosis=a_diagnosis(IssueType.GOVERNANCE)))
    policy = a_diagnosis(IssueType.RELIABILITY, nature=Nature.POLICY)
    assert "governance" in asked(facts(environment, diagnosis=policy))


@pytest.mark.parametrize("environment", list(Environment))
def test_a_replay_that_could_not_run_is_no_proof(environment: Environment) -> None:
    proof = a_proof(CANDIDATE, replay=Verdict.NOT_POSSIBLE)
    assert "unproven" in asked(facts(environment, proof=proof))


@pytest.mark.parametrize(
    "rung", ["syntax", "scope", "safety", "honesty", "imports", "coverage", "replay", "tests"]
)
def test_a_warning_on_any_rung_asks_and_must_be_typed(rung: str) -> None:
    given = facts(Environment.LOCAL, proof=a_proof(CANDIDATE, **{rung: Verdict.WARN}))
    assert "flagged" in asked(given)
    assert needs_code(given)


def test_several_proved_fixes_are_a_persons_choice() -> None:
    assert asked(facts(Environment.LOCAL, rivals=1)) == {"rivals"}


def test_a_models_new_imports_are_a_persons_choice() -> None:
    assert asked(facts(Environment.LOCAL, proposer="llm", adds_imports=("json",))) == {"model-imports"}
    assert not asked(facts(Environment.LOCAL, proposer="rules", adds_imports=("json",)))


def test_the_policy_version_follows_what_decides() -> None:
    settings = Settings()
    assert policy_version(settings) == policy_version(Settings())
    assert policy_version(settings) != policy_version(replace(settings, environment=Environment.LOCAL))
    assert policy_version(settings) != policy_version(
        replace(settings, limits=LimitSettings(heals_per_hour=1))
    )


def test_a_doubt_is_not_settled_while_tests_still_fail() -> None:
    proof = a_proof(CANDIDATE)
    judged = [replace(r, cured=9, judged="t") if r.rung == "tests" else r for r in proof.reports]
    settled = replace(proof, reports=tuple(judged))
    left = replace(
        proof, reports=tuple(replace(r, left_failing=2) if r.rung == "tests" else r for r in judged)
    )
    given = {"guess": True, "doubt": "little was seen of it"}
    assert "thin-evidence" not in asked(facts(Environment.LOCAL, proof=settled, **given))
    assert "thin-evidence" in asked(facts(Environment.LOCAL, proof=left, **given))
