"""What the keepers of one manager share: the world around their programs, and when a crash is one too many.

Apart from the keeper so that whoever makes keepers says once how all of them behave. It holds no program, runs no
thread and changes no state but the breakers' counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from selfheal_tui.store.errors import StoreError
from selfheal_tui.supervisor.breaker import Breakers
from selfheal_tui.supervisor.launch import ProgramSpec
from selfheal_tui.supervisor.lifecycle import ProgramChanged


@dataclass(frozen=True, slots=True)
class Duties:
    """What all keepers of a manager share.

    Attributes:
        breakers: The crash-loop breakers.
        environment: Makes a program's environment.
        healing: Tells whether a crash of one of these processes is being healed right now.
        changed: Told of each change of state; may be called from any keeper's thread.
        rested: Called when a program has come to rest, after the last change.
        grace_seconds: Time between `TERM` and `KILL`.
        hold_seconds: Longest time that a restart waits for the healing of the crash before it.
        steady_seconds: A run of this length starts the back-off anew.
        size: Columns and rows for terminals.
        clock: Unix time in seconds.
    """

    breakers: Breakers
    environment: Callable[[ProgramSpec], Mapping[str, str]]
    healing: Callable[[frozenset[int]], bool]
    changed: Callable[[ProgramChanged], None]
    rested: Callable[[], None]
    grace_seconds: float
    hold_seconds: float
    steady_seconds: float
    size: Callable[[], tuple[int, int]]
    clock: Callable[[], float] = time.time

    def count_crash(self, name: str) -> str:
        """Counts a crash of a program.

        Args:
            name: The program.

        Returns:
            Why it is not to be started again, for people; empty when it may be.
        """
        try:
            why = self.breakers.crashed(name)
        except StoreError as error:
            # A breaker that cannot count must not let a program loop for ever.
            return f"the crash-loop breaker failed, so it stays stopped: {error}"
        return f"the crash-loop breaker stopped it: {why}" if why else ""
