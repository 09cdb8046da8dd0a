"""How much slower than alone the machine is, so that what is found does not depend on who else uses it.

A budget of wall-clock time buys less work on a busy machine. Only budgets of searches are stretched; time limits that
protect from programs that hang stay as they are set.
"""

from __future__ import annotations

import os

LONGEST = 3.0
"""A budget grows to at most so many times its length."""


def patience() -> float:
    """Tells by what to multiply the budget of a search: 1 on a machine that has a processor for whoever wants one.

    By the load of the last minute, as `getloadavg(3)` has it, for each processor.
    """
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):
        return 1.0  # the system does not tell
    return min(LONGEST, max(1.0, load / (os.cpu_count() or 1)))
