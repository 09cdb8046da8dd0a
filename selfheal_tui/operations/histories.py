"""Makes the history of past attempts, and its forms for files: JSON, CSV, and a report in Markdown. Writes nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from selfheal_tui.model.incident import Incident
from selfheal_tui.model.record import HealingAttempt
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.operations import standings
from selfheal_tui.operations.details import by_of
from selfheal_tui.operations.safe import block, line
from selfheal_tui.operations.snapshot import AttemptRow
from selfheal_tui.store.attempts import AttemptStore

FORMS = ("json", "csv", "md")
MADE_BY = "selfheal-tui export 1"
"""At the beginning of every file that is exported, so that ours are known by it."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula (OWASP, CSV injection)."""
_COLUMNS = (
    "at", "incident", "outcome", "success", "error", "file", "kind", "by", "decided_by", "seconds", "tokens", "usd",
)  # fmt: skip


class HistoryReader:
    """Keeps the rows that were made: attempts are never changed, so only new ones are read."""

    def __init__(self) -> None:
        self._rows: list[AttemptRow] = []

    def rows(self, attempts: AttemptStore) -> tuple[AttemptRow, ...]:
        """Returns all attempts, oldest first."""
        if attempts.count() < len(self._rows):
            self._rows.clear()
        for attempt in attempts.all(after=len(self._rows)):
            self._rows.append(attempt_of(attempt, len(self._rows)))
        return tuple(self._rows)


def attempt_of(attempt: HealingAttempt, number: int) -> AttemptRow:
    """Makes a past attempt.

    Args:
        attempt: The attempt.
        number: Its place in the history, from 0.
    """
    return AttemptRow(
        key=f"{number}",
        at=_unix(attempt.timestamp),
        incident_id=line(attempt.incident_id, 70),
        standing=standings.of_attempt(attempt.outcome),
        success=attempt.success,
        error=line(attempt.error, 300),
        file=line(attempt.file),
        kind=line(f"{attempt.issue_type} {attempt.severity}", 60),
        by=line(f"{attempt.proposer[:100]}/{attempt.rule[:200]}", 200) if attempt.proposer else "",
        decided_by=line(attempt.decided_by, 100),
        seconds=attempt.seconds,
        tokens=attempt.tokens,
        usd=attempt.usd,
        preview="\n".join(block(attempt.fix_preview, lines=30, width=200)),
        validation=validation_lines(attempt.validation),
    )


def applied_of(incident: Incident, diff: str) -> AttemptRow:
    """Makes the row of a fix that is applied and still watched: it gets onto the record when the watch ends.

    Args:
        incident: On probation.
        diff: Unified diff of its fix.
    """
    attempt, diagnosis = incident.chosen_attempt, incident.diagnosis
    raised = incident.report.raised
    suspect = diagnosis.suspect if diagnosis else None
    proof = attempt.proof.reports if attempt else ()
    return AttemptRow(
        key=f"applied-{incident.incident_id}",
        at=incident.last_seen,
        incident_id=line(incident.incident_id, 70),
        standing=standings.of_incident(incident.state, incident.outcome),
        success=False,
        error=line(f"{raised.bare_type}: {raised.message[:1000]}", 300),
        file=line(suspect.path) if suspect else "",
        kind=line(f"{diagnosis.issue_type} {diagnosis.severity}", 60) if diagnosis else "",
        by=by_of(attempt.candidate) if attempt else "",
        decided_by=line(incident.message.removeprefix("applied by "), 100),
        seconds=max(0.0, incident.last_seen - incident.first_seen),
        tokens=incident.cost.prompt_tokens + incident.cost.completion_tokens,
        usd=incident.cost.usd,
        preview="\n".join(block(diff, lines=30, width=200)),
        validation=(line(" · ".join(f"{one.rung} {one.verdict}" for one in proof)),) if proof else (),
        decided=False,
    )


def validation_lines(validation: object) -> tuple[str, ...]:
    """Returns a proof on record in words, a line each: what failed and warned first, then every rung."""
    if not isinstance(validation, dict):
        return ()
    found = []
    for name, word in (("errors", "fail"), ("warnings", "warn"), ("not_possible", "not possible")):
        texts = validation.get(name)
        found += [line(f"{word}: {text!s:.1000}") for text in texts[:20]] if isinstance(texts, list) else []
    rungs = validation.get("rungs")
    if isinstance(rungs, dict):
        found.append(line(" · ".join(f"{name} {verdict}" for name, verdict in list(rungs.items())[:20])))
    return tuple(found)


def exported(rows: Sequence[AttemptRow], form: str, *, project: str, at: float) -> str:
    """Returns the history as the content of a file, newest first.

    Args:
        rows: The attempts, newest first.
        form: One of `FORMS`.
        project: The project's name.
        at: Unix time in seconds.

    Raises:
        ValueError: There is no such form.
    """
    if form == "json":
        body = {"made_by": MADE_BY, "project": project, "at": at, "attempts": [_flat(row) for row in rows]}
        return json.dumps(body, indent=2, ensure_ascii=True) + "\n"
    if form == "csv":
        return _as_csv(rows)
    if form == "md":
        return _as_markdown(rows, project, at)
    raise ValueError(f"there is no form {form!r}; choose one of {', '.join(FORMS)}")


def _flat(row: AttemptRow) -> dict[str, object]:
    return {
        "at": _iso(row.at),
        "incident": row.incident_id,
        "outcome": row.standing.word,
        "success": row.success,
        "error": row.error,
        "file": row.file,
        "kind": row.kind,
        "by": row.by,
        "decided_by": row.decided_by,
        "seconds": round(row.seconds, 3),
        "tokens": row.tokens,
        "usd": row.usd,
        "preview": row.preview,
        "validation": to_builtins(row.validation),
    }


def _as_csv(rows: Sequence[AttemptRow]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*_COLUMNS, MADE_BY])
    for row in rows:
        flat = _flat(row)
        writer.writerow([*(_cell(flat[name]) for name in _COLUMNS), ""])
    return stream.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _as_markdown(rows: Sequence[AttemptRow], project: str, at: float) -> str:
    healed = sum(row.success for row in rows)
    lines = [
        f"<!-- {MADE_BY} -->",
        f"# Healing history of {_code(project)}",
        "",
        f"{_iso(at)}: {len(rows)} attempts, {healed} healed.",
        "",
        "| when | incident | outcome | error | file | by | decided by |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (row.error, row.file, row.by, row.decided_by)
        shown = " | ".join(_code(cell) for cell in cells)
        lines.append(f"| {_iso(row.at)} | {_code('#' + row.incident_id)} | {row.standing.word} | {shown} |")
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """Puts a text between backticks, so that nothing in it is markup; pipes would end the cell even there."""
    if not text:
        return ""
    return "`" + text.replace("`", "ˋ").replace("|", "¦") + "`"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unix(timestamp: str) -> float:
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return 0.0
