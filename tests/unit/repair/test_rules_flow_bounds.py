"""Unpacking, indexes past the end, and what nobody may cure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.model.candidate import CannotFix
from selfheal_tui.model.kinds import Nature
from selfheal_tui.repair.rules import bounds, no_cure, unpacking
from selfheal_tui.repair.rules.engine import RuleProposer
from tests.unit.repair.crashlab import Lab
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (*unpacking.RULES, *bounds.RULES, *no_cure.RULES)

FIXES = [
    Fix("items", "d = {'ab': 1, 'cde': 2}\nfor k, v in d:\n    assert v\n", "in d.items():"),
    Fix("items of int keys", "def f(d):\n    return [v for k, v in d]\n\n\nassert f({1: 2}) == [2]\n", "in d.items()]", ("probe",)),
    Fix("enumerate", "def f(names):\n    for i, name in names:\n        assert name\n\n\nf(['abc'])\n", "in enumerate(names):"),
    Fix("nested pair", "for i, a, b in enumerate([(1, 2)]):\n    assert b == 2\n", "for i, (a, b) in"),
    Fix("nested items", "d = {1: (2, 3)}\nfor k, a, b in d.items():\n    assert b == 3\n", "for k, (a, b) in"),
    Fix("split", "key, value = 'a=b=c'.split('=')\nassert value == 'b=c'\n", ".split('=', 1)"),
    Fix("longer result", "def f():\n    return 1, 2, 3\n\n\na, b = f()\nassert b == 2\n", "a, b, _ = f()"),
    Fix("range too long", "def f(xs):\n    out = 0\n    for i in range(len(xs) + 1):\n        out += xs[i]\n    return out\n\n\nassert f([1, 2]) == 3\n", "range(len(xs)):"),
    Fix("range by variable", "def f(xs):\n    n = len(xs)\n    return [xs[i] for i in range(n + 1)]\n\n\nassert f([1, 2]) == [1, 2]\n", "range(n)]"),
    Fix("range from one", "def f(xs):\n    return [xs[i] for i in range(1, len(xs) + 1)]\n\n\nassert f([1, 2]) == [1, 2]\n", "xs[i - 1]"),
    Fix("neighbour", "def f(xs):\n    for i in range(len(xs)):\n        if xs[i] > xs[i + 1]:\n            return False\n    return True\n\n\nassert f([1, 2])\n", "range(len(xs) - 1):", ("probe", "text")),
    Fix("length as index", "def last(xs):\n    return xs[len(xs)]\n\n\nassert last([1, 2]) == 2\n", "xs[len(xs) - 1]"),
    Fix("while", "def f(xs):\n    i = 0\n    while i <= len(xs):\n        assert xs[i]\n        i += 1\n\n\nf([1])\n", "while i < len(xs):"),
    Fix("while neighbour", "def f(xs):\n    i = 0\n    while i < len(xs):\n        assert xs[i + 1]\n        i += 1\n\n\nf([1, 2])\n", "while i < len(xs) - 1:"),
    Fix("pop without end", "from collections import deque\n\n\ndef walk(q):\n    out = []\n    while True:\n        out.append(q.popleft())\n    return out\n\n\nassert walk(deque([1, 2])) == [1, 2]\n", "    while q:"),
    Fix("shrinking list", "def f(xs):\n    for i in range(len(xs)):\n        if xs[i] < 0:\n            del xs[i]\n    return xs\n\n\nassert f([1, -1, -2, 2]) == [1, 2]\n", "in reversed(range(len(xs))):"),
]  # fmt: skip

TRAPS = [
    Trap("too few parts", "a, b = 'x'.split('=')\n", "number of parts"),
    Trap(
        "uneven results",
        "def f(x):\n    if x:\n        return 1, 2\n    return 1, 2, 3\n\n\na, b = f(0)\n",
        "different numbers",
    ),
    Trap("empty list", "xs = []\nxs[0]\n", "no index"),
    Trap("two lists", "a, b = [1, 2], [1]\nfor i in range(len(a)):\n    b[i]\n", "no index"),
    Trap("command line", "import sys\n\nsys.argv[1]\n", "command line"),
    Trap("pop", "[].pop()\n", "nothing left"),
    Trap("division", "def mean(xs):\n    return sum(xs) / len(xs)\n\n\nmean([])\n", "`xs` is empty"),
    Trap("same arguments", "def f(n):\n    return f(n)\n\n\nf(1)\n", "same arguments"),
    Trap("no base case", "def f(n):\n    return f(n - 1)\n\n\nf(1)\n", "no case"),
    Trap("timeout", "raise TimeoutError('Operation timed out after 60 seconds')\n", "longer than its limit"),
    Trap("assertion", "assert 1 == 2\n", "does not hold"),
]


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_loops_and_unpacking_take_what_there_is(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_what_has_no_evident_cure_is_explained(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)


@pytest.mark.parametrize(
    ("nature", "says"),
    [(Nature.POLICY, "refused"), (Nature.TRANSIENT, "world"), (Nature.EXTERNAL, "outside")],
)
def test_policy_and_world_are_never_cured_by_code(nature: Nature, says: str, tmp_path: Path) -> None:
    lab = Lab(
        tmp_path, {"main.py": 'raise PermissionError("Tool requires approval but approval not granted")\n'}
    )
    context = lab.context()
    context = replace(context, diagnosis=replace(context.diagnosis, nature=nature))
    found = list(RuleProposer(RULES).propose(context))
    assert all(isinstance(f, CannotFix) for f in found)
    assert says in found[0].reason
