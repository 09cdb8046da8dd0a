"""An incident in full: whatever the program or a model wrote into it is bounded and safe to show."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from operations_world import NOW, a_candidate, an_attempt, an_incident

from selfheal_tui.model.candidate import Cost, FileEdit
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.record import AuditRecord
from selfheal_tui.operations.details import cost_text, detail_of, line_counts, others_of
from selfheal_tui.operations.rows import gist_of, row_of
from selfheal_tui.operations.snapshot import FileChange, IncidentDetail
from selfheal_tui.source.display import visible

hostile = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("\x1b\x9b\u202e\u2066\u200b\r\x00[31m|")), max_size=60
)


def detail_with(text: str, **changes: Any) -> IncidentDetail:
    stored = text.encode("utf-8", "replace").decode()  # a file's text without bytes is in no store
    attempt = replace(
        an_attempt(),
        candidate=a_candidate(
            rule=text, reason=text, notes=(text,), edits=(FileEdit(f"a{stored}.py", None, stored),)
        ),
        note=text,
    )
    incident = an_incident(text=text, attempts=(attempt,), chosen=0, **changes)
    record = AuditRecord(1, NOW, text, text, "a1b2", {text: text, "n": 1}, "", "")
    row = row_of(gist_of(incident), since=NOW, note=text)
    return detail_of(
        incident, row, before=[{}], notes={f"a{stored}.py": text}, request=None, timeline=[record]
    )


def strings_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, FileChange):
        return [value.path, value.note]  # its texts are exact
    if is_dataclass(value):
        return [s for field in fields(value) for s in strings_of(getattr(value, field.name))]
    return [s for item in value for s in strings_of(item)] if isinstance(value, tuple) else []


@settings(deadline=None)
@given(hostile)
def test_no_string_of_it_can_do_anything_to_a_terminal(text: str) -> None:
    for shown in strings_of(detail_with(text)):
        assert visible(shown) == shown


def test_megabytes_cost_nothing() -> None:
    detail = detail_with("x" * 1_000_000)
    assert sum(map(len, strings_of(detail))) < 200_000


def test_file_texts_are_exact_because_hunks_are_chosen_in_them() -> None:
    detail = detail_with("a\x1b[31m\u202eb")
    assert detail.candidates[0].changes[0].after == "a\x1b[31m\u202eb"


def test_a_failed_climb_shows_every_rung() -> None:
    attempt = an_attempt()
    reports = (*attempt.proof.reports[:2], replace(attempt.proof.reports[2], verdict=Verdict.FAIL))
    attempt = replace(attempt, proof=replace(attempt.proof, reports=reports))
    incident = an_incident(attempts=(attempt,))
    detail = detail_of(
        incident, row_of(gist_of(incident), since=NOW), before=[{}], notes={}, request=None, timeline=[]
    )
    assert [rung.standing.word for rung in detail.candidates[0].rungs] == ["pass"] * 2 + ["fail"] + [
        "not reached"
    ] * 5
    assert not detail.candidates[0].acceptable


def test_others_are_the_proved_ones_that_differ_and_were_not_set_aside() -> None:
    attempts = (
        an_attempt("a\n"),
        an_attempt("b\n"),
        an_attempt("b\n"),
        an_attempt("a\n"),
        an_attempt("c\n", note="rejected by kim"),
        an_attempt("d\n", verdict=Verdict.FAIL),
    )
    assert others_of(an_incident(attempts=attempts, chosen=0)) == (1,)


def test_lines_are_counted_as_a_diff_counts_them() -> None:
    assert line_counts("a\nb\nc\n", "a\nB\nc\nd\n") == (2, 1)
    assert line_counts("", "a\nb\n") == (2, 0)
    assert line_counts("a\n", "a\n") == (0, 0)


def test_an_unknown_price_is_not_nothing() -> None:
    assert cost_text(Cost()) == ""
    assert cost_text(Cost(1000, 234, None)) == "1,234 tokens · price unknown"
    assert cost_text(Cost(1, 1, 0.5)) == "2 tokens · $0.5000"
