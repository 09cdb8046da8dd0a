"""Guarded calls against the real engine: they wait, get the new code, and return; ten of them share one answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from serving import wait_until
from shell import GREETER, Shell, tree

from selfheal_tui.model.incident import IncidentState
from selfheal_tui.probe.environment import probe_environment
from selfheal_tui.store import Store
from selfheal_tui.supervisor.events import ServiceStarted, WaitersAnswered
from selfheal_tui.supervisor.service import EngineService

GUARDED = """
import threading
from greeter import Greeter
from selfheal_tui import heal

greeter = Greeter("Ada")

@heal(retry="snapshot", wait={wait})
def greet(number):
    return f"{greeter.greeting()} {number}"

results = {}
def call(number):
    try:
        results[number] = greet(number)
    except Exception as error:
        results[number] = repr(error)

threads = [threading.Thread(target=call, args=(n,)) for n in range({threads})]
for thread in threads: thread.start()
for thread in threads: thread.join()
for number in sorted(results): print(results[number], flush=True)
"""


def guarded(root: Path, *, environment: str, wait: str, threads: int) -> subprocess.CompletedProcess[str]:
    base = {k: v for k, v in os.environ.items() if not k.startswith(("SELFHEAL", "PYTHONDONTWRITE"))}
    environ = probe_environment(root / ".selfheal" / "inbox", root, base)
    environ |= {"SELFHEAL_LIVE": "1", "SELFHEAL_ENV": environment}
    code = GUARDED.replace("{wait}", wait).replace("{threads}", str(threads))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=environ,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def serve(root: Path, environment: str, events: list[object]) -> EngineService:
    service = EngineService(root, flags={"environment": environment})
    service.subscribe(events.append)
    service.start()
    wait_until(lambda: any(isinstance(e, ServiceStarted) for e in events))
    return service


@pytest.mark.slow
def test_ten_guarded_calls_crash_alike_are_healed_once_and_return_with_the_new_code(tmp_path: Path) -> None:
    Shell(tmp_path, GREETER)
    events: list[object] = []
    service = serve(tmp_path, "local", events)
    try:
        done = guarded(tmp_path, environment="local", wait="120", threads=10)
    finally:
        service.stop()
        assert service.join(30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"Good day, Ada {n}" for n in range(10)]
    assert any(isinstance(event, WaitersAnswered) for event in events)
    with Store.open(tmp_path) as store:
        (incident,) = store.incidents.all()
        applied = store.audit.records(kinds={"change.applied"})
    assert len(applied) == 1
    assert incident.state in (IncidentState.ON_PROBATION, IncidentState.CLOSED)


@pytest.mark.slow
def test_in_production_a_guarded_call_does_not_wait_and_raises_what_it_raised(tmp_path: Path) -> None:
    Shell(tmp_path, GREETER)
    before = tree(tmp_path)
    events: list[object] = []
    service = serve(tmp_path, "production", events)
    try:
        done = guarded(tmp_path, environment="production", wait="None", threads=1)
    finally:
        service.stop()
        assert service.join(60)
    assert "AttributeError" in done.stdout
    assert tree(tmp_path) == before
