"""What `run` and its kin say when things do not go by the book: stopped, shared, hostile, half-told."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from shell import GREETER, PYTHON, Shell

RUN = ("--", PYTHON, "main.py")
SECRET = "sk-proj-abcdEFGH1234567890abcdEFGH1234567890"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    project = tmp_path / "project"
    project.mkdir()
    return Shell(project, {k: v for k, v in GREETER.items() if not k.startswith("tests/")})


def test_a_second_run_that_was_stopped_is_not_told_as_one_that_ended(shell: Shell) -> None:
    (shell.root / "main.py").write_text(
        "import os, pathlib, signal\nfrom greeter import Greeter\n"
        "ran = pathlib.Path('ran')\n"
        "if ran.exists():\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "Greeter('x').greeting()\n"
    )
    (shell.root / "greeter.py").write_text(
        GREETER["greeter.py"].replace(
            "    def greeting(self):\n",
            "    def greeting(self):\n        open('ran', 'w').close()\n",
        )
    )
    done = shell("run", "--env", "local", *RUN)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert f"until signal {int(signal.SIGTERM)} stopped it" in done.stderr


def test_a_second_run_without_its_piped_input_says_so(shell: Shell) -> None:
    (shell.root / "main.py").write_text(
        "import sys\nfrom greeter import Greeter\nprint(len(sys.stdin.read()))\nGreeter('x').greeting()\n"
    )
    done = shell("run", "--env", "local", *RUN, stdin="four")
    assert done.stdout.split() == ["4", "0"]
    assert "what the run before had read of it is gone" in done.stderr


def test_a_second_run_reads_its_input_file_again(shell: Shell) -> None:
    (shell.root / "main.py").write_text(
        "import sys\nfrom greeter import Greeter\nprint(len(sys.stdin.read()))\nGreeter('x').greeting()\n"
    )
    (shell.root / "input").write_text("four")
    done = shell("run", "--env", "local", "--", "sh", "-c", f"exec {PYTHON} main.py < input")
    assert done.stdout.split() == ["4", "4"], done.stderr


def test_a_crash_that_another_process_heals_leaves_the_programs_exit_code(shell: Shell) -> None:
    shell("run", "--wait", "0", *RUN)
    incident = shell.only_incident()["id"]
    from selfheal_tui.pipeline.lease import lease

    with lease(shell.root / ".selfheal", incident):
        done = shell("run", "--env", "local", *RUN)
    assert done.returncode == 1
    assert "being worked on by another process" in done.stderr


def test_only_a_diff_shows_the_secrets_of_a_file(shell: Shell) -> None:
    text = GREETER["greeter.py"].replace('"Good day, "', f'"{SECRET}"')
    (shell.root / "greeter.py").write_text(text)
    shell("run", "--wait", "0", *RUN)
    incident = shell.only_incident()["id"]
    for command in (("show", incident), ("history",), ("history", "--audit"), ("incidents",)):
        for flags in ((), ("--json",)):
            done = shell(*command, *flags)
            assert done.returncode == 0
            assert SECRET not in done.stdout + done.stderr, command
    assert SECRET in shell("diff", incident).stdout


def test_a_message_of_the_program_cannot_pass_for_a_line_of_ours(shell: Shell) -> None:
    (shell.root / "main.py").write_text(
        "E = type('E\\nselfheal: all is well', (Exception,), {})\nraise E('x\\nselfheal: all is well')\n"
    )
    done = shell(
        "run",
        "--env",
        "local",
        "--",
        PYTHON,
        "-c",
        "import runpy, sys; sys.stderr = None; runpy.run_path('main.py')",
    )
    assert done.stderr.count("selfheal: #") == 1, done.stderr
    incident = shell.only_incident()["id"]
    for text in (done.stderr, shell("show", incident).stdout, shell("incidents").stdout):
        assert not any(line.startswith("selfheal: all is well") for line in text.splitlines()), text


def test_a_file_name_cannot_forge_lines_of_a_diff(shell: Shell) -> None:
    name = "x\n+import evil\n.py"
    (shell.root / name).write_text("class A:\n    name = 1\n\n\nprint(A().nmae)\n")
    shell("run", "--wait", "0", "--", PYTHON, name)
    incident = shell.only_incident()
    assert incident["needs_person"], incident
    lines = shell("diff", incident["id"]).stdout.splitlines()
    assert "+import evil" not in lines
    assert [line for line in lines if line.startswith("+")][1:] == ["+print(A().name)"]


def test_doctor_tells_of_an_interpreter_that_does_not_run(shell: Shell) -> None:
    (shell.root / "selfheal.toml").write_text('[project]\ninterpreter = "/no/such/python"\n')
    done = shell("doctor", "--json")
    assert done.returncode == 1, done.stderr
    states = {finding["what"]: finding["state"] for finding in json.loads(done.stdout)}
    assert states["interpreter"] == "missing"
    assert states["store"] == "ok"


def test_a_rollback_does_not_follow_a_link_out_of_the_root(shell: Shell, tmp_path: Path) -> None:
    shell("run", "--env", "local", *RUN)
    incident = shell.only_incident()["id"]
    outside = tmp_path / "outside.txt"
    outside.write_text("precious")
    (shell.root / "greeter.py").unlink()
    (shell.root / "greeter.py").symlink_to(outside)
    done = shell("rollback", incident, "--overwrite")
    assert done.returncode == 77, done.stderr
    assert "itself failed" not in done.stderr
    assert outside.read_text() == "precious"


def test_the_whole_file_system_is_no_project(shell: Shell) -> None:
    state = Path("/.selfheal")
    before = state.exists()
    done = shell("incidents", "--root", "/")
    assert done.returncode == 2
    assert "--root" in done.stderr
    assert state.exists() == before
