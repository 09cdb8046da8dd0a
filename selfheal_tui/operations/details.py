"""Makes an incident in full, as it is looked at: cause, frames, fixes with their proofs, question, timeline.

Pure but for what the caller hands in. Every text but the exact ones of `FileChange` is bounded and safe to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from selfheal_tui.model.approval import ApprovalRequest, RequestState
from selfheal_tui.model.candidate import Candidate, Cost
from selfheal_tui.model.crash import ExceptionInfo, Frame
from selfheal_tui.model.incident import Attempt, Incident
from selfheal_tui.model.record import AuditRecord
from selfheal_tui.operations import texts
from selfheal_tui.operations.proofs import ladder_of
from selfheal_tui.operations.safe import line, paragraph
from selfheal_tui.operations.snapshot import (
    CandidateView,
    ErrorView,
    FileChange,
    FrameView,
    IncidentDetail,
    IncidentRow,
    RequestView,
    TimelineRow,
)
from selfheal_tui.source.matching import opcodes

MOST_ERRORS = 20
MOST_FRAMES = 60
MOST_CANDIDATES = 40
MOST_TIMELINE = 500
FACT_WIDTH = 300
Before = Mapping[str, str]


def detail_of(
    incident: Incident,
    row: IncidentRow,
    *,
    before: Sequence[Before],
    notes: Mapping[str, str],
    request: RequestView | None,
    timeline: Sequence[AuditRecord],
) -> IncidentDetail:
    """Makes an incident in full.

    Args:
        incident: The incident.
        row: Its row.
        before: Of each attempt, what its files held before, by path.
        notes: Of the chosen attempt's files, what to know, by path.
        request: Its open question.
        timeline: Its audit records, oldest first.
    """
    diagnosis = incident.diagnosis
    first = max(0, len(incident.attempts) - MOST_CANDIDATES)
    candidates = tuple(
        candidate_of(
            number + 1,
            incident.attempts[number],
            before[number] if number < len(before) else {},
            notes if number == incident.chosen else {},
        )
        for number in range(first, len(incident.attempts))
    )
    return IncidentDetail(
        row=row,
        cause=line(diagnosis.root_cause, 2000) if diagnosis else "",
        explanation=paragraph(diagnosis.explanation) if diagnosis else "",
        reason=line(diagnosis.reason, 1000) if diagnosis else "",
        failing=line(diagnosis.failing_expression) if diagnosis else "",
        trail=tuple(
            line(f"{one.path[-1000:]}:{one.line} {one.qualname[:400]}") for one in diagnosis.trail[:20]
        )
        if diagnosis
        else (),
        chain=tuple(error_of(info) for info in incident.report.chain[:MOST_ERRORS]),
        candidates=candidates,
        chosen=incident.chosen - first if incident.chosen >= first else -1,
        request=request,
        timeline=tuple(timeline_row(record) for record in timeline[-MOST_TIMELINE:]),
        transaction_id=incident.transaction_id,
        cost=cost_text(incident.cost),
    )


def candidate_of(
    number: int, attempt: Attempt, before: Before, notes: Mapping[str, str] | None = None
) -> CandidateView:
    """Makes a fix that was tried.

    Args:
        number: 1-based.
        attempt: The attempt.
        before: What its files held before, by path.
        notes: What to know about its files, by path.
    """
    candidate = attempt.candidate
    changes = tuple(
        FileChange(
            line(edit.path), before.get(edit.path, ""), edit.text, line((notes or {}).get(edit.path, ""))
        )
        for edit in candidate.edits
    )
    counts = [line_counts(change.before, change.after) for change in changes]
    return CandidateView(
        number=number,
        candidate_id=candidate.candidate_id,
        by=by_of(candidate),
        reason=line(candidate.reason, 1000),
        confidence=candidate.confidence,
        changes=changes,
        added=sum(added for added, _ in counts),
        removed=sum(removed for _, removed in counts),
        rungs=ladder_of(attempt.proof.reports),
        note=line(attempt.note, 1000),
        notes=tuple(line(note, 1000) for note in candidate.notes[:20]),
        acceptable=attempt.proof.acceptable,
    )


def request_of(
    request: ApprovalRequest,
    state: RequestState,
    incident: Incident,
    before: Before,
    *,
    evidence: bool = True,
) -> RequestView:
    """Makes a question to the operator.

    Args:
        request: The request.
        state: Where it stands now.
        incident: Its incident, with the proposed attempt as `chosen`.
        before: What the attempt's files hold, by path.
        evidence: Whether to show what each rung saw.
    """
    attempt = incident.chosen_attempt
    return RequestView(
        request_id=request.request_id,
        incident_id=request.incident_id,
        candidate_id=request.candidate_id,
        risk=request.risk.value,
        action=request.action,
        headline=headline_of(attempt.candidate, before) if attempt else "",
        why=tuple(line(why, 1000) for why in request.why[:20]),
        rungs=ladder_of(attempt.proof.reports, evidence=evidence) if attempt else (),
        needs_code=request.needs_code,
        code=request.binding.code,
        created_at=request.created_at,
        expires_at=request.expires_at,
        state=state.value,
        others=len(others_of(incident)),
    )


def others_of(incident: Incident) -> tuple[int, ...]:
    """Returns which other attempts are proved and could be asked for instead, as indices."""
    chosen = incident.chosen_attempt
    seen = {chosen.ast_key or chosen.candidate.candidate_id} if chosen else set()
    found = []
    for number, attempt in enumerate(incident.attempts):
        key = attempt.ast_key or attempt.candidate.candidate_id
        if number != incident.chosen and attempt.proof.acceptable and not attempt.note and key not in seen:
            seen.add(key)
            found.append(number)
    return tuple(found)


def headline_of(candidate: Candidate, before: Before) -> str:
    """Returns files, added and removed lines, who proposed it and how sure that is."""
    counts = [line_counts(before.get(edit.path, ""), edit.text) for edit in candidate.edits]
    files = ", ".join(edit.path[-300:] for edit in candidate.edits[:5])
    added, removed = sum(a for a, _ in counts), sum(r for _, r in counts)
    return line(f"{files} · +{added} −{removed} · by {by_of(candidate)} ({candidate.confidence:.2f})", 400)


def by_of(candidate: Candidate) -> str:
    """Returns who proposed a fix, as `proposer/rule`."""
    return line(f"{candidate.proposer[:100]}/{candidate.rule[:200]}", 200)


@lru_cache(maxsize=64)
def line_counts(before: str, after: str) -> tuple[int, int]:
    """Returns how many lines are added and removed."""
    if before == after:
        return (0, 0)
    added = removed = 0
    for tag, i1, i2, j1, j2 in opcodes(before.splitlines(), after.splitlines()):
        if tag != "equal":
            removed += i2 - i1
            added += j2 - j1
    return (added, removed)


def error_of(info: ExceptionInfo) -> ErrorView:
    """Makes one exception of a chain."""
    return ErrorView(
        link=info.link.value,
        type=line(info.type),
        message=paragraph(info.message, lines=20),
        frames=tuple(frame_of(frame) for frame in info.frames[-MOST_FRAMES:]),
    )


def frame_of(frame: Frame) -> FrameView:
    """Makes one frame; locals only of the project's own."""
    values = texts.telling(frame.locals) if frame.in_app else []
    return FrameView(
        place=line(f"{(frame.path or frame.file)[-1000:]}:{frame.line}"),
        qualname=line(frame.qualname, 200),
        source=line(frame.source),
        in_app=frame.in_app,
        locals=tuple((line(value.name, 80), line(value.repr, 200)) for value in values),
    )


def timeline_row(record: AuditRecord) -> TimelineRow:
    """Makes one step or decision."""
    return TimelineRow(
        at=record.at,
        kind=line(record.kind, 60),
        actor=line(record.actor, 80),
        text=line(texts.facts(record.data, FACT_WIDTH), FACT_WIDTH),
    )


def cost_text(cost: Cost) -> str:
    """Returns tokens and money, in words; empty when no model was asked."""
    tokens = cost.prompt_tokens + cost.completion_tokens
    if not tokens and not cost.usd:
        return ""
    money = "price unknown" if cost.usd is None else f"${cost.usd:.4f}"
    return f"{tokens:,} tokens · {money}"
