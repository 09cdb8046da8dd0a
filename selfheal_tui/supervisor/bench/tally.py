"""Sums results up: rates, costs and times, over all and by split and kind. Pure."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfheal_tui.supervisor.bench.result import FALSE, CaseResult, Score, With

_Z = 1.959964
"""Two-sided 95 % of the normal distribution."""
_MANY = 0.95


@dataclass(frozen=True, slots=True)
class Tally:
    """Results of one group.

    Attributes:
        mode: Who was asked.
        group: `all`, `split` or `kind`.
        name: Which one.
        cases: How many count; a bad case does not, and is counted in `bad_cases` alone.
        scores: How many had which score.
        repair_rate: Share of cases that are healed.
        repair_low: Lower end of its 95 % interval.
        repair_high: Upper end.
        false_fix_rate: Share of all cases with a change that was applied unasked and is wrong.
        attempts: Mean number of candidates that were validated.
        tokens: Sum of tokens.
        usd: Sum of money; None when a part of it is unknown.
        seconds_median: Median time of the healer.
        seconds_p95: 95th percentile of it.
        diff_median: Median of changed lines of healed cases; None when none is healed.
        bad_cases: Cases that show no fault here.
    """

    mode: With
    group: str
    name: str
    cases: int
    scores: dict[str, int]
    repair_rate: float
    repair_low: float
    repair_high: float
    false_fix_rate: float
    attempts: float
    tokens: int
    usd: float | None
    seconds_median: float
    seconds_p95: float
    diff_median: float | None
    bad_cases: int


def tallies(results: Iterable[CaseResult]) -> list[Tally]:
    """Sums up by mode, and within it over all, by split and by kind."""
    by_mode: dict[With, list[CaseResult]] = defaultdict(list)
    for result in results:
        by_mode[result.mode].append(result)
    found: list[Tally] = []
    for mode in With:
        if mode not in by_mode:
            continue
        found.append(tally(mode, "all", "", by_mode[mode]))
        for group in ("split", "kind"):
            parts: dict[str, list[CaseResult]] = defaultdict(list)
            for result in by_mode[mode]:
                parts[getattr(result, group)].append(result)
            found += [tally(mode, group, name, parts[name]) for name in sorted(parts)]
    return found


def tally(mode: With, group: str, name: str, results: Sequence[CaseResult]) -> Tally:
    """Sums one group up."""
    counted = [r for r in results if r.score is not Score.BAD_CASE]
    scores = Counter(r.score for r in results)
    n = len(counted)
    healed = scores[Score.HEALED]
    low, high = wilson(healed, n)
    times = sorted(r.seconds for r in counted)
    sizes = [r.diff_lines for r in counted if r.score is Score.HEALED]
    return Tally(
        mode=mode,
        group=group,
        name=name,
        cases=n,
        scores={score.value: scores[score] for score in Score if scores[score]},
        repair_rate=healed / n if n else 0.0,
        repair_low=low,
        repair_high=high,
        false_fix_rate=sum(scores[score] for score in FALSE) / n if n else 0.0,
        attempts=sum(r.attempts for r in counted) / n if n else 0.0,
        tokens=sum(r.tokens for r in counted),
        usd=None if any(r.usd is None for r in counted) else sum(r.usd or 0.0 for r in counted),
        seconds_median=statistics.median(times) if times else 0.0,
        seconds_p95=percentile(times, _MANY),
        diff_median=statistics.median(sizes) if sizes else None,
        bad_cases=scores[Score.BAD_CASE],
    )


def wilson(successes: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, JASA 22, 1927), which holds for few cases and shares of 0 and 1.

    Args:
        successes: How many.
        of: Of how many.
    """
    if not of:
        return 0.0, 1.0
    share = successes / of
    scale = 1 + _Z**2 / of
    middle = (share + _Z**2 / (2 * of)) / scale
    half = _Z * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of the values does not exceed; 0 when there is none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
