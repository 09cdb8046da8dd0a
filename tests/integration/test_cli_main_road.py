"""The main road on real input: crash, diagnosis, fix, proof, approval, backup, green, and back again."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest
from shell import GREETER, PYTHON, Shell, tree


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, GREETER)


def test_a_crash_is_healed_rerun_green_and_rolled_back_on_demand(shell: Shell) -> None:
    before = tree(shell.root)
    done = shell("run", "--env", "local", "--", PYTHON, "main.py", "Grace")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Good day, Grace\n"
    assert "AttributeError" in done.stderr
    assert shell.read("greeter.py") == GREETER["greeter.py"].replace("self.nmae", "self.name")

    incident = shell.only_incident()
    assert incident["outcome"] == "healed"
    shown = shell.json("show", incident["id"])
    proof = shown["incident"]["attempts"][shown["incident"]["chosen"]]["proof"]
    verdicts = {r["rung"]: r["verdict"] for r in proof["reports"]}
    assert verdicts["replay"] == "pass"
    assert verdicts["tests"] == "pass"

    backups = shell.json("backups")
    assert [b["path"] for b in backups] == ["greeter.py"]
    assert (shell.root / ".self_healing_backups" / backups[0]["backup_id"]).read_text() == GREETER[
        "greeter.py"
    ]

    dry = shell("rollback", incident["id"], "--dry-run")
    assert dry.returncode == 0
    assert "nmae" in dry.stdout
    assert "self.name" in shell.read("greeter.py")

    assert shell("rollback", incident["id"]).returncode == 0
    assert tree(shell.root) == before
    assert shell.only_incident()["outcome"] == "rolled back"
    assert shell("history", "--verify").returncode == 0


def test_a_fix_that_was_rolled_back_is_not_applied_again(shell: Shell) -> None:
    shell("run", "--env", "local", "--", PYTHON, "main.py")
    shell("rollback", shell.only_incident()["id"])
    before = tree(shell.root)
    again = shell("run", "--env", "local", "--", PYTHON, "main.py")
    assert again.returncode == 1
    assert tree(shell.root) == before


def test_the_programs_streams_arguments_and_exit_code_are_its_own(shell: Shell) -> None:
    (shell.root / "echo.py").write_text(
        "import sys\nsys.stdout.write(sys.stdin.read().upper())\nsys.stderr.write('err')\nsys.exit(int(sys.argv[1]))\n"
    )
    done = shell("run", "--env", "local", "--", PYTHON, "echo.py", "7", stdin="in")
    assert (done.returncode, done.stdout, done.stderr) == (7, "IN", "err")


def test_a_signal_ends_the_program_and_is_told_as_the_shell_does(shell: Shell) -> None:
    (shell.root / "wait.py").write_text("import signal\nprint('ready', flush=True)\nsignal.pause()\n")
    running = shell.start("run", "--env", "local", "--", PYTHON, "wait.py")
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGTERM


def test_a_command_that_does_not_exist_is_named(shell: Shell) -> None:
    done = shell("run", "--env", "local", "--", "no-such-command")
    assert done.returncode == 127
    assert "no-such-command" in done.stderr


def test_a_command_in_one_quoted_argument_is_split_without_a_shell(shell: Shell) -> None:
    (shell.root / "args.py").write_text("import sys\nprint(sys.argv[1:])\n")
    done = shell("run", "--env", "local", "--", f"{PYTHON} args.py 'a b' '$HOME' ; x")
    assert done.stdout == "['a b', '$HOME', ';', 'x']\n"


def test_two_crashes_one_after_the_other_are_both_healed(tmp_path: Path) -> None:
    shell = Shell(
        tmp_path,
        {
            "main.py": (
                "import sys\n\n\n"
                "def count(items):\n    return len(itms)\n\n\n"
                "def label(number):\n    return 'n=' + number\n\n\n"
                "if __name__ == '__main__':\n"
                "    total = count([1, 2])\n"
                "    print(label(total))\n"
            )
        },
    )
    done = shell("run", "--env", "local", "--yes", "--wait", "0", "--", PYTHON, "main.py")
    outcomes = {i["error"].split(":")[0]: i["outcome"] for i in shell.json("incidents")}
    assert done.returncode == 0, (done.stderr, outcomes)
    assert done.stdout == "n=2\n"
    assert outcomes == {"NameError": "healed", "TypeError": "healed"}


def test_max_heals_ends_the_loop(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"main.py": "def f():\n    return undefinedd\n\n\nundefined = 1\nprint(f())\n"})
    before = tree(tmp_path)
    done = shell("run", "--env", "local", "--max-heals", "0", "--", PYTHON, "main.py")
    assert done.returncode == 1
    assert tree(tmp_path) == before


def test_healing_from_a_log_alone_says_that_there_is_less_evidence(shell: Shell) -> None:
    crash = shell("run", "--env", "local", "--max-heals", "0", "--", PYTHON, "main.py").stderr
    log = "2026-01-01 12:00:00 ERROR worker died\n" + crash
    done = shell("heal", "--env", "local", "-", stdin=log)
    assert "less evidence" in done.stderr
    assert done.returncode == 0, done.stderr
    assert "self.name" in shell.read("greeter.py")


def test_a_returning_crash_is_one_incident_with_a_count(shell: Shell) -> None:
    for _ in range(3):
        shell("run", "--env", "local", "--max-heals", "0", "--", PYTHON, "main.py")
    assert shell.only_incident()["count"] == 3


def test_json_steps_of_a_run_go_to_standard_error(shell: Shell) -> None:
    done = shell("run", "--env", "local", "--json", "--", PYTHON, "main.py")
    assert done.stdout == "Good day, Ada\n"
    steps = [json.loads(line) for line in done.stderr.splitlines() if line.startswith('{"step"')]
    assert steps[0]["step"] == "ProgramStarted"
    assert {"Proposed", "RungEnded", "Judged", "Progressed"} <= {s["step"] for s in steps}


def test_the_programs_interpreter_may_be_another_than_ours(tmp_path: Path) -> None:
    others = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"))
    others = [p for p in others if p.parts[-3].split(".")[1] in ("9", "10", "12", "13")]
    if not others:
        pytest.skip("NO OTHER INTERPRETER FOUND: the probe was not tried on another Python")
    for number, python in enumerate(others):
        folder = tmp_path / str(number)
        folder.mkdir()
        shell = Shell(folder, {k: v for k, v in GREETER.items() if not k.startswith("tests")})
        done = shell("run", "--env", "local", "--", str(python), "main.py")
        assert (done.returncode, done.stdout) == (0, "Good day, Ada\n"), (python, done.stderr)


def test_help_names_every_command_and_exit_code() -> None:
    from selfheal_tui.cli import COMMANDS

    done = Shell(Path.cwd(), {})("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert name in done.stdout
    assert "75 a person has to decide" in " ".join(done.stdout.split())
    assert sys.executable
