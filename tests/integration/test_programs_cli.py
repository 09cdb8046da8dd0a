"""`selfheal run` keeps programs running: several at once, healed and started again, stopped as asked."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from shell import PYTHON, Shell

TWO = f"""
environment = "local"
[supervision]
backoff_seconds = 0.05
backoff_max_seconds = 30.0
crash_loop_count = 3
[[program]]
name = "agent"
command = ["{PYTHON}", "-u", "agent.py"]
[[program]]
name = "worker"
command = ["{PYTHON}", "-u", "worker.py"]
restart = "never"
"""
WAITING = "import signal\nprint('ready', flush=True)\nsignal.pause()\n"
CRASHES_TWICE = (
    "def count(items):\n    return len(itms)\n\n\n"
    "def label(number):\n    return 'n=' + number\n\n\n"
    "if __name__ == '__main__':\n"
    "    total = count([1, 2])\n"
    "    print(label(total))\n"
)


def project(tmp_path: Path, agent: str, worker: str = "print('worked')\n", toml: str = TWO) -> Shell:
    return Shell(tmp_path, {"selfheal.toml": toml, "agent.py": agent, "worker.py": worker})


def test_the_programs_of_the_file_run_at_once_and_their_lines_carry_their_names(tmp_path):
    # Each waits for the other, so one after the other they would never end.
    meet = (
        "import pathlib, time\npathlib.Path('{0}.up').touch()\n"
        "while not pathlib.Path('{1}.up').exists(): time.sleep(0.01)\nprint('met {1}')\n"
    )
    shell = project(tmp_path, meet.format("agent", "worker"), meet.format("worker", "agent"))
    done = shell("run")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["agent  | met worker", "worker | met agent"]


def test_name_picks_programs_and_one_alone_has_no_name_before_its_lines(tmp_path):
    shell = project(tmp_path, "raise SystemExit('not me')\n")
    done = shell("run", "--name", "worker")
    assert (done.returncode, done.stdout) == (0, "worked\n"), done.stderr
    wrong = shell("run", "--name", "wroker")
    assert wrong.returncode == 78
    assert "did you mean worker" in wrong.stderr


def test_the_exit_code_is_that_of_the_first_program_that_failed(tmp_path):
    shell = project(tmp_path, "print('fine')\n", "raise SystemExit(6)\n")
    assert shell("run").returncode == 6


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("run",), "[[program]]"),
        (("run", "--name", "a", "--", PYTHON), "--restart on-crash"),
        (("run", "--pty", "--", PYTHON), "--restart on-crash"),
        (("run", "--reset-breaker", "a", "--", PYTHON), "--restart on-crash"),
        (("run", "--restart", "always", "--max-heals", "3", "--", PYTHON), "--max-heals"),
        (("run", "--restart", "always", "--wait", "3", "--", PYTHON), "--wait"),
        (("run", "--restart", "always", "--name", "a", "--name", "b", "--", PYTHON), "once"),
        (("run", "--restart", "always", "--reset-breaker", "zz", "--", PYTHON), "zz"),
        (("run", "--pty"), "pty = true"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy(tmp_path, arguments, remedy):
    done = Shell(tmp_path, {"selfheal.toml": ""})(*arguments)
    assert done.returncode == 2
    assert remedy in done.stderr


def test_a_wrong_program_table_is_a_wrong_setting(tmp_path):
    done = project(tmp_path, "", toml="[[program]]\nname = 'a'\ncomand = 'x'\n")("run")
    assert done.returncode == 78
    assert "did you mean command?" in done.stderr


def test_an_agent_that_crashes_twice_is_healed_and_started_again_each_time(tmp_path):
    shell = Shell(tmp_path, {"main.py": CRASHES_TWICE})
    done = shell("run", "--env", "local", "--yes", "--restart", "on-crash", "--", PYTHON, "main.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "n=2\n", done.stderr
    errors = {i["error"].split(":")[0] for i in shell.json("incidents")}
    assert errors == {"NameError", "TypeError"}
    assert "is fixed" in done.stderr or "runs again" in done.stderr
    assert shell("history", "--verify").returncode == 0
    applied = [r for r in shell.json("history", "--audit") if r["kind"] == "change.applied"]
    assert len(applied) == 2


def test_a_crash_of_one_program_is_healed_while_the_other_goes_on(tmp_path):
    worker = (
        "import pathlib, time\n"
        "while not pathlib.Path('healed').exists(): time.sleep(0.01)\nprint('never stopped')\n"
    )
    agent = (
        "import pathlib\n\n\ndef count(items):\n    return len(itms)\n\n\n"
        "if __name__ == '__main__':\n    print(count([1, 2]))\n    pathlib.Path('healed').touch()\n"
    )
    shell = project(tmp_path, agent, worker)
    done = shell("run")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["agent  | 2", "worker | never stopped"]


def test_a_crash_loop_that_nothing_heals_is_stopped_remembered_and_lifted_on_demand(tmp_path):
    shell = project(tmp_path, "print('run', flush=True)\nraise SystemExit(5)\n")
    first = shell("run", "--name", "agent")
    assert first.returncode == 5
    assert first.stdout == "run\n" * 3
    assert "3 crashes within 120 s" in first.stderr
    assert "--reset-breaker agent" in first.stderr
    second = shell("run", "--name", "agent")
    assert (second.returncode, second.stdout) == (77, "")
    assert "3 crashes within 120 s" in second.stderr
    third = shell("run", "--name", "agent", "--reset-breaker", "agent")
    assert third.stdout == "run\n" * 3
    kinds = [r["kind"] for r in shell.json("history", "--audit") if r["kind"].startswith("program.")]
    assert kinds.count("program.broken") == 2
    assert kinds.count("program.breaker_reset") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_programs_and_restarts_none(tmp_path, number):
    shell = project(tmp_path, WAITING, WAITING)
    running = shell.start("run", "--restart", "always")
    assert running.stdout is not None
    assert {running.stdout.readline() for _ in range(2)} == {"agent  | ready\n", "worker | ready\n"}
    running.send_signal(number)
    stdout, stderr = running.communicate(timeout=60)
    assert (running.returncode, stdout) == (0, ""), stderr


def test_a_second_signal_kills_what_ignores_the_first(tmp_path):
    stubborn = (
        "import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))\n"
        "print(os.getpid(), flush=True)\nwhile True: signal.pause()\n"
    )
    shell = project(tmp_path, stubborn)
    running = shell.start("run", "--name", "agent")
    assert running.stdout is not None
    pid = int(running.stdout.readline())
    running.send_signal(signal.SIGTERM)
    assert running.stdout.readline() == "no\n"
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_streams_and_input_of_a_single_command_are_its_own(tmp_path):
    shell = Shell(tmp_path, {})
    (tmp_path / "echo.py").write_text(
        "import sys\nsys.stdout.write(sys.stdin.read().upper())\nsys.stderr.write('err')\nsys.exit(0)\n"
    )
    done = shell("run", "--env", "local", "--restart", "on-crash", "--", PYTHON, "echo.py", stdin="in")
    assert (done.returncode, done.stdout, done.stderr) == (0, "IN", "err")


def test_a_command_that_does_not_exist_is_named(tmp_path):
    done = Shell(tmp_path, {})("run", "--env", "local", "--restart", "always", "--", "no-such-command")
    assert done.returncode == 127
    assert "no-such-command" in done.stderr


def test_changes_of_programs_are_told_as_json(tmp_path):
    shell = Shell(tmp_path, {"a.py": "print(1)\n"})
    done = shell("run", "--env", "local", "--restart", "on-crash", "--json", "--", PYTHON, "a.py")
    steps = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    states = [s["program"]["state"] for s in steps if s["step"] == "ProgramChanged"]
    assert states == ["starting", "running", "stopped"]
    assert {s["program"]["name"] for s in steps if s["step"] == "ProgramChanged"} == {"a"}


def test_a_program_in_the_file_may_have_a_terminal(tmp_path):
    toml = f'[[program]]\nname = "t"\npty = true\ncommand = ["{PYTHON}", "agent.py"]\nenv = {{ X = "y" }}\n'
    code = "import os, sys\nprint(sys.stdout.isatty(), os.environ['X'], os.environ['SELFHEAL_PROGRAM'])\n"
    done = project(tmp_path, code, toml=toml)("run")
    # A terminal ends lines with carriage return and line feed; text mode reads both as one.
    assert done.stdout == "True y t\n", done.stderr
