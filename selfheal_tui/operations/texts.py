"""Plain texts for incidents, proofs and diffs: one wording for the terminal, logs and screen readers.

States are told by word and glyph, never by colour alone. Pure functions; they print nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.crash import LocalValue
from selfheal_tui.model.evidence import Proof, RungReport
from selfheal_tui.model.incident import Incident
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.operations import standings

_ASCII_MARKS = {Verdict.PASS: "ok", Verdict.WARN: "warn", Verdict.FAIL: "FAIL", Verdict.NOT_POSSIBLE: "n/a"}
_SLACK = 4
"""How many times its width is read of a line: what is cut away must cost nothing."""
CODE_TYPES = frozenset({"function", "type", "module", "builtin_function_or_method", "method"})
MOST_LOCALS = 12


def speaks_unicode() -> bool:
    """Returns whether standard error can show the glyphs."""
    encoding = (getattr(sys.stderr, "encoding", None) or "ascii").lower()
    return "utf" in encoding


def mark(verdict: Verdict) -> str:
    """Returns the sign of a verdict."""
    return standings.VERDICTS[verdict].glyph if speaks_unicode() else _ASCII_MARKS[verdict]


def place(incident: Incident) -> str:
    """Returns `path:line` of the suspect, or of the innermost frame."""
    diagnosis = incident.diagnosis
    if diagnosis is not None and diagnosis.suspect is not None:
        return f"{diagnosis.suspect.path}:{diagnosis.suspect.line}"
    found = incident.report.suspect()
    frames = [found[1]] if found else list(incident.report.raised.frames[-1:])
    return f"{frames[0].path or frames[0].file}:{frames[0].line}" if frames else "(no frame)"


def headline(incident: Incident) -> str:
    """Returns an incident in a line: id, error, place."""
    raised = incident.report.raised
    message = raised.message.splitlines()[0] if raised.message else ""
    return (
        one_line(f"#{incident.incident_id}  {raised.bare_type}: {message}", 400)
        + f"  {one_line(place(incident))}"
    )


def standing(incident: Incident) -> str:
    """Returns where an incident stands, as glyph and word."""
    found = standings.of_incident(incident.state, incident.outcome)
    return f"{found.glyph if speaks_unicode() else found.ascii} {found.word}"


def kind_of(incident: Incident) -> str:
    """Returns issue type, severity and count."""
    diagnosis = incident.diagnosis
    words = [diagnosis.issue_type.value, diagnosis.severity.value] if diagnosis else ["not analyzed"]
    return " ".join([*words, f"×{incident.count}"] if incident.count > 1 else words)


def ladder(proof: Proof) -> str:
    """Returns a proof in a line."""
    return "  ".join(rung(report) for report in proof.reports)


def rung(report: RungReport) -> str:
    """Returns one rung in a few words."""
    summary = (
        report.summary if report.rung in ("replay", "tests") or report.verdict is not Verdict.PASS else ""
    )
    return f"{report.rung} {mark(report.verdict)} {one_line(summary, 600)}".rstrip()


def proof_lines(proof: Proof) -> list[str]:
    """Returns a proof with its evidence, a rung per line."""
    lines = []
    for report in proof.reports:
        walls = f"  [{report.isolation.value}]" if report.isolation else ""
        lines.append(
            f"  {mark(report.verdict):<4} {report.rung:<9} {report.verdict.value:<12} "
            f"{one_line(report.summary, 1000)}  ({report.seconds:.2f} s){walls}"
        )
        lines += [f"         {line}" for detail in report.details for line in detail.splitlines()[:12]]
    return lines


def fix_line(candidate: Candidate) -> str:
    """Returns what a candidate is, in a line."""
    files = ", ".join(edit.path for edit in candidate.edits)
    return one_line(
        f"{candidate.proposer}/{candidate.rule} ({candidate.confidence:.2f}) on {files}: {candidate.reason}",
        1000,
    )


def test_line(incident: Incident) -> str:
    """Returns what there is to say about an incident's regression test; empty when there is nothing."""
    known = incident.regression
    if known is None or incident.chosen_attempt is None:
        return ""
    if known.text:
        return one_line(
            f"{known.path}: {known.what}; `selfheal regression {incident.incident_id} --write` adds it", 600
        )
    if known.drafts and not known.problem:
        return f"`selfheal regression {incident.incident_id}` makes a test that keeps it healed"
    return one_line(f"none: {known.problem}", 600)


def one_line(text: str, width: int = 300) -> str:
    """Returns a text as a single line of bounded length."""
    head = text[: width * _SLACK]
    line = " ".join(head.split())
    return line if len(line) <= width and len(head) == len(text) else line[: width - 1] + "…"


def telling(values: Sequence[LocalValue]) -> list[LocalValue]:
    """Returns the local variables that say something about a crash: data, not code."""
    return [v for v in values if v.type not in CODE_TYPES][:MOST_LOCALS]


def facts(data: Mapping[str, Any], width: int) -> str:
    """Returns the plain facts of an audit record, in a line."""
    found = (
        f"{key}={value[:width] if isinstance(value, str) else value}"
        for key, value in data.items()
        if isinstance(value, str | int | float) and value != ""
    )
    return one_line(", ".join(found), width)


def moment(at: float) -> str:
    """Returns a Unix time as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
