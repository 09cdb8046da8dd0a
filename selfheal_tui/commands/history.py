"""`selfheal history`: past attempts, and the proof that the audit trail is whole."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, fail, opened, project_options, say

if TYPE_CHECKING:
    from selfheal_tui.store import Store


@click.command("history")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, newest first."
)
@click.option("--verify", is_flag=True, help="Check that no record was altered, removed or reordered.")
@click.option("--audit", is_flag=True, help="List the audit trail instead of the attempts.")
@click.option(
    "--export",
    "file",
    default="",
    metavar="FILE",
    help="Write all attempts to FILE, relative to the project.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "csv", "md"]),
    default="json",
    show_default=True,
    help="Form of the exported file; md is a report.",
)
@project_options
def history_command(*, options: Options, limit: int, verify: bool, audit: bool, file: str, form: str) -> None:
    """List past healing attempts, newest first.

    With --verify: exit code 0 when the audit trail is whole, 1 when it was tampered with. With --export: exit code
    77 when FILE leads out of the project (unless it is absolute), or exists and was not written by an export.
    """
    with opened(options) as project:
        store = project.engine.store
        if file:
            _export(options, store, file, form)
            return
        if verify:
            result = store.audit.verify()
            if options.as_json:
                emit_json(result)
            else:
                emit(
                    f"{result.records} records, "
                    + ("the chain is whole" if result.ok else f"BROKEN: {result.problem}")
                )
            sys.exit(exits.OK if result.ok else exits.NOT_HEALED)
        if audit:
            records = store.audit.records()[-limit:][::-1]
            if options.as_json:
                emit_json(records)
            for record in () if options.as_json else records:
                emit(
                    f"{record.sequence:>6}  {record.kind:<24} {record.actor:<22} {record.incident_id:<8} {record.hash[:12]}"
                )
            return
        attempts = store.attempts.all()[-limit:][::-1]
    if options.as_json:
        emit_json(attempts)
        return
    if not attempts:
        emit("no healing attempts yet")
    for attempt in attempts:
        by = f" by {attempt.proposer}/{attempt.rule}" if attempt.proposer else ""
        decided = f", decided by {attempt.decided_by}" if attempt.decided_by else ""
        emit(
            f"{attempt.timestamp[:19]}  #{attempt.incident_id:<6} {attempt.outcome:<18} {attempt.issue_type:<13} {attempt.severity:<9} {attempt.error}"
        )
        emit(f"{'':<21}{attempt.file}{by}{decided}")


def _export(options: Options, store: Store, file: str, form: str) -> None:
    from selfheal_tui.operations.exports import ExportRefusedError, write_export
    from selfheal_tui.operations.histories import HistoryReader, exported
    from selfheal_tui.operations.safe import line

    rows = HistoryReader().rows(store.attempts)[::-1]
    text = exported(rows, form, project=line(options.root.name, 100), at=time.time())
    try:
        place = write_export(options.root, file, text)
    except ExportRefusedError as error:
        fail(str(error), exits.REFUSED)
    if options.as_json:
        emit_json({"file": str(place), "attempts": len(rows)})
    else:
        say(f"{len(rows)} attempts written to {place}")
