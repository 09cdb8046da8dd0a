"""`selfheal demo`, as a new user runs it: what it announces is what happens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Shell


def test_the_demo_ends_as_announced_and_leaves_its_folder(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {})
    chosen = [
        part for name in ("publish", "deploy", "archive", "brief", "translate") for part in ("--only", name)
    ]
    done = shell("demo", "--into", "play", "--json", *chosen)
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert all(ending["as_expected"] for ending in told["endings"])
    outcomes = {ending["name"]: ending["outcome"] for ending in told["endings"]}
    assert outcomes == {
        "publish": "healed",
        "deploy": "explained",
        "archive": "healed",
        "brief": "external",
        "translate": "rolled back",
    }
    left = Shell(Path(told["folder"]), {})
    assert len(left.json("incidents")) == 5
    assert left("history", "--verify").returncode == 0


def test_an_unknown_scenario_is_named_with_those_that_exist(tmp_path: Path) -> None:
    done = Shell(tmp_path, {})("demo", "--only", "nonsense")
    assert done.returncode == 66
    assert "publish" in done.stderr


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"mine/precious.txt": "x"})
    done = shell("demo", "--into", "mine")
    assert done.returncode == 65
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["precious.txt"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_live_demo_heals_an_agent_that_keeps_running_without_stopping_it(tmp_path: Path) -> None:
    done = Shell(tmp_path, {})("demo", "--live", "--into", "play", "--json", timeout=560)
    told = json.loads(done.stdout)
    assert done.returncode == 0, (told, done.stderr[-3000:])
    ending = told["ending"]
    assert (ending["processes"], ending["lost"], ending["fell_back"]) == (1, 0, False)
    assert len(ending["healed"]) >= 5
