"""A case for which somebody may wait: threads, and tasks without stopping their event loop.

Waiting ends with the answer, with the waiter's own patience, or when the engine is gone for good. Standard library
only, CPython 3.9+.
"""

from __future__ import annotations

import sys
import threading
import time

from . import places
from .guardplan import TALLY
from .loading import LibraryFirst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

REPORT_SECONDS = 1.0
"""Until the second report of the same crash that nobody waits for; doubled each time, those between are counted."""
TIRED_SECONDS = 60.0
"""How long nobody waits again for a crash that was not healed."""
GONE_SECONDS = 3.0
"""How long an engine may be away, to be started again, before waiting for it is given up."""
LOOK_SECONDS = 0.5


class Case:
    """One crash at one place.

    Attributes:
        healed: Whether it was answered that this process now runs healed code.
        message: What the engine said, or why nobody waits.
        answerable: Whether an answer may come; None until the report is written.
        generation: How many cases had been healed when this one was.
        quiet_until: Monotonic time until which nobody waits for it again; 0 while it may be waited for.
        reported: Monotonic time of its latest report.
        interval: Seconds from that one to the next.
        uncounted: How often it was seen since.
    """

    def __init__(self, kept: tuple[object, ...], root: str) -> None:
        self.kept = kept  # while these live, the ids in the key mean nothing else
        self.healed = False
        self.message = ""
        self.generation = 0
        self.quiet_until = 0.0
        self.reported = 0.0
        self.uncounted = 0
        self.interval = REPORT_SECONDS
        self.swaps = 0
        self.longest = 0.0
        self.answerable: Optional[bool] = None
        self.root = root
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._tellers: list[Callable[[], object]] = []

    @property
    def settled(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self._event.is_set()

    def settle(self, healed: bool, message: str, *, quiet: bool = True) -> None:
        """Ends the waiting; the first to say so counts.

        Args:
            healed: Whether this process now runs healed code.
            message: What the engine said, or why there was no answer.
            quiet: Whether nobody shall wait for the same crash for a while.
        """
        with self._lock:
            if self._event.is_set():
                return
            self.healed, self.message = healed, message
            if healed:
                TALLY.healed += 1
                self.generation = TALLY.healed
            elif quiet:
                self.quiet_until = time.monotonic() + TIRED_SECONDS
            tellers, self._tellers = self._tellers, []
            self._event.set()
        for tell in tellers:
            try:
                tell()
            except RuntimeError:  # its event loop is closed: nobody is left to be told
                continue

    def answered(self, verdict: str, message: str) -> None:
        """Takes the engine's verdict; what was healed but could not be swapped in here does not help here.

        Args:
            verdict: `healed` or `not healed`.
            message: Why.
        """
        channel = getattr(sys, "_selfheal_channel", None)
        current = channel is not None and channel.swaps > self.swaps
        if verdict == "healed" and not current:
            self.settle(False, "healed, but this process still runs the old code: restart needed")
        else:
            self.settle(verdict == "healed", message)

    def wait(self, seconds: float) -> bool:
        """Waits in this thread.

        Args:
            seconds: At most so long.

        Returns:
            Whether this process now runs healed code.
        """
        patience = _Patience(self, seconds)
        if patience.left() > 0:
            _load_swap()
            _remember_soon()
        while patience.left() > 0:
            if self._event.wait(patience.left()):
                break
        return self.healed

    async def wait_async(self, seconds: float) -> bool:
        """Waits in a task, and lets its event loop go on; under a loop that is not asyncio's it does not wait.

        Args:
            seconds: At most so long.

        Returns:
            Whether this process now runs healed code.
        """
        patience = _Patience(self, seconds)
        if patience.left() > 0:
            import asyncio

            _remember_soon()

            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return self.healed
            told: asyncio.Future[None] = loop.create_future()

            def tell() -> None:
                if not told.done():
                    told.set_result(None)

            self._when_settled(lambda: loop.call_soon_threadsafe(tell))
            while not self.settled and patience.left() > 0:
                await asyncio.wait({told}, timeout=patience.left())
        return self.healed

    def _when_settled(self, tell: Callable[[], object]) -> None:
        with self._lock:
            if not self._event.is_set():
                self._tellers.append(tell)
                return
        tell()


def _load_swap() -> None:
    """Loads the swapper in the program's thread: in the channel's it would let the interpreter forget a Ctrl-C."""
    try:
        with LibraryFirst():
            from . import swap  # noqa: F401
    except Exception:  # the swap itself will say so
        return


def _remember_soon() -> None:
    """Has the text of what is loaded kept, before the engine changes files."""
    channel = getattr(sys, "_selfheal_channel", None)
    if channel is None:
        return
    try:
        channel.remember_soon()
    except OSError:  # then a swap has less to compare, and says so
        channel.errors += 1


class _Patience:
    """How long a waiter still waits: to its end, but not for an engine that is gone."""

    def __init__(self, case: Case, seconds: float) -> None:
        self._case = case
        now = time.monotonic()
        self._seconds = seconds if case.answerable is not False else 0.0
        self._until = now + self._seconds
        case.longest = max(case.longest, self._seconds)
        self._heard = self._looked = now

    def left(self) -> float:
        """Seconds until somebody has to look again; 0 when waiting is over."""
        case, now = self._case, time.monotonic()
        if case.settled:
            return 0.0
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            if places.listens(case.root):
                self._heard = now
        if now < self._until and now - self._heard < GONE_SECONDS:
            return min(LOOK_SECONDS, self._until - now)
        if 0 < self._seconds >= case.longest and not case.quiet_until:
            case.quiet_until = now + TIRED_SECONDS
            case.message = "no answer came in time"
        return 0.0
