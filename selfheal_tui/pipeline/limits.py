"""Where healing loops end: the circuit breaker and the cool-down, counted from the audit trail.

Counting from what is on record means that a crash loop stays broken across restarts. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfheal_tui.model.settings import LimitSettings
from selfheal_tui.store import Store

HOUR = 3600.0
"""Seconds in the window of the hourly limits."""


def change_limit(
    store: Store, limits: LimitSettings, *, fingerprint: str, paths: Iterable[str], now: float
) -> str:
    """Tells whether a limit forbids changing the project now.

    Args:
        store: The store.
        limits: The limits in force.
        fingerprint: The crash that is to be healed.
        paths: Files that would be changed.
        now: Unix time in seconds.

    Returns:
        Which limit and how to lift it, or an empty string.
    """
    applied = store.audit.records(kinds={"change.applied"})
    same = sum(1 for r in applied if r.data.get("fingerprint") == fingerprint)
    if same >= limits.heals_per_fingerprint:
        return (
            f"circuit breaker: this crash was healed {same} times already "
            "(limits.heals_per_fingerprint); a person has to look"
        )
    recent = [r for r in applied if now - r.at < HOUR]
    if len(recent) >= limits.heals_per_hour:
        return f"circuit breaker: {len(recent)} changes within an hour (limits.heals_per_hour)"
    for path in paths:
        times = sum(1 for r in recent if path in r.data.get("files", ()))
        if times >= limits.heals_per_file_hour:
            return (
                f"circuit breaker: {path} was changed {times} times within an hour "
                "(limits.heals_per_file_hour)"
            )
    return ""


def cooling_down(store: Store, limits: LimitSettings, *, fingerprint: str, now: float) -> float:
    """Returns for how many seconds a crash is left alone after failed attempts.

    The pause doubles with each failure in a row (exponential back-off), up to a day.

    Args:
        store: The store.
        limits: The limits in force.
        fingerprint: The crash.
        now: Unix time in seconds.

    Returns:
        Seconds left; 0 when it may be tried.
    """
    learned = store.learning.get(f"fingerprint:{fingerprint}")
    if learned.failures <= learned.successes:
        return 0.0
    pause = min(limits.cool_down_seconds * 2.0 ** (learned.failures - learned.successes - 1), 24 * HOUR)
    return max(0.0, learned.last_at + pause - now)
