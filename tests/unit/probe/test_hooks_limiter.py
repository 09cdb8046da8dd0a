"""Repeats are recognised and counted, told at growing intervals, and never lost."""

from __future__ import annotations

import itertools
import json
import threading

import pytest

from selfheal_tui.probe import limiter, spool
from selfheal_tui.probe.hook import Probe
from selfheal_tui.probe.limiter import HANDLED_BURST, MAX_ENTRIES, Limiter, key_of


def raised(kind: type[Exception] = KeyError, depth: int = 2, outer: object = None) -> Exception:
    def down(left: int) -> None:
        if left:
            down(left - 1)
        raise kind("x")

    try:
        down(depth)
    except Exception as error:
        return error
    raise AssertionError


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(limiter, "_now", lambda: now[0])
    return now


def test_the_same_way_up_has_the_same_key_whatever_the_message():
    first, second = [raised() for _ in range(2)]
    assert key_of(first) == key_of(second)


def test_another_type_depth_or_cause_is_another_exception():
    keys = {key_of(raised()), key_of(raised(ValueError)), key_of(raised(depth=3))}
    for kind in (KeyError, ValueError):
        error = raised()
        error.__cause__ = raised(kind)
        keys.add(key_of(error))
    assert len(keys) == 5


def test_chains_that_go_in_a_circle_have_a_key():
    first, second = raised(), raised(ValueError)
    first.__context__, second.__context__ = second, first
    assert key_of(first)


def test_a_repeat_is_counted_until_its_interval_is_over_and_intervals_grow(clock):
    limits, error = Limiter(), raised()
    key = key_of(error)
    assert not limits.is_repeat(key)
    entry = limits.admit(key, error, "logged", True)
    assert entry is not None
    due = []
    for _ in range(200):
        clock[0] += 1.01
        if not limits.is_repeat(key):
            due.append(clock[0])
            entry.count()
            assert entry.take() > 0
    assert len(due) < 10
    gaps = [later - earlier for earlier, later in itertools.pairwise(due)]
    assert gaps == sorted(gaps)
    assert entry.told + entry.pending() == 200


def test_no_repeat_is_lost_between_threads():
    limits, error = Limiter(), raised()
    key = key_of(error)
    entry = limits.admit(key, error, "logged", True)
    assert entry is not None
    taken: list[int] = []

    def repeat() -> None:
        for at in range(3_000):
            if not limits.is_repeat(key):
                entry.count()
            if at % 500 == 0 and entry.claim():
                taken.append(entry.take())
                entry.release()

    threads = [threading.Thread(target=repeat) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) + entry.pending() == 24_000


