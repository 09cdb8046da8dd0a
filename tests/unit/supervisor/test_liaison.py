"""News go to the right program: marks, holds, starts after a fix, restarts where a swap is not possible."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfheal_tui.model.crash import CrashReport, ExceptionInfo
from selfheal_tui.model.incident import Fingerprint, Incident, IncidentState
from selfheal_tui.model.kinds import CaptureSource, Environment
from selfheal_tui.pipeline.steps import Progressed
from selfheal_tui.store.errors import StoreWriteError
from selfheal_tui.supervisor.channels import RestartReason
from selfheal_tui.supervisor.events import (
    CrashSeen,
    IncidentClosed,
    JobMoved,
    ProbationBegan,
    RestartNeeded,
    Stepped,
)
from selfheal_tui.supervisor.liaison import Liaison
from selfheal_tui.supervisor.queue import Job, JobState, Priority

REPORT = CrashReport("r", 1.0, CaptureSource.PROBE, (ExceptionInfo("NameError", "x"),))
INCIDENT = Incident("a1b2", Fingerprint("f" * 16, 1), REPORT, Environment.LOCAL, 1.0, 1.0)
FIXED = replace(INCIDENT, state=IncidentState.ON_PROBATION)


class Programs:
    """Two programs: `agent` had the processes 10 and 11, `other` has 20."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []
        self.fails = False

    def program_of(self, pid: int) -> str:
        return {10: "agent", 11: "agent", 20: "other"}.get(pid, "")

    def mark(self, incident_id, name=None) -> None:
        self.told.append(("mark", name, incident_id))

    def fixed(self, name, incident_id, *, restart_needed="") -> bool:
        if self.fails:
            raise StoreWriteError("full")
        self.told.append(("fixed", name, incident_id, restart_needed))
        return True

    def outdated(self, name, why) -> bool:
        self.told.append(("outdated", name, why))
        return True


@pytest.fixture
def programs():
    return Programs()


@pytest.fixture
def liaison(tmp_path, programs):
    made = Liaison(tmp_path)
    made.attach(programs)
    return made


def moved(state: JobState) -> JobMoved:
    return JobMoved(Job("a1b2", state, Priority.UNCAUGHT, 1))


def seen(pid: int) -> CrashSeen:
    return CrashSeen(INCIDENT, "exception", pid, 1)


def test_a_crash_is_marked_in_the_output_of_its_program(liaison, programs):
    liaison.hear(seen(10))
    liaison.hear(seen(999))
    assert programs.told == [("mark", "agent", "a1b2")]


@pytest.mark.parametrize(
    ("state", "held"),
    [
        (JobState.QUEUED, True),
        (JobState.RUNNING, True),
        (JobState.PARKED, False),
        (JobState.DONE, False),
        (JobState.FAILED, False),
        (JobState.CANCELLED, False),
    ],
)
def test_only_the_program_that_crashed_is_held_and_only_while_no_person_is_waited_for(liaison, state, held):
    liaison.hear(seen(10))
    liaison.hear(moved(JobState.RUNNING))
    liaison.hear(moved(state))
    assert liaison.healing({10, 12}) is held
    assert not liaison.healing({20})
    assert not liaison.healing(set())


def test_a_report_that_nobody_took_in_yet_holds_its_program(liaison, tmp_path):
    for name in ("123-10-1.json", ".123-20-1.json.tmp", "junk.json", "123-30-1.pickle"):
        (tmp_path / name).touch()
    assert liaison.healing({10})
    assert not liaison.healing({20, 30, 1})


@pytest.mark.parametrize("news", [Stepped(Progressed(FIXED)), ProbationBegan(FIXED, 9.0)])
def test_every_program_that_crashed_hears_of_the_fix_once(liaison, programs, news):
    for pid in (10, 11, 20):
        liaison.hear(seen(pid))
    programs.told.clear()
    liaison.hear(Stepped(Progressed(INCIDENT)))
    assert programs.told == []
    liaison.hear(news)
    liaison.hear(news)
    assert programs.told == [("fixed", "agent", "a1b2", ""), ("fixed", "other", "a1b2", "")]


def test_a_live_program_that_runs_old_code_hears_why_it_must_be_started_anew(liaison, programs):
    reasons = (RestartReason("app:Agent", "its slots changed"), RestartReason("app", "new global"))
    liaison.hear(RestartNeeded("a1b2", 20, reasons, ("app.py",)))
    liaison.hear(RestartNeeded("a1b2", 999, reasons, ("app.py",)))
    assert programs.told == [("fixed", "other", "a1b2", "app:Agent: its slots changed; app: new global")]


def test_an_incident_that_is_closed_is_forgotten(liaison, programs):
    liaison.hear(seen(10))
    liaison.hear(IncidentClosed(INCIDENT))
    programs.told.clear()
    liaison.hear(ProbationBegan(FIXED, 9.0))
    assert programs.told == []


def test_a_program_that_cannot_be_started_is_told_in_the_log(liaison, programs, caplog):
    programs.fails = True
    liaison.hear(seen(10))
    liaison.hear(ProbationBegan(FIXED, 9.0))
    assert "agent could not be started" in caplog.text


def test_a_program_that_cannot_take_a_rollback_while_it_runs_is_started_anew(liaison, programs):
    reasons = (RestartReason("app:f", "it is a class now"),)
    liaison.hear(RestartNeeded("a1b2", 11, reasons, ("app.py",), restored=True))
    assert programs.told == [("outdated", "agent", "code was taken back on disk (app:f: it is a class now)")]
