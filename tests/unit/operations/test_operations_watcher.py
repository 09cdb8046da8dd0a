"""The watcher reads what changed and nothing else, and lets no broken incident hide the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from operations_world import NOW, an_attempt, an_incident

from selfheal_tui.model.approval import ApprovalRequest, Binding, TargetHash
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Outcome, RiskLevel
from selfheal_tui.operations.watcher import Watcher
from selfheal_tui.pipeline.build import Opened, open_project
from selfheal_tui.store import Store
from selfheal_tui.store.gist import IncidentHead
from selfheal_tui.store.incidents import IncidentStore

CLOSED = {"state": IncidentState.CLOSED, "outcome": Outcome.HEALED}


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setattr("os.fsync", lambda _fd: None)
    monkeypatch.setattr("os.fdatasync", lambda _fd: None)
    with open_project(tmp_path, environ={}) as project:
        yield project


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the bodies that are read."""
    ids: list[str] = []
    gist = IncidentStore.gist

    def counted(self: IncidentStore, head: IncidentHead) -> object:
        ids.append(head.incident_id)
        return gist(self, head)

    monkeypatch.setattr(IncidentStore, "gist", counted)
    return ids


def up_to_date(watcher: Watcher) -> Watcher:
    watcher.poll()
    while watcher.behind or not watcher.complete:
        watcher.read(1.0)
    return watcher


def test_a_change_of_one_of_many_reads_one(opened: Opened, tmp_path: Path, read: list[str]) -> None:
    store = opened.engine.store
    many = [an_incident(f"{n:04x}", last_seen=NOW - n, **CLOSED) for n in range(300)]
    store.incidents.commit(many, {})
    watcher = up_to_date(Watcher(opened))
    assert len(read) == 300
    before = watcher.rows({})
    read.clear()
    assert not watcher.poll()
    with Store.open(tmp_path) as other:  # as another process would
        other.incidents.put(
            replace(many[7], message="it came back", state=IncidentState.DETECTED, outcome=None)
        )
    up_to_date(watcher)
    assert read == ["0007"]
    rows = watcher.rows({})
    assert rows[0].incident_id == "0007"
    assert rows[0].note == "it came back"
    assert {id(row) for row in rows[1:]} <= {id(row) for row in before}, "the others are the very same rows"


def test_open_ones_and_the_newest_are_read_first_and_in_slices(opened: Opened, read: list[str]) -> None:
    opened.engine.store.incidents.commit(
        [an_incident(f"{n:04x}", last_seen=NOW + n, **CLOSED) for n in range(20)]
        + [an_incident("ffff", last_seen=NOW - 999)],
        {},
    )
    watcher = Watcher(opened)
    watcher.poll()
    assert watcher.read(0.0)
    assert read == ["ffff"]
    assert not watcher.complete
    watcher.read(0.0)
    assert read == ["ffff", "0013"]
    up_to_date(watcher)
    assert len(watcher.rows({})) == 21


def test_those_that_need_somebody_come_first_then_open_ones_then_the_newest(opened: Opened) -> None:
    store = opened.engine.store
    waits = an_incident("aaaa", last_seen=1.0, attempts=(an_attempt(),), chosen=0, request_id="q1",
                        state=IncidentState.AWAITING_APPROVAL)  # fmt: skip
    store.approvals.request(a_request())
    store.incidents.commit(
        # What is written later counts as newer; within one tick of the file system's clock the id decides.
        [an_incident("cccc", last_seen=2.0, **CLOSED), an_incident("bbbb", last_seen=3.0, **CLOSED),
         an_incident("dddd", last_seen=0.5), waits],
        {},
    )  # fmt: skip
    watcher = up_to_date(Watcher(opened, clock=lambda: NOW))
    assert [row.incident_id for row in watcher.rows({})] == ["aaaa", "dddd", "bbbb", "cccc"]
    (request,) = watcher.requests()
    assert (request.request_id, request.risk, request.state) == ("q1", "RED", "open")
    assert request.headline.startswith("app.py · +1 −0 · by rules/misspelt-name")
    row = watcher.rows({})[0]
    assert (row.needs_person, row.risk, row.since) == (True, "RED", request.created_at)


