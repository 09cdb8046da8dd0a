"""Calls with one argument too few, too many, or in the wrong place."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import arguments, swapped_arguments
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (*arguments.RULES, *swapped_arguments.RULES)

FIXES = [
    Fix("missing and at hand", "def area(w, h):\n    return w * h\n\n\ndef show(w, h):\n    return area(w)\n\n\nassert show(2, 3) == 6\n", "return area(w, h)"),
    Fix("missing in the middle", "def box(a, b, c=0):\n    return a + b + c\n\n\ndef show(a, b):\n    return box(a, c=1)\n\n\nassert show(1, 2) == 4\n", "box(a, c=1, b=b)"),
    Fix("missing on self", "def send(url, token):\n    return url + token\n\n\nclass Client:\n    def __init__(self):\n        self.token = 't'\n\n    def go(self):\n        return send('u')\n\n\nassert Client().go() == 'ut'\n", "send('u', self.token)"),
    Fix("missing keyword-only", "def run(x, *, limit):\n    return x + limit\n\n\nlimit = 3\nassert run(1) == 4\n", "run(1, limit=limit)"),
    Fix("constructor", "class A:\n    def __init__(self, name):\n        self.name = name\n\n\ndef make(name):\n    return A()\n\n\nassert make('x').name == 'x'\n", "return A(name)"),
    Fix("lacking default", "def f(a, b):\n    if b is None:\n        b = 1\n    return a + b\n\n\nassert f(1) == 2\n", "def f(a, b=None):"),
    Fix("keyword-only by position", "def f(a, *, size):\n    return a + size\n\n\nassert f(1, 2) == 3\n", "f(1, size=2)"),
    Fix("one too many", "def f(a):\n    return a\n\n\nassert f(1) == 1\nassert f(2) == 2\nassert f(3, True) == 3\n", "f(3)"),
    Fix("given twice", "def f(width, height):\n    return width - height\n\n\nheight = 1\nassert f(3, width=height) == 2\n", "f(3, height=height)"),
    Fix("swapped in a library call", "import unicodedata\n\n\ndef fold(s):\n    return unicodedata.normalize(s, 'NFKD')\n\n\nassert fold('a') == 'a'\n", "normalize('NFKD', s)"),
    Fix("swapped", "def repeat(text, count):\n    return text.upper() * count\n\n\ndef show(text, count):\n    return repeat(count, text)\n\n\nassert show('a', 2) == 'AA'\n", "repeat(text, count)"),
]  # fmt: skip

TRAPS = [
    Trap("nothing at hand", "def f(a, b):\n    return a + b\n\n\nf(1)\n", "no caller passes"),
    Trap("too many with no other call", "def f(a):\n    return a\n\n\nf(1, 2)\n", "takes 1 arguments"),
    Trap("names tell nothing", "def f(a, b):\n    return a.upper() * b\n\n\nf(1, 'x')\n"),
]


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_the_call_gets_the_arguments_that_are_evident(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("mode", ["probe", "bare"])
@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_no_argument_is_made_up(case: Trap, mode: str, tmp_path: Path) -> None:
    check_trap(case, mode, tmp_path, RULES)
