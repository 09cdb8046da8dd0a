"""Keeps programs running while the engine serves them: what `selfheal run` does with several, or with --restart.

It wires service, manager and terminal together, tells what happens, and passes signals on. Standard output is the
programs'; nothing is decided here.
"""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from selfheal_tui.commands.common import Options, operator, say
from selfheal_tui.commands.narration import tell, tell_json
from selfheal_tui.commands.streams import Outlet
from selfheal_tui.config.programs import ProgramTable
from selfheal_tui.model.kinds import Environment, Restart
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.govern import RefusedError
from selfheal_tui.pipeline.steps import ApprovalNeeded, Progressed
from selfheal_tui.store import ApprovalConflictError
from selfheal_tui.supervisor.crew import Crew, Quarters
from selfheal_tui.supervisor.events import (
    Event,
    IncidentClosed,
    ProgramSwapped,
    ReportRefused,
    RestartNeeded,
    ServiceProblem,
    Stepped,
)
from selfheal_tui.supervisor.liaison import Liaison
from selfheal_tui.supervisor.lifecycle import ProgramChanged, ProgramState
from selfheal_tui.supervisor.program import FORWARDED, taking_signals
from selfheal_tui.supervisor.programs import ProgramManager, ProgramSpec
from selfheal_tui.supervisor.service import EngineBusyError, EngineService
from selfheal_tui.supervisor.terminal import our_size


def keep_running(
    project: Opened,
    options: Options,
    specs: Sequence[ProgramSpec],
    *,
    reset: Sequence[str],
    yes: bool,
) -> int:
    """Runs programs until all of them are at rest, and heals them meanwhile.

    Args:
        project: The open project.
        options: Of the command.
        specs: The programs.
        reset: Programs whose breakers are lifted first.
        yes: Standing consent to proved, unflagged fixes.

    Returns:
        Our exit code.
    """
    store, settings = project.engine.store, project.loaded.settings
    service = EngineService(options.root, flags=options.flags, env_file=options.env_file)
    outlet = Outlet([spec.name for spec in specs])
    consent = yes and settings.environment is not Environment.PRODUCTION
    if yes and not consent:
        say("selfheal: --yes does not count in production; every fix will be asked for")

    def changed(change: ProgramChanged) -> None:
        if change.program.state not in _WITH_OUTPUT:
            outlet.flush(change.program.name)
        if options.as_json:
            tell_program_json(change)
        else:
            tell_program(change, several=len(specs) > 1)

    def record(kind: str, actor: str, facts: Mapping[str, Any]) -> None:
        store.audit.append(kind, actor=actor, data=facts)

    quarters = Quarters(
        root=options.root,
        inbox=store.inbox.directory,
        state_directory=store.directory,
        settings=settings.supervision,
        sinks={spec.name: outlet.sink(spec.name) for spec in specs},
    )
    crew = Crew(specs, quarters, ran_well=service.ran_well, changed=changed, record=record)
    liaison, manager = crew.liaison, crew.manager
    crew.reset(reset, operator())

    def heard(event: Event) -> None:
        liaison.hear(event)
        if not options.as_json:
            tell_event(event)
        elif isinstance(event, Stepped):
            tell_json(event.step)
        if consent and isinstance(event, Stepped) and isinstance(event.step, ApprovalNeeded):
            _agree(project, liaison, event.step)

    service.subscribe(heard)
    with signals_to(manager), _serving(service), manager:
        manager.start()
        manager.wait()
    return manager.exit_code()


@contextlib.contextmanager
def _serving(service: EngineService) -> Iterator[None]:
    """Serves meanwhile; where another process serves already, programs report to that one."""
    try:
        service.start()
    except EngineBusyError as error:
        say(f"selfheal: {error}")
        say("selfheal: it heals what runs here; these programs are started again by their policy alone")
        yield
        return
    try:
        yield
    finally:
        service.stop("the programs have ended")
        service.join()


def _agree(project: Opened, liaison: Liaison, step: ApprovalNeeded) -> None:
    if step.request.needs_code:
        say("           --yes does not count here: this approval must be typed")
        return
    try:
        project.engine.governance.decide(
            step.request.request_id, approve=True, by=operator(), reason="agreed beforehand with --yes"
        )
    except (ApprovalConflictError, RefusedError) as error:
        say(f"           --yes was not taken: {error}")
        return
    liaison.agree(step.incident.incident_id)


