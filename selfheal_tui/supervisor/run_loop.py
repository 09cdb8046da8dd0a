"""Runs a command, heals its crash, runs it again: `selfheal run` for one program.

It drives the engine and the program and yields what happens; it draws nothing and decides nothing.
A fix is on probation until the command has run again: the same crash, or a new one inside a changed
function, takes it back.
"""

from __future__ import annotations

import signal
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.pipeline.intake import Arrival
from selfheal_tui.pipeline.lease import IncidentBusyError
from selfheal_tui.pipeline.rollback import RollbackConflictError
from selfheal_tui.pipeline.steps import Held, Progressed, Step
from selfheal_tui.pipeline.system import Engine, Silence
from selfheal_tui.store import BadReportError, StoreError
from selfheal_tui.supervisor.program import ProgramExit, run_program
from selfheal_tui.supervisor.standard_input import StandardInput


@dataclass(frozen=True, slots=True)
class ProgramStarted:
    """The command is about to run.

    Attributes:
        argv: The command.
        run: 1 for the first time.
        note: What this run will miss that the one before had; empty for nothing.
    """

    argv: tuple[str, ...]
    run: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProgramEnded:
    """The command ended.

    Attributes:
        exit: How.
        run: Which run.
        crashes: How many crashes it reported.
    """

    exit: ProgramExit
    run: int
    crashes: int


_STOPS = frozenset(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
)

LoopEvent = ProgramStarted | ProgramEnded | Step


def drain(engine: Engine, files: Sequence[Path]) -> list[Incident]:
    """Takes in reports from the inbox; each file stays until `finish` so that payloads remain readable.

    Args:
        engine: The engine.
        files: Report files, in order.

    Returns:
        The incidents, without repetition, in order of first appearance.
    """
    incidents: dict[str, Incident] = {}
    for file in files:
        try:
            report = engine.store.inbox.load(file)
        except BadReportError as error:
            engine.store.audit.append(
                "report.refused", actor="engine", data={"file": file.name, "why": str(error)}
            )
            continue
        incident = engine.take_in_all([Arrival(report, file.name)])[0].incident
        incidents[incident.incident_id] = incident
    return list(incidents.values())


def run_and_heal(
    engine: Engine, argv: Sequence[str], *, max_heals: int, hang_seconds: float = 0.0
) -> Generator[LoopEvent, Silence | None, int]:
    """Runs a command until it ends by itself or cannot be healed.

    Args:
        engine: The engine of the project.
        argv: The command.
        max_heals: How many fixes may be applied in this call.
        hang_seconds: The command is ended and healed once its main thread has stayed so long in one loop or
            wait; 0 never.

    Yields:
        Program events, and the engine's steps; answers to `ApprovalNeeded` are passed on to the engine.

    Returns:
        The program's last exit code, `128 + n` when signal n ended it.

    Raises:
        ProgramNotFoundError: There is no such command.
    """
    root, inbox = engine.project.root, engine.store.inbox
    for stale in inbox.pending():
        drain(engine, [stale])
        inbox.done(stale)
    heals = run = 0
    given = StandardInput()
    probation: list[Incident] = []
    while True:
        run += 1
        note = given.rewind() if run > 1 else ""
        yield ProgramStarted(tuple(argv), run, note)
        ended = run_program(argv, root=root, inbox=inbox.directory, hang_seconds=hang_seconds)
        files = inbox.pending()
        incidents = drain(engine, files)
        yield ProgramEnded(ended, run, len(files))
        code = ended.code if ended.signal is None else 128 + ended.signal
        try:
            for fixed in probation:
                yield Progressed(settle(engine, fixed, incidents, code, how=how_it_ran(ended, code, note)))
            probation = []
            if not incidents or heals >= max_heals:
                return code
            for incident in incidents:
                current = engine.store.incidents.get(incident.incident_id)
                try:
                    walked = yield from engine.walk(current)
                except IncidentBusyError as error:
                    # The other one heals it; the program's exit code stays ours to hand on.
                    yield Held(replace(current, message=str(error)))
                    continue
                if walked.state is IncidentState.ON_PROBATION:
                    probation.append(walked)
                    heals += 1
                elif walked.state is IncidentState.CLOSED:
                    yield Progressed(walked)
            if not probation:
                return code
        finally:
            for file in files:
                inbox.done(file)


def how_it_ran(ended: ProgramExit, code: int, note: str) -> str:
    """Returns how a new run went, as evidence: one that was stopped, or had less input, showed less."""
    stops = [number for number in ended.received if number in _STOPS]
    stopped = ended.signal or (stops[-1] if stops else None)
    how = f"the command ran again until signal {stopped} stopped it" if stopped else "the command ran again"
    return f"{how} (exit code {code}{'; ' + note if note else ''})"


def settle(
    engine: Engine, fixed: Incident, crashes: Sequence[Incident], code: int, *, how: str = ""
) -> Incident:
    """Ends the probation of a fix after its command ran again.

    Args:
        engine: The engine.
        fixed: The incident on probation.
        crashes: What the new run reported.
        code: Its exit code.
        how: How the new run went, from `how_it_ran`; by default, to its end.

    Returns:
        The incident, healed or rolled back; still on probation if taking it back met later edits.
    """
    problem = verdict_on(fixed, crashes)
    current = engine.store.incidents.get(fixed.incident_id)
    if not problem:
        seen = how or f"the command ran again (exit code {code})"
        return engine.closer.confirm(current, f"{seen} and the crash did not return")
    return take_back(engine, current, problem)


def take_back(engine: Engine, fixed: Incident, problem: str) -> Incident:
    """Takes a fix on probation back, on disk.

    Args:
        engine: The engine.
        fixed: The incident on probation.
        problem: What speaks against the fix.

    Returns:
        The incident, rolled back; still on probation, on record, if later edits are in the way.
    """
    try:
        return engine.closer.revert(fixed, problem)
    except (RollbackConflictError, StoreError) as error:
        engine.store.audit.append(
            "change.revert_failed",
            actor="engine",
            incident_id=fixed.incident_id,
            data={"why": problem, "error": str(error)},
        )
        return fixed


def verdict_on(fixed: Incident, crashes: Sequence[Incident]) -> str:
    """Returns what speaks against a fix after a new run, or an empty string."""
    attempt = fixed.chosen_attempt
    changed = {(t.path, t.qualname) for t in attempt.candidate.targets} if attempt else set()
    for crash in crashes:
        if crash.fingerprint == fixed.fingerprint:
            return "the same crash returned after the fix"
        if crash.report.stuck and fixed.report.stuck:
            return "the program still does not come to its end"
        suspect = crash.report.suspect()
        if suspect is not None and (suspect[1].path, suspect[1].qualname) in changed:
            return f"a new crash inside the changed function {suspect[1].qualname}"
    return ""
