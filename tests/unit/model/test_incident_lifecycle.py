"""The incident's state machine and its JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, LocalValue
from selfheal_tui.model.incident import (
    TRANSITIONS,
    Fingerprint,
    IllegalTransitionError,
    Incident,
    IncidentState,
)
from selfheal_tui.model.kinds import CaptureSource, Environment, Outcome
from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.builds(LocalValue, name=TEXT, type=TEXT, repr=TEXT)
FRAMES = st.builds(
    Frame,
    file=TEXT,
    qualname=TEXT,
    line=st.integers(0, 10**6),
    source=TEXT,
    locals=st.lists(VALUES, max_size=3).map(tuple),
)
ERRORS = st.builds(ExceptionInfo, type=TEXT, message=TEXT, frames=st.lists(FRAMES, max_size=3).map(tuple))
REPORTS = st.builds(
    CrashReport,
    report_id=TEXT,
    captured_at=st.floats(0, 1e10),
    source=st.sampled_from(CaptureSource),
    chain=st.lists(ERRORS, min_size=1, max_size=3).map(tuple),
)


def an_incident(state: IncidentState = IncidentState.DETECTED) -> Incident:
    report = CrashReport("r", 1.0, CaptureSource.PROBE, (ExceptionInfo("ValueError", "x"),))
    return Incident("a1b2", Fingerprint("f", 1), report, Environment.LOCAL, 1.0, 1.0, state=state)


@pytest.mark.parametrize("before", list(IncidentState))
@pytest.mark.parametrize("after", list(IncidentState))
def test_only_the_steps_of_the_table_can_be_taken(before: IncidentState, after: IncidentState) -> None:
    incident = an_incident(before)
    if after in TRANSITIONS[before]:
        assert incident.advance(after).state is after
    else:
        with pytest.raises(IllegalTransitionError):
            incident.advance(after)


def test_closing_needs_an_outcome_and_forgets_the_request() -> None:
    closed = an_incident(IncidentState.AWAITING_APPROVAL).close(Outcome.REJECTED, "no")
    assert closed.outcome is Outcome.REJECTED
    assert closed.request_id == ""


def test_a_returning_crash_reopens_a_closed_incident_only() -> None:
    closed = an_incident(IncidentState.CLOSED)
    again = closed.reopen(closed.report, 2.0)
    assert (again.state, again.count, again.outcome) == (IncidentState.DETECTED, 2, None)
    with pytest.raises(IllegalTransitionError):
        again.reopen(closed.report, 3.0)


@given(REPORTS)
def test_any_report_survives_json(report: CrashReport) -> None:
    assert from_json(to_json(report), CrashReport) == report


@given(st.binary(max_size=200))
def test_foreign_json_is_an_error_that_names_the_type(raw: bytes) -> None:
    with pytest.raises(MalformedDocumentError, match="CrashReport"):
        from_json(raw, CrashReport)


def test_the_patch_hash_covers_paths_contents_and_what_they_replace() -> None:
    def sha(path: str = "a.py", before: str | None = "0", text: str = "x", encoding: str = "utf-8") -> str:
        return Candidate("rules", "r", "", 1.0, (FileEdit(path, before, text, encoding),)).patch_sha256

    variants = {
        sha(),
        sha(path="b.py"),
        sha(before="1"),
        sha(before=None),
        sha(text="y"),
        sha(encoding="utf-16"),
    }
    assert len(variants) == 6
