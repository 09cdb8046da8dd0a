"""Brings changed files into living programs and verdicts to the guards that wait in them. Touches no store.

Everything here may wait for a program and is therefore called on a thread beside the service's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.supervisor.channels import (
    HEALED,
    NOT_HEALED,
    Channel,
    ChannelDeadError,
    SwapAnswer,
)
from selfheal_tui.supervisor.queue import Waiter


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done in one program.

    Attributes:
        channel: The program.
        incident_id: For which incident.
        files: Absolute paths of the files to swap; empty for an answer alone.
        waiters: Guards of this program that are to be told.
        healed: Whether the crash is cured on disk.
        message: Why, for the program.
        restored: Whether a fix is taken back.
        transaction: The change.
        retreat: Whether it follows a rollback or an undo, and no fix that is watched.
    """

    channel: Channel
    incident_id: str
    files: tuple[Path, ...] = ()
    waiters: tuple[Waiter, ...] = ()
    healed: bool = False
    message: str = ""
    restored: bool = False
    transaction: str = ""
    retreat: bool = False

    @property
    def about(self) -> str:
        """What all errands to the living programs have in common that are about one thing."""
        return self.transaction if self.retreat else self.incident_id


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an errand.

    Attributes:
        errand: The errand.
        answer: What the program says about the swap; None when nothing was swapped, or it has ended.
        verdict: What its waiters were told; empty when nobody was.
        dead: Whether the program has ended.
        problem: What failed.
    """

    errand: Errand
    answer: SwapAnswer | None = None
    verdict: str = ""
    dead: bool = False
    problem: str = ""


def run_errand(errand: Errand) -> Report:
    """Swaps first and then tells the waiters, who are healed only if their own program runs the new code.

    Args:
        errand: What to do.
    """
    answer: SwapAnswer | None = None
    try:
        if errand.files:
            answer = errand.channel.swap(errand.files, errand.incident_id)
        if not errand.waiters:
            return Report(errand, answer)
        good = errand.healed and answer is not None and answer.current
        verdict = HEALED if good else NOT_HEALED
        message = errand.message
        if errand.healed and answer is not None and not good:
            reasons = "; ".join(f"{one.what}: {one.why}" for one in answer.restart_needed[:5])
            message = f"restart needed: {reasons or answer.error}"
        errand.channel.answer([waiter.report_id for waiter in errand.waiters], verdict, message)
        return Report(errand, answer, verdict)
    except ChannelDeadError:
        errand.channel.remove()
        return Report(errand, dead=True)
    except OSError as error:
        return Report(errand, answer, problem=f"{error.strerror or error}")


def waiters_of(channel: Channel, waiters: Sequence[Waiter]) -> tuple[Waiter, ...]:
    """Returns the waiters that are in a program; addresses in reports only choose among known ones."""
    return tuple(waiter for waiter in waiters if waiter.channel == channel.address)
