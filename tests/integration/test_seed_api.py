"""The seed's interface, used from inside a program that catches its own exceptions."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from shell import GREETER, PYTHON, Shell, tree

SEED_FIELDS = {
    "timestamp",
    "issue_hash",
    "issue_type",
    "severity",
    "file",
    "validation",
    "success",
    "fix_preview",
}

AGENT = """
import json, sys, traceback
from greeter import Greeter
from selfheal_tui import SelfHealingSystem

healing = SelfHealingSystem(codebase_root=".")
try:
    Greeter("Ada").greeting()
except Exception as error:
    result = healing.detect_and_heal(
        error=error, stack_trace=traceback.format_exc(), context=json.loads(sys.argv[1])
    )
    print(json.dumps({
        "success": result.success, "detected": result.issue_detected, "proposed": result.fix_proposed,
        "validated": result.fix_validated, "applied": result.fix_applied, "message": result.message,
        "changes": result.changes, "incident": result.incident_id, "outcome": result.outcome,
        "issue": [result.issue.issue_type, result.issue.severity, result.issue.file_path, result.issue.line_number],
        "suggested": result.issue.suggested_fix, "history": healing.healing_history,
    }))
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, GREETER | {"agent.py": AGENT})


def run_agent(shell: Shell, context: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [PYTHON, "agent.py", json.dumps(context)],
        cwd=shell.root,
        env=shell.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    assert done.stderr == "", "the healer never prints"
    return result


def test_a_live_exception_is_healed_where_policy_allows_it(shell: Shell) -> None:
    result = run_agent(shell, {"environment": "local", "task": "greet"})
    assert result["success"], result["message"]
    assert result["outcome"] == "healed"
    assert result["issue"] == ["reliability", "critical", "greeter.py", 10]
    assert "+" in result["suggested"]
    assert "self.name" in shell.read("greeter.py")
    kinds = {change["type"] for change in result["changes"]}
    assert {"validation", "backup_created", "file_modified"} <= kinds
    assert set(result["history"][0]) >= SEED_FIELDS
    assert result["history"][0]["success"] is True
    assert len(result["history"][0]["fix_preview"]) <= 200
    shown = shell.json("show", result["incident"])["incident"]["report"]
    assert shown["source"] == "in-process"
    assert shown["context"]["task"] == "greet"


def test_without_an_environment_it_is_production_and_a_person_decides(shell: Shell) -> None:
    before = tree(shell.root)
    result = run_agent(shell, {})
    assert not result["success"]
    assert result["validated"]
    assert "Approval ID" in result["message"]
    assert tree(shell.root) == before
    code = shell.json("diff", result["incident"])["code"]
    assert shell("approve", result["incident"], "--code", code).returncode == 0
    assert "self.name" in shell.read("greeter.py")


def plain_agent(shell: Shell) -> None:
    """Leaves out of the agent what only a healthy healer can tell."""
    code = AGENT.replace('"issue": [', '"issue": [] and [').replace("result.issue.suggested_fix", "None")
    (shell.root / "agent.py").write_text(code.replace(', "history": healing.healing_history', ""))


def test_an_unknown_environment_is_the_healers_failure_not_the_programs(shell: Shell) -> None:
    plain_agent(shell)
    before = tree(shell.root)
    answer = run_agent(shell, {"environment": "moon"})
    assert not answer["success"]
    assert answer["outcome"] == "failed"
    assert "moon" in answer["message"]
    assert tree(shell.root) == before


def test_the_small_interfaces_answer_without_touching_anything(shell: Shell) -> None:
    script = """
import json, traceback
from greeter import Greeter
from selfheal_tui import CodebaseAnalyzer, FactChecker, FixProposer, FixValidator, RiskLevel, ToolGovernance
analyzer = CodebaseAnalyzer(".")
try:
    Greeter("Ada").greeting()
except Exception as error:
    ours = analyzer.is_codebase_error(error, traceback.format_exc())
    issue = analyzer.analyze_issue(error, traceback.format_exc(), {})
try:
    json.loads("{")
except Exception as error:
    error.__traceback__ = error.__traceback__.tb_next
    theirs = analyzer.is_codebase_error(error, "")
fix = FixProposer(".").propose_fix(issue)
validator = FixValidator()
good = validator.validate_fix(issue, "def nmae():\\n    return 1\\n")
evil = validator.validate_fix(issue, "import os\\nos.system('x')\\n", "")
broken = validator.validate_fix(issue, "def (:")
missing = validator.validate_fix(issue, "import no_such_module_anywhere\\n")
facts = FactChecker()
facts.record_success("self_healing", {"a": 1})
facts.record_failure("self_healing", "why")
print(json.dumps([ours, theirs, fix, good, evil, broken, missing, facts.success_rate("self_healing"),
                  [r.value for r in RiskLevel], ToolGovernance().check_permission("self_modify_codebase")]))
"""
    (shell.root / "small.py").write_text(script)
    before = tree(shell.root)
    done = subprocess.run(
        [PYTHON, "small.py"], cwd=shell.root, env=shell.environ, capture_output=True, text=True, check=True
    )
    ours, theirs, fix, good, evil, broken, missing, rate, lights, permission = json.loads(done.stdout)
    assert ours is True
    assert theirs is False
    assert "+" in fix
    assert "self.name" in fix
    assert good["syntax_valid"]
    assert not evil["valid"]
    assert evil["errors"]
    assert not broken["syntax_valid"]
    assert not missing["imports_valid"]
    assert rate == 0.5
    assert lights == ["GREEN", "YELLOW", "RED"]
    assert permission["allowed"] is False
    assert tree(shell.root) == before


def test_a_broken_store_never_reaches_the_program(shell: Shell) -> None:
    (shell.root / ".selfheal").write_text("in the way")
    plain_agent(shell)
    before = shell.read("greeter.py")
    answer = run_agent(shell, {"environment": "local"})
    assert answer["outcome"] == "failed"
    assert "healer itself failed" in answer["message"]
    assert shell.read("greeter.py") == before
