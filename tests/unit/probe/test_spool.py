"""Reports are in the inbox whole or not at all, in order, and never too many."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from selfheal_tui.probe import spool


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_report_is_written_whole_private_and_under_the_name_of_its_payload(tmp_path):
    report = {"replay": [{"payload": None}, {"payload": "12-3-4.args.1.pickle"}], "text": "\u20ac"}
    path = spool.write_report(str(tmp_path), report)
    assert names(tmp_path) == ["12-3-4.json"]
    assert json.loads(Path(path).read_bytes()) == report
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_names_sort_by_time_and_never_repeat():
    stems = [spool.new_stem() for _ in range(500)]
    assert len(set(stems)) == 500
    assert sorted(stems, key=lambda stem: int(stem.split("-")[0])) == stems


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_failure_at_any_step_leaves_nothing(tmp_path, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(spool.os, call, full)
    with pytest.raises(OSError, match="no space"):
        spool.write_report(str(tmp_path), {"a": 1})
    assert names(tmp_path) == []


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(spool.os, "write", lambda descriptor, data: real(descriptor, bytes(data[:7])))
    path = spool.write_file(str(tmp_path), "x", b"0123456789" * 10)
    assert Path(path).read_bytes() == b"0123456789" * 10


def test_a_full_inbox_takes_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_REPORTS", 2)
    for _ in range(2):
        spool.write_report(str(tmp_path), {})
    with pytest.raises(spool.InboxFullError, match="selfheal"):
        spool.write_report(str(tmp_path), {})
    assert len(names(tmp_path)) == 2


def test_an_inbox_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        spool.write_report(str(tmp_path / "gone"), {})
    assert names(tmp_path) == []


def test_the_log_of_own_problems_is_masked_and_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_LOG_BYTES", 1000)
    for _ in range(100):
        spool.note_problem(str(tmp_path), ValueError("password='hunter2'\nsecond line"))
    log = (tmp_path / spool.ERROR_LOG).read_text()
    assert "hunter2" not in log
    assert 1000 <= len(log) < 1300
    assert all(line.count("ValueError") == 1 for line in log.splitlines())


def test_payloads_of_a_report_that_failed_can_be_removed(tmp_path):
    (tmp_path / "1.args.0.pickle").touch()
    spool.remove_payloads(str(tmp_path), {"replay": [{"payload": "1.args.0.pickle"}, {"payload": None}]})
    assert names(tmp_path) == []
