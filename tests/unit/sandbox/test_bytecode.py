"""Byte code for pytest is prepared only where its installation has none, and never by code of the project."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.settings import SandboxSettings
from selfheal_tui.sandbox import bytecode
from selfheal_tui.sandbox.interpreter import interpreter_facts
from selfheal_tui.sandbox.walls import Walls, readable_paths


@pytest.fixture
def walls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walls:
    monkeypatch.setattr(bytecode, "_caches", {})
    live, copy = tmp_path / "live", tmp_path / "copy"
    live.mkdir()
    copy.mkdir()
    facts = interpreter_facts(sys.executable)
    return Walls(Isolation.UNSANDBOXED, live, copy, facts, SandboxSettings(), readable_paths(facts, live))


def test_an_installation_with_byte_code_needs_no_cache(tmp_path: Path, walls: Walls):
    tag = "".join(walls.facts.version.split(".")[:2])
    compiled = tmp_path / "site" / "_pytest" / "__pycache__" / f"python.cpython-{tag}.pyc"
    compiled.parent.mkdir(parents=True)
    compiled.write_bytes(b"")
    facts = replace(walls.facts, sys_path=(str(tmp_path / "site"),))
    assert bytecode.warm_cache(replace(walls, facts=facts)) == ""


def test_a_cache_is_filled_once_and_holds_pytest_and_nothing_of_the_project(walls: Walls, monkeypatch):
    monkeypatch.setattr(bytecode, "_lacks_byte_code", lambda facts: True)
    (walls.copy / "conftest.py").write_text("raise SystemExit('the project was loaded')\n")
    cache = bytecode.warm_cache(walls)
    names = {path.name.partition(".")[0] for path in Path(cache).rglob("*.pyc")}
    assert {"python", "main"} <= names
    assert "conftest" not in {path.name for path in Path(cache).rglob("conftest*") if "copy" in path.parts}
    assert bytecode.warm_cache(walls) == cache
