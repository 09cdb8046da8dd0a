"""`selfheal retry` and `cancel`: has an incident looked at anew, or ends the work on it."""

from __future__ import annotations

import sys

import click

from selfheal_tui.commands.approvals import CODES
from selfheal_tui.commands.common import Options, emit, emit_json, fail, opened, operator, project_options
from selfheal_tui.commands.incidents import summary
from selfheal_tui.operations.answers import Answer


@click.command("retry")
@click.argument("incident_id")
@project_options
def retry_command(*, options: Options, incident_id: str) -> None:
    """Have an incident that was not healed looked at anew.

    The engine that serves the project (`selfheal serve`, or an open console) takes it up. Exit code 66 when there
    is no such incident, 77 when it is being worked on, or its fix stands.
    """
    from selfheal_tui.operations import decisions

    with opened(options) as project:
        answer = decisions.retry(project, incident_id.lstrip("#"), by=operator())
    _tell(options, answer)


@click.command("cancel")
@click.argument("incident_id")
@project_options
def cancel_command(*, options: Options, incident_id: str) -> None:
    """End the work on an incident; it is closed as rejected, on record.

    Exit code 66 when there is no such incident, 77 when another process is at work on it at this moment (stop that
    one, or use its console), or when nothing is to be ended.
    """
    from selfheal_tui.operations import decisions

    with opened(options) as project:
        answer = decisions.cancel(project, incident_id.lstrip("#"), by=operator())
    _tell(options, answer)


def _tell(options: Options, answer: Answer) -> None:
    if not answer.ok:
        fail(answer.text, CODES[answer.came])
    if options.as_json:
        emit_json((summary(answer.incident) if answer.incident else {}) | {"answer": answer.text})
    else:
        emit(answer.text)
    sys.exit(CODES[answer.came])
