"""`selfheal approve` and `reject`: a person's answer, from any terminal."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

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
from selfheal_tui.commands.driver import Consent, drive
from selfheal_tui.commands.incidents import summary
from selfheal_tui.model.approval import ApprovalRequest, RequestState
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.operations import texts
from selfheal_tui.probe import places


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


def _answer(options: Options, incident_id: str, *, approve: bool, code: str, reason: str) -> None:
    from selfheal_tui.pipeline.govern import WrongCodeError
    from selfheal_tui.pipeline.lease import IncidentBusyError
    from selfheal_tui.store import ApprovalConflictError

    with opened(_as_asked(options, incident_id)) as project:
        engine = project.engine
        incident = engine.store.incidents.get(incident_id.lstrip("#"))
        request = _request_of(engine, incident)
        try:
            if engine.store.approvals.state(request.request_id) is not RequestState.APPROVED or not approve:
                engine.governance.decide(
                    request.request_id, approve=approve, by=operator(), reason=reason, code=code
                )
        except (WrongCodeError, ApprovalConflictError) as error:
            fail(str(error), exits.REFUSED)
        consent = Consent(yes=False, wait_seconds=0.0, leave_open=True)
        try:
            ended = drive(engine, engine.resume(incident), consent)
        except IncidentBusyError:
            say("recorded; the waiting selfheal takes it from here")
            places.ring(str(engine.project.root), "approval")
            ended = engine.store.incidents.get(incident.incident_id)
            status = exits.OK
        else:
            served = places.ring(str(engine.project.root), "approval")
            if ended.state is IncidentState.ON_PROBATION and not served:
                ended = engine.closer.confirm(
                    ended,
                    "applied after approval; proved in an isolated copy, not yet seen in the live program",
                )
            status = _exit_code(ended)
    if options.as_json:
        emit_json(summary(ended))
    else:
        emit(f"{texts.standing(ended)}  {texts.headline(ended)}\n  {texts.one_line(ended.message, 2000)}")
    sys.exit(status if approve else exits.OK)


def _as_asked(options: Options, incident_id: str) -> Options:
    """Answers in the environment in which was asked, where nothing names another one."""
    with opened(options) as project:
        if project.loaded.origins["environment"].source != "default":
            return options
        incident = project.engine.store.incidents.get(incident_id.lstrip("#"))
        return replace(options, flags={**options.flags, "environment": incident.environment.value})


def _exit_code(ended: Incident) -> int:
    if ended.state is IncidentState.AWAITING_APPROVAL:
        return exits.NEEDS_PERSON  # something had changed under the approval, so it is asked anew
    if ended.state is IncidentState.ON_PROBATION or ended.outcome in (
        Outcome.HEALED,
        Outcome.HEALED_UNPROVEN,
    ):
        return exits.OK
    return exits.NOT_HEALED


def _request_of(engine: Any, incident: Incident) -> ApprovalRequest:
    if incident.state is not IncidentState.AWAITING_APPROVAL or not incident.request_id:
        fail(
            f"incident {incident.incident_id} does not wait for an approval: it is "
            f"{incident.outcome or incident.state}",
            exits.REFUSED,
        )
    request: ApprovalRequest = engine.store.approvals.get(incident.request_id)
    return request
