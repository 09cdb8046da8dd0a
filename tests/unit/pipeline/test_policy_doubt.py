"""A fix of which little was seen is asked about, unless further tests vouch for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from making import a_candidate, a_diagnosis, a_proof

from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.kinds import Environment, Verdict
from selfheal_tui.pipeline.policy import CURED_ENOUGH, ChangeFacts, reasons_to_ask

CANDIDATE = a_candidate()


def proof(cured: int) -> Proof:
    made = a_proof(CANDIDATE)
    reports = tuple(
        replace(r, cured=cured, verdict=Verdict.PASS) if r.rung == "tests" else r for r in made.reports
    )
    return replace(made, reports=reports)


def asked(cured: int, doubt: str) -> set[str]:
    given = ChangeFacts(Environment.LOCAL, a_diagnosis(), proof(cured), "search", doubt=doubt)
    return {rule.name for rule in reasons_to_ask(given)}


@pytest.mark.parametrize("cured", range(CURED_ENOUGH))
def test_thin_evidence_is_asked_about(cured: int) -> None:
    assert asked(cured, "seen on one argument") == {"thin-evidence"}


def test_tests_that_failed_before_and_pass_now_settle_it() -> None:
    assert asked(CURED_ENOUGH, "seen on one argument") == set()


def test_without_a_doubt_nothing_is_asked() -> None:
    assert asked(0, "") == set()


@pytest.mark.parametrize("ran", [Verdict.PASS, Verdict.NOT_POSSIBLE])
@pytest.mark.parametrize("sweeping", [True, False])
def test_a_guess_that_changes_more_than_the_crash_asks_where_no_tests_ran(
    ran: Verdict, sweeping: bool
) -> None:
    reports = tuple(replace(r, verdict=ran) if r.rung == "tests" else r for r in proof(1).reports)
    given = ChangeFacts(
        Environment.LOCAL, a_diagnosis(), replace(proof(1), reports=reports), "search", sweeping=sweeping
    )
    names = {rule.name for rule in reasons_to_ask(given)}
    assert ("untested-guess" in names) is (sweeping and ran is Verdict.NOT_POSSIBLE)
