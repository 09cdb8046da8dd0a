"""Gives every test the signals of a session at a terminal, and byte code to the processes that tests start.

A shell that starts a job in the background, and `nohup`, have it ignore some signals, and what is ignored
is inherited by every program that a test starts.

Where byte code was neither installed (uv compiles none unless asked to) nor may be written
(`PYTHONDONTWRITEBYTECODE`), each of the hundreds of processes here would compile pytest, hypothesis or textual anew,
and each test run behind the sandbox's read-only walls would, too: measured, 6.7 s instead of 3.1 s for one healing.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

for number, default in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, default)

sys.dont_write_bytecode = False  # for this process; what it starts keeps the variable


def pytest_configure(config: pytest.Config) -> None:
    """Has pytest started once as a user would, before the workers start."""
    ready = _holds("_pytest", "*.pyc") and _holds(
        "hypothesis", "*-pytest-*.pyc"
    )  # plugins: compiled pytest's way
    if ready or hasattr(config, "workerinput"):
        return
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", empty]
        # Where nothing can be written all works as before, slowly; so how it ends is of no interest.
        subprocess.run(command, cwd=empty, env=environ, capture_output=True, timeout=120)


def _holds(package: str, byte_code: str) -> bool:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    return any((Path(found.origin).parent / "__pycache__").glob(byte_code))
