"""Output, terminals, signals and ends of real programs: exact, bounded, and nothing is left over."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from programs_lab import PATIENCE, Lab, ends, zombies

from selfheal_tui.model.kinds import Restart
from selfheal_tui.supervisor.lifecycle import ProgramState
from selfheal_tui.supervisor.programs import ProgramSpec, UnknownProgramError

S = ProgramState
LISTENING = """
import os, signal, sys
def note(number, frame):
    print("GOT", signal.Signals(number).name, flush=True)
    if number in ENDS: sys.exit(7)
ENDS = (signal.SIGINT, signal.SIGTERM)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH):
    signal.signal(number, note)
print("READY", os.getpid(), flush=True)
while True: signal.pause()
"""
STUBBORN = LISTENING.replace("ENDS = (signal.SIGINT, signal.SIGTERM)", "ENDS = ()")
FAMILY = """
import subprocess, sys, signal
child = subprocess.Popen([sys.executable, "-c", CHILD])
child.stdout
print("CHILD", child.pid, flush=True)
"""


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def test_output_on_pipes_is_byte_exact_on_both_streams(lab):
    code = """
import os, random
random.seed(3)
data = random.randbytes(3_000_000)
for start in range(0, len(data), 70_001):
    piece = data[start:start + 70_001]
    while piece: piece = piece[os.write(1, piece):]
os.write(2, b"no end of line \\r\\x00\\xff")
"""
    manager = lab.manager(lab.spec("a", code))
    manager.start()
    assert manager.wait(PATIENCE)
    import random

    random.seed(3)
    assert bytes(lab.raw["stdout"]) == random.randbytes(3_000_000)
    assert bytes(lab.raw["stderr"]) == b"no end of line \r\x00\xff"


def test_a_reader_that_goes_away_neither_stops_the_program_nor_the_ring(lab):
    def gone(stream, data):
        raise BrokenPipeError

    spec = lab.spec("a", "for n in range(20000): print(n)")
    manager = lab.manager(spec, sinks={"a": gone})
    manager.start()
    assert manager.wait(PATIENCE)
    assert manager.exit_code() == 0
    assert manager.output("a").lines[-1].text == "19999"


@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_signals_are_passed_on_once_and_end_nothing(lab, name):
    manager = lab.manager(lab.spec("a", LISTENING))
    manager.start()
    lab.until_line(manager, "a", "READY")
    manager.send(getattr(signal, name))
    lab.until_line(manager, "a", f"GOT {name}")
    assert manager.snapshot("a").state is S.RUNNING
    manager.stop(number=signal.SIGINT)
    assert manager.wait(PATIENCE)
    got = [line.text for line in manager.output("a").lines if "GOT" in line.text]
    assert got == [f"GOT {name}", "GOT SIGINT"]
    done = manager.snapshot("a")
    assert (done.exit.code, done.by_us, manager.exit_code()) == (7, True, 0)


def test_a_program_that_dies_of_a_signal_that_was_passed_on_is_not_restarted(lab):
    manager = lab.manager(lab.spec("a", "import signal\nprint('ready')\nsignal.pause()", Restart.ALWAYS))
    manager.start()
    lab.until_line(manager, "a", "ready")
    manager.send(signal.SIGHUP)
    assert manager.wait(PATIENCE)
    done = manager.snapshot("a")
    assert (done.run, done.exit.signal, manager.exit_code()) == (1, signal.SIGHUP, 0)


def test_a_signal_that_comes_while_a_program_is_started_reaches_it(lab):
    manager = lab.manager(lab.spec("a", "import signal\nsignal.pause()"))
    manager.subscribe(
        lambda change: manager.send(signal.SIGHUP) if change.program.state is S.STARTING else None
    )
    manager.start()
    assert manager.wait(PATIENCE)
    assert manager.snapshot("a").exit.signal == signal.SIGHUP


def test_a_program_that_ignores_term_is_killed_after_the_grace_time(lab):
    manager = lab.manager(lab.spec("a", STUBBORN, Restart.ALWAYS), grace_seconds=0.3)
    manager.start()
    lab.until_line(manager, "a", "READY")
    pid = lab.pid(manager, "a")
    manager.close()
    done = manager.snapshot("a")
    assert (done.state, done.exit.signal) == (S.STOPPED, signal.SIGKILL)
    assert "GOT SIGTERM" in [line.text for line in manager.output("a").lines]
    assert ends(pid)
    assert not zombies()


def test_kill_does_not_wait_for_the_grace_time(lab):
    manager = lab.manager(lab.spec("a", STUBBORN), grace_seconds=3600)
    manager.start()
    lab.until_line(manager, "a", "READY")
    manager.stop()
    lab.until_line(manager, "a", "GOT SIGTERM")
    lab.until_state(manager, "a", S.STOPPING)  # its keeper notes that after the signal
    manager.stop()
    assert manager.snapshot("a").state is S.STOPPING
    manager.kill()
    assert manager.wait(PATIENCE)
    assert manager.snapshot("a").exit.signal == signal.SIGKILL


@pytest.mark.parametrize("stubborn", [False, True])
def test_children_that_a_dead_program_leaves_behind_are_ended_with_it(lab, stubborn):
    child = "import signal\n"
    if stubborn:
        child += "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    child += "print('child ready', flush=True)\nsignal.pause()\n"
    code = (
        f"CHILD = {child!r}\n" + FAMILY + "import os\nsys.stdin.read()\n"
        "while not os.path.exists('go'): import time; time.sleep(0.01)\nos._exit(1)"
    )
    manager = lab.manager(lab.spec("a", code), grace_seconds=0.3)
    manager.start()
    lab.until_line(manager, "a", "child ready")
    pid = next(int(line.text.split()[1]) for line in manager.output("a").lines if "CHILD" in line.text)
    assert manager.program_of(pid) == "a"
    (lab.root / "go").touch()
    assert manager.wait(PATIENCE)
    assert ends(pid)
    assert not zombies()


def test_processes_are_known_by_program_alive_or_dead(lab):
    manager = lab.manager(lab.spec("a", LISTENING), lab.spec("b", LISTENING))
    manager.start()
    for name in manager.names:
        lab.until_line(manager, name, "READY")
    pids = {name: lab.pid(manager, name) for name in manager.names}
    manager.stop("a")
    lab.until_state(manager, "a", S.STOPPED)
    assert {name: manager.program_of(pid) for name, pid in pids.items()} == {"a": "a", "b": "b"}
    assert manager.program_of(os.getpid()) == ""
    assert manager.program_of(0) == ""
    assert manager.snapshot("b").state is S.RUNNING


def test_two_programs_run_at_once_each_with_its_own_output_and_end(lab):
    # Each ends only after it has heard of the other: one after the other they would wait for ever.
    code = """
