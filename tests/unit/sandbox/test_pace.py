"""Budgets of searches grow with the load of the machine, within bounds."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.sandbox.pace import LONGEST, patience


def told(load: float, processors: int | None) -> float:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getloadavg", lambda: (load, 50.0, 50.0))
        patch.setattr(os, "cpu_count", lambda: processors)
        return patience()


@pytest.mark.parametrize("load", [0.0, 0.5, 3.9, 4.0])
def test_an_idle_machine_gets_no_more_than_its_budget(load: float) -> None:
    assert told(load, 4) == 1.0


def test_a_machine_with_twice_as_many_takers_as_processors_gets_twice_the_time() -> None:
    assert told(8.0, 4) == 2.0


def test_a_number_of_processors_that_is_not_known_counts_as_one() -> None:
    assert told(2.0, None) == 2.0


@given(load=st.floats(0, 1e9), processors=st.integers(1, 512) | st.none())
def test_no_load_shortens_a_budget_or_stretches_it_beyond_the_bound(
    load: float, processors: int | None
) -> None:
    assert 1.0 <= told(load, processors) <= LONGEST


def test_the_bound_is_reached_however_busy_the_machine_is() -> None:
    assert told(1e6, 1) == LONGEST


def test_a_system_that_fails_to_tell_gets_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> tuple[float, float, float]:
        raise OSError("not obtainable")

    monkeypatch.setattr(os, "getloadavg", fails)
    assert patience() == 1.0


def test_a_system_without_load_gets_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getloadavg")
    assert patience() == 1.0
