"""A pytest plugin that reports each test's outcome as JSON lines, independent of terminal output.

Used as an object by `run_pytest.py`, or as `-p selfheal_pytest_plugin` when the project's own test command runs pytest; then it
finds its channel in `SELFHEAL_TEST_CHANNEL` (`descriptor:inode:file`; a descriptor is not always inherited).
The last line is `{"end": exit status, "interrupted": bool}`; a run that never wrote it has not run to its end. With the
probe's directory in `SELFHEAL_TEST_PROBE`, the exceptions of failed tests follow as `{"crash_of": id, "crash": report}`.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import types
from typing import Any

CHANNEL = "SELFHEAL_TEST_CHANNEL"
LIMIT = "SELFHEAL_TEST_SECONDS"
AGAIN_SECONDS = 1.0
PROBE = "SELFHEAL_TEST_PROBE"
MOST_CRASHES = 12


class Reporter:
    """Collects outcomes and writes them as they are known."""

    def __init__(self, descriptor: int, token: str = "") -> None:
        self.descriptor = descriptor
        self.token = token
        self.interrupted = False
        self.root = ""
        self.here = os.getcwd()
        self.limit = float(os.environ.get(LIMIT) or 0)
        self.crashes_left = MOST_CRASHES if os.environ.get(PROBE) else 0

    def write(self, line: dict[str, Any]) -> None:
        """Writes one line, whole."""
        data = (self.token + json.dumps(line) + "\n").encode("utf-8")
        while data:
            data = data[os.write(self.descriptor, data) :]

    def name(self, node: str) -> str:
        """Turns an id that is relative to pytest's root into one that can be given to it from here."""
        file, separator, rest = node.partition("::")
        if not self.root or self.root == self.here or not file:
            return node
        return (
            os.path.relpath(os.path.join(self.root, file), self.here).replace(os.sep, "/") + separator + rest
        )

    def pytest_configure(self, config: Any) -> None:
        """Notes what ids are relative to."""
        self.root = str(getattr(config, "rootpath", "") or getattr(config, "rootdir", ""))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A phase of a test ended."""
        outcome = report.outcome  # plugins add outcomes of their own, such as "rerun"
        if outcome not in ("failed", "skipped", "passed") or (outcome == "passed" and report.when != "call"):
            return
        if outcome == "passed" and hasattr(report, "wasxfail"):
            outcome = "skipped"  # an unexpected pass that is not strict says nothing either way
        line = {"id": self.name(report.nodeid), "outcome": outcome}
        if outcome == "failed":
            line["at"] = self.failed_in(report)
        self.write(line)

    def failed_in(self, report: Any) -> str:
        """File of the project in which a test failed, innermost; empty when the report does not tell."""
        entries = getattr(getattr(report.longrepr, "reprtraceback", None), "reprentries", ())
        for entry in reversed(list(entries)):
            place = getattr(getattr(entry, "reprfileloc", None), "path", "")
            file = (
                os.path.relpath(os.path.join(self.root or self.here, str(place)), self.here) if place else ""
            )
            if file and not file.startswith("..") and "site-packages" not in file:
                return file.replace(os.sep, "/")
        return ""

    def pytest_runtest_call(self) -> None:
        """A test begins; where each has a time limit, its clock does."""
        if self.limit > 0 and hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, too_long)
            # Again and again: code under test may swallow the first one.
            signal.setitimer(signal.ITIMER_REAL, self.limit, AGAIN_SECONDS)

    def pytest_runtest_teardown(self) -> None:
        """The test is over."""
        if self.limit > 0 and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        """A test failed: where that is wanted, its exception is captured as a crash would be."""
        error = getattr(getattr(call, "excinfo", None), "value", None)
        if error is None or self.crashes_left <= 0:
            return
        self.crashes_left -= 1
        found = capture(os.environ[PROBE])(error, root=self.here)
        self.write({"crash_of": self.name(node.nodeid), "crash": found})

    def pytest_collectreport(self, report: Any) -> None:
        """A file or class was collected, or could not be."""
        if report.failed:
            self.write({"id": self.name(report.nodeid) or "collection", "outcome": "failed"})

    def pytest_keyboard_interrupt(self) -> None:
        """Somebody ended the run: Ctrl-C, or `pytest.exit` in the project's code."""
        self.interrupted = True

    def pytest_internalerror(self) -> None:
        """Pytest itself, or one of its plugins, crashed."""
        self.interrupted = True

    def pytest_sessionfinish(self, session: Any, exitstatus: Any) -> None:
        """All tests have run."""
        if not hasattr(session.config, "workerinput"):
            self.write({"end": int(exitstatus), "interrupted": self.interrupted})


def too_long(_number: int, _frame: Any) -> None:
    """Ends a test that does not end by itself."""
    raise TimeoutError("the test did not end within its time limit")


def capture(directory: str) -> Any:
    """Loads the probe's capture from its path, under the private name that the probe itself uses."""
    if "_selfheal_probe" not in sys.modules:
        package = types.ModuleType("_selfheal_probe")
        package.__path__ = [directory]
        sys.modules["_selfheal_probe"] = package
    return importlib.import_module("_selfheal_probe.capture").capture_exception


def open_channel() -> int | None:
    """Opens the descriptor if it is the one that was meant, else the file."""
    number, _, rest = os.environ.get(CHANNEL, "").partition(":")
    inode, _, file = rest.partition(":")
    if not file:
        return None
    try:
        if os.fstat(int(number)).st_ino == int(inode):
            return int(number)
    except (OSError, ValueError):
        pass  # closed by a program in between
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def pytest_configure(config: Any) -> None:
    """Registers the reporter in the process that sees all outcomes (not in workers of xdist)."""
    channel = None if hasattr(config, "workerinput") else open_channel()
    if channel is not None:
        reporter = Reporter(channel)
        reporter.pytest_configure(config)
        config.pluginmanager.register(reporter, "selfheal-reporter")