import pathlib, sys, time
me, other = {me!r}, {other!r}
pathlib.Path(me + ".up").touch()
while not pathlib.Path(other + ".up").exists(): time.sleep(0.01)
print("I am", me)
sys.exit({code})
"""
    manager = lab.manager(
        lab.spec("a", code.format(me="a", other="b", code=0)),
        lab.spec("b", code.format(me="b", other="a", code=5)),
    )
    manager.start()
    assert manager.wait(PATIENCE)
    assert [line.text for line in manager.output("a").lines] == ["I am a"]
    assert [line.text for line in manager.output("b").lines] == ["I am b"]
    assert manager.exit_code() == 5


def test_a_program_on_a_terminal_has_one_of_its_own_with_our_size(lab):
    code = """
import os, sys, signal, termios
def note(number, frame): print("SIZE", *os.get_terminal_size(0), flush=True)
signal.signal(signal.SIGWINCH, note)
print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty(), flush=True)
print("SESSION", os.getsid(0) == os.getpid(), os.tcgetpgrp(os.open("/dev/tty", os.O_RDWR)) == os.getpgrp(), flush=True)
note(0, None)
while True: signal.pause()
"""
    manager = lab.manager(lab.spec("a", code, pty=True))
    manager.start()
    lab.until_line(manager, "a", "SIZE")
    texts = [line.text for line in manager.output("a").lines]
    assert texts[:2] == ["True True True", "SESSION True True"]
    manager.resize(101, 37)
    lab.until_line(manager, "a", "SIZE 101 37")
    assert {line.stream for line in manager.output("a").lines} == {"terminal"}
    manager.stop()
    assert manager.wait(PATIENCE)
    assert not zombies()


def test_a_program_on_a_terminal_keeps_arguments_environment_and_exit_code(lab):
    code = "import os, sys; print(sys.argv[1:], os.environ['X'], flush=True); sys.exit(6)"
    argv = (sys.executable, "-c", code, "a b", "", "é")
    manager = lab.manager(ProgramSpec("a", argv, restart=Restart.NEVER, pty=True, environ={"X": "y z"}))
    manager.start()
    assert manager.wait(PATIENCE)
    assert manager.output("a").lines[0].text == "['a b', '', 'é'] y z"
    assert manager.exit_code() == 6


def test_programs_are_told_where_to_report_and_who_they_are(lab):
    code = "import os\nfor n in ('INBOX', 'ROOT', 'LIVE', 'PROGRAM'): print(os.environ.get('SELFHEAL_' + n))"

    class Service:
        def healing(self, pids):
            return False

    for service, live in ((None, "None"), (Service(), "1")):
        name = f"agent-{live}"
        manager = lab.manager(lab.spec(name, code), service=service)
        manager.start()
        assert manager.wait(PATIENCE)
        texts = [line.text for line in manager.output(name).lines]
        assert texts == [str(lab.root / "inbox"), str(lab.root), live, name]


def test_marks_and_snapshots_are_for_viewers(lab):
    manager = lab.manager(lab.spec("a", "print('one')"), lab.spec("b", "print('two')"))
    manager.start()
    assert manager.wait(PATIENCE)
    manager.mark("a1b2", "a")
    assert [line.text for line in manager.output("a").lines] == ["one", "a1b2"]
    assert [line.text for line in manager.output("b").lines] == ["two"]
    assert [program.name for program in manager.snapshots()] == ["a", "b"]


def test_names_are_checked(lab):
    spec = lab.spec("a", "")
    with pytest.raises(ValueError, match="two programs"):
        lab.manager(spec, spec)
    with pytest.raises(UnknownProgramError, match="there are a"):
        lab.manager(spec).snapshot("b")