def test_of_threads_that_see_it_first_at_the_same_time_each_is_counted_and_one_reports(tmp_path, monkeypatch):
    """The first report loads modules and syncs a file: meanwhile others come along."""
    probe = Probe(str(tmp_path), "")
    limits, arrived = probe.limiter, threading.Barrier(8, timeout=60)
    admit = Limiter.admit

    def together(self, *args):
        arrived.wait()  # all have found that nobody has seen it
        return admit(self, *args)

    monkeypatch.setattr(Limiter, "admit", together)
    error = raised()
    threads = [
        threading.Thread(target=probe.report, args=(error,), kwargs={"handled": True, "kind": "logged"})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(limits.table) == 1
    assert len(list(tmp_path.glob("*.json"))) == 1
    probe.flush()
    assert sum(json.loads(file.read_bytes())["count"] for file in tmp_path.glob("*.json")) == 8


def test_a_report_that_takes_longer_than_the_interval_loses_no_repeat_and_doubles_none(
    tmp_path, clock, monkeypatch
):
    probe, error = Probe(str(tmp_path), ""), raised()
    write = spool.write_report

    def slow(*args, **more):
        monkeypatch.setattr(spool, "write_report", write)
        clock[0] += 5
        other = threading.Thread(
            target=probe.report, args=(error,), kwargs={"handled": True, "kind": "logged"}
        )
        other.start()
        other.join()
        return write(*args, **more)

    monkeypatch.setattr(spool, "write_report", slow)
    probe.report(error, handled=True, kind="logged")
    probe.flush()
    assert sorted(json.loads(file.read_bytes())["count"] for file in tmp_path.glob("*.json")) == [1, 1]


def test_what_could_not_be_written_stays_pending_and_is_told_in_the_next_report(tmp_path, clock, monkeypatch):
    probe, error = Probe(str(tmp_path), ""), raised()
    with monkeypatch.context() as full:
        full.setattr(spool, "write_report", lambda *_, **__: 1 / 0)
        probe.report(error, handled=True, kind="logged")
    assert probe.errors == 1
    clock[0] += 100
    probe.report(error, handled=True, kind="logged")
    (only,) = tmp_path.glob("*.json")
    assert json.loads(only.read_bytes())["count"] == 2


def test_a_crash_where_only_handled_ones_were_seen_is_reported_in_full_as_a_crash(tmp_path, clock):
    probe = Probe(str(tmp_path), "")
    errors = [raised() for _ in range(3)]
    for error in errors[:2]:
        probe.report(error, handled=True, kind="logged")
    probe.report(errors[2], handled=False, kind="thread")
    found = [json.loads(file.read_bytes()) for file in sorted(tmp_path.glob("*.json"))]
    assert sorted((one["kind"], one["process"]["handled"], one["count"]) for one in found) == [
        ("logged", True, 1),
        ("logged", True, 1),
        ("thread", False, 1),
    ]


def test_a_count_in_an_entry_that_was_just_taken_out_is_still_told(tmp_path, clock):
    probe, error = Probe(str(tmp_path), ""), raised()
    probe.report(error, handled=True, kind="logged")
    limits = probe.limiter
    (entry,) = limits.table.values()
    for n in range(MAX_ENTRIES + 1):
        limits.admit((n,), error, "thread", False)
    assert entry in limits.crowded_out()
    entry.count()  # by a thread that had found it before
    probe.flush()
    assert sum(json.loads(file.read_bytes())["count"] for file in tmp_path.glob("*.json")) == 2


def test_handled_exceptions_that_are_always_new_are_bounded_and_uncaught_ones_are_not(clock):
    limits, error = Limiter(), raised()
    handled = [limits.admit((1, n), error, "logged", True) for n in range(HANDLED_BURST + 50)]
    assert sum(entry is not None for entry in handled) == HANDLED_BURST
    assert all(limits.admit((2, n), error, "thread", False) for n in range(200))
    clock[0] += 10
    assert limits.admit((3,), error, "logged", True)


def test_the_table_is_bounded_and_what_falls_out_is_handed_back(clock):
    limits, error = Limiter(), raised()
    for n in range(MAX_ENTRIES + 1):
        limits.admit((n,), error, "thread", False)
        limits.is_repeat((n,))
    out = limits.crowded_out()
    assert len(out) == MAX_ENTRIES // 4
    assert all(entry.pending() == 1 for entry in out)
    assert len(limits.table) < MAX_ENTRIES


def test_the_same_object_further_out_is_known_and_another_with_its_id_is_not():
    limits = Limiter()

    def inner() -> None:
        raise KeyError("x")

    def outer() -> None:
        try:
            inner()
        except KeyError as error:
            limits.admit(key_of(error), error, "logged", True)
            raise

    with pytest.raises(KeyError) as caught:
        outer()
    error = caught.value
    assert limits.passed_on(key_of(error), error) is not None
    other = raised()
    limits.recent[id(other)] = limits.recent[id(error)]
    assert limits.passed_on(key_of(other), other) is None


def test_an_entry_keeps_its_code_alive_but_neither_the_exception_nor_its_frames():
    limits, error = Limiter(), raised()
    entry = limits.admit(key_of(error), error, "logged", True)
    assert entry is not None
    kinds = {type(one).__name__ for one in entry.kept}
    assert kinds == {"type", "code"}
