"""Runs pytest as `python -m pytest` would, with our reporter.

Usage: `run_pytest.py FD PYTEST-ARGUMENTS...`, a line with a token on stdin, in the directory of the project.
"""

from __future__ import annotations

import os
import sys


def main(argv: list[str]) -> int:
    """Runs and returns pytest's exit status."""
    descriptor = int(argv[1])
    os.set_inheritable(descriptor, False)
    token = sys.stdin.readline().strip()
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    sys.path.insert(0, os.path.join(here, "pytest_plugin"))
    from selfheal_pytest_plugin import Reporter  # type: ignore[import-not-found]  # found beside this script

    sys.path[0] = os.getcwd()
    import pytest

    return int(pytest.main(argv[2:], plugins=[Reporter(descriptor, token)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
