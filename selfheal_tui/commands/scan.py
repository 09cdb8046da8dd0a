"""`selfheal scan`: finds faults before they crash; only such as raise when their line runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, fail, opened, project_options, say
from selfheal_tui.commands.incidents import summary
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.operations import texts

DEFAULT_CONFIDENCE = 0.8


@click.command("scan")
@click.option("--report", is_flag=True, help="Take what is found in as incidents (source `scan`).")
@click.option(
    "--fix", is_flag=True, help="Propose fixes as well; each waits for `selfheal approve`. Implies --report."
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=DEFAULT_CONFIDENCE,
    show_default=True,
    help="Leave less certain faults out.",
)
@click.option(
    "--mypy", "with_mypy", is_flag=True, help="Ask mypy as well, if it is installed; believed at 0.7."
)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@project_options
def scan_command(
    *,
    options: Options,
    report: bool,
    fix: bool,
    min_confidence: float,
    with_mypy: bool,
    paths: tuple[Path, ...],
) -> None:
    """Find faults that will crash when their line runs, in PATHS or the whole project.

    Nothing of the project is run or imported, and nothing is written unless --report or --fix is given. No fix is
    ever applied unasked: nothing has crashed yet, so none can be proved.

    Exit code 0 when nothing was found, 1 when something was, 75 when fixes wait for `selfheal approve`.
    """
    from selfheal_tui.config import load_settings
    from selfheal_tui.model.ports import SandboxError
    from selfheal_tui.pipeline.scan import chosen_files, find_faults
    from selfheal_tui.source.project import OutsideRootError, Project

    loaded = load_settings(
        options.root, environ=os.environ, flags=dict(options.flags), env_file=options.env_file
    )
    project = Project(options.root, loaded.settings.project)
    if with_mypy:
        min_confidence = min(min_confidence, 0.7)
    try:
        files = chosen_files(project, [path.absolute() for path in paths])
        found = find_faults(
            project,
            files,
            interpreter=loaded.settings.project.interpreter,
            confidence=min_confidence,
            with_mypy=with_mypy,
            tell=lambda text: say(f"selfheal: {text}"),
        )
    except OutsideRootError as error:
        fail(f"{error}; name another --root", exits.USAGE)
    except SandboxError as error:
        fail(str(error), exits.HEALER_FAILED)
    incidents = _taken_in(options, found, fix=fix) if (report or fix) and found else []
    if options.as_json:
        emit_json({"files": len(files), "faults": found, "incidents": [summary(i) for i in incidents]})
    else:
        _tell(found, incidents)
        say(f"selfheal: {len(files)} files read, {len(found)} fault{'s' * (len(found) != 1)} found")
    waiting = any(i.state is IncidentState.AWAITING_APPROVAL for i in incidents)
    sys.exit(exits.NEEDS_PERSON if waiting else exits.NOT_HEALED if found else exits.OK)


def _tell(found: Sequence[Any], incidents: Sequence[Incident]) -> None:
    for number, one in enumerate(found):
        emit(
            f"{one.path}:{one.line}  {texts.one_line(f'{one.exception}: {one.message}')}  "
            f"[{one.detector} {one.confidence:.2f}]"
        )
        emit(f"    {texts.one_line(one.source)}")
        if number < len(incidents):
            incident = incidents[number]
            emit(
                f"    {texts.standing(incident)} #{incident.incident_id}  {texts.one_line(incident.message)}"
            )


def _taken_in(options: Options, found: Sequence[Any], *, fix: bool) -> list[Incident]:
    from selfheal_tui.commands.driver import Consent, drive
    from selfheal_tui.pipeline.intake import Arrival
    from selfheal_tui.pipeline.lease import IncidentBusyError
    from selfheal_tui.pipeline.scan import report_of

    with opened(options) as opened_project:
        engine = opened_project.engine
        interpreter = opened_project.loaded.settings.project.interpreter
        reports = [report_of(one, engine.project, interpreter=interpreter) for one in found]
        taken = engine.take_in_all([Arrival(one) for one in reports])
        ended: dict[str, Incident] = {}
        consent = Consent(yes=False, wait_seconds=0.0, leave_open=True)
        for one in taken:
            incident = engine.store.incidents.get(one.incident.incident_id)
            if incident.incident_id in ended:
                continue
            settled = incident.state is IncidentState.CLOSED and incident.outcome is Outcome.REJECTED
            walk = engine.walk(incident) if fix and not settled else engine.explain(incident)
            try:
                ended[incident.incident_id] = drive(engine, walk, consent, as_json=options.as_json)
            except IncidentBusyError as error:
                say(f"selfheal: {incident.incident_id}: {error}")
                ended[incident.incident_id] = incident
        return [ended[one.incident.incident_id] for one in taken]
