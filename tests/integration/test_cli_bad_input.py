"""Bad input: a clear error that names the remedy, an exit code that is not 0, and nothing half-written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from shell import GREETER, PYTHON, Shell, tree


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, GREETER)


@pytest.mark.parametrize(
    "text", ["", "all is well\n", "Traceback (most recent call last):\n", "\x00\xff\x1b[31m"]
)
def test_a_text_without_a_traceback_is_bad_input(shell: Shell, text: str) -> None:
    before = tree(shell.root)
    done = shell("heal", "-", stdin=text)
    assert done.returncode == 65
    assert done.stderr.startswith("error: ")
    assert "Traceback (most recent call last):\n  File" not in done.stderr
    assert tree(shell.root) == before


@pytest.mark.parametrize("command", ["show", "diff", "approve", "reject", "rollback"])
def test_an_unknown_incident_is_named(shell: Shell, command: str) -> None:
    done = shell(command, "ffff")
    assert done.returncode == 66
    assert "ffff" in done.stderr


def test_a_wrong_setting_names_file_key_and_remedy(shell: Shell) -> None:
    (shell.root / "selfheal.toml").write_text("[sandbox]\nmemory_mbb = 3\n")
    done = shell("config")
    assert done.returncode == 78
    for part in ("selfheal.toml", "memory_mbb", "memory_mb"):
        assert part in done.stderr


def test_a_wrong_variable_names_itself(shell: Shell) -> None:
    shell.environ["SELFHEAL_SANDBOX_MEMORY_MB"] = "lots"
    done = shell("config")
    assert done.returncode == 78
    assert "SELFHEAL_SANDBOX_MEMORY_MB" in done.stderr


def test_a_missing_root_is_wrong_usage(shell: Shell) -> None:
    assert shell("incidents", "--root", "/no/such/folder").returncode == 2


def test_a_corrupt_store_is_an_error_and_is_not_overwritten(shell: Shell) -> None:
    shell("run", "--env", "local", "--max-heals", "0", "--", PYTHON, "main.py")
    journals = list((shell.root / ".selfheal").glob("*.jsonl"))
    assert journals
    for journal in journals:
        lines = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(
            b"garbage in the middle\n".join([*lines, b""]) if len(lines) > 1 else b"garbage\n" + lines[0]
        )
    damaged = {j: j.read_bytes() for j in journals}
    done = shell("incidents")
    assert done.returncode == 70
    assert "error:" in done.stderr
    assert {j: j.read_bytes() for j in journals} == damaged


def test_source_that_is_not_utf8_is_left_alone(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"main.py": "import other\nother.f([1])\n"})
    (tmp_path / "other.py").write_bytes(
        b"# -*- coding: latin-1 -*-\n# caf\xe9\ndef f(items):\n    return sum(itms)\n"
    )
    done = shell("run", "--env", "local", "--", PYTHON, "main.py")
    data = (tmp_path / "other.py").read_bytes()
    assert b"caf\xe9" in data
    assert done.returncode == 0, done.stderr
    assert b"sum(items)" in data


def test_a_project_with_a_broken_test_suite_is_still_healed_and_says_so(tmp_path: Path) -> None:
    shell = Shell(tmp_path, GREETER | {"tests/test_broken.py": "import no_such_module_anywhere\n"})
    done = shell("run", "--env", "local", "--", PYTHON, "main.py")
    assert done.returncode == 0, done.stderr


def test_a_read_only_file_is_an_error_and_nothing_is_half_written(tmp_path: Path) -> None:
    shell = Shell(tmp_path, GREETER)
    (tmp_path / "greeter.py").chmod(0o444)
    before = tree(tmp_path)
    done = shell("run", "--env", "local", "--", PYTHON, "main.py")
    assert done.returncode == 1
    assert tree(tmp_path) == before
    assert shell.only_incident()["outcome"] == "failed"


def test_a_symlink_loop_in_the_project_does_no_harm(tmp_path: Path) -> None:
    shell = Shell(tmp_path, GREETER)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    done = shell("run", "--env", "local", "--", PYTHON, "main.py")
    assert done.returncode == 0, done.stderr


def test_empty_states_teach(shell: Shell) -> None:
    assert "selfheal run" in shell("incidents").stdout
    assert "no backups yet" in shell("backups").stdout
    assert "no healing attempts yet" in shell("history").stdout
    assert shell("history", "--verify").returncode == 0


def test_doctor_names_what_is_found_and_what_is_missing(shell: Shell) -> None:
    findings = {f["what"]: f for f in shell.json("doctor")}
    assert {"project", "environment", "interpreter", "tests", "sandbox", "git", "model", "store"} <= set(
        findings
    )
    assert findings["model"]["found"].startswith("none configured")
    assert all(f["remedy"] for f in findings.values() if f["state"] != "ok")


def test_config_tells_where_each_value_came_from(shell: Shell) -> None:
    (shell.root / "selfheal.toml").write_text('environment = "dev"\n[sandbox]\nmemory_mb = 512\n')
    shell.environ["SELFHEAL_SANDBOX_MEMORY_MB"] = "1024"
    shown = shell.json("config")
    assert shown["environment"]["value"] == "dev"
    assert "selfheal.toml" in shown["environment"]["source"]
    assert shown["sandbox.memory_mb"]["value"] == 1024
    assert "SELFHEAL_SANDBOX_MEMORY_MB" in shown["sandbox.memory_mb"]["source"]
    assert shown["sandbox.processes"]["source"] == "default"


def test_an_unforeseen_failure_of_the_healer_exits_70_and_keeps_its_traceback(shell: Shell) -> None:
    broken = "from selfheal_tui.pipeline import system\nsystem.analyze = lambda *_: 1 / 0\n"
    (shell.root / "run_it.py").write_text(
        broken + "import sys\nfrom selfheal_tui.cli import main\nsys.argv[0] = 'selfheal'\nmain()\n"
    )
    before = tree(shell.root)
    done = subprocess.run(
        [PYTHON, "run_it.py", "run", "--env", "local", "--", PYTHON, "main.py"],
        cwd=shell.root,
        env=shell.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70
    assert "selfheal itself failed: ZeroDivisionError" in done.stderr
    log = shell.root / ".selfheal" / "healer-errors.log"
    assert "ZeroDivisionError" in log.read_text()
    assert tree(shell.root) == before
