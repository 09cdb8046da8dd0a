"""Budgets in tokens and money: charged before the answer is read, unknown is not nothing."""

from __future__ import annotations

import pytest

from selfheal_tui.model.candidate import Cost
from selfheal_tui.model.settings import ModelSettings
from selfheal_tui.repair.llm.budget import Budget
from selfheal_tui.repair.llm.client import ModelAnswer


def budget(spent: float = 0.0, earlier: tuple[Cost, ...] = (), **settings: object) -> Budget:
    return Budget(ModelSettings(**{"name": "openai/m", **settings}), lambda: spent, earlier)


def answer(usd: float | None, prompt: int = 1_000, completion: int = 100) -> ModelAnswer:
    return ModelAnswer("x" * 300, "stop", prompt, completion, usd, 1.0)


def test_the_token_budget_shortens_the_answer_and_then_stops() -> None:
    tally = budget(tokens_per_incident=2_000, max_answer_tokens=1_000)
    assert tally.allowance(300).max_tokens == 1_000
    tally.charge(answer(0.0), 300)
    assert tally.allowance(300).max_tokens == 2_000 - 1_100 - 101
    tally.charge(answer(0.0, 500), 300)
    assert "model.tokens_per_incident" in tally.allowance(300).refusal


def test_the_money_budget_of_an_incident_stops() -> None:
    tally = budget(usd_per_incident=0.05)
    assert not tally.allowance(10).refusal
    tally.charge(answer(0.05), 10)
    assert "model.usd_per_incident" in tally.allowance(10).refusal


def test_the_money_budget_of_a_day_counts_other_incidents_and_this_one_once() -> None:
    assert "model.usd_per_day" in budget(spent=10.0).allowance(10).refusal
    tally = budget(spent=9.5, usd_per_incident=5, earlier=(Cost(1, 1, 0.4),))
    assert not tally.allowance(10).refusal
    tally.charge(answer(0.5), 10)
    assert "model.usd_per_day" in tally.allowance(10).refusal


def test_an_unknown_price_is_held_against_the_budget_and_stays_unknown_on_record() -> None:
    tally = budget(usd_per_incident=0.01)
    tally.charge(answer(None), 10)
    assert "model.usd_per_incident" in tally.allowance(10).refusal
    assert tally.settle().usd is None


def test_a_model_on_this_machine_costs_tokens_only() -> None:
    tally = budget(usd_per_incident=0.0, api_base="http://127.0.0.1:8080/v1")
    tally.charge(answer(None), 10)
    assert not tally.allowance(10).refusal
    assert tally.settle() == Cost(1_000, 100, None, 1.0)


@pytest.mark.parametrize("usd", [0.25, 0.0])
def test_costs_are_settled_once(usd: float) -> None:
    tally = budget()
    tally.charge(answer(usd), 10)
    tally.charge(answer(usd), 10)
    assert tally.settle() == Cost(2_000, 200, 2 * usd, 2.0)
    assert tally.settle() == Cost()


def test_a_failed_question_and_uncounted_tokens_are_charged_by_estimate() -> None:
    tally = budget()
    tally.charge_failure(3_000, 2.0)
    tally.charge(ModelAnswer("x" * 3_000, "stop"), 3_000)
    assert tally.tokens >= 3_000
    assert tally.settle().usd is None


def test_earlier_attempts_of_the_incident_count() -> None:
    assert "tokens" in budget(tokens_per_incident=1_000, earlier=(Cost(900, 0, 0.0),)).allowance(10).refusal
