"""`selfheal approve` and `reject`: a person's answer, from any terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import (
    Options,
    emit,
    emit_json,
    fail,
    operator,
    project_options,
    say,
)
from selfheal_tui.commands.incidents import summary
from selfheal_tui.operations import texts
from selfheal_tui.operations.answers import Answer, Came
from selfheal_tui.operations.opening import Session
from selfheal_tui.pipeline.build import Opened

CODES = {
    Came.DONE: exits.OK,
    Came.NOT_HEALED: exits.NOT_HEALED,
    Came.NOT_PROVED: exits.NOT_HEALED,
    Came.ASKED_ANEW: exits.NEEDS_PERSON,
    Came.REFUSED: exits.REFUSED,
    Came.NOT_FOUND: exits.NOT_FOUND,
}
"""Exit code for what came of a decision."""


@click.command("approve")
@click.option(
    "--code", default="", help="The code that `selfheal diff` shows; needed in production and after warnings."
)
@click.option("--reason", default="", help="Why, for the record.")
@click.argument("incident_id")
@project_options
def approve_command(*, options: Options, incident_id: str, code: str, reason: str) -> None:
    """Approve the proposed fix of an incident.

    The approval is worth only for the very patch and files that `selfheal diff` shows. A waiting
    `selfheal run` applies it; if none waits, it is applied here. Where `selfheal serve` serves the project, it
    brings the fix into the running programs and watches it. Where anything has changed since, the approval is
    worth nothing and the question is put anew (exit code 75).
    """
    _answer(options, incident_id, approve=True, code=code, reason=reason)


@click.command("reject")
@click.option("--reason", default="", help="Why; it goes into history and into the next proposal.")
@click.argument("incident_id")
@project_options
def reject_command(*, options: Options, incident_id: str, reason: str) -> None:
    """Reject the proposed fix of an incident; the same fix is never proposed for it again."""
    _answer(options, incident_id, approve=False, code="", reason=reason)


def session_of(options: Options) -> Session:
    """Returns a command's options as what the operations open projects by."""
    return Session(options.root, os.environ, options.flags, options.env_file)


@contextlib.contextmanager
def opened_as_asked(options: Options, incident_id: str) -> Iterator[Opened]:
    """Opens the project in the environment in which was asked; says so when something had been left half-done."""
    with session_of(options).opened_as_asked(incident_id) as project:
        for line in project.recovered:
            say(f"recovered: {line}")
        yield project


def refuse_unless_done(answer: Answer) -> None:
    """Ends the command with the answer's sentence where nothing was decided."""
    if not answer.ok and answer.came in (Came.REFUSED, Came.NOT_FOUND):
        fail(answer.text, CODES[answer.came])


def _answer(options: Options, incident_id: str, *, approve: bool, code: str, reason: str) -> None:
    from selfheal_tui.commands.narration import tell
    from selfheal_tui.operations import decisions

    with opened_as_asked(options, incident_id) as project:
        if approve:
            answer = decisions.approve(
                project, incident_id, by=operator(), code=code, reason=reason, tell=tell
            )
        else:
            answer = decisions.reject(project, incident_id, by=operator(), reason=reason, tell=tell)
    refuse_unless_done(answer)
    if answer.handed_on:
        say(answer.text)
    ended = answer.incident
    assert ended is not None
    if options.as_json:
        emit_json(summary(ended))
    else:
        emit(f"{texts.standing(ended)}  {texts.headline(ended)}\n  {texts.one_line(ended.message, 2000)}")
    sys.exit(CODES[answer.came])
