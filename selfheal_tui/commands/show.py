"""`selfheal show`: one incident from its frames to its timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from selfheal_tui.commands.common import Options, emit, emit_json, opened, project_options
from selfheal_tui.commands.incidents import without_secrets
from selfheal_tui.model.incident import Incident
from selfheal_tui.model.record import AuditRecord
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.operations import texts

FACT_WIDTH = 160


@click.command("show")
@click.argument("incident_id")
@project_options
def show_command(*, options: Options, incident_id: str) -> None:
    """Show one incident: cause, frames, candidates with their proofs, timeline."""
    with opened(options) as project:
        store = project.engine.store
        incident = store.incidents.get(incident_id.lstrip("#"))
        timeline = store.audit.records(incident.incident_id)
    if options.as_json:
        emit_json({"incident": without_secrets(incident), "timeline": to_builtins(timeline)})
        return
    for part in (_overview, _frames, _candidates):
        for line in part(incident):
            emit(line)
    for line in _timeline(timeline):
        emit(line)


def _overview(incident: Incident) -> Iterator[str]:
    yield texts.headline(incident)
    yield (
        f"  {texts.standing(incident)} · {texts.kind_of(incident)} · {incident.environment} · "
        f"captured from {incident.report.source}"
    )
    diagnosis = incident.diagnosis
    if diagnosis is not None:
        yield f"  cause    {texts.one_line(diagnosis.root_cause, 2000)}"
        if diagnosis.failing_expression:
            yield f"  failing  {texts.one_line(diagnosis.failing_expression)}"
        yield f"  class    {diagnosis.reason}"
        for line in diagnosis.explanation.splitlines():
            yield f"           {line}"
        for place in diagnosis.trail:
            yield f"  came by  {place.path}:{place.line} {place.qualname}"
    yield f"  message  {texts.one_line(incident.message, 2000)}"
    if hint := texts.test_line(incident):
        yield f"  test     {hint}"


def _frames(incident: Incident) -> Iterator[str]:
    for info in incident.report.chain:
        # Indented, so that a message cannot pass for a line of ours.
        message = info.message.replace("\n", "\n    ")
        yield f"\n{info.link.value}: {texts.one_line(info.type)}: {message}"
        for frame in info.frames:
            sign = "▸" if frame.in_app else " "
            place = texts.one_line(f"{frame.path or frame.file}:{frame.line} {frame.qualname}")
            yield f"  {sign} {place}   {texts.one_line(frame.source)}"
            for value in texts.telling(frame.locals) if frame.in_app else ():
                yield f"        {texts.one_line(value.name, 80)} = {texts.one_line(value.repr, 100)}"


def _candidates(incident: Incident) -> Iterator[str]:
    for number, attempt in enumerate(incident.attempts):
        chosen = " (chosen)" if number == incident.chosen else ""
        yield f"\ncandidate {number + 1}{chosen}: {texts.fix_line(attempt.candidate)}"
        if attempt.note:
            yield f"  {attempt.note}"
        yield from texts.proof_lines(attempt.proof)


def _timeline(records: Sequence[AuditRecord]) -> Iterator[str]:
    yield "\ntimeline"
    for record in records:
        yield (
            f"  {texts.moment(record.at)}  {record.kind:<22} {record.actor:<20} "
            f"{texts.facts(record.data, FACT_WIDTH)}"
        )
