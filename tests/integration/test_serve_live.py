"""A served project with real programs and real walks: healed while they run, watched, taken back, cancelled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from serving import a_crash, drop, wait_until
from shell import GREETER, Shell, tree

from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.probe.environment import probe_environment
from selfheal_tui.store import Store
from selfheal_tui.supervisor.events import Event, IncidentClosed, ProgramSwapped, ServiceStarted, Stepped
from selfheal_tui.supervisor.holder import EngineBusyError
from selfheal_tui.supervisor.queue import JobState
from selfheal_tui.supervisor.service import EngineService

LOGGED = """
import logging, sys, time
from greeter import Greeter

logging.getLogger().addHandler(logging.NullHandler())
greeter = Greeter("Ada")  # the same object all the time
done = 0
for number in range(600):
    try:
        print(greeter.greeting(), number, flush=True)
        done += 1
        if done == {stop_after}:
            break
    except Exception:
        logging.exception("oops")
    time.sleep(0.2)
else:
    sys.exit(3)
"""


class Served:
    """A project with a service on a thread, and everything that it told."""

    def __init__(self, root: Path, **settings: str) -> None:
        self.root = root
        self.events: list[Event] = []
        self.flags = {"environment": "local", **settings}
        self.service = EngineService(root, flags=self.flags)
        self.service.subscribe(self.events.append)

    def incident(self) -> Incident:
        with Store.open(self.root) as store:
            (incident,) = store.incidents.all()
            return incident

    def told(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def begin(files: dict[str, str], **settings: str) -> Served:
        Shell(tmp_path, files)
        started.append(Served(tmp_path, **settings))
        started[-1].service.start()
        return started[-1]

    yield begin
    for served in started:
        served.service.stop()
        assert served.service.join(30)


def run_live(root: Path, script: str) -> subprocess.Popen[str]:
    """Starts a program with the probe in it, as a supervisor does while an engine serves."""
    base = {k: v for k, v in os.environ.items() if not k.startswith(("SELFHEAL", "PYTHONDONTWRITE"))}
    environ = probe_environment(root / ".selfheal" / "inbox", root, base)
    environ["SELFHEAL_LIVE"] = "1"
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=root,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_program_that_logs_its_crashes_is_healed_while_it_runs_and_then_watched(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = serve(GREETER, **{"supervision.probation_seconds": "2.0"})
    program = run_live(tmp_path, LOGGED.replace("{stop_after}", "3"))
    out, err = program.communicate(timeout=200)
    assert program.returncode == 0, err
    assert out.startswith("Good day, Ada")
    assert [event.pid for event in served.told(ProgramSwapped)] == [program.pid]
    wait_until(lambda: served.told(IncidentClosed))
    incident = served.incident()
    assert incident.outcome is Outcome.HEALED
    assert "probation" in incident.message
    with Store.open(tmp_path) as store:
        kinds = [record.kind for record in store.audit.records(incident.incident_id)]
        swapped = [r for r in store.audit.records() if r.kind == "program.swapped"]
    assert kinds.index("change.applied") < kinds.index("program.swapped") < kinds.index("fix.delivered")
    assert swapped[0].data["swapped"] == ["greeter:Greeter.greeting"]


def test_a_second_engine_is_refused_and_told_who_holds_the_project(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    serve({"app.py": ""})
    with pytest.raises(EngineBusyError, match=str(os.getpid())):
        EngineService(tmp_path).run()
    done = Shell(tmp_path, {})("serve", "--once")
    assert done.returncode == 77
    assert str(os.getpid()) in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serve_ends_cleanly_on_signals(tmp_path: Path, number: signal.Signals) -> None:
    serving = Shell(tmp_path, {"app.py": ""}).start("serve", "--json")
    assert serving.stderr is not None
    started = json.loads(serving.stderr.readline())
    assert started["step"] == "ServiceStarted"
    serving.send_signal(number)
    _, err = serving.communicate(timeout=60)
    assert serving.returncode == 0
    assert json.loads(err.splitlines()[-1]) == {"step": "ServiceStopped", "reason": f"it got {number.name}"}
    with Store.open(tmp_path) as store:
        assert store.audit.verify().ok


def test_once_drains_what_waits_heals_it_and_ends(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"app.py": "import missing_thing_x\n", **GREETER})
    with Store.open(tmp_path) as store:
        (store.inbox.directory / "0-0-0.json").write_text("rubbish")
    crashed = run_live(tmp_path, "import main")
    crashed.communicate(timeout=60)
    done = shell("serve", "--once", "--env", "local")
    assert done.returncode == 0, done.stderr
    assert "refused a report" in done.stderr
    assert "nothing is left to do" in done.stderr
    assert shell.only_incident()["state"] == "on probation"
    assert "self.name" in shell.read("greeter.py")
    # The next one, when the watch is over, closes it.
    shell.environ["SELFHEAL_SUPERVISION_PROBATION_SECONDS"] = "0"
    assert shell("serve", "--once", "--env", "local").returncode == 0
    assert shell.only_incident()["outcome"] == "healed"


@pytest.mark.slow
def test_a_crash_that_returns_takes_the_fix_back_on_disk_even_after_a_restart_of_the_service(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    shell = Shell(tmp_path, GREETER)
    before = tree(tmp_path)
    Store.open(tmp_path).close()
    run_live(tmp_path, "import main").communicate(timeout=60)
    assert shell("serve", "--once", "--env", "local").returncode == 0
    assert tree(tmp_path) != before
    with Store.open(tmp_path) as store:
        (incident,) = store.incidents.all()
        fixed = incident.chosen_attempt
        assert fixed is not None
        report = incident.report
        # The very crash, from a process that started after the fix.

        again = replace(report, report_id="f" * 32, captured_at=time.time() + 1, replay=())
        again = replace(again, process=replace(again.process, pid=1, seconds=0.1))
        drop(store.inbox.directory, again)
    served = serve({}, **{"supervision.workers": "0"})
    wait_until(lambda: served.told(IncidentClosed))
    assert tree(tmp_path) == before
    # It is to be healed anew: the crash that took the fix back opens it again, after it was closed for that.
    wait_until(lambda: served.incident().state is IncidentState.DETECTED)
    incident = served.incident()
    assert incident.count == 2
    with Store.open(tmp_path) as store:
        assert fixed.ast_key in store.learning.blacklisted(incident.fingerprint.value)
        outcomes = [r.data["outcome"] for r in store.audit.records(kinds={"incident.closed"})]
    assert outcomes == ["rolled back"]


def slow_model(root: Path) -> dict[str, str]:
    """A walk that lasts: the project's tests sleep."""
    return {
        **GREETER,
        "tests/test_greeter.py": "import time, unittest\n\n\nclass T(unittest.TestCase):\n"
        "    def test_it(self):\n        time.sleep(600)\n",
    }


