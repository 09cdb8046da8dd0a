"""Times as people read them at a glance. Pure."""

from __future__ import annotations

import time

from selfheal_tui.operations.texts import moment

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def age(seconds: float) -> str:
    """Returns a duration in at most five characters: `0:42`, `12:05`, `3 h`, `12 d`.

    Args:
        seconds: The duration; negative ones count as none.
    """
    whole = max(0, int(seconds))
    if whole < _HOUR:
        return f"{whole // _MINUTE}:{whole % _MINUTE:02d}"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR} h"
    return f"{whole // _DAY} d"


def clock_time(at: float) -> str:
    """Returns a Unix time as local hours and minutes."""
    return time.strftime("%H:%M", time.localtime(at))


def short_day(at: float) -> str:
    """Returns a Unix time as local month, day, hours and minutes."""
    return time.strftime("%m-%d %H:%M", time.localtime(at))


def day_and_time(at: float) -> str:
    """Returns a Unix time as local date and time."""
    return moment(at)