_WITH_OUTPUT = frozenset({ProgramState.STARTING, ProgramState.RUNNING, ProgramState.STOPPING})
_STOPPING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGQUIT})


def specs_of(tables: Sequence[ProgramTable], default: Restart, override: Restart | None) -> list[ProgramSpec]:
    """Makes the programs of `[[program]]` tables.

    Args:
        tables: The tables.
        default: Policy of those that have none.
        override: Policy from the command line; it wins over all.
    """
    return [
        ProgramSpec(
            name=table.name,
            argv=table.command,
            cwd=table.cwd,
            restart=override or table.restart or default,
            pty=table.pty,
            environ=table.env,
        )
        for table in tables
    ]


def name_of(command: Sequence[str]) -> str:
    """Returns the name of a program that was given as a command: that of its script, else of its executable."""
    words = [word for word in command[1:] if not word.startswith("-")]
    script = next((word for word in words if word.endswith(".py")), command[0])
    stem = Path(script).stem.lstrip("._-")
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in stem)
    return kept.lstrip("._-")[:64] or "program"


@contextlib.contextmanager
def signals_to(manager: ProgramManager) -> Iterator[None]:
    """Passes our signals on to the programs: the first that ends us stops them, the second kills them.

    Handlers only note the number: what they interrupt may hold any lock.
    """
    received: queue.SimpleQueue[int] = queue.SimpleQueue()

    def note(number: int, _frame: FrameType | None = None) -> None:
        received.put(number)

    def act() -> None:
        stopping = False
        while number := received.get():
            if number in _STOPPING:
                if stopping:
                    manager.kill()
                else:
                    manager.stop(number=number)
                stopping = True
            elif number == signal.SIGWINCH:
                manager.resize(*our_size())
            else:
                manager.send(number)

    acting = threading.Thread(target=act, name="selfheal-signals", daemon=True)
    acting.start()
    try:
        with taking_signals(note, (*FORWARDED, "SIGWINCH")):
            yield
    finally:
        received.put(0)
        acting.join()


def tell_event(event: Event) -> None:
    """Narrates what the engine does."""
    match event:
        case Stepped(step=step):
            tell(step)
        case IncidentClosed(incident=incident):
            tell(Progressed(incident))
        case ProgramSwapped(incident_id=incident_id, pid=pid, restored=restored):
            what = "the fix is taken out of" if restored else "the fix is in"
            say(f"selfheal: {incident_id}: {what} the running program {pid}")
        case RestartNeeded(incident_id=incident_id, pid=pid, reasons=reasons, restored=restored):
            why = "; ".join(f"{reason.what}: {reason.why}" for reason in reasons)
            what = "taken back on disk; restart needed" if restored else "restart needed"
            say(f"selfheal: {incident_id}: {what} for program {pid}: {why}")
        case ServiceProblem(where=where, error=error):
            say(f"selfheal: {where}: {error}")
        case ReportRefused(file=file, why=why):
            say(f"selfheal: report {file} refused: {why}")
        case _:
            pass


def tell_program(change: ProgramChanged, *, several: bool) -> None:
    """Narrates what became of a program, where that is news."""
    program = change.program
    name = program.name if several else "the program"
    match program.state:
        case ProgramState.RUNNING if program.run > 1 and change.before is not program.state:
            say(f"selfheal: {name} runs again (run {program.run})")
        case ProgramState.BACKING_OFF | ProgramState.BROKEN:
            say(f"selfheal: {name} {program.message}")
            if program.state is ProgramState.BROKEN:
                say(f"selfheal: `selfheal run --reset-breaker {program.name}` starts it all the same")
        case ProgramState.STOPPED if program.exit is None or program.code:
            say(f"selfheal: {name} {program.message}")
        case ProgramState.STOPPING if not program.message.startswith("stopping"):
            say(f"selfheal: {name} is started anew: {program.message}")
        case ProgramState.RUNNING if change.before is program.state:
            say(f"selfheal: {name}: {program.message}")
        case _:
            pass


def tell_program_json(change: ProgramChanged) -> None:
    """Narrates a change as one JSON line."""
    body: dict[str, Any] = {"step": "ProgramChanged", **to_builtins(change)}
    sys.stderr.write(json.dumps(body) + "\n")
    sys.stderr.flush()
