"""`selfheal demo`: heals a bundled agent project live, and leaves the folder for exploring.

It drives the very engine that `run` drives; nothing is staged but the operator, whose answers the demo
gives itself and says so. An incident that ends otherwise than expected makes the demo fail.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Failure, emit_json, fail, say, translated_errors
from selfheal_tui.commands.narration import tell, tell_json
from selfheal_tui.demo.scenarios import SCENARIOS, Scenario
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Environment, Outcome

ENVIRONMENTS = {"publish": Environment.STAGING, "archive": Environment.PRODUCTION}
"""Scenarios that show another environment than `local`: what staging allows unasked, how production asks."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a scenario ended.

    Attributes:
        name: The scenario.
        environment: Where it was said to run.
        expected: Outcome that the scenario announces.
        outcome: Outcome that it had; None when it did not close.
        exit_code: Last exit code of the program.
        incident: Its incident.
        as_expected: Whether the two agree.
    """

    name: str
    environment: Environment
    expected: Outcome
    outcome: Outcome | None
    exit_code: int
    incident: str
    as_expected: bool


@click.command("demo")
@click.option(
    "--headless", is_flag=True, help="Without the console; so it is too where there is no terminal."
)
@click.option(
    "--into", type=click.Path(path_type=Path), default=None, help="Folder to make; default: a temporary one."
)
@click.option(
    "--only", multiple=True, metavar="NAME", help="Run only this scenario; may be given more than once."
)
@click.option("--live", is_flag=True, help="Heal an agent that keeps running instead, without stopping it.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Steps as JSON lines on standard error, the endings on standard output.",
)
@click.option("--root", type=click.Path(path_type=Path), default=None, help="The same as --into.")
def demo_command(
    *,
    headless: bool,
    into: Path | None,
    only: tuple[str, ...],
    live: bool,
    as_json: bool,
    root: Path | None,
) -> None:
    """Copy a small agent project to a folder and heal its crashes live.

    On a terminal this opens the console on an agent that keeps running and keeps crashing: some of its crashes are
    healed unasked, others wait for your key. With --headless, --only or --json, or without a terminal, a series of
    crashes is healed and narrated instead, the demo itself playing the operator.

    Exit code 0 when every incident ended as announced, 1 otherwise.
    """
    from selfheal_tui.commands.console import has_terminal

    if has_terminal() and not (headless or only or live or as_json):
        from selfheal_tui.commands.demo_live import open_live

        with translated_errors(Path.cwd()):
            open_live(into or root)
    if live:
        from selfheal_tui.commands.demo_live import play_live

        with translated_errors(Path.cwd()):
            held = play_live(into or root, as_json=as_json)
        sys.exit(exits.OK if held else exits.NOT_HEALED)
    with translated_errors(Path.cwd()):
        endings, folder = _play(into or root, only, as_json=as_json)
    if not as_json:
        _close(endings, folder)
    sys.exit(exits.OK if all(ending.as_expected for ending in endings) else exits.NOT_HEALED)


def _play(into: Path | None, only: tuple[str, ...], *, as_json: bool) -> tuple[list[Ending], Path]:
    from selfheal_tui.demo.materialise import DemoError, materialise

    unknown = sorted(set(only) - {scenario.name for scenario in SCENARIOS})
    if unknown:
        fail(
            f"no such scenario: {', '.join(unknown)}; there are: {', '.join(s.name for s in SCENARIOS)}",
            exits.NOT_FOUND,
        )
    try:
        folder = materialise(into or Path(tempfile.mkdtemp(prefix="selfheal-demo-")))
    except DemoError as error:
        raise Failure(str(error), exits.BAD_INPUT) from error
    chosen = [s for s in SCENARIOS if (not only or s.name in only) and sys.version_info[:2] >= s.since]
    stdout = os.dup(1)
    if as_json:
        # The programs inherit standard output; with --json it is reserved for the one document at the end.
        os.dup2(2, 1)
    try:
        say(f"selfheal demo: a small agent project, in {folder}")
        endings = [
            _scenario(folder, s, number, len(chosen), as_json=as_json) for number, s in enumerate(chosen, 1)
        ]
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)
    if as_json:
        emit_json({"folder": str(folder), "endings": endings})
    return endings, folder


def _scenario(folder: Path, scenario: Scenario, number: int, total: int, *, as_json: bool) -> Ending:
    from selfheal_tui.pipeline.build import open_project
    from selfheal_tui.pipeline.system import follow
    from selfheal_tui.supervisor.run_loop import run_and_heal

    environment = ENVIRONMENTS.get(scenario.name, Environment.LOCAL)
    command = [sys.executable, *scenario.arguments]
    say(f"\n── {number}/{total} · {scenario.title} ({environment}) " + "─" * 20)
    say(f"   {scenario.narration}")
    say(f"   $ python {' '.join(scenario.arguments)}")
    with (
        contextlib.chdir(folder),
        open_project(folder, environ=os.environ, flags={"environment": environment.value}) as project,
    ):
        engine = project.engine
        before = {i.incident_id: i.count for i in engine.store.incidents.all()}
        code = follow(
            run_and_heal(engine, command, max_heals=1),
            lambda step: _as_operator(engine, step, as_json=as_json),
        )
        touched = [i for i in engine.store.incidents.all() if before.get(i.incident_id) != i.count]
        incident = touched[-1] if touched else None
        if incident is not None and scenario.rolls_back and incident.outcome is Outcome.HEALED:
            incident = _roll_back(engine, incident, as_json=as_json)
    outcome = incident.outcome if incident else None
    return Ending(
        name=scenario.name,
        environment=environment,
        expected=scenario.expected,
        outcome=outcome,
        exit_code=code,
        incident=incident.incident_id if incident else "",
        as_expected=outcome is scenario.expected,
    )


def _as_operator(engine: Any, step: object, *, as_json: bool) -> None:
    """Tells a step, and answers an approval request as the demo's operator, typed code included."""
    from selfheal_tui.pipeline.steps import ApprovalNeeded

    (tell_json if as_json else tell)(step)
    if not isinstance(step, ApprovalNeeded):
        return
    code = step.request.binding.code
    say(f"           (the demo plays the operator: it reads the diff and types the code {code})")
    engine.governance.decide(
        step.request.request_id,
        approve=True,
        by="demo",
        reason=f"read the diff of {step.incident.incident_id}",
        code=code,
    )


def _roll_back(engine: Any, incident: Incident, *, as_json: bool) -> Incident:
    say(f"   $ selfheal rollback {incident.incident_id}      (the demo plays the operator)")
    reverted = engine.closer.revert(incident, "taken back to show that it can be", actor="operator:demo")
    from selfheal_tui.pipeline.steps import Progressed

    (tell_json if as_json else tell)(Progressed(reverted))
    assert isinstance(reverted, Incident)
    assert reverted.state is IncidentState.CLOSED
    return reverted


def _close(endings: list[Ending], folder: Path) -> None:
    say("\n── How it ended " + "─" * 50)
    for ending in endings:
        outcome = ending.outcome.value if ending.outcome else "still open"
        sign = "as announced" if ending.as_expected else f"EXPECTED {ending.expected.value}"
        say(f"  {ending.name:<10} {ending.environment:<11} #{ending.incident:<6} {outcome:<18} {sign}")
    say(f"\nThe folder stays: cd {folder}")
    say("  selfheal incidents          what happened")
    say("  selfheal show ID            cause, proof and timeline of one incident")
    say("  selfheal history --verify   the audit trail is whole")
    say("  selfheal backups            what can be taken back, with: selfheal rollback ID")
