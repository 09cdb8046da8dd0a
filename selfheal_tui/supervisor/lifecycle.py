"""The states of a supervised program, as an explicit machine with frozen snapshots. No I/O, no threads.

What may follow what is written down once, in `TRANSITIONS`; whoever watches sees only snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from selfheal_tui.model.kinds import Restart
from selfheal_tui.supervisor.program import ProgramExit


class ProgramState(StrEnum):
    """Where a supervised program is."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKING_OFF = "backing-off"
    BROKEN = "broken"
    STOPPED = "stopped"


_S = ProgramState
TRANSITIONS: Mapping[ProgramState, frozenset[ProgramState]] = {
    _S.STOPPED: frozenset({_S.STARTING, _S.BROKEN}),
    _S.STARTING: frozenset({_S.RUNNING, _S.STOPPED}),
    _S.RUNNING: frozenset({_S.STOPPING, _S.BACKING_OFF, _S.BROKEN, _S.STOPPED}),
    _S.STOPPING: frozenset({_S.STARTING, _S.STOPPED}),
    _S.BACKING_OFF: frozenset({_S.STARTING, _S.STOPPED}),
    _S.BROKEN: frozenset({_S.STARTING, _S.STOPPED}),
}
"""Allowed steps. `broken` is what the crash-loop breaker makes of a program; a start lifts it."""

AT_REST = frozenset({_S.STOPPED, _S.BROKEN})
"""States that a program does not leave by itself."""


BROKEN_CODE = 77
"""Exit code of a program that was not started because its breaker is open (`EX_NOPERM` of `sysexits.h`)."""


class IllegalProgramStepError(RuntimeError):
    """A program was asked to take a step that its state machine does not have."""


@dataclass(frozen=True, slots=True)
class ProgramSnapshot:
    """A supervised program at one moment.

    Attributes:
        name: Its name.
        argv: Its command.
        restart: Its restart policy.
        state: Where it is.
        since: Unix time at which it got there, in seconds.
        pid: Its process id; 0 when there is no process.
        run: How often it was started.
        crashes: How often it ended by itself with a failure, since the manager began.
        exit: How it ended last; None before its first end.
        by_us: Whether that end was our doing: a stop, a restart, or a signal that was passed on.
        next_start: Unix time of the next start while backing off, else 0.
        message: The last thing worth telling, in a sentence.
    """

    name: str
    argv: tuple[str, ...]
    restart: Restart
    state: ProgramState = ProgramState.STOPPED
    since: float = 0.0
    pid: int = 0
    run: int = 0
    crashes: int = 0
    exit: ProgramExit | None = None
    by_us: bool = False
    next_start: float = 0.0
    message: str = ""

    def advance(self, state: ProgramState, at: float, **changes: Any) -> ProgramSnapshot:
        """Takes a step.

        Args:
            state: The next state.
            at: Unix time in seconds.
            **changes: Other attributes that change with it.

        Raises:
            IllegalProgramStepError: The state machine has no such step.
        """
        if state not in TRANSITIONS[self.state]:
            raise IllegalProgramStepError(f"program {self.name}: {self.state} → {state}")
        return replace(self, state=state, since=at, **{"next_start": 0.0, **changes})

    @property
    def code(self) -> int:
        """What its last end adds to our exit code: 0 when it was our doing."""
        if self.exit is None:
            return BROKEN_CODE if self.state is _S.BROKEN else 0
        return 0 if self.by_us else self.exit.code


@dataclass(frozen=True, slots=True)
class ProgramChanged:
    """A program went from one state to another.

    Attributes:
        program: As it is now.
        before: The state that it left.
    """

    program: ProgramSnapshot
    before: ProgramState


def starts_again(policy: Restart, done: ProgramExit, *, by_us: bool) -> bool:
    """Tells whether a program that ended is to be started again.

    Args:
        policy: Its restart policy.
        done: How it ended.
        by_us: Whether we, or an operator through us, ended it.
    """
    if by_us or policy is Restart.NEVER:
        return False
    return policy is Restart.ALWAYS or done.code != 0
