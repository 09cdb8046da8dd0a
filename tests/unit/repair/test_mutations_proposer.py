"""The search at a crash: which changes it tries, which it offers, and when it says that little was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.laboratory import Behaviour
from selfheal_tui.model.trial import TrialOutcome, TrialResult, Trials
from selfheal_tui.pipeline.select import RIVAL_MARGIN
from selfheal_tui.repair.mutations.proposer import BUDGET_SECONDS, MutationProposer
from tests.unit.repair.crashlab import Lab


class Tried:
    """Trials that find exactly those green whose text has a wanted part, and note what was tried."""

    def __init__(self, *wanted: str, cut: int = 0, **facts: object) -> None:
        self.wanted = wanted
        self.cut = cut
        self.facts = facts
        self.texts: list[str] = []

    def __call__(self, candidates: Iterable[Candidate], seconds: float) -> Iterator[TrialResult]:
        assert seconds == BUDGET_SECONDS
        for number, candidate in enumerate(candidates):
            if self.cut and number >= self.cut:
                return
            text = candidate.edits[0].text
            self.texts.append(text)
            green = any(part in text for part in self.wanted)
            outcome = TrialOutcome.GREEN if green else TrialOutcome.RED
            yield TrialResult(candidate, outcome, **self.facts if green else {})  # type: ignore[arg-type]  # as given


def offered(lab: Lab, trials: Trials) -> list[Candidate]:
    context = replace(lab.context(), trials=trials)
    return [c for c in MutationProposer().propose(context) if isinstance(c, Candidate)]


FILLED = """
def put(ps):
    d = {}
    for p in ps:
        if p != 'b':
            d[p] = 1
    return d
def get(d, ps):
    return [d[p] for p in ps]
get(put('ab'), 'ab')
"""
CRASHES = {
    "a default that a sibling branch hands out": (
        "KINDS = {'py': 1}\ndef f(n):\n    if not n:\n        return 'other'\n    return KINDS[n]\nf('x')\n",
        "KINDS.get(n, 'other')",
    ),
    "an endless loop over an index": (
        "def f(xs):\n    i = 0\n    while True:\n        if xs[i] == 9:\n            return i\n        i += 1\nf([1])\n",
        "while i < len(xs):",
    ),
    "a look ahead": (
        "def f(xs, i):\n    if xs[i + 1] > 0:\n        return True\n    return False\nf([1], 0)\n",
        "if i + 1 < len(xs) and xs[i + 1] > 0:",
    ),
    "an iterator that may be empty": (
        "def f(xs):\n    return next(x for x in xs)\nf([])\n",
        "next((x for x in xs), None)",
    ),
    "the largest of nothing": ("def f(xs):\n    return max(xs)\nf([])\n", "max(xs, default=0)"),
    "a slice that cannot be negative": (
        "from itertools import islice\ndef f(xs, n):\n    return list(islice(xs, n))\nf([1], -1)\n",
        "max(0, n)",
    ),
    "a mean of nothing": (
        "def f(xs):\n    return sum(xs) / len(xs)\nf([])\n",
        "if not xs:\n        return 0",
    ),
    "a start at zero": (
        "def f(n):\n    for d in range(0, n):\n        if n % d == 0:\n            return d\nf(4)\n",
        "range(2, n)",
    ),
    "a pattern that was meant as text": (
        "import re\ndef f(t, w):\n    return re.sub(w, '', t)\nf('a', '+')\n",
        "re.escape(w)",
    ),
    "bytes beyond ascii": ("def f(b):\n    return b.decode('ascii')\nf('é'.encode())\n", "b.decode('utf-8')"),
    "an empty line": (
        "def f(lines):\n    t = 0\n    for line in lines:\n        t += int(line)\n    return t\nf(['1', ''])\n",
        "if not line.strip():\n            continue",
    ),
    "a mapping that was filled under a condition": (
        FILLED,
        "    for p in ps:\n        d[p] = 1\n",
    ),
    "a handler that is not there": (
        "class B:\n    def __init__(self):\n        self.hs = []\n    def off(self, h):\n        self.hs.remove(h)\nB().off(1)\n",
        "if h in self.hs:\n            self.hs.remove(h)",
    ),
}


@pytest.mark.parametrize("name", CRASHES)
def test_what_projects_do_about_such_a_crash_is_tried_and_offered_as_a_guess(
    tmp_path: Path, name: str
) -> None:
    source, wanted = CRASHES[name]
    lab = Lab(tmp_path, {"main.py": source})
    trials = Tried(wanted)
    found = offered(lab, trials)
    assert found, f"{wanted!r} was not among {len(trials.texts)} changes"
    assert found[0].guess
    assert wanted in found[0].edits[0].text
    assert found[0].targets


def test_nothing_is_searched_where_nothing_can_be_tried(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": "def f(xs):\n    return xs[0]\nf([])\n"})
    assert list(MutationProposer().propose(lab.context())) == []


def test_a_search_that_is_switched_off_tries_nothing(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": "def f(d, k):\n    return d[k]\nf({}, 1)\n"})
    trials = Tried("d.get(k")
    context = replace(lab.context(), trials=trials)
    off = replace(context.settings, search=replace(context.settings.search, seconds=0.0))
    assert list(MutationProposer().propose(replace(context, settings=off))) == []
    assert not trials.texts


def test_tests_and_what_stands_outside_of_them_are_never_changed(tmp_path: Path) -> None:
    lab = Lab(
        tmp_path,
        {
            "lib.py": "def f(xs):\n    return xs[0]\n",
            "test_lib.py": "from lib import f\ndef test_f():\n    assert f([]) is None\n",
            "main.py": "import test_lib\ntests = [test_lib.test_f]\nfor i in range(len(tests)):\n    tests[i]()\n",
        },
    )
    context = lab.context()
    paths: set[str] = set()

    def trials(candidates: Iterable[Candidate], _seconds: float) -> Iterator[TrialResult]:
        paths.update(edit.path for candidate in candidates for edit in candidate.edits)
        return iter(())

    assert list(MutationProposer().propose(replace(context, trials=trials))) == []
    assert paths == {"lib.py"}


SEARCH = """
def f(xs, x):
    lo, hi = 0, len(xs)
    while lo <= hi:
        m = (lo + hi) // 2
        if xs[m] == x:
            return m
        lo = m + 1
    return -1
