"""The probe's environment adds to the program's own, and loses nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from selfheal_tui.probe.environment import BOOT_DIR, probe_environment


@pytest.mark.parametrize("old", [None, "", "/lib", ":/lib", "/lib:", os.pathsep.join(["/a", "", "b"])])
def test_the_programs_own_import_path_follows_ours_unchanged(old):
    environ = {} if old is None else {"PYTHONPATH": old}
    entries = probe_environment("/inbox", "/root", environ)["PYTHONPATH"].split(os.pathsep)
    assert entries[0] == BOOT_DIR
    assert entries[1:] == (old.split(os.pathsep) if old else [])


def test_adding_it_twice_is_adding_it_once_and_the_newer_inbox_wins():
    first = probe_environment("/one", "/root", {"PYTHONPATH": "/lib", "A": "b"})
    second = probe_environment("/two", "/root", first)
    assert second == {**first, "SELFHEAL_INBOX": "/two"}


def test_the_given_environment_is_not_changed_and_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ = {"X": "y"}
    result = probe_environment("in", Path(), environ)
    assert environ == {"X": "y"}
    assert (result["SELFHEAL_INBOX"], result["SELFHEAL_ROOT"]) == (str(tmp_path / "in"), str(tmp_path))
    assert (Path(BOOT_DIR) / "sitecustomize.py").is_file()
