"""The lines above the diff of a review: what is asked, why, until when, and whether a key decides now."""

from __future__ import annotations

from rich.text import Text

from selfheal_tui.operations.desk import ProofMoved
from selfheal_tui.operations.snapshot import CandidateView, IncidentDetail, RequestView, Tone
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.widgets.approval import expiry, risk_badge
from selfheal_tui.tui.widgets.ladder import full_ladder
from selfheal_tui.tui.widgets.lines import one_line


def head_lines(
    detail: IncidentDetail, request: RequestView | None, looks: Looks, *, now: float, place: str
) -> list[Text]:
    """Returns the lines, each to be cut at the edge.

    Args:
        detail: The incident.
        request: The question; None when there is none any more.
        looks: The looks in force.
        now: Unix time in seconds.
        place: Such as `1 of 2`; empty when unknown.
    """
    row, dot = detail.row, looks.dot
    first = Text(" Review ", "bold")
    first.append(f"#{one_line(row.incident_id)} ", looks.named("primary", bold=True))
    if request is not None:
        first.append_text(risk_badge(request, looks))
        first.append(f" {one_line(request.action.replace('_', ' '))}")
    environment = looks.style(Tone.WARN if row.environment == "production" else Tone.QUIET)
    first.append(f"{dot}").append(one_line(row.environment), environment)
    if request is not None:
        first.append(
            f"{dot}{expiry(request, now)}",
            looks.style(Tone.WARN if request.expires_at - now < 60 else Tone.QUIET),
        )
    if place:
        first.append(f"{dot}{place}", looks.quiet)
    second = Text(f" {one_line(row.error)} ", looks.style(Tone.BAD))
    second.append(f"{one_line(row.place)}  ", "bold").append(one_line(row.message), looks.quiet)
    third = Text(f" cause: {one_line(detail.cause or row.kind)}")
    lines = [first, second, third]
    if request is not None:
        fourth = Text(" ")
        if request.needs_code:
            fourth.append(f"code {one_line(request.code)}", looks.style(Tone.ASK, bold=True)).append(dot)
        fourth.append(one_line(request.headline))
        fifth = Text(" asked because: ", looks.quiet)
        fifth.append(one_line("; ".join(request.why) or "the policy asks"))
        lines += [fourth, fifth]
    return lines


def state_line(over: str, note: str, then: str, looks: Looks) -> Text:
    """Returns the line that says whether keys decide now.

    Args:
        over: Why the question cannot be answered any more; empty when it can.
        note: What else is in the way; empty for nothing.
        then: What approving does.
        looks: The looks in force.
    """
    tone = Tone.WARN if over else Tone.QUIET if note else Tone.GOOD
    return Text(over or note or then, looks.style(tone), no_wrap=True, overflow="ellipsis")


def proof_lines(
    candidate: CandidateView | None, proof: ProofMoved | None, looks: Looks, *, now: float
) -> list[Text]:
    """Returns the proof that is being made, if one is, and that of the fix in question, with their evidence.

    Args:
        candidate: The fix in question.
        proof: What is being proved.
        looks: The looks in force.
        now: Unix time in seconds.
    """
    lines: list[Text] = []
    if proof is not None:
        lines.append(Text(f"being proved: {one_line(proof.label)}", "bold"))
        lines += [*full_ladder(proof.rungs, looks, now=now), Text()]
    if candidate is not None:
        lines.append(Text(f"asked now: candidate {candidate.number}, {one_line(candidate.by)}", "bold"))
        lines += full_ladder(candidate.rungs, looks)
    return lines or [Text("nothing was proved yet", looks.quiet)]
