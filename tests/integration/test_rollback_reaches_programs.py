"""What an operator takes back or puts back reaches the programs that are running, or it is said that it does not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
from operator_world import BEFORE, FIXED, World
from serving import wait_until

from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.operations import decisions
from selfheal_tui.operations.answers import Answer
from selfheal_tui.operations.reached import NOBODY_SERVES
from selfheal_tui.probe.environment import probe_environment
from selfheal_tui.supervisor.channels import Channel
from selfheal_tui.supervisor.events import (
    Event,
    IncidentClosed,
    ProbationBegan,
    ProgramSwapped,
    RestartNeeded,
)
from selfheal_tui.supervisor.service import EngineService

PROGRAM = """
import pathlib, sys, time
from greeter import Greeter

said = pathlib.Path(sys.argv[1])
greeter = Greeter("Ada")
while not said.with_suffix(".end").exists():
    try:
        now = greeter.greeting()
    except AttributeError:
        now = "crash"
    said.write_text(now)
    time.sleep(0.02)
"""


class Live:
    """A program with the probe in it, which writes down what it does."""

    def __init__(self, root: Path, said: Path, script: str) -> None:
        base = {k: v for k, v in os.environ.items() if not k.startswith(("SELFHEAL", "PYTHONDONTWRITE"))}
        environ = probe_environment(root / ".selfheal" / "inbox", root, base)
        environ["SELFHEAL_LIVE"] = "1"
        self._said = said
        self.process = subprocess.Popen([sys.executable, "-c", script, str(said)], cwd=root, env=environ)

    def says(self, what: str) -> bool:
        return self._said.exists() and self._said.read_text() == what

    def end(self) -> None:
        self._said.with_suffix(".end").touch()
        assert self.process.wait(30) == 0


class Served:
    """An engine that heals nothing by itself, and what it told."""

    def __init__(self, root: Path, probation: str) -> None:
        self.events: list[Event] = []
        flags = {"supervision.probation_seconds": probation}
        self.service = EngineService(root, flags=flags, workers=0)
        self.service.subscribe(self.events.append)
        self.service.start()

    def told(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def end(self) -> None:
        self.service.stop()
        assert self.service.join(30)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("rollback-reaches"))


@pytest.fixture
def world(made: World) -> World:
    made.put_back()
    return made


@pytest.fixture
def serve(world: World) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def begin(probation: str = "600") -> Served:
        started.append(Served(world.root, probation))
        return started[-1]

    yield begin
    for one in started:
        one.end()


@pytest.fixture
def run(world: World, tmp_path: Path) -> Iterator[Callable[[str], Live]]:
    started: list[Live] = []

    def begin(script: str) -> Live:
        started.append(Live(world.root, tmp_path / f"said{len(started)}", script))
        return started[-1]

    yield begin
    for one in started:
        one.end()


def approve(world: World) -> None:
    with world.opened() as project:
        code = project.engine.store.approvals.get(world.incident(project).request_id).binding.code
        assert decisions.approve(project, world.incident_id, by="kim", code=code).ok
    assert world.file.read_text() == FIXED


def taken_back(world: World, *, overwrite: bool = False) -> Answer:
    with world.opened() as project:
        return decisions.roll_back(project, world.incident_id, by="kim", overwrite=overwrite)


def undone(world: World) -> Answer:
    with world.opened() as project:
        return decisions.undo(project, by="kim")


def kinds(world: World) -> list[str]:
    with world.opened() as project:
        return [record.kind for record in project.engine.store.audit.records()]


@pytest.mark.slow
def test_a_running_program_follows_a_rollback_and_its_undo_and_the_fix_is_watched_anew(
    world: World, serve: Callable[..., Served], run: Callable[[str], Live]
) -> None:
    served = serve(probation="8")
    live = run(PROGRAM)
    wait_until(lambda: live.says("crash"))
    approve(world)
    wait_until(lambda: live.says("Good day, Ada"))
    wait_until(lambda: "fix.delivered" in kinds(world))

    answer = taken_back(world)
    assert answer.ok
    assert "taken back: greeter.py" in answer.text
    assert "the running program runs the old code again" in answer.text
    wait_until(lambda: live.says("crash"))
    assert [(e.pid, e.restored) for e in served.told(ProgramSwapped)] == [
        (live.process.pid, False),
        (live.process.pid, True),
    ]
    assert [e.incident.outcome for e in served.told(IncidentClosed)] == [Outcome.ROLLED_BACK]

    answer = undone(world)
    assert answer.ok
    assert "the running program runs the fix again" in answer.text
    assert "watched anew" in answer.text
    assert answer.incident is not None
    assert (answer.incident.state, answer.incident.outcome) == (IncidentState.ON_PROBATION, None)
    wait_until(lambda: live.says("Good day, Ada"))
    assert len(served.told(ProbationBegan)) == 2
    wait_until(lambda: len(served.told(IncidentClosed)) == 2)
    with world.opened() as project:
        incident = world.incident(project)
        assert incident.outcome is Outcome.HEALED
        assert "probation" in incident.message
        counts = project.engine.store.learning.get(f"fingerprint:{incident.fingerprint.value}")
        assert (counts.successes, counts.failures) == (1, 0)
        assert project.engine.store.audit.verify().ok
    assert not served.told(RestartNeeded)


@pytest.mark.slow
def test_one_restored_file_is_followed_and_taken_out_even_while_healing_is_paused(
    world: World, serve: Callable[..., Served], run: Callable[[str], Live]
) -> None:
    served = serve()
    live = run(PROGRAM)
    approve(world)
    wait_until(lambda: live.says("Good day, Ada"))
    wait_until(lambda: "fix.delivered" in kinds(world))
    with world.opened() as project:
        decisions.pause(project, by="lee", reason="audit")
        (backup,) = project.engine.store.backups.entries()
    command = world.shell("rollback", backup.backup_id, "--json")
    assert "the running program runs the code on disk again" in json.loads(command.stdout)["running"]
    wait_until(lambda: live.says("crash"))

    answer = undone(world)
    assert not answer.ok
    assert "paused by lee" in answer.text
    assert (world.file.read_text(), live.says("crash")) == (BEFORE, True)
    assert len(served.told(ProgramSwapped)) == 2
    with world.opened() as project:
        decisions.resume(project, by="lee")
    assert "the running program runs the code on disk again" in undone(world).text
    wait_until(lambda: live.says("Good day, Ada"))


@pytest.mark.slow
def test_a_program_that_does_not_take_it_is_named_for_a_restart(
    world: World,
    serve: Callable[..., Served],
    run: Callable[[str], Live],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Channel, "swap", partialmethod(Channel.swap, seconds=0.5))
    approve(world)
    served = serve()
    live = run(PROGRAM)
    wait_until(lambda: live.says("Good day, Ada"))
    live.process.send_signal(signal.SIGSTOP)
    answer = taken_back(world)
    assert answer.ok
    (event,) = served.told(RestartNeeded)
    assert (event.pid, event.restored, event.files) == (live.process.pid, True, ("greeter.py",))
    assert "restart needed: a running program" in answer.text
    assert "old code again" not in answer.text
    with world.opened() as project:
        records = project.engine.store.audit.records(kinds={"rollback.delivered"})
    assert [(r.data["programs"], r.data["restart_needed"]) for r in records] == [(0, 1)]
    live.process.send_signal(signal.SIGCONT)


def test_where_nobody_serves_it_is_said_that_programs_keep_their_code(world: World) -> None:
    approve(world)
    answer = taken_back(world)
    assert answer.ok
    assert answer.running == NOBODY_SERVES
    assert NOBODY_SERVES in answer.text
    undo = undone(world)
    assert undo.running == NOBODY_SERVES
    assert undo.incident is not None
    assert undo.incident.state is IncidentState.CLOSED


def test_what_was_refused_reaches_nobody(world: World, serve: Callable[..., Served]) -> None:
    served = serve()
    approve(world)
    edited = FIXED.replace("self.name\n", "self.title\n", 1).replace("self.name", "self.other")
    world.file.write_text(edited)
    answer = taken_back(world)
    assert not answer.ok
    assert answer.running == ""
    assert world.file.read_text() == edited
    assert "rollback.delivered" not in kinds(world)
    assert not served.told(IncidentClosed)


def test_a_rollback_while_no_program_runs_says_so_and_ends_the_watch(
    world: World, serve: Callable[..., Served]
) -> None:
    served = serve()
    approve(world)
    wait_until(lambda: served.told(ProbationBegan))
    answer = taken_back(world)
    assert "no program of this project is running under the probe" in answer.text
    assert [e.incident.outcome for e in served.told(IncidentClosed)] == [Outcome.ROLLED_BACK]
