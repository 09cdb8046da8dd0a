"""A question whose files changed is asked anew before anybody spends time on it, and never twice at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from serving import a_crash, drop, wait_until

from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.operations import decisions
from selfheal_tui.pipeline.build import open_project
from selfheal_tui.pipeline.stale import is_stale, take_back
from selfheal_tui.supervisor.service import EngineService

TWO = "def first(items):\n    return sum(itms)\n\n\ndef second(items):\n    return sum(itms)\n"


@pytest.fixture
def project(tmp_path: Path):
    (tmp_path / "app.py").write_text(TWO)
    (tmp_path / "selfheal.toml").write_text('environment = "production"\n')
    service = EngineService(tmp_path)
    service.start()
    with open_project(tmp_path, environ=os.environ) as opened:
        drop(opened.engine.store.inbox.directory, a_crash(tmp_path, "first"), 1)
        report = a_crash(tmp_path, "second")
        frame = report.chain[0].frames[0]
        object.__setattr__(frame, "line", 6)
        drop(opened.engine.store.inbox.directory, report, 2)
        yield opened
        service.stop()
        assert service.join(30)


def waiting(opened):
    found = opened.engine.store.incidents.in_states([IncidentState.AWAITING_APPROVAL])
    return {i.report.raised.frames[-1].qualname: i for i in found}


def approve(opened, incident):
    request = opened.engine.store.approvals.get(incident.request_id)
    return decisions.approve(opened, request.request_id, code=request.binding.code, reason="", by="kim")


def test_a_fix_in_the_same_file_has_the_other_question_asked_anew_and_both_can_be_approved(project, tmp_path):
    wait_until(lambda: len(waiting(project)) == 2, 120)
    before = waiting(project)
    assert approve(project, before["first"]).ok
    old = before["second"].request_id

    def asked_anew():
        now = waiting(project).get("second")
        return now is not None and now.request_id != old

    wait_until(asked_anew, 120)
    store = project.engine.store
    assert store.approvals.state(old) is RequestState.WITHDRAWN
    assert [r.incident_id for r in store.approvals.open_requests()] == [before["second"].incident_id]
    answer = approve(project, waiting(project)["second"])
    assert answer.ok, answer.text
    assert "itms" not in (tmp_path / "app.py").read_text()
    assert store.audit.verify().ok


def test_a_question_whose_files_are_as_they_were_is_left_alone(project):
    wait_until(lambda: len(waiting(project)) == 2, 120)
    one = waiting(project)["first"]
    os.utime(project.engine.project.absolute("app.py"), (time.time(), time.time()))
    assert not is_stale(project.engine, one)
    assert not take_back(project.engine, one)
    assert project.engine.store.approvals.state(one.request_id) is RequestState.OPEN
