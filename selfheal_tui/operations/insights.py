"""Counts what became of all incidents and what was learned, as numbers to plot. Reads; draws and writes nothing."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.record import Learned, ProvenFix
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.operations.histories import MADE_BY
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import AttemptRow, Insights, Series
from selfheal_tui.pipeline.spending import SPENDING
from selfheal_tui.store.trail import AuditTrail

MOST_DAYS = 3660
"""Days of the plots over time; a clock that was wrong once must not make a million of them."""
MOST_RULES = 30
MOST_SENTENCES = 40


class Ledger:
    """What models cost, by day, from the audit trail; records are never changed, so only new ones are read."""

    def __init__(self) -> None:
        self._after = 0
        self.usd: defaultdict[date, float] = defaultdict(float)
        self.tokens = 0

    def read(self, trail: AuditTrail) -> None:
        """Reads on.

        Raises:
            CorruptStoreError: The log is damaged.
        """
        for record in trail.of_kinds(SPENDING, after=self._after):
            self._after = record.sequence
            usd, tokens = record.data.get("usd"), record.data.get("tokens")
            if isinstance(usd, int | float) and usd:
                self.usd[_day(record.at)] += float(usd)
            self.tokens += tokens if isinstance(tokens, int) else 0


def insights_of(
    first_seen: Sequence[float],
    attempts: Sequence[AttemptRow],
    *,
    learned: Sequence[Learned],
    proven: Sequence[ProvenFix],
    ledger: Ledger,
    now: float,
) -> Insights:
    """Counts.

    Args:
        first_seen: Of each incident, Unix time in seconds.
        attempts: All past attempts, in any order.
        learned: The FactChecker's counts.
        proven: Fixes that held.
        ledger: What models cost.
        now: Unix time in seconds.
    """
    outcomes = Counter(attempt.standing.word for attempt in attempts)
    healed = [attempt for attempt in attempts if attempt.success]
    times: defaultdict[date, list[float]] = defaultdict(list)
    for attempt in healed:
        times[_day(attempt.at)].append(attempt.seconds)
    counted = Counter(_day(at) for at in first_seen)
    days = _days([*counted, *times, *ledger.usd], _day(now))
    rules = _rules(learned)
    known = [outcome.value for outcome in Outcome if outcomes[outcome.value]]
    return Insights(
        per_day=_daily("incidents a day", days, lambda day: counted[day], "incidents"),
        outcomes=Series("outcomes", tuple(known), tuple(float(outcomes[word]) for word in known), "attempts"),
        time_to_heal=_daily("mean time to heal", days, lambda day: _mean(times.get(day, [])), "s"),
        by_rule=Series(
            "success rate by rule and model",
            tuple(n for n, _, _ in rules),
            tuple(_rate(s, f) for _, s, f in rules),
            "%",
        ),
        by_rule_counts=Series(
            "tries by rule and model",
            tuple(n for n, _, _ in rules),
            tuple(float(s + f) for _, s, f in rules),
            "tries",
        ),
        money=_daily("money a day", days, lambda day: ledger.usd.get(day, 0.0), "USD"),
        learned=_sentences(rules, proven),
        totals={
            "incidents": f"{len(first_seen):,}",
            "attempts": f"{len(attempts):,}",
            "healed": f"{len(healed):,}",
            "success rate": f"{100 * len(healed) / len(attempts):.0f} %" if attempts else "–",
            "mean time to heal": f"{_mean([a.seconds for a in healed]):.1f} s" if healed else "–",
            "tokens": f"{ledger.tokens:,}",
            "money": f"${sum(ledger.usd.values()):.4f}",
            "fixes remembered": f"{len(proven):,}",
        },
    )


def exported(insights: Insights, *, project: str, at: float) -> str:
    """Returns the numbers as the content of a JSON file."""
    body = {"made_by": MADE_BY, "project": project, "at": at, **to_builtins(insights)}
    return json.dumps(body, indent=2, ensure_ascii=True) + "\n"


def _daily(name: str, days: Sequence[date], value: Callable[[date], float], unit: str) -> Series:
    return Series(
        name, tuple(day.isoformat() for day in days), tuple(float(value(day)) for day in days), unit
    )


def _days(found: Iterable[date], today: date) -> list[date]:
    first = min(found, default=today)
    count = min(MOST_DAYS, max(0, (today - first).days) + 1)
    return [today - timedelta(days=back) for back in range(count - 1, -1, -1)]


def _day(at: float) -> date:
    try:
        return datetime.fromtimestamp(at).astimezone().date()
    except (ValueError, OverflowError, OSError):
        return date(1970, 1, 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _rate(successes: int, failures: int) -> float:
    return round(100 * successes / (successes + failures), 1)


def _rules(learned: Sequence[Learned]) -> list[tuple[str, int, int]]:
    """Rules and models with their successes and failures, best supported first."""
    found = [
        (line(one.key[:300].removeprefix("rule:"), 100), one.successes, one.failures)
        for one in learned
        if one.key.startswith(("rule:", "model:")) and one.successes + one.failures
    ]
    return sorted(found, key=lambda rule: (-(rule[1] + rule[2]), rule[0]))[:MOST_RULES]


def _sentences(rules: Sequence[tuple[str, int, int]], proven: Sequence[ProvenFix]) -> tuple[str, ...]:
    sentences = [
        f"{name} held {good} of {good + bad} times ({_rate(good, bad):.0f} %)" for name, good, bad in rules
    ]
    for fix in reversed(proven[-MOST_SENTENCES:]):
        used = f", used again {fix.used} times" if fix.used else ""
        where = f"{fix.qualname[:200]} ({fix.path[-300:]})"
        sentences.append(
            line(f"a fix of {fix.exception[:100]} in {where} by {fix.rule[:100]} is remembered{used}")
        )
    return tuple(sentences[:MOST_SENTENCES])
