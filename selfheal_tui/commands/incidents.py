"""`selfheal incidents` and `diff`: what happened, and what would be written."""

from __future__ import annotations

from typing import Any

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, fail, opened, project_options
from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.incident import Attempt, Incident, IncidentState
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.operations import sentences, texts
from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.store import Store


@click.command("incidents")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, newest first."
)
@project_options
def incidents_command(*, options: Options, limit: int) -> None:
    """List incidents, newest first."""
    with opened(options) as project:
        found = project.engine.store.incidents.all(limit=limit)
        expired = {i.incident_id for i in found if question_expired(project.engine.store, i)}
    if options.as_json:
        emit_json([summary(i) | {"question_expired": i.incident_id in expired} for i in found])
        return
    if not found:
        emit("no incidents yet. Start a program with: selfheal run -- python your_program.py")
    for incident in found:
        standing = "! question expired" if incident.incident_id in expired else texts.standing(incident)
        emit(f"{standing:<22} {texts.headline(incident)}")
        source = f" · from {incident.report.source}" if incident.report.source is CaptureSource.SCAN else ""
        emit(f"{'':<22} {texts.kind_of(incident)} · {texts.moment(incident.last_seen)}{source}")
        emit(f"{'':<22} {texts.one_line(incident.message)}")


@click.command("diff")
@click.option(
    "--candidate", type=click.IntRange(1), default=None, help="Number of the candidate as `show` counts."
)
@click.option("--side-by-side", is_flag=True, help="Two columns instead of a unified diff.")
@click.option(
    "--hunks", "by_hunks", is_flag=True, help="Hunk by hunk, with the numbers that `revise --hunks` takes."
)
@project_options
@click.argument("incident_id")
def diff_command(
    *, options: Options, incident_id: str, candidate: int | None, side_by_side: bool, by_hunks: bool
) -> None:
    """Show exactly what a fix would write (or wrote), and the code to approve it with."""
    with opened(options) as project:
        engine = project.engine
        incident = engine.store.incidents.get(incident_id.lstrip("#"))
        attempt = _pick(incident, candidate)
        before = engine.closer.texts_before(attempt)
        request = (
            engine.store.approvals.get(incident.request_id)
            if incident.request_id and attempt is incident.chosen_attempt
            else None
        )
        expired = question_expired(engine.store, incident)
    from selfheal_tui.source.diff import unified_diff

    known = incident.regression if attempt is incident.chosen_attempt else None
    test = known if known and known.text and known.patch_sha256 == attempt.candidate.patch_sha256 else None
    texts_now = {edit.path: (before.get(edit.path, ""), edit.text) for edit in attempt.candidate.edits}
    diffs = {path: unified_diff(old, new, path) for path, (old, new) in texts_now.items()}
    if options.as_json:
        body: dict[str, Any] = {
            "incident": incident.incident_id,
            "candidate": attempt.candidate.candidate_id,
            "patch_sha256": attempt.candidate.patch_sha256,
            "files": diffs,
            "code": request.binding.code if request and not expired else None,
            "regression_test": {"path": test.path, "text": test.text} if test is not None else None,
        }
        if by_hunks:
            body["hunks"] = _hunks(texts_now)
        emit_json(body)
        return
    if by_hunks:
        for line in sentences.diff([FileChange(path, *both) for path, both in texts_now.items()]):
            emit(line)
    for path, (old, new) in texts_now.items() if not by_hunks else ():
        if side_by_side:
            from selfheal_tui.commands.columns import two_columns

            emit(two_columns(path, old, new))
        else:
            emit(diffs[path].rstrip("\n"))
    if test is not None:
        emit(f"\noffered besides ({texts.one_line(test.what)}):")
        emit(unified_diff("", test.text, test.path).rstrip("\n"))
    if request is not None and expired:
        emit("\nthe question has expired; when the crash returns it is asked anew")
    elif request is not None:
        emit(
            f"\ncode: {request.binding.code}   approve with: selfheal approve {incident.incident_id} --code {request.binding.code}"
        )


def _hunks(files: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    from selfheal_tui.source.hunks import hunks_of

    found: list[dict[str, Any]] = []
    for path, (old, new) in files.items():
        for hunk in hunks_of(old, new):
            found.append(
                {
                    "number": len(found) + 1,
                    "path": path,
                    "line": hunk.start + 1,
                    "before": "".join(hunk.before),
                    "after": "".join(hunk.after),
                }
            )
    return found


def question_expired(store: Store, incident: Incident) -> bool:
    """Returns whether an incident waits for an answer that would come too late; its crash asks anew."""
    if incident.state is not IncidentState.AWAITING_APPROVAL or not incident.request_id:
        return False
    return store.approvals.state(incident.request_id) is RequestState.EXPIRED


def _pick(incident: Incident, number: int | None) -> Attempt:
    if number is not None:
        if number > len(incident.attempts):
            fail(
                f"there are {len(incident.attempts)} candidates; see `selfheal show {incident.incident_id}`",
                exits.NOT_FOUND,
            )
        return incident.attempts[number - 1]
    attempt = incident.chosen_attempt
    if attempt is None:
        fail(
            f"incident {incident.incident_id} has no chosen fix: {incident.message or incident.state}. "
            "Candidates that failed can be seen with --candidate N",
            exits.NOT_FOUND,
        )
    return attempt


def summary(incident: Incident) -> dict[str, Any]:
    """Returns an incident without its captured locals and file texts."""
    diagnosis = incident.diagnosis
    raised = incident.report.raised
    return {
        "id": incident.incident_id,
        "state": incident.state.value,
        "outcome": incident.outcome.value if incident.outcome else None,
        "error": f"{raised.type}: {raised.message}",
        "place": texts.place(incident),
        "issue_type": diagnosis.issue_type.value if diagnosis else None,
        "severity": diagnosis.severity.value if diagnosis else None,
        "nature": diagnosis.nature.value if diagnosis else None,
        "count": incident.count,
        "environment": incident.environment.value,
        "source": incident.report.source.value,
        "first_seen": incident.first_seen,
        "last_seen": incident.last_seen,
        "message": incident.message,
        "needs_person": incident.state.value == "awaiting approval",
    }


def without_secrets(incident: Incident) -> dict[str, Any]:
    """Returns an incident in full, with the secrets in the file texts of its fixes masked.

    Those texts are stored exactly, since they are what would be written; `diff` alone shows them so.
    """
    from selfheal_tui.probe.redaction import mask_text

    body: dict[str, Any] = to_builtins(incident)
    for attempt in body["attempts"]:
        for edit in attempt["candidate"]["edits"]:
            edit["text"] = mask_text(edit["text"])
    return body
