"""Real programs are restarted as their policy says, held back, stopped in a crash loop, and healed."""

from __future__ import annotations

import os
import signal
import threading
from random import Random

import pytest
from programs_lab import PATIENCE, QUICK, Lab, zombies

from selfheal_tui.model.kinds import Restart
from selfheal_tui.model.settings import SupervisionSettings
from selfheal_tui.supervisor.backoff import Backoff
from selfheal_tui.supervisor.breaker import FILE_NAME
from selfheal_tui.supervisor.lifecycle import ProgramState

S = ProgramState
COUNTING = """
import pathlib, sys
file = pathlib.Path("runs-" + pathlib.Path(__file__).stem)
run = len(file.read_text()) + 1 if file.exists() else 1
file.write_text("x" * run)
print("run", run)
"""
WAITING = COUNTING + "import signal\nprint('ready', flush=True)\nwhile True: signal.pause()\n"


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    yield lab
    lab.close()


class Service:
    """An engine that heals for as long as it is told to."""

    def __init__(self) -> None:
        self.busy = threading.Event()
        self.asked = threading.Event()

    def healing(self, pids) -> bool:
        self.asked.set()
        return self.busy.is_set()


@pytest.mark.parametrize(
    ("policy", "code", "runs"),
    [
        (Restart.NEVER, 3, 1),
        (Restart.NEVER, 0, 1),
        (Restart.ON_CRASH, 0, 1),
    ],
)
def test_a_program_that_is_not_to_be_restarted_runs_once(lab, policy, code, runs):
    manager = lab.manager(lab.spec("a", COUNTING + f"sys.exit({code})", policy))
    manager.start()
    assert manager.wait(PATIENCE)
    assert (manager.snapshot("a").run, manager.snapshot("a").state) == (runs, S.STOPPED)
    assert manager.exit_code() == code
    assert lab.states() == ["starting", "running", "stopped"]


def test_a_program_that_crashes_twice_and_then_ends_well_is_restarted_twice(lab):
    manager = lab.manager(lab.spec("a", COUNTING + "sys.exit(run < 3)", Restart.ON_CRASH))
    manager.start()
    assert manager.wait(PATIENCE)
    done = manager.snapshot("a")
    assert (done.run, done.crashes, done.state, manager.exit_code()) == (3, 2, S.STOPPED, 0)
    again = ["starting", "running", "backing-off"]
    assert lab.states() == [*again, *again, "starting", "running", "stopped"]
    assert [line.run for line in manager.output("a").lines] == [1, 2, 3]
    assert not zombies()


def test_always_restarts_after_success_too_until_it_is_stopped(lab):
    manager = lab.manager(lab.spec("a", COUNTING + "sys.exit(0)", Restart.ALWAYS))
    manager.start()
    lab.until_line(manager, "a", "run 3")
    manager.stop()
    assert manager.wait(PATIENCE)
    assert manager.exit_code() == 0


def test_the_waits_are_those_of_the_seeded_back_off_on_the_managers_clock(lab):
    settings = SupervisionSettings(backoff_seconds=0.02, backoff_max_seconds=0.05, crash_loop_count=50)
    manager = lab.manager(
        lab.spec("a", COUNTING + "sys.exit(run < 5)", Restart.ON_CRASH),
        settings=settings,
        random=Random(7),
        clock=lambda: 1000.0,
    )
    manager.start()
    assert manager.wait(PATIENCE)
    waits = [c.program.next_start - 1000.0 for c in lab.changes if c.program.state is S.BACKING_OFF]
    expected = Backoff(0.02, 0.05, Random(7))
    assert waits == pytest.approx([expected.next() for _ in range(4)])


def test_a_crash_loop_is_stopped_and_a_new_manager_remembers_it(lab):
    spec = lab.spec("a", COUNTING + "sys.exit(9)", Restart.ON_CRASH)
    manager = lab.manager(spec)
    manager.start()
    assert manager.wait(PATIENCE)
    done = manager.snapshot("a")
    assert (done.state, done.run) == (S.BROKEN, 4)
    assert "4 crashes within 120 s" in done.message
    assert manager.exit_code() == 9

    later = lab.manager(spec)
    later.start()
    assert later.wait(PATIENCE)
    assert later.snapshot("a").state is S.BROKEN
    assert later.snapshot("a").run == 0
    assert later.exit_code() == 77
    assert (lab.root / "runs-a").read_text() == "xxxx"

    assert later.reset_breaker("a")
    later.start()
    lab.until(lambda: (lab.root / "runs-a").read_text() > "xxxx")


def test_a_breaker_that_cannot_be_written_stops_the_program_instead_of_looping(lab):
    spec = lab.spec(
        "a", COUNTING + f"pathlib.Path('.selfheal/{FILE_NAME}').write_text('?')\nsys.exit(1)", Restart.ALWAYS
    )
    manager = lab.manager(spec)
    manager.start()
    assert manager.wait(PATIENCE)
    done = manager.snapshot("a")
    assert (done.state, done.run) == (S.BROKEN, 1)
    assert "remove it" in done.message


def test_a_killed_program_is_a_crash_and_starts_again(lab):
    manager = lab.manager(lab.spec("a", WAITING, Restart.ON_CRASH))
    manager.start()
    lab.until_line(manager, "a", "ready")
    os.kill(lab.pid(manager, "a"), signal.SIGKILL)
    lab.until_line(manager, "a", "ready", 2)
    assert manager.snapshot("a").exit.signal == signal.SIGKILL
    assert manager.snapshot("a").crashes == 1
    assert not zombies()


