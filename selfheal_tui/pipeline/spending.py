"""Counts what models cost today, from the audit trail, so that a restart does not forget it. Reads only."""

from __future__ import annotations

import time

from selfheal_tui.store import Store

DAY = 86_400.0
"""Seconds in the window of the daily budget."""
SPENDING = frozenset({"candidate.judged", "model.asked"})
"""Kinds of audit records that tell what a model cost."""


def spent_today(store: Store, *, now: float | None = None) -> float:
    """Returns the US dollars spent on models within the last 24 hours.

    Args:
        store: The store.
        now: Unix time in seconds.
    """
    at = time.time() if now is None else now
    records = store.audit.records(kinds=SPENDING)
    return sum(float(r.data.get("usd") or 0.0) for r in records if at - r.at < DAY)
