"""Proposing and checking bare texts, for the seed's `FixProposer` and `FixValidator`.

Both are previews: they change nothing and allow nothing. The offline rules propose; the static rungs of
the ladder check.
"""

from __future__ import annotations

import ast
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.settings import ProjectSettings, Settings
from selfheal_tui.pipeline.analyze import analyze
from selfheal_tui.source.diff import unified_diff
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import UnreadableSourceError


def propose_snippet(root: Path, report: CrashReport | None) -> str | None:
    """Asks the offline rules for their most promising candidate.

    Args:
        root: The project.
        report: The crash, localised or not.

    Returns:
        Its unified diff, or None.
    """
    from selfheal_tui.repair.base import RepairContext
    from selfheal_tui.repair.rules.engine import RuleProposer
    from selfheal_tui.sandbox.interpreter import find_interpreter

    if report is None:
        return None
    project = Project(root, ProjectSettings())
    local = project.localise(report)
    context = RepairContext(
        project=project,
        report=local,
        diagnosis=analyze(local, project),
        settings=Settings(),
        interpreter=find_interpreter(project, local, "").executable,
    )
    for item in RuleProposer().propose(context):
        if isinstance(item, Candidate):
            return candidate_diff(project, item)
    return None


def candidate_diff(project: Project, candidate: Candidate) -> str:
    """Returns the unified diff of a candidate against the live files."""
    parts = []
    for edit in candidate.edits:
        try:
            before = project.read(edit.path).text
        except (OSError, UnreadableSourceError):
            before = ""
        parts.append(unified_diff(before, edit.text, edit.path))
    return "".join(parts)


def check_snippet(text: str, original: str | None, *, missing: str = "") -> dict[str, Any]:
    """Checks a text by the static rungs.

    Args:
        text: New text of a file, or a part of it.
        original: Text before; without it every capability counts as new.
        missing: Message of the crash; if it names an attribute, the text should mention it.
    """
    from selfheal_tui.checks.honesty import honesty_findings
    from selfheal_tui.checks.pairs import UnparsableError, make_pair
    from selfheal_tui.checks.safety import safety_findings

    result: dict[str, Any] = {
        "valid": False,
        "errors": [],
        "warnings": [],
        "syntax_valid": False,
        "imports_valid": False,
        "safe_to_apply": False,
    }
    try:
        pair = make_pair("fix.py", original or "", text)
    except UnparsableError as error:
        result["errors"].append(f"Syntax error: {error}")
        return result
    result["syntax_valid"] = True
    unknown = _unknown_modules(text)
    result["imports_valid"] = not unknown
    result["errors"] += [f"Import error: there is no module {name!r} here" for name in unknown]
    for finding in (*safety_findings(pair), *honesty_findings(pair)):
        if finding.verdict is not Verdict.PASS:
            result["errors" if finding.verdict is Verdict.FAIL else "warnings"].append(finding.text)
    if "has no attribute '" in missing:
        name = missing.rpartition("has no attribute '")[2].partition("'")[0]
        if name and name not in text and (original is None or name not in original):
            result["warnings"].append(f"the text does not mention {name!r}")
    result["valid"] = not result["errors"]
    result["safe_to_apply"] = not result["errors"] and not result["warnings"]
    return result


def _unknown_modules(text: str) -> list[str]:
    """Names the top-level modules that a text imports and this interpreter cannot find.

    Only absolute imports are judged, and nothing is imported: finding a top-level module runs no code.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return sorted(name for name in names if name not in sys.modules and find_spec(name) is None)
