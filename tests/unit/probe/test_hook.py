"""The hook inside the program: it adds a report, and whatever fails in it stays in it."""

from __future__ import annotations

import sys

import pytest

from selfheal_tui.probe import capture, hook
from selfheal_tui.probe.hook import Probe


@pytest.fixture
def probe(tmp_path, monkeypatch):
    calls: list[tuple] = []
    monkeypatch.setattr(sys, "excepthook", lambda *given: calls.append(given))
    monkeypatch.setattr(hook.atexit, "register", lambda function: function)
    probe = Probe(str(tmp_path), "")
    probe.install_hooks()
    probe.calls = calls  # type: ignore[attr-defined]
    return probe


def reports(tmp_path):
    return list(tmp_path.glob("*.json"))


def test_the_hook_reports_then_calls_the_one_before_with_the_same_things(probe, tmp_path):
    error = ValueError("x")
    sys.excepthook(ValueError, error, None)
    assert probe.calls == [(ValueError, error, None)]
    assert len(reports(tmp_path)) == 1


@pytest.mark.parametrize("problem", [RuntimeError, KeyboardInterrupt, MemoryError, RecursionError])
def test_an_error_in_the_capture_is_counted_noted_and_goes_no_further(probe, tmp_path, monkeypatch, problem):
    def broken(*_, **__):
        raise problem

    monkeypatch.setattr(capture, "capture_exception", broken)
    sys.excepthook(ValueError, ValueError("x"), None)
    assert len(probe.calls) == 1
    assert probe.errors == 1
    assert problem.__name__ in (tmp_path / "probe-errors.log").read_text()


def test_even_a_log_that_cannot_be_written_is_harmless(probe, tmp_path, monkeypatch):
    monkeypatch.setattr(capture, "capture_exception", None)
    (tmp_path / "probe-errors.log").mkdir()
    sys.excepthook(ValueError, ValueError("x"), None)
    assert len(probe.calls) == 1
    assert probe.errors == 2


def test_at_exit_an_unseen_crash_is_reported_once_and_only_when_the_hook_was_replaced(
    probe, tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "last_value", ValueError("unseen"), raising=False)
    probe.at_exit()
    assert reports(tmp_path) == []
    sys.excepthook = lambda *_: None
    probe.at_exit()
    probe.at_exit()
    assert len(reports(tmp_path)) == 1


def test_without_an_inbox_nothing_is_installed(monkeypatch):
    monkeypatch.delenv("SELFHEAL_INBOX", raising=False)
    monkeypatch.delattr(sys, "_selfheal_probe", raising=False)
    before = sys.excepthook
    assert hook.install() is None
    assert sys.excepthook is before
