"""When the inbox is full, the oldest handled reports give way, counted; crashes never do."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from selfheal_tui.probe import spool
from selfheal_tui.probe.hook import Probe


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(spool, "MAX_REPORTS", 10)
    spool.dropped(forget=spool.dropped())


def fill(folder: Path, handled: int, crashes: int) -> None:
    for n in range(handled):
        spool.write_file(str(folder), f"{100 + n}-1-{n}.handled.json", b"{}")
        spool.write_file(str(folder), f"{100 + n}-1-{n}.args.0.pickle", b"x")
    for n in range(crashes):
        spool.write_file(str(folder), f"{n}-1-{n}.json", b"{}")


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_crash_takes_the_place_of_the_oldest_handled_one(tmp_path):
    fill(tmp_path, handled=4, crashes=6)
    spool.write_report(str(tmp_path), {}, stem="999-1-1")
    left = names(tmp_path)
    assert "999-1-1.json" in left
    assert not [name for name in left if name.startswith("100-")], "the oldest went, with its payload"
    assert len([name for name in left if name.endswith(".json") and "handled" not in name]) == 7
    assert spool.dropped() == 1


def test_a_handled_one_never_takes_the_place_of_a_crash(tmp_path):
    fill(tmp_path, handled=0, crashes=9)
    before = names(tmp_path)
    with pytest.raises(spool.InboxFullError):
        spool.write_report(str(tmp_path), {}, stem="999-1-1", handled=True)
    assert names(tmp_path) == before
    spool.write_report(str(tmp_path), {}, stem="999-1-2")
    assert len(names(tmp_path)) == 10


def test_handled_ones_leave_room_for_crashes(tmp_path):
    for n in range(30):
        spool.write_report(str(tmp_path), {}, stem=f"{n}-1-1", handled=True)
    left = names(tmp_path)
    assert len(left) == 8
    assert left[-1] == "29-1-1.handled.json"
    assert spool.dropped() == 22


def test_a_full_disk_costs_handled_reports_before_a_crash(tmp_path, monkeypatch):
    fill(tmp_path, handled=3, crashes=0)
    real, failed = spool.os.fsync, []

    def full(descriptor: int) -> None:
        if not failed:
            failed.append(1)
            raise OSError(errno.ENOSPC, "no space left")
        real(descriptor)

    monkeypatch.setattr(spool.os, "fsync", full)
    spool.write_report(str(tmp_path), {}, stem="999-1-1")
    assert names(tmp_path) == ["999-1-1.json"]
    assert spool.dropped() == 3


def test_what_was_dropped_is_told_in_the_next_report_and_once(tmp_path):
    probe = Probe(str(tmp_path), "")
    fill(tmp_path, handled=8, crashes=2)
    told = []
    for kind in (KeyError, ValueError):
        try:
            raise kind("x")
        except kind as error:
            probe.report(error, handled=False, kind="thread")
        newest = max((f for f in tmp_path.glob("*.json") if len(f.name) > 25), key=lambda f: f.name)
        told.append(json.loads(newest.read_bytes())["context"].get("selfheal.dropped"))
    assert told[0] == "1"
    assert told[1] == "1", "each made room for itself"
