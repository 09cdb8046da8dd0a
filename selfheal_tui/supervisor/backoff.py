"""How long to wait before a program is started again. No clock and no I/O: it only counts and draws.

Exponential back-off with full jitter, so that programs that died together do not return together (Marc
Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: `random(0, min(cap, base * 2 ** n))`).
"""

from __future__ import annotations

from random import Random

_MOST_DOUBLINGS = 32
"""Beyond that the cap holds in any case, and a float would overflow one day."""


class Backoff:
    """Waits of one program.

    Args:
        base: Longest first wait, in seconds.
        cap: Longest wait of all, in seconds.
        random: Where chance comes from; seeded in tests.
    """

    def __init__(self, base: float, cap: float, random: Random | None = None) -> None:
        self._base = base
        self._cap = cap
        self._random = random or Random()  # noqa: S311 - spreads load, guards nothing
        self._failures = 0

    @property
    def failures(self) -> int:
        """Waits drawn since the last reset."""
        return self._failures

    @property
    def ceiling(self) -> float:
        """Longest that the next wait can be, in seconds."""
        return min(self._cap, self._base * 2.0 ** min(self._failures, _MOST_DOUBLINGS))

    def next(self) -> float:
        """Draws the next wait, in seconds."""
        wait = self._random.uniform(0.0, self.ceiling)
        self._failures += 1
        return wait

    def reset(self) -> None:
        """Forgets earlier failures, after a run that went well or a fix."""
        self._failures = 0
