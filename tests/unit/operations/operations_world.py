"""Incidents and what hangs on them, for tests of what is made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, LocalValue
from selfheal_tui.model.diagnosis import Diagnosis, Location
from selfheal_tui.model.evidence import RUNGS, Proof, RungReport
from selfheal_tui.model.incident import Attempt, Fingerprint, Incident
from selfheal_tui.model.kinds import (
    CaptureSource,
    Environment,
    IssueType,
    Nature,
    Severity,
    Verdict,
)

NOW = 1_790_000_000.0


def a_candidate(text: str = "x = 1\n", **changes: Any) -> Candidate:
    candidate = Candidate(
        proposer="rules",
        rule="misspelt-name",
        reason="it is spelt otherwise",
        confidence=0.9,
        edits=(FileEdit("app.py", "0" * 64, text),),
    )
    return replace(candidate, **changes)


def an_attempt(text: str = "x = 1\n", *, verdict: Verdict = Verdict.PASS, note: str = "") -> Attempt:
    candidate = a_candidate(text)
    reports = tuple(RungReport(name, verdict, "seen") for name in RUNGS)
    proof = Proof(candidate.candidate_id, candidate.patch_sha256, reports)
    return Attempt(candidate, proof, ast_key=text, note=note)


def an_incident(incident_id: str = "a1b2", *, text: str = "broken", **changes: Any) -> Incident:
    frame = Frame(
        file="/p/app.py",
        qualname=f"run {text}",
        line=3,
        source=text,
        path="app.py",
        in_app=True,
        locals=(LocalValue(text, "builtins.str", text),),
    )
    incident = Incident(
        incident_id=incident_id,
        fingerprint=Fingerprint(incident_id.ljust(16, "0"), 1),
        report=CrashReport("r" * 32, NOW, CaptureSource.PROBE, (ExceptionInfo(f"app.{text}", text, (frame,)),)),
        environment=Environment.PRODUCTION,
        first_seen=NOW - 60,
        last_seen=NOW,
        diagnosis=Diagnosis(
            "s", IssueType.BUG, Severity.HIGH, Nature.CODE, text, text, Location("app.py", "run", 3), text, "", text,
            (Location(text, text, 1),),
        ),
        message=text,
    )  # fmt: skip
    return replace(incident, **changes)
