"""Discovers and runs unittest tests and reports each outcome as a JSON line, the last one being `{"end": ...}`.

Usage: `run_unittest.py FD [ID...]`, a line with a token on stdin (every line of the answer begins with it), in the directory of the project.
"""

from __future__ import annotations

import json
import os
import sys
import unittest
from typing import Any

LOAD_FAILURE = "unittest.loader._FailedTest."


class Result(unittest.TextTestResult):
    """Writes each outcome when its test stops; the worst of a test and its subtests counts."""

    descriptor = -1
    token = ""

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Begins a test."""
        super().startTest(test)
        self.outcome = "passed"

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Ends a test."""
        super().stopTest(test)
        tell({"id": test.id(), "outcome": self.outcome})

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802 - unittest's name
        """Also called for a class or module fixture that failed, outside any test."""
        super().addError(test, err)
        self.outcome = "failed"
        if not isinstance(test, unittest.TestCase):
            tell({"id": test.id(), "outcome": "failed"})

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802 - unittest's name
        """An assertion failed."""
        super().addFailure(test, err)
        self.outcome = "failed"

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802 - unittest's name
        """A subtest ended."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.outcome = "failed"

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802 - unittest's name
        """A test that should fail did not."""
        super().addUnexpectedSuccess(test)
        self.outcome = "failed"

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802 - unittest's name
        """A test was skipped."""
        super().addSkip(test, reason)
        self.outcome = "skipped" if getattr(self, "outcome", "passed") == "passed" else self.outcome

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802 - unittest's name
        """A test failed as it said it would."""
        super().addExpectedFailure(test, err)
        self.outcome = "skipped"


def tell(line: dict[str, Any]) -> None:
    """Writes one line, whole."""
    data = (Result.token + json.dumps(line) + "\n").encode("utf-8")
    while data:
        data = data[os.write(Result.descriptor, data) :]


def collect(loader: unittest.TestLoader, only: list[str]) -> unittest.TestSuite:
    """Finds the tests: from here, and in test folders that are no packages."""
    folders = [
        name
        for name in ("tests", "test")
        if os.path.isdir(name) and not os.path.exists(os.path.join(name, "__init__.py"))
    ]
    if only:
        sys.path[1:1] = [os.path.abspath(folder) for folder in folders]
        names = [name[len(LOAD_FAILURE) :] if name.startswith(LOAD_FAILURE) else name for name in only]
        return loader.loadTestsFromNames(names)
    suites = [loader.discover(".", top_level_dir=".")]
    for folder in folders:
        loader._top_level_dir = None  # type: ignore[attr-defined]  # kept between calls until 3.11
        suites.append(loader.discover(folder, top_level_dir=folder))
    return unittest.TestSuite(suites)


def main(argv: list[str]) -> int:
    """Runs and returns 0 when all passed."""
    descriptor = int(argv[1])
    os.set_inheritable(descriptor, False)
    sys.path[0] = os.getcwd()
    only, sys.argv = argv[2:], ["python -m unittest"]
    Result.descriptor, Result.token = descriptor, sys.stdin.readline().strip()
    suite = collect(unittest.TestLoader(), only)
    runner = unittest.TextTestRunner(resultclass=Result)  # type: ignore[arg-type]  # stubs: a generic stream
    result = runner.run(suite)
    tell({"end": 0 if result.wasSuccessful() else 1, "interrupted": bool(result.shouldStop)})
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
