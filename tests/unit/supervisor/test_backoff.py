"""Waits grow to a ceiling, are spread over all of it, and are forgotten after a success."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.supervisor.backoff import Backoff


class Highest(Random):
    def uniform(self, a: float, b: float) -> float:
        return b


def test_the_ceiling_doubles_until_the_cap_and_starts_anew_after_a_reset():
    backoff = Backoff(1.0, 10.0, Highest())
    assert [backoff.next() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next() == 1


def test_the_same_seed_draws_the_same_waits_and_another_other_ones():
    one, same, other = (Backoff(1, 60, Random(seed)) for seed in (1, 1, 2))
    first = [one.next() for _ in range(8)]
    assert first == [same.next() for _ in range(8)]
    assert first != [other.next() for _ in range(8)]


@given(base=st.floats(0, 3600), cap=st.floats(0, 86400), seed=st.integers(), failures=st.integers(0, 3000))
def test_no_wait_is_below_zero_or_above_the_cap_however_many_failures(base, cap, seed, failures):
    backoff = Backoff(base, cap, Random(seed))
    waits = [backoff.next() for _ in range(failures)]
    assert all(0 <= wait <= cap for wait in waits)
    assert backoff.ceiling <= cap
    assert backoff.failures == failures


def test_the_jitter_reaches_the_whole_range_from_zero():
    waits = [Backoff(8, 8, Random(seed)).next() for seed in range(400)]
    assert min(waits) < 1
    assert max(waits) > 7
