"""Every state has a word, a glyph of one cell and a sign in ASCII, and none is mistaken for another."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Outcome, Verdict
from selfheal_tui.operations import standings
from selfheal_tui.operations.snapshot import Standing, Tone
from selfheal_tui.supervisor.lifecycle import ProgramState

ALL = [value for value in vars(standings).values() if isinstance(value, Standing)] + [
    one
    for table in (
        standings.STATES,
        standings.OUTCOMES,
        standings.VERDICTS,
        standings.REQUESTS,
        standings.PROGRAMS,
    )
    for one in table.values()
]


@pytest.mark.parametrize("standing", ALL, ids=lambda standing: standing.word)
def test_a_standing_is_told_by_a_word_and_drawn_in_one_cell(standing: Standing) -> None:
    assert standing.word
    assert cell_len(standing.glyph) == 1
    assert len(standing.ascii) == 1
    assert standing.ascii.isascii()


def test_every_state_has_one() -> None:
    assert set(standings.STATES) == set(IncidentState)
    assert set(standings.OUTCOMES) == set(Outcome)
    assert set(standings.VERDICTS) == set(Verdict)
    assert set(standings.REQUESTS) >= set(RequestState)
    assert set(standings.PROGRAMS) == set(ProgramState)


def test_words_of_one_table_differ() -> None:
    for table in (standings.STATES, standings.OUTCOMES, standings.VERDICTS, standings.PROGRAMS):
        words = [standing.word for standing in table.values()]
        assert len(set(words)) == len(words)


def test_only_what_waits_for_a_person_asks() -> None:
    asking = [one for one in ALL if one.tone is Tone.ASK]
    assert {one.word for one in asking} == {"needs you"}


def test_not_possible_never_looks_like_a_pass() -> None:
    no, yes = standings.VERDICTS[Verdict.NOT_POSSIBLE], standings.VERDICTS[Verdict.PASS]
    assert no.tone is not yes.tone
    assert (no.glyph, no.ascii) != (yes.glyph, yes.ascii)


def test_an_expired_question_needs_nobody() -> None:
    waits = IncidentState.AWAITING_APPROVAL
    assert standings.of_incident(waits, None, RequestState.OPEN) is standings.NEEDS_YOU
    assert standings.of_incident(waits, None, RequestState.EXPIRED) is standings.QUESTION_EXPIRED
    assert standings.of_incident(waits, None, RequestState.APPROVED) is standings.ANSWERED


def test_an_outcome_of_another_version_is_unknown_and_not_an_error() -> None:
    assert standings.of_attempt("enchanted") is standings.UNKNOWN_OUTCOME