def start_a_long_walk(serve: Callable[..., Served], root: Path) -> tuple[Served, psutil.Process]:
    served = serve(slow_model(root))
    run_live(root, "import main").communicate(timeout=60)
    wait_until(lambda: any(job.state is JobState.RUNNING for job in served.service.jobs()))
    wait_until(lambda: served.told(Stepped))
    (worker,) = [
        child
        for child in psutil.Process().children()
        if "selfheal_tui.supervisor.worker" in child.cmdline() and str(root) in child.cmdline()
    ]
    return served, worker


@pytest.mark.slow
def test_a_cancelled_walk_is_killed_with_all_it_started_and_changes_nothing(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    served, worker = start_a_long_walk(serve, tmp_path)
    before = tree(tmp_path)
    wait_until(lambda: worker.children(recursive=True))
    family = [worker, *worker.children(recursive=True)]
    served.service.cancel(served.incident().incident_id, "operator:kim")
    wait_until(lambda: served.told(IncidentClosed))
    incident = served.incident()
    assert (incident.outcome, incident.message) == (Outcome.REJECTED, "cancelled by operator:kim")
    wait_until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family))
    assert tree(tmp_path) == before
    assert [job.state for job in served.service.jobs()] == [JobState.CANCELLED]


@pytest.mark.slow
def test_a_worker_that_dies_closes_its_incident_as_failed_with_the_reason(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    served, worker = start_a_long_walk(serve, tmp_path)
    worker.kill()
    wait_until(lambda: served.told(IncidentClosed))
    incident = served.incident()
    assert incident.outcome is Outcome.FAILED
    assert "killed by signal 9" in incident.message


@pytest.mark.slow
def test_a_stopped_service_leaves_its_incident_to_the_next_one(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    served, worker = start_a_long_walk(serve, tmp_path)
    served.service.stop("for the test")
    assert served.service.join(30)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    incident = served.incident()
    assert (incident.state, incident.outcome) == (IncidentState.DETECTED, None)
    assert "next `selfheal serve`" in incident.message
    second = serve({}, **{"supervision.workers": "0"})
    wait_until(second.service.jobs)
    assert [job.incident_id for job in second.service.jobs()] == [incident.incident_id]


@pytest.mark.slow
def test_an_approval_from_another_terminal_goes_on_probation_under_the_engine(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = serve(GREETER, environment="production", **{"supervision.probation_seconds": "600"})
    shell = Shell(tmp_path, {})
    before = tree(tmp_path)
    program = run_live(tmp_path, LOGGED.replace("{stop_after}", "2"))
    wait_until(lambda: any(job.state is JobState.PARKED for job in served.service.jobs()), 120)
    incident = served.incident()
    assert incident.state is IncidentState.AWAITING_APPROVAL
    assert tree(tmp_path) == before
    with Store.open(tmp_path) as store:
        code = store.approvals.get(incident.request_id).binding.code
    done = shell("approve", incident.incident_id, "--code", code, "--env", "production")
    assert done.returncode == 0, done.stderr
    assert served.incident().state is IncidentState.ON_PROBATION
    out, err = program.communicate(timeout=120)
    assert program.returncode == 0, err
    assert out.startswith("Good day")
    assert served.told(ProgramSwapped)


def test_a_service_without_workers_takes_in_and_heals_nothing(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = serve({"app.py": "def total(items):\n    return sum(itms)\n"}, **{"supervision.workers": "0"})
    (started,) = served.told(ServiceStarted)
    assert started.workers == 0
    with Store.open(tmp_path) as store:
        drop(store.inbox.directory, a_crash(tmp_path))
        wait_until(store.incidents.all)
    assert served.incident().state is IncidentState.DETECTED
    assert not served.told(Stepped)