f([1], 9)
"""


def doubts(tmp_path: Path, make: Callable[[], Trials]) -> list[str]:
    return [c.doubt for c in offered(Lab(tmp_path, {"main.py": SEARCH}), make())]


def test_a_slip_that_changes_other_answers_and_was_seen_little_of_is_in_doubt(tmp_path: Path) -> None:
    before = Behaviour(("!IndexError",), ("1", "2"))
    after = Behaviour(("3",), ("1", "9"))
    found = doubts(tmp_path, lambda: Tried("while lo < hi:", behaviour=after, before=before, inputs=1))
    assert found
    assert all(found)


def test_a_slip_that_leaves_every_other_answer_alone_is_not_in_doubt(tmp_path: Path) -> None:
    before = Behaviour(("!IndexError",), ("1", "2", "3"))
    after = Behaviour(("3",), ("1", "2", "3"))
    found = doubts(tmp_path, lambda: Tried("while lo < hi:", behaviour=after, before=before, inputs=1))
    assert found == [""]


def test_what_could_not_be_tried_in_time_may_be_the_better_fix(tmp_path: Path) -> None:
    found = doubts(tmp_path, lambda: Tried("while lo < hi:", cut=12))
    assert found
    assert "in time" in found[0]


def test_changes_that_behave_alike_are_no_rivals_and_what_is_done_only_where_it_crashed_goes_first(
    tmp_path: Path,
) -> None:
    same = Behaviour(("0",), ())
    lab = Lab(tmp_path, {"main.py": "def f(xs):\n    return sum(xs) / len(xs)\nf([])\n"})
    found = offered(
        lab, Tried("sum(xs) * len(xs)", "if not xs:\n        return 0", behaviour=same, before=same)
    )
    assert len(found) == 2
    assert "if not" in found[0].edits[0].text
    assert found[0].confidence - found[1].confidence > RIVAL_MARGIN


def test_a_guard_and_a_slip_that_behave_differently_are_rivals_when_they_are_as_likely(
    tmp_path: Path,
) -> None:
    lab = Lab(tmp_path, {"main.py": "def f(d, k):\n    return d[k]\nf({}, 1)\n"})
    found = offered(lab, Tried("d.get(k, 0)", "d.get(k, '')"))
    assert len(found) == 2
    assert abs(found[0].confidence - found[1].confidence) <= RIVAL_MARGIN


def test_what_a_function_answers_elsewhere_has_no_rival_in_what_it_might_answer(tmp_path: Path) -> None:
    source = (
        "def f(part, whole):\n    if part < 0:\n        return 0.0\n    return 100 * part / whole\nf(1, 0)\n"
    )
    found = offered(Lab(tmp_path, {"main.py": source}), Tried("if not whole:\n        return"))
    assert "return 0.0\n    return 100" in found[0].edits[0].text
    others = [c for c in found if c.edits[0].text.count("return 0.0") == 1]
    assert others
    assert all(found[0].confidence - other.confidence > RIVAL_MARGIN for other in others)


def test_a_procedure_is_left_without_a_value(tmp_path: Path) -> None:
    source = "def f(xs, x):\n    xs.remove(x)\nf([], 1)\n"
    found = offered(Lab(tmp_path, {"main.py": source}), Tried("if x not in xs:"))
    assert [c.edits[0].text for c in found] == [
        "def f(xs, x):\n    if x not in xs:\n        return\n    xs.remove(x)\nf([], 1)\n"
    ]
