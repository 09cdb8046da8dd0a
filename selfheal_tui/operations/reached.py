"""Tells what became of running programs after something was taken back or put back on disk.

The serving engine brings it into them and puts on record how that went (`supervisor.retreats`, `probation`); here is
only rung for it, waited a little, and read. Nothing is decided and nothing is swapped.
"""

from __future__ import annotations

import time

from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.rollback import ROLLED_BACK, UNDONE
from selfheal_tui.probe import places
from selfheal_tui.supervisor import probation, retreats

WAIT_SECONDS = 3.0
"""How long the engine is waited for; a program that answers later is brought up to date all the same."""
_POLL_SECONDS = 0.02
_KINDS = {retreats.DELIVERED, probation.DELIVERED}
NOBODY_SERVES = (
    "no engine serves this project: programs that run now keep the code they have until they are restarted"
)
UNDER_WAY = "the engine is bringing it into the running programs; `selfheal history` shows what came of it"


def served(project: Opened) -> bool:
    """Returns whether an engine serves the project, and so reaches its running programs."""
    return places.listens(str(project.engine.project.root))


def last_change(project: Opened) -> int:
    """Returns the number of the last change that was taken back or put back; for `reached`."""
    records = project.engine.store.trail.of_kinds({ROLLED_BACK, UNDONE})
    return records[-1].sequence if records else 0


def reached(project: Opened, *, after: int, actor: str, code: str, wait: float = WAIT_SECONDS) -> str:
    """Rings for the engine and returns what became of the running programs, in a sentence.

    Args:
        project: The project.
        after: From `last_change`, before the change was made.
        actor: Who made it.
        code: What programs run afterwards, such as `the old code`.
        wait: How long to wait for the engine at most, in seconds.

    Returns:
        The sentence, without a full stop; empty when nothing was changed.
    """
    store = project.engine.store
    changes = store.trail.of_kinds({ROLLED_BACK, UNDONE}, after=after)
    mine = [record for record in changes if record.actor == actor]
    if not mine:
        return ""
    if not places.ring(str(project.engine.project.root), "rollback"):
        return NOBODY_SERVES
    until = time.monotonic() + wait
    while True:
        for record in store.trail.of_kinds(_KINDS, after=mine[-1].sequence):
            if record.data.get("transaction") == mine[-1].data["transaction"]:
                return _sentence(record.data.get("programs", 0), record.data.get("restart_needed", 0), code)
        if time.monotonic() >= until:
            return UNDER_WAY
        time.sleep(_POLL_SECONDS)


def _sentence(current: int, behind: int, code: str) -> str:
    told = []
    if current:
        told.append("the running program runs" if current == 1 else f"the {current} running programs run")
        told[0] += f" {code}"
    if behind:
        who = "a running program" if behind == 1 else f"{behind} running programs"
        told.append(
            f"restart needed: {who} cannot take it while running (those that selfheal keeps are restarted)"
        )
    return "; ".join(told) or "no program of this project is running under the probe"
