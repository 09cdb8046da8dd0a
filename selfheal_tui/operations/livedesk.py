"""The real desk: what a face asks and decides goes from here to the store, the engine and the programs.

It wires threads together and does no work of its own: the clerk reads, errands decide, the seat serves, the crew
keeps programs. Every method returns at once and may be called from any thread.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from selfheal_tui.config import ConfigError
from selfheal_tui.operations import decisions
from selfheal_tui.operations import programs as program_views
from selfheal_tui.operations.backuptree import backup_tree
from selfheal_tui.operations.clerk import Around, Clerk, ClerkCalls, Room
from selfheal_tui.operations.deciding import DecidingDesk
from selfheal_tui.operations.desk import (
    Answered,
    BackupsReady,
    DeskEvent,
    HistoryReady,
    InsightsReady,
    PolicyReady,
    PreviewReady,
)
from selfheal_tui.operations.engineseat import EngineSeat, SeatCalls
from selfheal_tui.operations.errands import Errands
from selfheal_tui.operations.liveproof import LiveProofs
from selfheal_tui.operations.opening import Session
from selfheal_tui.operations.policyview import policy_of, sandbox_text
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.shelf import Shelf
from selfheal_tui.operations.snapshot import RollbackPreview
from selfheal_tui.store import StoreError
from selfheal_tui.supervisor.crew import Crew, Quarters
from selfheal_tui.supervisor.events import (
    Event,
    IncidentClosed,
    JobMoved,
    ReportRefused,
    RestartNeeded,
    ServiceProblem,
    ServiceStopped,
    Stepped,
)
from selfheal_tui.supervisor.lifecycle import AT_REST
from selfheal_tui.supervisor.output import OutputSnapshot
from selfheal_tui.supervisor.programs import ProgramManager, ProgramSpec, UnknownProgramError
from selfheal_tui.supervisor.queue import JobState

_LOG = logging.getLogger(__name__)
STOP_SECONDS = 1.8
"""How long everything together gets to end; what has not ended by then dies with the process."""
TERM_SECONDS = 1.0
"""What programs get of it between `TERM` and `KILL`."""
MOST_PROBLEMS = 20
NO_OUTPUT = OutputSnapshot((), 0, 0)


class LiveDesk(DecidingDesk):
    """A desk over a project; implements `operations.desk.Desk`.

    Args:
        root: The project.
        environ: Environment for settings, workers and programs; ours by default.
        flags: Settings from the command line, by dotted key.
        env_file: A `.env` file, if one was asked for.
        read_only: Refuse every decision, serve nothing and run nothing.
        serve: Whether to serve the project when nobody else does.
        specs: Programs to supervise; none of them reads our standard input.
        reset: Programs whose crash-loop breakers are lifted first.

    Raises:
        ValueError: It is to run programs and to be read-only.
    """

    def __init__(
        self,
        root: Path,
        *,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, str] | None = None,
        env_file: Path | None = None,
        read_only: bool = False,
        serve: bool = True,
        specs: Sequence[ProgramSpec] = (),
        reset: Sequence[str] = (),
    ) -> None:
        if read_only and specs:
            raise ValueError("a read-only console runs no programs; leave one of the two out")
        self.session = Session(
            root.resolve(), dict(os.environ if environ is None else environ), dict(flags or {}), env_file
        )
        self.read_only = read_only
        self._serve = serve and not read_only
        # The keys that are pressed are the console's, and no program's.
        self._specs = tuple(replace(spec, inherit_stdin=False) for spec in specs)
        self._reset = tuple(reset)
        self._told: Callable[[DeskEvent], None] = lambda _event: None
        self._ending = False
        self._seat: EngineSeat | None = None
        self._crew: Crew | None = None
        self._problems: deque[str] = deque(maxlen=MOST_PROBLEMS)
        self._previews: dict[str, RollbackPreview] = {}
        self._shelf = Shelf()
        self._sandbox = ""
        self._proofs = LiveProofs(self._tell)
        self._clerk = Clerk(
            self.session, read_only=read_only, calls=ClerkCalls(self._tell, self._opened, self._around)
        )
        self._errands = Errands(self._tell, self._clerk.call)

    # -- life ---------------------------------------------------------------------------------------

    def start(self, tell: Callable[[DeskEvent], None]) -> None:
        """Begins to watch, to serve and to run, and tells events from then on, on threads of the desk's."""
        self._told = tell
        self._clerk.start()

    def stop(self) -> None:
        """Ends programs, engine and errands, and tells nothing more. Returns within two seconds."""
        if self._ending:
            return
        self._ending = True
        until = time.monotonic() + STOP_SECONDS
        self._errands.close()
        if self._seat is not None:
            self._seat.stop()
        if self._crew is not None:
            _end_programs(self._crew.manager, until)
        self._clerk.stop()
        for join in (self._seat.join if self._seat else None, self._errands.join, self._clerk.join):
            if join is not None and not join(max(0.0, until - time.monotonic())):
                _LOG.warning("%s did not end in time", join.__qualname__)

    def exit_code(self) -> int:
        """Returns what the programs' ends add up to: 0 when all ended well or by our doing, else the first other code."""
        return self._crew.manager.exit_code() if self._crew is not None else 0

    def _opened(self, room: Room) -> None:
        """Puts seat and crew in place; on the clerk's thread, once the project is open."""
        if self._ending:
            return
        for text in room.opened.recovered:
            self._problems.append(line(f"recovered: {text}"))
        store, settings = room.opened.engine.store, room.opened.loaded.settings
        seat = EngineSeat(
            self.session,
            store.directory,
            serve=self._serve,
            calls=SeatCalls(self._heard, self._clerk.call),
        )
        if self._specs:
            quarters = Quarters(
                root=self.session.root,
                inbox=store.inbox.directory,
                state_directory=store.directory,
                settings=settings.supervision,
                environ=self.session.environ,
            )
            try:
                self._crew = Crew(
                    self._specs,
                    quarters,
                    ran_well=seat.ran_well,
                    changed=lambda _change: self._clerk.call(),
                    record=self._record,
                )
                self._crew.reset(self._reset, self._by())
                self._crew.manager.start()
            except (StoreError, ValueError, UnknownProgramError) as error:
                self._problem(f"the programs were not started: {error}")
        self._seat = seat
        seat.start()

    def _tell(self, event: DeskEvent) -> None:
        if self._ending:
            return
        try:
            self._told(event)
        except Exception:  # noqa: BLE001 - a face that fails must not end the engine's or the clerk's thread
            _LOG.exception("the face did not take %s", type(event).__name__)

    # -- what the engine tells, on its thread ---------------------------------------------------------

    def _heard(self, event: Event) -> None:
        if self._crew is not None:
            self._crew.liaison.hear(event)
        match event:
            case Stepped(step=step):
                self._proofs.hear(step)
            case JobMoved(job=job) if job.state is not JobState.RUNNING:
                self._proofs.end(job.incident_id)
            case IncidentClosed(incident=incident):
                self._proofs.forget(incident.incident_id)
            case ServiceStopped():
                self._proofs.end_all()
            case ServiceProblem(where=where, error=error):
                self._problem(f"{where}: {error}")
            case ReportRefused(file=file, why=why):
                self._problem(f"report {file} was refused: {why}")
            case RestartNeeded(incident_id=incident_id, pid=pid, restored=restored) if not self._keeps(pid):
                what = "code was taken back on disk" if restored else f"#{incident_id} is fixed on disk"
                self._problem(f"{what}; restart program {pid} to run it")
            case _:
                pass
        self._clerk.call()

    def _keeps(self, pid: int) -> bool:
        """Whether a process is a program of ours, which is started anew by itself where that is needed."""
        return self._crew is not None and bool(self._crew.manager.program_of(pid))

    def _problem(self, text: str) -> None:
        self._problems.append(line(text, 500))
        self._clerk.call()

    def _around(self) -> Around:
        seat, crew = self._seat, self._crew
        return Around(
            engine=seat.view() if seat is not None else Around().engine,
            notes=self._proofs.notes(),
            programs=tuple(program_views.program_of(one) for one in crew.manager.snapshots()) if crew else (),
            problems=tuple(self._problems),
        )

    def _record(self, kind: str, actor: str, facts: Mapping[str, Any]) -> None:
        self._clerk.ask(
            f"recording {kind} {facts}",
            lambda room: room.opened.engine.store.audit.append(kind, actor=actor, data=facts),
        )

    # -- questions ----------------------------------------------------------------------------------

    def look_at(self, incident_id: str) -> None:
        """Asks for an incident in full, now and whenever it changes; an empty id ends that."""
        self._clerk.look_at(incident_id)
        self._proofs.tell_again(incident_id)

    def ask_history(self) -> None:
        """Asks for `HistoryReady`; told again when the audit trail has been checked."""

        def show(room: Room) -> None:
            self._tell(HistoryReady(self._shelf.history(room)))
            self._shelf.check(room, self.ask_history)

        self._clerk.ask("the history", show)

    def ask_backups(self) -> None:
        """Asks for `BackupsReady`."""

        def show(room: Room) -> None:
            engine = room.opened.engine
            self._tell(BackupsReady(backup_tree(engine.store, engine.project)))

        self._clerk.ask("the backups", show)

    def ask_insights(self) -> None:
        """Asks for `InsightsReady`."""
        self._clerk.ask("the insights", lambda room: self._tell(InsightsReady(self._shelf.insights(room))))

    def ask_policy(self) -> None:
        """Asks for `PolicyReady`; told again when it is known how candidates are walled off here."""

        def find_out() -> None:
            self._sandbox = sandbox_text()
            self.ask_policy()

        def show(room: Room) -> None:
            self._tell(PolicyReady(policy_of(room.opened, sandbox=self._sandbox)))
            if not self._sandbox:
                self._sandbox = "being found out"
                threading.Thread(target=find_out, name="selfheal-walls", daemon=True).start()

        self._clerk.ask("the policy", show)

    def export(self, kind: str, form: str, file: str, *, text: str = "") -> None:
        """Writes history, insights or a screenshot to a file; see `Desk.export`."""

        def write(room: Room) -> None:
            answer = self._shelf.export(room, kind, form, file, text)
            self._tell(Answered(file, ok=answer.ok, text=line(answer.text, 600)))

        self._clerk.ask(f"writing {file}", write)

    def ask_preview(self, target: str) -> None:
        """Asks for `PreviewReady`: of a backup id, an incident id, or `undo` for the last rollback."""

        def run() -> None:
            try:
                with self.session.opened() as project:
                    shown, why = decisions.preview(project, target)
            except (ConfigError, StoreError, OSError) as error:
                shown, why = None, line(str(error), 500)
            self._previews.pop(target, None)
            if shown is not None:
                self._previews[target] = shown
            self._tell(PreviewReady(target, shown, why))

        # Not on the clerk's thread: merging large files may take a while.
        threading.Thread(target=run, name="selfheal-preview", daemon=True).start()

    def output(self, program: str, *, after: int = 0) -> OutputSnapshot:
        """Returns kept output of a program, from memory."""
        if self._crew is None:
            return NO_OUTPUT
        try:
            return self._crew.manager.output(program, after=after)
        except UnknownProgramError:
            return NO_OUTPUT


def _end_programs(manager: ProgramManager, until: float) -> None:
    """Stops all programs: asked first, killed soon after."""
    manager.stop()
    asked_until = min(until, time.monotonic() + TERM_SECONDS)
    while _running(manager) and time.monotonic() < asked_until:
        time.sleep(0.02)
    if _running(manager):
        manager.kill()
    while _running(manager) and time.monotonic() < until:
        time.sleep(0.02)


def _running(manager: ProgramManager) -> list[str]:
    return [one.name for one in manager.snapshots() if one.state not in AT_REST]
