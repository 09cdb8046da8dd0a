"""An incident's overview and timeline as lines of text. Pure: snapshots in, rich texts out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.text import Text

from selfheal_tui.operations.snapshot import ErrorView, IncidentDetail, Tone
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.times import age, day_and_time

_INSTALLED = re.compile(r"^.*/(?:site-packages|dist-packages|lib/python3\.\d+)/")
_LABEL = 9
_VALUE = 60
"""A value is recognised by its beginning; `selfheal show --json` has more of it."""


def overview(detail: IncidentDetail, looks: Looks, *, now: float) -> list[Text]:
    """Returns what is to be known in ten seconds: message, cause, where, what is proposed, what next."""
    return list(_overview(detail, looks, now))


def _overview(detail: IncidentDetail, looks: Looks, now: float) -> Iterator[Text]:
    row = detail.row
    yield Text(row.message, "bold")
    facts = [row.kind, row.environment, f"seen {row.count}×, last {age(now - row.last_seen)} ago"]
    yield looks.badge(row.standing).append(looks.dot + looks.dot.join(facts), looks.quiet)
    yield Text()
    if detail.cause:
        yield _fact("Cause", detail.cause, looks)
    if detail.failing:
        yield _fact("Failing", detail.failing, looks)
    if row.note and row.note != detail.cause:
        yield _fact("Now", row.note, looks)
    candidate = detail.candidate
    if candidate is not None:
        what = f"{candidate.reason} ({candidate.by}, {candidate.confidence:.2f})"
        yield _fact("Fix", what, looks)
        for note in candidate.notes:
            yield _fact("", note, looks)
    if detail.cost:
        yield _fact("Cost", detail.cost, looks)
    yield _fact("Next", next_step(detail), looks, tone=Tone.ASK if row.needs_person else Tone.QUIET)
    for error in detail.chain:
        yield Text()
        yield from _error(error, looks)
    if detail.trail:
        yield Text()
        yield Text("where the bad value came by, latest first", looks.quiet)
        yield from (Text(f"  {place}") for place in detail.trail)
    if detail.explanation:
        yield Text()
        yield from (Text(line) for line in detail.explanation.splitlines())
    if detail.reason:
        yield Text()
        yield Text(f"classified so because {detail.reason}", looks.quiet)


def _fact(label: str, text: str, looks: Looks, *, tone: Tone | None = None) -> Text:
    return Text(f"{label:<{_LABEL}}", looks.quiet).append(text, looks.style(tone) if tone else "")


def _error(error: ErrorView, looks: Looks) -> Iterator[Text]:
    link = "" if error.link == "raised" else f"{error.link}: "
    yield Text(f"{link}{error.type}: ", looks.style(Tone.BAD)).append(error.message)
    for frame in reversed(error.frames):
        sign = ("> " if looks.ascii else "▸ ") if frame.in_app else "  "
        place = frame.place if frame.in_app else _library(frame.place)
        line = Text(f"{sign}{place} {frame.qualname}", "" if frame.in_app else looks.quiet)
        yield line.append(f"  {frame.source}", looks.named("accent") if frame.in_app else looks.quiet)
        if frame.in_app and frame.locals:
            values = "  ".join(f"{name} = {_short(value)}" for name, value in frame.locals)
            yield Text(f"    locals  {values}", looks.quiet)


def _library(place: str) -> str:
    """Returns a place in a library without the way to where it is installed."""
    return _INSTALLED.sub("…/", place)


def _short(value: str) -> str:
    return value if len(value) <= _VALUE else value[: _VALUE - 1] + "…"


def next_step(detail: IncidentDetail) -> str:
    """Returns what an operator can do about an incident now, in a sentence."""
    row = detail.row
    if row.needs_person and detail.request is not None:
        return "press v to review the fix, then approve or reject it"
    if row.standing.word == "on probation":
        return (
            "the fix is in and is watched; nothing to do, or press U to see what taking it back would change"
        )
    if row.open:
        return "being worked on; nothing to do" if not row.needs_person else "the question is being read"
    if detail.transaction_id:
        return "press U to see what taking the fix back would change"
    word = row.standing.word
    if word in ("failed", "rejected", "rolled back"):
        return "press R to have it looked at anew, or mend it by hand"
    if word == "explained":
        return "no safe fix is known; mend it by hand as explained, or press R to try again"
    return "nothing to do"


def timeline(detail: IncidentDetail, looks: Looks) -> list[Text]:
    """Returns every step and decision, with times, who, tokens and money."""
    lines = []
    for row in detail.timeline:
        line = Text(f"{day_and_time(row.at)}  ", looks.quiet)
        line.append(f"{row.kind:<22} ", looks.named("accent"))
        line.append(f"{row.actor}  ", looks.quiet)
        lines.append(line.append(row.text))
    return lines or [Text("nothing on record yet", looks.quiet)]
