"""Taking reports in: exactly once, whoever works on the incident meanwhile, and whatever is killed between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import a_project, a_report

from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Environment, Outcome
from selfheal_tui.pipeline.intake import Arrival, TakenIn, take_in_all
from selfheal_tui.pipeline.lease import lease
from selfheal_tui.store import Store, StoreError
from selfheal_tui.store.audit import AuditLog
from selfheal_tui.store.taken import TakenReports


def take(store: Store, root: Path, reports: Sequence[str], **facts: object) -> list[TakenIn]:
    arrivals = [Arrival(replace(a_report(root, name), **facts), f"{name}.json") for name in reports]  # type: ignore[arg-type]
    return take_in_all(store, a_project(root), arrivals, environment=Environment.LOCAL, now=5.0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), max_size=8))
def test_however_often_reports_are_delivered_each_counts_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]]
) -> None:
    root = tmp_path_factory.mktemp("p")
    with Store.open(root) as store:
        for batch in batches:
            take(store, root, [f"r{number}" for number in batch])
        counted = sum(incident.count for incident in store.incidents.all())
        assert counted == len({number for batch in batches for number in batch})


def test_a_report_that_stands_for_many_counts_as_many(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        take(store, tmp_path, ["a"], count=500)
        take(store, tmp_path, ["b", "a"], count=20)
        assert store.incidents.all()[0].count == 520


def test_whoever_works_on_an_incident_does_not_set_its_count_back(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        (first,) = take(store, tmp_path, ["a"])
        walking = first.incident.advance(IncidentState.ANALYZED)
        store.incidents.put(walking)
        with lease(store.directory, walking.incident_id):
            take(store, tmp_path, ["b", "c"])
            current = store.incidents.get(walking.incident_id)
            assert (current.count, current.state) == (3, IncidentState.ANALYZED)
            assert current.report.report_id == "a"  # its payloads are being replayed
            store.incidents.put(walking.advance(IncidentState.PROPOSING))
        current = store.incidents.get(walking.incident_id)
        assert (current.count, current.state) == (3, IncidentState.PROPOSING)
        take(store, tmp_path, ["d"])
        assert store.incidents.get(walking.incident_id).report.report_id == "d"


def test_a_kill_before_the_write_takes_nothing_in_and_one_after_it_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    with Store.open(tmp_path) as store:
        with monkeypatch.context() as patch:
            patch.setattr(AuditLog, "append", killed)
            with pytest.raises(KilledError):
                take(store, tmp_path, ["a", "b"])
        assert store.incidents.all()[0].count == 2
        again = take(store, tmp_path, ["a", "b"])
        assert [one.fresh for one in again] == [False, False]
        assert store.incidents.all()[0].count == 2
        # What was not put on record before is made up for.
        on_record = [record.data["report"] for record in store.audit.records()]
        assert on_record == ["a", "b"]
        take(store, tmp_path, ["a", "b"])
        assert len(store.audit.records()) == 2
        with monkeypatch.context() as patch:
            patch.setattr(TakenReports, "operations", killed)
            with pytest.raises(KilledError):
                take(store, tmp_path, ["c"])
        assert store.incidents.all()[0].count == 2
        assert take(store, tmp_path, ["c"])[0].fresh


def test_a_write_that_fails_counts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(tmp_path) as store:
        take(store, tmp_path, ["a"])
        with monkeypatch.context() as patch:

            def full(*_: object) -> int:
                raise OSError(28, "No space left on device")

            patch.setattr("selfheal_tui.store.journal.write_all", full)
            with pytest.raises(StoreError):
                take(store, tmp_path, ["b"])
        assert store.incidents.all()[0].count == 1
        assert "b" not in store.incidents.taken
        take(store, tmp_path, ["b"])
        assert store.incidents.all()[0].count == 2


def test_old_marks_are_dropped_but_never_one_whose_report_still_waits(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.incidents.taken._most = 20
        (store.inbox.directory / "r0.json").write_text("{}")
        for number in range(100):
            take(store, tmp_path, [f"r{number}"])
        assert len(store.incidents.taken) <= 21
        assert "r0" in store.incidents.taken
        assert "r99" in store.incidents.taken
        assert "r50" not in store.incidents.taken


def test_a_report_that_only_counts_opens_nothing_anew(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        (first,) = take(store, tmp_path, ["a"])
        store.incidents.put(first.incident.close(Outcome.EXPLAINED, "because"))
        arrivals = [Arrival(a_report(tmp_path, "b"))]
        (late,) = take_in_all(
            store,
            a_project(tmp_path),
            arrivals,
            environment=Environment.LOCAL,
            now=6.0,
            counts_only=lambda _incident, _report: True,
        )
        assert (late.counts_only, late.incident.state, late.incident.count) == (True, IncidentState.CLOSED, 2)
        assert late.incident.message == "because"
        (again,) = take(store, tmp_path, ["c"])
        assert (again.incident.state, again.incident.count) == (IncidentState.DETECTED, 3)
