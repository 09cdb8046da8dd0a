"""`selfheal regression`: a test that keeps a healed crash healed, shown, and written only when asked for."""

from __future__ import annotations

import sys

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import (
    Options,
    emit,
    emit_json,
    fail,
    opened,
    operator,
    project_options,
    say,
)
from selfheal_tui.operations import texts


@click.command("regression")
@click.option(
    "--write", is_flag=True, help="Add the test to the project as a new file; on record, with a backup."
)
@click.argument("incident_id")
@project_options
def regression_command(*, options: Options, incident_id: str, write: bool) -> None:
    """Make a regression test of incident INCIDENT_ID from its replay.

    It is run in an isolated copy, three times without the fix and three times with it, and shown only if it is red
    and green every time. Nothing is written without --write, and no existing file is ever changed. Exit code 1 when
    there is no such test, 77 when it may not be written.
    """
    from selfheal_tui.model.ports import SandboxError
    from selfheal_tui.pipeline.apply import ApplyError
    from selfheal_tui.pipeline.govern import RefusedError
    from selfheal_tui.pipeline.regression import write_test

    with opened(options) as project:
        engine = project.engine
        try:
            incident = engine.regression(engine.store.incidents.get(incident_id.lstrip("#")))
        except SandboxError as error:
            fail(str(error), exits.HEALER_FAILED)
        known = incident.regression
        if known is None or not known.text:
            reason = known.problem if known is not None else "no fix of it was proved by a replay"
            fail(
                f"there is no regression test of {incident.incident_id}: {texts.one_line(reason, 1000)}",
                exits.NOT_HEALED,
            )
        transaction = ""
        if write:
            try:
                transaction = write_test(
                    engine.store, engine.project, engine.governance, incident, by=operator()
                )
            except (ApplyError, RefusedError) as error:
                fail(str(error), exits.REFUSED)
    if options.as_json:
        emit_json(
            {
                "incident": incident.incident_id,
                "path": known.path,
                "text": known.text,
                "seen": known.what,
                "written": write,
                "transaction": transaction,
            }
        )
        sys.exit(exits.OK)
    emit(known.text.rstrip("\n"))
    say(f"selfheal: {known.path}: {known.what}")
    if write:
        say(f"selfheal: written; `selfheal backups` lists the way back (transaction {transaction})")
    else:
        say(f"selfheal: not written; `selfheal regression {incident.incident_id} --write` adds it")
    sys.exit(exits.OK)
