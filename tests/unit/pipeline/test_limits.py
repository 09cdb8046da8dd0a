"""Loops end: breaker and cool-down, counted from what is on record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from selfheal_tui.model.settings import LimitSettings
from selfheal_tui.pipeline.limits import change_limit, cooling_down
from selfheal_tui.store import Store

LIMITS = LimitSettings(heals_per_fingerprint=2, heals_per_file_hour=3, heals_per_hour=4, cool_down_seconds=60)


class Clock:
    now = 10_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(tmp_path, clock=clock) as opened:
        yield opened


def applied(store: Store, fingerprint: str, path: str) -> None:
    store.audit.append("change.applied", actor="engine", data={"fingerprint": fingerprint, "files": [path]})


def limit(store: Store, clock: Clock, fingerprint: str = "new", path: str = "new.py") -> str:
    return change_limit(store, LIMITS, fingerprint=fingerprint, paths=[path], now=clock.now)


def test_nothing_on_record_limits_nothing(store: Store, clock: Clock) -> None:
    assert limit(store, clock) == ""


def test_a_crash_that_keeps_coming_back_opens_the_breaker_for_good(store: Store, clock: Clock) -> None:
    applied(store, "f", "a.py")
    assert limit(store, clock, "f") == ""
    applied(store, "f", "b.py")
    clock.now += 30 * 86_400
    assert "heals_per_fingerprint" in limit(store, clock, "f")


def test_a_file_is_changed_only_so_often_within_an_hour(store: Store, clock: Clock) -> None:
    for n in range(3):
        applied(store, f"f{n}", "a.py")
    assert "heals_per_file_hour" in limit(store, clock, path="a.py")
    assert limit(store, clock, path="b.py") == ""
    clock.now += 3601
    assert limit(store, clock, path="a.py") == ""


def test_a_project_is_changed_only_so_often_within_an_hour(store: Store, clock: Clock) -> None:
    for n in range(4):
        applied(store, f"f{n}", f"{n}.py")
    assert "heals_per_hour" in limit(store, clock)


def test_the_cool_down_doubles_and_a_success_ends_it(store: Store, clock: Clock) -> None:
    def left() -> float:
        return cooling_down(store, LIMITS, fingerprint="f", now=clock.now)

    assert left() == 0
    store.learning.count("fingerprint:f", False)
    assert left() == 60
    store.learning.count("fingerprint:f", False)
    assert left() == 120
    clock.now += 121
    assert left() == 0
    store.learning.count("fingerprint:f", False)
    store.learning.count("fingerprint:f", True)
    store.learning.count("fingerprint:f", True)
    store.learning.count("fingerprint:f", True)
    assert left() == 0
