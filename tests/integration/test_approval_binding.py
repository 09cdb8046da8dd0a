"""What becomes of an open question when the crash returns, the policy changes, or the files do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from shell import GREETER, PYTHON, Shell, tree

from selfheal_tui.commands.incidents import question_expired
from selfheal_tui.store import Store

RUN = ("--", PYTHON, "main.py")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    project = tmp_path / "project"
    project.mkdir()
    return Shell(project, {k: v for k, v in GREETER.items() if not k.startswith("tests/")})


def asked(shell: Shell) -> tuple[str, str]:
    """Crashes in production; returns the incident that waits, and the code that allows its fix."""
    shell("run", "--wait", "0", *RUN)
    incident = shell.only_incident()
    assert incident["needs_person"], incident
    return str(incident["id"]), str(shell.json("diff", incident["id"])["code"])


def kinds(shell: Shell) -> list[str]:
    return [record["kind"] for record in shell.json("history", "--audit")]


def test_a_crash_that_returns_before_the_answer_leaves_the_question_open(shell: Shell) -> None:
    incident, code = asked(shell)
    assert asked(shell) == (incident, code)
    assert kinds(shell).count("approval.requested") == 1
    assert shell("approve", incident, "--code", code).returncode == 0
    assert "self.name\n" in shell.read("greeter.py")


def test_a_question_that_expired_is_asked_anew_when_the_crash_returns(shell: Shell) -> None:
    (shell.root / "selfheal.toml").write_text("[approval]\nexpires_seconds = 1\n")
    incident, code = asked(shell)
    before = tree(shell.root)
    time.sleep(1.1)  # nothing to wait for but the clock itself
    assert shell("approve", incident, "--code", code).returncode == 77
    assert tree(shell.root) == before
    shell("run", "--wait", "0", *RUN)
    assert shell.only_incident()["needs_person"]
    assert kinds(shell).count("approval.requested") == 2


def test_an_answer_under_another_policy_is_not_taken_and_the_question_stays_open(shell: Shell) -> None:
    incident, code = asked(shell)
    before = tree(shell.root)
    refused = shell("approve", incident, "--code", code, "--env", "local")
    assert refused.returncode == 77
    assert "another policy" in refused.stderr
    (shell.root / "selfheal.toml").write_text('[project]\nprotect = ["greeter.py"]\n')
    assert shell("approve", incident, "--code", code).returncode == 77
    (shell.root / "selfheal.toml").unlink()
    assert tree(shell.root) == before
    assert shell.only_incident()["needs_person"]
    assert shell("approve", incident, "--code", code).returncode == 0


def test_an_answer_while_healing_is_paused_is_not_taken_and_the_question_stays_open(shell: Shell) -> None:
    incident, code = asked(shell)
    before = tree(shell.root)
    shell("pause")
    assert shell("approve", incident, "--code", code).returncode == 77
    assert tree(shell.root) == before
    shell("resume")
    assert shell("approve", incident, "--code", code).returncode == 0


def test_what_drifted_is_asked_anew_and_the_exit_code_says_so(shell: Shell) -> None:
    incident, code = asked(shell)
    file = shell.root / "greeter.py"
    file.write_text(file.read_text() + "\n# edited meanwhile\n")
    before = tree(shell.root)
    assert shell("approve", incident, "--code", code).returncode == 75
    assert tree(shell.root) == before
    anew = shell.json("diff", incident)["code"]
    assert shell("approve", incident, "--code", anew).returncode == 0
    assert shell.read("greeter.py").endswith("# edited meanwhile\n")


def test_a_target_that_became_a_way_out_of_the_root_is_not_written(shell: Shell, tmp_path: Path) -> None:
    incident, code = asked(shell)
    outside = tmp_path / "outside.py"
    (shell.root / "greeter.py").rename(outside)
    text = outside.read_text()
    (shell.root / "greeter.py").symlink_to(outside)
    done = shell("approve", incident, "--code", code)
    assert done.returncode == 1, done.stderr
    assert "itself failed" not in done.stderr
    assert outside.read_text() == text


def test_an_answer_without_an_environment_counts_where_it_was_asked(shell: Shell) -> None:
    (shell.root / "greeter.py").write_text(
        GREETER["greeter.py"].replace("self.nmae", "self.name + 5")  # not critical: staging asks
    )
    shell("run", "--env", "staging", "--wait", "0", *RUN)
    incident = shell.only_incident()
    assert incident["needs_person"], incident
    done = shell("approve", incident["id"])
    assert done.returncode == 0, done.stderr


def test_an_expired_question_is_known_as_such(shell: Shell) -> None:
    asked(shell)
    with Store.open(shell.root) as store:
        incident = store.incidents.all()[0]
        assert not question_expired(store, incident)
        expires = store.approvals.get(incident.request_id).expires_at
    with Store.open(shell.root, clock=lambda: expires + 1) as store:
        assert question_expired(store, incident)
    assert shell.only_incident()["question_expired"] is False
