"""A report stands for as many crashes as it says, and one that only counts takes nothing away from the incident."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from making import a_project, a_report

from selfheal_tui.model.crash import REPEATS_OF, CrashReport, LocalValue, ReplayCall
from selfheal_tui.model.incident import Incident
from selfheal_tui.model.kinds import Environment, Outcome
from selfheal_tui.pipeline.intake import take_in
from selfheal_tui.store import Store


def full(root: Path, report_id: str = "1") -> CrashReport:
    report = a_report(root, report_id)
    info = report.raised
    frames = tuple(replace(frame, locals=(LocalValue("items", "list", "[]"),)) for frame in info.frames)
    call = ReplayCall("app", str(root / "app.py"), "total", payload="1.args.0.pickle")
    return replace(report, chain=(replace(info, frames=frames),), replay=(call,))


def summary(root: Path, report_id: str, count: int, **changes: object) -> CrashReport:
    report = a_report(root, report_id)
    return replace(report, count=count, context={REPEATS_OF: "1"}, kind="logged", **changes)  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path):
    project = a_project(tmp_path)
    with Store.open(tmp_path) as store:

        def take(report: CrashReport) -> Incident:
            return take_in(store, project, report, environment=Environment.DEV, now=2_000.0)

        yield tmp_path, store, take


def test_a_report_that_stands_for_many_counts_as_many(world) -> None:
    root, _, take = world
    assert take(replace(a_report(root), count=3)).count == 3
    assert take(summary(root, "2", 40)).count == 43
    assert take(summary(root, "2", 40)).count == 43, "delivered twice, counted once"


def test_a_count_of_repeats_keeps_the_arguments_and_locals_of_the_first_report(world) -> None:
    root, store, take = world
    payload = store.inbox.directory / "1.args.0.pickle"
    payload.write_bytes(b"x")
    take(full(root))
    incident = take(summary(root, "2", 9))
    assert incident.report.replay[0].payload == payload.name
    assert incident.report.raised.frames[-1].locals
    assert payload.exists()


def test_a_nonsensical_count_is_one(world) -> None:
    root, _, take = world
    assert take(replace(a_report(root), count=-5)).count == 1


def test_a_closed_incident_is_opened_by_repeats_with_what_was_known_of_it(world) -> None:
    root, store, take = world
    store.incidents.put(take(full(root)).close(Outcome.EXPLAINED, "no"))
    incident = take(summary(root, "2", 9))
    assert incident.outcome is None
    assert incident.count == 10
    assert incident.report.raised.frames[-1].locals
