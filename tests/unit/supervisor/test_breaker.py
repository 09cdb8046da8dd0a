"""A program that crashes too often stays stopped: across managers, and whatever becomes of the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.store.errors import CorruptStoreError, StoreError, StoreWriteError
from selfheal_tui.supervisor import breaker as module
from selfheal_tui.supervisor.breaker import FILE_NAME, Breakers


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def made(tmp_path, clock, count=3, seconds=10.0):
    return Breakers(tmp_path / ".selfheal", count=count, seconds=seconds, clock=clock)


def test_it_opens_at_the_nth_crash_within_the_span(tmp_path, clock):
    breakers = made(tmp_path, clock)
    assert breakers.crashed("a") == ""
    clock.now += 4
    assert breakers.crashed("a") == ""
    clock.now += 4
    assert "3 crashes within 10 s" in breakers.crashed("a")
    assert breakers.open("a")
    assert not breakers.open("b")


def test_crashes_that_are_far_apart_never_open_it(tmp_path, clock):
    breakers = made(tmp_path, clock)
    for _ in range(50):
        assert breakers.crashed("a") == ""
        clock.now += 5


def test_it_is_remembered_by_the_next_manager_until_it_is_lifted(tmp_path, clock):
    for _ in range(3):
        made(tmp_path, clock).crashed("a")
    clock.now += 1_000_000
    later = made(tmp_path, clock)
    assert later.open("a")
    assert later.reset("a")
    assert not later.reset("a")
    assert not made(tmp_path, clock).open("a")


def test_lifting_one_leaves_the_others_open(tmp_path, clock):
    breakers = made(tmp_path, clock, count=1)
    breakers.crashed("a")
    breakers.crashed("b")
    breakers.reset("a")
    assert not breakers.open("a")
    assert breakers.open("b")


def test_a_clock_that_is_set_back_keeps_no_crash_young(tmp_path, clock):
    breakers = made(tmp_path, clock)
    for _ in range(2):
        breakers.crashed("a")
    clock.now -= 5000
    assert breakers.crashed("a") == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"programs": {"a": 3}}', b"\xff\xfe"])
def test_a_file_that_cannot_be_understood_is_an_error_and_never_forgotten(tmp_path, clock, content):
    breakers = made(tmp_path, clock)
    file = tmp_path / ".selfheal" / FILE_NAME
    file.write_bytes(content)
    for ask in (breakers.open, breakers.crashed, breakers.reset):
        with pytest.raises(CorruptStoreError, match="remove it"):
            ask("a")
    assert file.read_bytes() == content


def test_a_full_disk_leaves_the_old_file_and_is_told(tmp_path, clock, monkeypatch):
    breakers = made(tmp_path, clock)
    breakers.crashed("a")
    before = (tmp_path / ".selfheal" / FILE_NAME).read_bytes()

    def full(file, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "replace_file", full)
    with pytest.raises(StoreWriteError, match="No space"):
        breakers.crashed("a")
    assert (tmp_path / ".selfheal" / FILE_NAME).read_bytes() == before


@given(gaps=st.lists(st.floats(0, 30), max_size=12))
def test_it_is_open_exactly_when_n_crashes_fell_into_one_span(gaps, tmp_path_factory):
    clock = Clock()
    breakers = made(tmp_path_factory.mktemp("b"), clock)
    times: list[float] = []
    opened = False
    for gap in gaps:
        clock.now += gap
        times.append(clock.now)
        opened = opened or (len(times) >= 3 and times[-1] - times[-3] < 10)
        try:
            assert bool(breakers.crashed("a")) == opened
        except StoreError as error:
            pytest.fail(str(error))