def a_request(**changes: object) -> ApprovalRequest:
    binding = Binding("0" * 64, (TargetHash("app.py", "0" * 64),), "p1")
    request = ApprovalRequest(
        "q1", "aaaa", "c1", "self_modify_codebase", RiskLevel.RED, binding, ("production always asks",),
        True, NOW, 4_000_000_000.0,
    )  # fmt: skip
    return replace(request, **changes)  # type: ignore[arg-type]


def test_a_question_expires_by_the_clock_without_any_change_in_the_store(tmp_path: Path) -> None:
    clock = {"now": 100.0}
    with open_project(tmp_path, environ={}) as project:
        project.engine.store.approvals._clock = lambda: clock["now"]
        project.engine.store.approvals.request(a_request(expires_at=200.0))
        project.engine.store.incidents.put(
            an_incident("aaaa", attempts=(an_attempt(),), chosen=0, request_id="q1",
                        state=IncidentState.AWAITING_APPROVAL)
        )  # fmt: skip
        watcher = up_to_date(Watcher(project, clock=lambda: clock["now"]))
        assert watcher.rows({})[0].needs_person
        clock["now"] = 201.0
        assert watcher.poll()
        row = watcher.rows({})[0]
        assert (row.needs_person, row.standing.word) == (False, "question expired")
        assert watcher.requests() == ()


def test_one_that_cannot_be_read_is_told_and_hides_nothing(opened: Opened) -> None:
    store = opened.engine.store
    store.incidents.commit([an_incident("aaaa", **CLOSED), an_incident("bbbb", **CLOSED)], {})
    head = next(head for head in store.incidents.heads() if head.incident_id == "aaaa")
    (store.directory / "blobs" / head.revision).write_bytes(b"{")
    watcher = up_to_date(Watcher(opened))
    assert [row.incident_id for row in watcher.rows({})] == ["bbbb"]
    assert len(watcher.problems()) == 1
    store.incidents.put(an_incident("aaaa", message="written anew", **CLOSED))
    up_to_date(watcher)
    assert len(watcher.rows({})) == 2
    assert watcher.problems() == ()


def test_a_body_that_was_replaced_between_two_looks_is_read_as_it_is_now(opened: Opened) -> None:
    store = opened.engine.store
    store.incidents.put(an_incident("aaaa", message="first"))
    watcher = Watcher(opened)
    watcher.poll()
    store.incidents.put(an_incident("aaaa", message="second"))
    watcher.read(1.0)
    assert watcher.rows({})[0].note == "second"


def test_notes_of_what_is_going_on_are_shown_on_open_rows_only(opened: Opened) -> None:
    opened.engine.store.incidents.commit([an_incident("aaaa"), an_incident("bbbb", **CLOSED)], {})
    watcher = up_to_date(Watcher(opened))
    notes = {"aaaa": "proving · tests", "bbbb": "proving · tests"}
    assert [row.note for row in watcher.rows(notes)] == ["proving · tests", "broken"]
    assert [row.note for row in watcher.rows({})] == ["broken", "broken"]


def test_it_stands_where_it_stood_since_it_got_there(opened: Opened) -> None:
    store = opened.engine.store
    store.incidents.put(an_incident("aaaa", state=IncidentState.ON_PROBATION))
    watcher = up_to_date(Watcher(opened))
    since = watcher.rows({})[0].since
    store.incidents.put(an_incident("aaaa", state=IncidentState.ON_PROBATION, count=9, message="again"))
    up_to_date(watcher)
    assert watcher.rows({})[0].count == 9
    assert watcher.rows({})[0].since == since
