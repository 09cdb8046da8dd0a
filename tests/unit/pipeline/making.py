"""Makers of values for the pipeline's tests: small, complete, and valid by default."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.model.candidate import Candidate, FileEdit, sha256_hex
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.diagnosis import Diagnosis, Location
from selfheal_tui.model.evidence import RUNGS, Proof, RungReport
from selfheal_tui.model.kinds import CaptureSource, IssueType, Nature, Severity, Verdict
from selfheal_tui.model.settings import ProjectSettings
from selfheal_tui.source.project import Project

BEFORE = "def total(items):\n    return sum(itms)\n"
AFTER = "def total(items):\n    return sum(items)\n"


def a_project(root: Path, files: dict[str, str] | None = None) -> Project:
    for path, text in (files or {"app.py": BEFORE}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Project(root, ProjectSettings())


def a_candidate(
    path: str = "app.py", before: str = BEFORE, after: str = AFTER, **changes: object
) -> Candidate:
    values: dict[str, object] = {
        "proposer": "rules",
        "rule": "misspelt-name",
        "reason": "`itms` is misspelt",
        "confidence": 0.95,
        "edits": (FileEdit(path=path, before_sha256=sha256_hex(before.encode()), text=after),),
        "targets": (Location(path, "total", 1),),
    }
    return Candidate(**(values | changes))  # type: ignore[arg-type]


def a_proof(candidate: Candidate, **verdicts: Verdict) -> Proof:
    reports = tuple(RungReport(rung, verdicts.get(rung, Verdict.PASS), "") for rung in RUNGS)
    return Proof(candidate.candidate_id, candidate.patch_sha256, reports)


def a_diagnosis(
    issue_type: IssueType = IssueType.RELIABILITY,
    severity: Severity = Severity.CRITICAL,
    nature: Nature = Nature.CODE,
) -> Diagnosis:
    return Diagnosis("name-error", issue_type, severity, nature, "because", "`itms` is not defined")


def a_report(
    root: Path, report_id: str = "r1", path: str = "app.py", message: str = "name 'itms' is not defined"
) -> CrashReport:
    frame = Frame(
        file=str(root / path), qualname="total", line=2, source="    return sum(itms)", module="app"
    )
    return CrashReport(
        report_id, 1_000.0, CaptureSource.PROBE, (ExceptionInfo("NameError", message, (frame,)),)
    )
