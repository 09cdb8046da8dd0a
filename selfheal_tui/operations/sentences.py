"""A question to the operator in plain sentences: for screen readers, pipes, and whoever reads line by line.

No glyph, column or colour carries meaning here. Whoever prints it makes the lines visible; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfheal_tui.model.approval import ApprovalRequest
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Attempt, Incident
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.operations.texts import moment, one_line, place
from selfheal_tui.source.hunks import Hunk, hunks_of

WIDTH = 2000
_VERDICTS = {
    Verdict.PASS: "passed",
    Verdict.WARN: "warned",
    Verdict.FAIL: "failed",
    Verdict.NOT_POSSIBLE: "was not possible",
}


def question(incident: Incident, request: ApprovalRequest, attempt: Attempt) -> Iterator[str]:
    """Tells what happened and what is asked, without the diff.

    Args:
        incident: The incident.
        request: The open question.
        attempt: The fix in question.
    """
    raised = incident.report.raised
    times = "once" if incident.count == 1 else f"{incident.count} times"
    yield f"Incident {incident.incident_id}. {one_line(f'{raised.bare_type}: {raised.message}', WIDTH)}"
    yield f"It was seen {times} at {one_line(place(incident))}, in {incident.environment}."
    if incident.diagnosis is not None:
        yield f"Cause: {one_line(incident.diagnosis.root_cause, WIDTH)}"
    candidate = attempt.candidate
    yield (
        f"The fix is by {one_line(f'{candidate.proposer}, {candidate.rule}')}, confidence {candidate.confidence:.2f}. "
        f"{one_line(candidate.reason, WIDTH)}"
    )
    for note in candidate.notes:
        yield f"Note: {one_line(note, WIDTH)}"
    yield f"Risk: {request.risk.value}. Action: {request.action}. The question expires at {moment(request.expires_at)}."


def why(request: ApprovalRequest) -> Iterator[str]:
    """Tells why it is asked, a sentence each."""
    yield f"It is {request.risk.value}, because it changes the code of the project."
    for reason in request.why:
        yield f"It is asked because {reason}."
    if request.needs_code:
        yield "Its code has to be typed."


def proof(proof_: Proof, *, full: bool = False) -> Iterator[str]:
    """Tells a proof.

    Args:
        proof_: The proof.
        full: With all evidence, else one line.
    """
    if not full:
        yield "Proof: " + ", ".join(_rung(r.rung, r.verdict, r.summary) for r in proof_.reports) + "."
        return
    for report in proof_.reports:
        yield _rung(report.rung, report.verdict, report.summary) + f". {report.seconds:.1f} seconds."
        for detail in report.details:
            yield from (f"  {one_line(line, WIDTH)}" for line in detail.splitlines())


def diff(files: Sequence[FileChange]) -> Iterator[str]:
    """Tells a patch, hunk by hunk and line by line; hunks are numbered through all files.

    Args:
        files: The files, before and after.
    """
    at = 0
    for file in files:
        hunks = hunks_of(file.before, file.after)
        kind = "new file" if not file.before else f"{len(hunks)} hunk{'s' if len(hunks) != 1 else ''}"
        yield f"File {one_line(file.path)}, {kind}."
        for hunk in hunks:
            yield from _hunk(at + hunk.number, hunk)
        at += len(hunks)


def _hunk(number: int, hunk: Hunk) -> Iterator[str]:
    yield f"Hunk {number}:"
    for index, line in enumerate(hunk.before):
        yield f"  removed line {hunk.start + index + 1}: {_ended(line)}"
    for index, line in enumerate(hunk.after):
        yield f"  added line {hunk.after_start + index + 1}: {_ended(line)}"


def _ended(line: str) -> str:
    bare = line.rstrip("\r\n")
    return bare if line.endswith("\n") else f"{bare} (without a line end)"


def _rung(name: str, verdict: Verdict, summary: str) -> str:
    said = f"{name} {_VERDICTS[verdict]}"
    return f"{said} ({one_line(summary, 300)})" if summary else said
