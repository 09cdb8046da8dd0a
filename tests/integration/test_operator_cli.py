"""The command line's twins of the console's decisions: revise, next, review --plain, and undoing a rollback."""

from __future__ import annotations

import json

import pytest
from operator_world import BEFORE, FIXED, MINE, World


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("operator-cli"))


@pytest.fixture
def world(made: World) -> World:
    made.put_back()
    return made


def code(world: World) -> str:
    return str(world.shell.json("diff", world.incident_id)["code"])


def test_a_version_from_a_file_is_asked_anew_and_its_hunks_can_be_chosen(world: World) -> None:
    mine = world.root.parent / "mine.py"
    mine.write_text(MINE)
    old = code(world)
    done = world.shell("revise", world.incident_id, "--from", str(mine), "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["ok"]
    assert body["code"] != old
    assert world.untouched()
    hunks = world.shell.json("diff", world.incident_id, "--hunks")["hunks"]
    assert [h["number"] for h in hunks] == [1, 2]
    shown = world.shell("diff", world.incident_id, "--hunks").stdout
    assert "Hunk 2:" in shown
    chosen = world.shell("revise", world.incident_id, "--hunks", "2")
    assert chosen.returncode == 0, chosen.stderr
    assert world.untouched()
    assert world.shell("approve", world.incident_id, "--code", code(world)).returncode == 0
    assert world.file.read_text() == MINE.replace("Greets all", "Greets people")


def test_a_version_that_fails_exits_with_one_and_tells_its_evidence(world: World) -> None:
    done = world.shell(
        "revise", world.incident_id, "--from", "-", stdin=BEFORE.replace("self.nmae", "self.naem")
    )
    assert done.returncode == 1, done.stderr
    assert "failed the proof" in done.stdout
    assert "replay" in done.stdout or "coverage" in done.stdout
    assert world.untouched()
    assert world.shell.only_incident()["needs_person"]


def test_an_edit_in_the_editor_is_a_version(world: World) -> None:
    editor = world.root.parent / "editor.sh"
    editor.write_text("#!/bin/sh\nsed -i 's/politeness first/politeness, always/' \"$1\"\n")
    editor.chmod(0o755)
    world.shell.environ["VISUAL"] = str(editor)
    try:
        done = world.shell("revise", world.incident_id, "--edit")
    finally:
        del world.shell.environ["VISUAL"]
    assert done.returncode == 0, done.stderr
    assert world.untouched()
    assert "politeness, always" in world.shell("diff", world.incident_id).stdout


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 2),
        (("--hunks", "x"), 2),
        (("--hunks", "1", "--edit"), 2),
        (("--hunks", "7"), 77),
        (("--from", "/nonexistent"), 77),
        (("--from", "selfheal.toml=main.py"), 77),
    ],
)
def test_what_cannot_be_a_version_is_refused(world: World, arguments: tuple[str, ...], status: int) -> None:
    assert world.shell("revise", world.incident_id, *arguments).returncode == status
    assert world.untouched()


def test_next_says_when_there_is_nothing_else(world: World) -> None:
    done = world.shell("next", world.incident_id)
    assert (done.returncode, "nothing else was found" in done.stdout) == (1, True), done.stderr
    assert world.shell.only_incident()["needs_person"]


def test_the_plain_review_goes_the_whole_way_through_a_pipe(world: World) -> None:
    asked = world.shell("review", "--plain", stdin="why\nproof\ndiff\nnonsense\nskip\n")
    assert asked.returncode == 75
    assert asked.stdout.isascii() or "│" not in asked.stdout
    assert "\x1b" not in asked.stdout
    assert "removed line 10:" in asked.stdout
    assert "because production always asks" in asked.stdout
    assert "Not understood: 'nonsense'" in asked.stdout
    assert world.untouched()
    done = world.shell("review", "--plain", world.incident_id, stdin=f"approve {code(world)}\n")
    assert done.returncode == 0, done.stdout
    assert "Done: " in done.stdout
    assert world.file.read_text() == FIXED


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "approve",  # not ended: not entered
        "approve\n",  # without the code
        "approve wrong\n",
        "APPROVE\n\n\n",
        "y\nyes\na\n\n",
        "hunks\nhunks a b\nedit\nquit\napprove\n",
    ],
)
def test_the_plain_review_approves_nothing_by_accident(world: World, typed: str) -> None:
    done = world.shell("review", "--plain", stdin=typed)
    assert done.returncode == 75, (done.stdout, done.stderr)
    assert "1 question left open." in done.stdout
    assert world.untouched()


def test_the_end_of_the_input_in_the_middle_of_the_code_approves_nothing(world: World) -> None:
    done = world.shell("review", "--plain", stdin=f"approve {code(world)}")
    assert done.returncode == 75
    assert world.untouched()


def test_the_plain_review_proves_chosen_hunks_and_rejects_with_a_reason(world: World) -> None:
    mine = world.root.parent / "mine.py"
    mine.write_text(MINE)
    world.shell("revise", world.incident_id, "--from", str(mine))
    done = world.shell("review", "--plain", stdin="hunks 2\nreject not today\n")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stdout.count("To approve this very patch") == 2
    assert world.untouched()
    assert "not today" in world.shell.only_incident()["message"]


def test_review_without_plain_names_it(world: World) -> None:
    done = world.shell("review")
    assert done.returncode == 2
    assert "--plain" in done.stderr


def test_a_rollback_is_undone_after_a_look(world: World) -> None:
    assert world.shell("rollback", "--undo").returncode == 66
    assert world.shell("approve", world.incident_id, "--code", code(world)).returncode == 0
    assert world.shell("rollback", world.incident_id).returncode == 0
    assert world.untouched()
    dry = world.shell("rollback", "--undo", "--dry-run")
    assert (dry.returncode, "would restore: greeter.py" in dry.stdout) == (0, True)
    assert world.untouched()
    assert world.shell("rollback", "--undo").returncode == 0
    assert world.file.read_text() == FIXED
    assert world.shell.only_incident()["outcome"] == "healed"
    assert world.shell("rollback", "--undo").returncode == 66
    assert world.shell("rollback", "--undo", "x").returncode == 2
    assert world.shell("history", "--verify").returncode == 0
