"""`selfheal heal`: heals from a traceback text alone, and says that this is less evidence."""

from __future__ import annotations

import sys
from typing import IO

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, fail, opened, project_options, say
from selfheal_tui.commands.driver import Consent, drive
from selfheal_tui.commands.incidents import without_secrets
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.operations import texts


@click.command("heal")
@click.option("--yes", is_flag=True, help="Agree beforehand to a proved, unflagged fix; never in production.")
@click.option(
    "--wait", "wait_seconds", type=click.FloatRange(0), default=0.0, help="Seconds to wait for an approval."
)
@click.argument("file", type=click.File("rb"), default="-")
@project_options
def heal_command(*, options: Options, yes: bool, wait_seconds: float, file: IO[bytes]) -> None:
    """Heal from the last traceback in FILE (or standard input).

    Exit code 0 when the fix is applied, 1 when there is none, 65 when the text holds no traceback, 75 when
    a person has to decide (`selfheal approve`), 77 when it was refused.
    """
    from selfheal_tui.source.tracebacks import NotATracebackError, parse_traceback

    text = file.read().decode("utf-8", "replace")
    try:
        report = parse_traceback(text)
    except NotATracebackError as error:
        fail(f"{error}", exits.BAD_INPUT)
    with opened(options) as project:
        engine = project.engine
        say("selfheal: from text alone: no live objects and no captured arguments, so there is less evidence")
        incident = engine.take_in(report)
        consent = Consent(yes=yes, wait_seconds=wait_seconds, leave_open=wait_seconds == 0)
        ended = drive(engine, engine.walk(incident), consent)
        if ended.state is IncidentState.ON_PROBATION:
            ended = engine.closer.confirm(
                ended, "applied; proved in an isolated copy, not yet seen in the live program"
            )
    if options.as_json:
        emit_json(without_secrets(ended))
    else:
        emit(f"{texts.standing(ended)}  {texts.headline(ended)}\n  {texts.one_line(ended.message, 2000)}")
    sys.exit(exit_code(ended.state, ended.outcome))


def exit_code(state: IncidentState, outcome: Outcome | None) -> int:
    """Returns the documented exit code for where an incident stands."""
    if state is IncidentState.AWAITING_APPROVAL:
        return exits.NEEDS_PERSON
    if outcome in (Outcome.HEALED, Outcome.HEALED_UNPROVEN):
        return exits.OK
    return exits.REFUSED if outcome is Outcome.REJECTED else exits.NOT_HEALED
