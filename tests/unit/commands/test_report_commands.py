"""The command line's twins of the console's views: insights, policy, exports, retry and cancel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from selfheal_tui.cli import COMMANDS, selfheal
from selfheal_tui.commands import exits
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import CaptureSource, Outcome
from selfheal_tui.pipeline.build import open_project


class Typed:
    """Types commands in a project with one incident."""

    def __init__(self, root: Path) -> None:
        self.root = root
        frame = Frame(file=str(root / "app.py"), qualname="run", line=1, source="x = y")
        report = CrashReport(
            "r" * 32, 1.0, CaptureSource.PROBE, (ExceptionInfo("NameError", "y\x1b[31m", (frame,)),)
        )
        with open_project(root, environ={}) as project:
            self.incident_id = project.engine.take_in(report).incident_id

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(selfheal, [words[0], "--root", str(self.root), *words[1:]])

    def json(self, *words: str) -> dict[str, object]:
        result = self(*words, "--json")
        assert result.exit_code == exits.OK, result.output
        return json.loads(result.stdout)

    def state(self) -> tuple[IncidentState, Outcome | None]:
        with open_project(self.root, environ={}) as project:
            incident = project.engine.store.incidents.get(self.incident_id)
            return incident.state, incident.outcome


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Typed]:
    for name in ("SELFHEAL_ENVIRONMENT", "SELFHEAL_OPERATOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "app.py").write_text("x = y\n")
    return Typed(tmp_path)


def test_they_are_all_in_the_table_of_commands() -> None:
    assert {"insights", "policy", "retry", "cancel"} <= set(COMMANDS)


def test_work_is_ended_and_begun_anew_with_documented_exit_codes(typed: Typed) -> None:
    assert typed.json("cancel", typed.incident_id)["outcome"] == "rejected"
    assert typed.state() == (IncidentState.CLOSED, Outcome.REJECTED)
    assert typed("cancel", typed.incident_id).exit_code == exits.REFUSED
    assert typed.json("retry", f"#{typed.incident_id}")["state"] == "detected"
    assert typed.state() == (IncidentState.DETECTED, None)
    assert typed("retry", typed.incident_id).exit_code == exits.REFUSED
    for command in ("retry", "cancel"):
        assert typed(command, "zzzz").exit_code == exits.NOT_FOUND


def test_insights_count_the_incident(typed: Typed) -> None:
    typed("cancel", typed.incident_id)
    found = typed.json("insights")
    assert found["totals"]["incidents"] == "1"  # type: ignore[index]
    assert "rejected" in typed("insights", "--days", "0").stdout


def test_the_policy_is_the_one_that_is_enforced(typed: Typed) -> None:
    found = typed.json("policy", "--env", "staging")
    assert found["environment"] == "staging"
    assert ["self_modify_codebase", "RED"] in found["lights"]  # type: ignore[operator]
    always = {name for name, _, met in found["rules"] if met}  # type: ignore[attr-defined]
    assert always == set()
    shown = typed("policy").stdout
    assert "always  production" in shown
    with open_project(typed.root, environ={}) as project:
        assert project.engine.governance.policy_version in shown
        project.engine.store.pause.pause("kim", "a deployment")
    assert "PAUSED by kim: a deployment" in typed("policy").stdout


def test_a_history_is_exported_below_the_project_and_never_over_a_source(typed: Typed) -> None:
    typed("cancel", typed.incident_id)
    for form in ("json", "csv", "md"):
        assert typed.json("history", "--export", f"out.{form}", "--format", form)["attempts"] == 1
        assert "\x1b" not in (typed.root / f"out.{form}").read_text()
    assert typed("history", "--export", "app.py", "--format", "csv").exit_code == exits.REFUSED
    assert typed("history", "--export", "../out.csv", "--format", "csv").exit_code == exits.REFUSED
    assert (typed.root / "app.py").read_text() == "x = y\n"
