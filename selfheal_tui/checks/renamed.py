"""Parametrised tests that go by another name in each run: the time, an address, or the order of a set is in it.

A test that passed and cannot be found again counts as broken. That holds only as long as names are kept: where as many
cases of one test came as went, they are the same cases. Pure functions on names.
"""

from __future__ import annotations

from collections import defaultdict

from selfheal_tui.model.ports import TestRun


def renamed(before: TestRun, after: TestRun) -> frozenset[str]:
    """Finds cases that only go by another name.

    Args:
        before: Run on the unfixed copy.
        after: Run with the fix.

    Returns:
        Names of both runs, of tests of which as many cases went as came, and no fewer passed.
    """
    known, now = before.passed | before.failed, after.passed | after.failed
    gone, come = _by_test(known - now), _by_test(now - known)
    found: set[str] = set()
    for test, names in gone.items():
        others = come.get(test, set())
        if len(names) == len(others) and len(names & before.passed) <= len(others & after.passed):
            found |= names | others
    return frozenset(found)


def _by_test(names: frozenset[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name in names:
        test, bracket, _ = name.partition("[")
        if bracket:
            found[test].add(name)
    return found
