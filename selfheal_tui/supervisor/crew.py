"""The programs of one project, wired to its engine: what every face that supervises programs does alike.

Wiring only: the manager keeps programs, the liaison carries news; here they get to know each other, and a program
that the crash-loop breaker stopped is put on record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfheal_tui.model.settings import SupervisionSettings
from selfheal_tui.supervisor.launch import ProgramSpec, Sink
from selfheal_tui.supervisor.liaison import Liaison
from selfheal_tui.supervisor.lifecycle import ProgramChanged, ProgramState
from selfheal_tui.supervisor.programs import GRACE_SECONDS, ProgramManager

Record = Callable[[str, str, Mapping[str, Any]], None]
"""Puts something on record: kind, actor, facts."""


@dataclass(frozen=True, slots=True)
class Quarters:
    """Where programs live.

    Attributes:
        root: The project.
        inbox: Folder that receives their crash reports.
        state_directory: The project's `.selfheal`.
        settings: Back-off, breaker and output bounds.
        environ: Environment to start from; None takes ours.
        sinks: By name, what receives a program's output beside its ring.
        grace_seconds: Time between `TERM` and `KILL`.
    """

    root: Path
    inbox: Path
    state_directory: Path
    settings: SupervisionSettings
    environ: Mapping[str, str] | None = None
    sinks: Mapping[str, Sink] = field(default_factory=dict)
    grace_seconds: float = GRACE_SECONDS


class Crew:
    """Programs and their liaison with the engine.

    Args:
        specs: The programs; names must differ.
        quarters: Where they live.
        ran_well: `EngineService.ran_well`.
        changed: Told of each change of a program, on threads of the programs.
        record: Puts what happened on record.

    Raises:
        StoreError: The breakers' file cannot be used.
        ValueError: Two programs have one name.
    """

    def __init__(
        self,
        specs: Sequence[ProgramSpec],
        quarters: Quarters,
        *,
        ran_well: Callable[[int, float], None],
        changed: Callable[[ProgramChanged], None],
        record: Record,
    ) -> None:
        self._changed = changed
        self._record = record
        self.liaison = Liaison(quarters.inbox, ran_well)
        self.manager = ProgramManager(
            specs,
            self.liaison,
            root=quarters.root,
            inbox=quarters.inbox,
            state_directory=quarters.state_directory,
            settings=quarters.settings,
            environ=quarters.environ,
            sinks=quarters.sinks,
            grace_seconds=quarters.grace_seconds,
        )
        self.liaison.attach(self.manager)
        self.manager.subscribe(self._hear)

    def reset(self, names: Iterable[str], operator: str) -> None:
        """Lifts breakers, on record.

        Args:
            names: The programs.
            operator: Who wants it.

        Raises:
            UnknownProgramError: There is none of that name.
            StoreError: The breakers' file cannot be used.
        """
        for name in names:
            if self.manager.reset_breaker(name):
                self._record("program.breaker_reset", f"operator:{operator}", {"program": name})

    def _hear(self, change: ProgramChanged) -> None:
        self.liaison.hear_program(change)
        self._changed(change)
        program = change.program
        if program.state is ProgramState.BROKEN and program.exit is not None:
            self._record("program.broken", "supervisor", {"program": program.name, "why": program.message})
