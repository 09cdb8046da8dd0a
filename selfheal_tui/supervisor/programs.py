"""Supervises several programs of a project: starts, watches, restarts and stops them, each in a thread.

The one way in for faces and for the engine service: snapshots, output and events go out, signals and fixes
come in. What a crash means is the engine's business; which program it belongs to is told here.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Protocol, Self

from selfheal_tui.model.kinds import Restart
from selfheal_tui.model.settings import SupervisionSettings
from selfheal_tui.probe.environment import probe_environment
from selfheal_tui.probe.places import LIVE_VARIABLE, PROGRAM_VARIABLE
from selfheal_tui.supervisor.backoff import Backoff
from selfheal_tui.supervisor.breaker import Breakers
from selfheal_tui.supervisor.duties import Duties
from selfheal_tui.supervisor.keeper import Keeper
from selfheal_tui.supervisor.launch import ProgramSpec, Sink
from selfheal_tui.supervisor.lifecycle import ProgramChanged, ProgramSnapshot, ProgramState
from selfheal_tui.supervisor.listeners import Listeners
from selfheal_tui.supervisor.output import OutputRing, OutputSnapshot
from selfheal_tui.supervisor.terminal import our_size

__all__ = ["Healing", "ProgramManager", "ProgramSpec", "UnknownProgramError"]

GRACE_SECONDS = 10.0
"""What a program gets between `TERM` and `KILL`; the default of `docker stop`."""


class UnknownProgramError(KeyError):
    """The manager has no program of that name."""


class Healing(Protocol):
    """What the manager has to know of the engine."""

    def healing(self, pids: Collection[int]) -> bool:
        """Whether a crash that one of these processes reported is being worked on, without a person."""


class ProgramManager:
    """Supervises programs. Safe between threads; a context manager that stops them at its end.

    Args:
        specs: The programs; names must differ.
        service: Tells whether a crash is being healed; None when nobody heals.
        root: The project's root.
        inbox: Folder that receives the programs' crash reports.
        state_directory: The project's `.selfheal`; the breakers are remembered there.
        settings: Back-off, breaker and output bounds.
        environ: Environment to start from; ours by default.
        sinks: By name, what receives a program's output beside its ring.
        grace_seconds: Time between `TERM` and `KILL`.
        clock: Unix time in seconds.
        random: Source of the jitter; seeded in tests.

    Raises:
        StoreError: The breakers' file cannot be used.
        ValueError: Two programs have one name.
    """

    def __init__(
        self,
        specs: Sequence[ProgramSpec],
        service: Healing | None = None,
        *,
        root: Path,
        inbox: Path,
        state_directory: Path,
        settings: SupervisionSettings | None = None,
        environ: Mapping[str, str] | None = None,
        sinks: Mapping[str, Sink] | None = None,
        grace_seconds: float = GRACE_SECONDS,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        chosen = settings or SupervisionSettings()
        self._root = root
        self._inbox = inbox
        self._service = service
        self._environ = dict(os.environ if environ is None else environ)
        self._listeners: Listeners[ProgramChanged] = Listeners("the programs")
        self._rest = threading.Condition()
        self._breakers = Breakers(
            state_directory, count=chosen.crash_loop_count, seconds=chosen.crash_loop_seconds, clock=clock
        )
        duties = Duties(
            breakers=self._breakers,
            environment=self._environment,
            healing=self._healing,
            changed=self._changed,
            rested=self._rested,
            grace_seconds=grace_seconds,
            hold_seconds=chosen.backoff_max_seconds,
            steady_seconds=chosen.crash_loop_seconds,
            size=our_size,
            clock=clock,
        )
        self._keepers: dict[str, Keeper] = {}
        for spec in specs:
            if spec.name in self._keepers:
                raise ValueError(f"two programs are named {spec.name!r}; give each its own name")
            self._keepers[spec.name] = Keeper(
                spec,
                duties,
                backoff=Backoff(chosen.backoff_seconds, chosen.backoff_max_seconds, random),
                ring=OutputRing(chosen.output_lines, clock=clock),
                sink=(sinks or {}).get(spec.name),
            )

    def __enter__(self) -> Self:
        """Returns itself; nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stops whatever still runs."""
        self.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The programs' names, in order."""
        return tuple(self._keepers)

    def start(self, name: str | None = None) -> None:
        """Starts a program, or all; one whose breaker is open stays `broken`.

        Raises:
            UnknownProgramError: There is none of that name.
            StoreError: The breakers' file cannot be read.
        """
        for keeper in self._chosen(name):
            keeper.start()

    def stop(self, name: str | None = None, *, number: int | None = None) -> None:
        """Asks a program, or all, to end for good: once, however often it is called. Does not wait.

        Args:
            name: The program; None for all.
            number: The signal to ask with; `TERM` by default.
        """
        for keeper in self._chosen(name):
            keeper.stop() if number is None else keeper.stop(number)

    def kill(self, name: str | None = None) -> None:
        """Ends a program, or all, for good and without asking. Does not wait."""
        for keeper in self._chosen(name):
            keeper.kill()

    def restart(self, name: str, why: str) -> bool:
        """Ends a program and starts it anew, whatever its policy; its breaker is lifted.

        Returns:
            Whether it will be started; not after `stop`.
        """
        return self._chosen(name)[0].restart(why)

    def send(self, number: int, name: str | None = None) -> None:
        """Passes a signal on to a program, or to all."""
        for keeper in self._chosen(name):
            keeper.send(number)

    def resize(self, columns: int, rows: int) -> None:
        """Sets the size of the programs' terminals."""
        for keeper in self._keepers.values():
            keeper.resize(columns, rows)

    def reset_breaker(self, name: str) -> bool:
        """Lifts the breaker of a program and starts nothing; returns whether it was open."""
        self._chosen(name)
        return self._breakers.reset(name)

    def snapshot(self, name: str) -> ProgramSnapshot:
        """Returns a program as it is now."""
        return self._chosen(name)[0].snapshot

    def snapshots(self) -> tuple[ProgramSnapshot, ...]:
        """Returns all programs as they are now, in order."""
        return tuple(keeper.snapshot for keeper in self._keepers.values())

    def output(self, name: str, *, after: int = 0) -> OutputSnapshot:
        """Returns the kept output of a program, or what came after a line number."""
        return self._chosen(name)[0].ring.snapshot(after=after)

    def mark(self, incident_id: str, name: str | None = None) -> None:
        """Marks an incident in a program's output; without a name in that of every program."""
        for keeper in self._chosen(name):
            keeper.ring.mark(incident_id)

    def program_of(self, pid: int) -> str:
        """Returns the name of the program that a process belongs or belonged to, or an empty string.

        Args:
            pid: The process: a program of ours, dead or alive, or a living child of one.
        """
        session = 0
        with contextlib.suppress(ProcessLookupError, PermissionError):
            session = os.getsid(pid) if pid > 0 else 0
        for name, keeper in self._keepers.items():
            if pid in keeper.pids or session in keeper.pids:
                return name
        return ""

    def fixed(self, name: str, incident_id: str, *, restart_needed: str = "") -> bool:
        """Tells that a fix for a program was applied.

        A program that waits for its next start, or that the breaker stopped, is started at once: its fault
        is gone. A running one is started anew only when the fix could not be swapped in.

        Args:
            name: The program.
            incident_id: What was fixed.
            restart_needed: Why the running program has to be started anew; empty when it has not.

        Returns:
            Whether it will be started because of this.
        """
        keeper = self._chosen(name)[0]
        now = keeper.snapshot
        if now.state is ProgramState.STOPPED or (now.state not in _WAITING and not restart_needed):
            return False
        if keeper.spec.restart is Restart.NEVER:
            keeper.tell(f"incident {incident_id} is fixed; restart needed: {restart_needed or 'it crashed'}")
            return False
        why = f"incident {incident_id} is fixed" + (f"; {restart_needed}" if restart_needed else "")
        return keeper.restart(why)

    def outdated(self, name: str, why: str) -> bool:
        """Tells that a running program runs code that is not on disk any more, and that cannot be swapped in it.

        Args:
            name: The program.
            why: For people.

        Returns:
            Whether it will be started anew because of this.
        """
        keeper = self._chosen(name)[0]
        if keeper.snapshot.state is not ProgramState.RUNNING:
            return False
        if keeper.spec.restart is Restart.NEVER:
            keeper.tell(f"restart needed: {why}")
            return False
        return keeper.restart(why)

    def subscribe(self, callback: Callable[[ProgramChanged], None]) -> Callable[[], None]:
        """Has a callback told of every change, in order for each program, from the program's thread.

        Returns:
            A function that ends the subscription.
        """
        return self._listeners.add(callback)

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until every program is at rest and none of their crashes is being healed.

        Args:
            seconds: Longest wait; None for no limit.

        Returns:
            Whether they are.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            # Asked outside of our lock: the engine may be telling us something under its own.
            if self._at_rest() and not self._healing_any() and self._at_rest():
                return True
            left = _BREATH_SECONDS if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return False
            with self._rest:
                # Healing has no event of its own here, hence the short breath.
                self._rest.wait(min(left, _BREATH_SECONDS))

    def exit_code(self) -> int:
        """Returns 0 when all ended with 0 or by our doing, else the first other code, in order of time."""
        failed = [keeper.snapshot for keeper in self._keepers.values() if keeper.snapshot.code]
        return min(failed, key=lambda program: program.since).code if failed else 0

    def close(self) -> None:
        """Stops all programs and waits for their end; each is killed after the grace time."""
        for keeper in self._keepers.values():
            if not keeper.at_rest:
                keeper.stop()
        for keeper in self._keepers.values():
            keeper.join()

    def _chosen(self, name: str | None) -> list[Keeper]:
        if name is None:
            return list(self._keepers.values())
        if name not in self._keepers:
            raise UnknownProgramError(f"there is no program {name!r}; there are {', '.join(self._keepers)}")
        return [self._keepers[name]]

    def _environment(self, spec: ProgramSpec) -> Mapping[str, str]:
        environment = probe_environment(self._inbox, self._root, {**self._environ, **spec.environ})
        environment[PROGRAM_VARIABLE] = spec.name
        environment.pop(LIVE_VARIABLE, None)
        if self._service is not None:
            environment[LIVE_VARIABLE] = "1"
        return environment

    def _healing(self, pids: Collection[int]) -> bool:
        return self._service is not None and self._service.healing(pids)

    def _healing_any(self) -> bool:
        return any(self._healing(keeper.pids) for keeper in self._keepers.values())

    def _at_rest(self) -> bool:
        return all(keeper.at_rest for keeper in self._keepers.values())

    def _changed(self, event: ProgramChanged) -> None:
        self._listeners.tell(event)

    def _rested(self) -> None:
        with self._rest:
            self._rest.notify_all()


_WAITING = frozenset({ProgramState.BACKING_OFF, ProgramState.BROKEN})
_BREATH_SECONDS = 0.2