def test_a_restart_waits_for_the_healing_of_the_crash_before_it(lab):
    service = Service()
    service.busy.set()
    settings = SupervisionSettings(backoff_seconds=0.0, backoff_max_seconds=PATIENCE)
    manager = lab.manager(
        lab.spec("a", COUNTING + "sys.exit(run < 2)", Restart.ON_CRASH), settings=settings, service=service
    )
    manager.start()
    lab.until_state(manager, "a", S.BACKING_OFF)
    assert service.asked.wait(PATIENCE)
    assert manager.snapshot("a").state is S.BACKING_OFF
    service.busy.clear()
    assert manager.wait(PATIENCE)
    assert manager.snapshot("a").run == 2


def test_healing_that_takes_for_ever_does_not_hold_the_restart_for_ever(lab):
    service = Service()
    service.busy.set()
    manager = lab.manager(lab.spec("a", COUNTING + "sys.exit(run < 2)", Restart.ON_CRASH), service=service)
    manager.start()
    lab.until_line(manager, "a", "run 2")
    service.busy.clear()
    assert manager.wait(PATIENCE)


def test_a_fix_ends_the_wait_at_once(lab):
    settings = SupervisionSettings(backoff_seconds=3600, backoff_max_seconds=3600)
    manager = lab.manager(lab.spec("a", COUNTING + "sys.exit(run < 2)", Restart.ON_CRASH), settings=settings)
    manager.start()
    lab.until_state(manager, "a", S.BACKING_OFF)
    assert manager.fixed("a", "a1b2")
    assert manager.wait(PATIENCE)
    assert manager.snapshot("a").run == 2


def test_a_fix_lifts_the_breaker_of_its_program(lab):
    manager = lab.manager(lab.spec("a", COUNTING + "sys.exit(run < 5)", Restart.ON_CRASH))
    manager.start()
    lab.until_state(manager, "a", S.BROKEN)
    assert manager.fixed("a", "a1b2")
    assert manager.wait(PATIENCE)
    assert (manager.snapshot("a").run, manager.snapshot("a").state) == (5, S.STOPPED)
    assert manager.exit_code() == 0


def test_a_running_program_is_restarted_for_a_fix_only_where_that_is_needed(lab):
    manager = lab.manager(lab.spec("a", WAITING, Restart.ON_CRASH))
    manager.start()
    lab.until_line(manager, "a", "ready")
    assert not manager.fixed("a", "a1b2")
    assert manager.fixed("a", "a1b2", restart_needed="a class changed its slots")
    lab.until_line(manager, "a", "run 2")
    lab.until_line(manager, "a", "ready", 2)
    assert lab.states()[:4] == ["starting", "running", "stopping", "starting"]
    assert "slots" in next(c.program.message for c in lab.changes if c.program.state is S.STOPPING)
    assert manager.snapshot("a").crashes == 0


def test_a_program_that_is_never_restarted_is_only_told_of(lab):
    manager = lab.manager(lab.spec("a", WAITING, Restart.NEVER))
    manager.start()
    lab.until_line(manager, "a", "ready")
    pid = lab.pid(manager, "a")
    assert not manager.fixed("a", "a1b2", restart_needed="a class changed its slots")
    assert "restart needed: a class changed its slots" in manager.snapshot("a").message
    assert manager.snapshot("a").pid == pid


def test_a_stopped_program_stays_stopped_whatever_is_fixed(lab):
    manager = lab.manager(lab.spec("a", WAITING, Restart.ALWAYS))
    manager.start()
    lab.until_line(manager, "a", "ready")
    manager.stop()
    assert manager.wait(PATIENCE)
    assert not manager.fixed("a", "a1b2", restart_needed="x")
    assert manager.snapshot("a").run == 1
    manager.start()
    lab.until_line(manager, "a", "run 2")


def test_a_command_that_does_not_exist_is_told_once_and_not_tried_again(lab):
    from selfheal_tui.supervisor.programs import ProgramSpec

    for pty in (False, True):
        name = f"pty-{pty}"
        manager = lab.manager(ProgramSpec(name, ("no-such-command",), restart=Restart.ALWAYS, pty=pty))
        manager.start()
        assert manager.wait(PATIENCE)
        done = manager.snapshot(name)
        assert (done.state, done.run, manager.exit_code()) == (S.STOPPED, 1, 127)
        assert "PATH" in done.message
    assert not zombies()


def test_a_listener_that_fails_harms_nothing(lab, caplog):
    manager = lab.manager(lab.spec("a", COUNTING, Restart.NEVER))

    def bad(change):
        raise RuntimeError("viewer")

    end = manager.subscribe(bad)
    manager.start()
    assert manager.wait(PATIENCE)
    end()
    assert manager.snapshot("a").state is S.STOPPED
    assert "a listener of the programs failed" in caplog.text


def test_supervision_that_fails_itself_leaves_no_program_behind(lab, monkeypatch):
    from selfheal_tui.supervisor import keeper

    monkeypatch.setattr(keeper, "exit_of", lambda *_: 1 / 0)
    manager = lab.manager(lab.spec("a", COUNTING, Restart.ALWAYS), settings=QUICK)
    manager.start()
    assert manager.wait(PATIENCE)
    assert (manager.exit_code(), manager.snapshot("a").pid) == (70, 0)
    assert not zombies()
