"""Start values, defaults and guards that the code itself shows, and the look-alikes where none is evident."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import counted_keys, lenient_lookups, sibling_guard, unbound, unset_attributes
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (
    *unbound.RULES,
    *unset_attributes.RULES,
    *counted_keys.RULES,
    *lenient_lookups.RULES,
    *sibling_guard.RULES,
)
PROBE = ("probe",)

FIXES = [
    Fix("list never started", "def f(xs):\n    for x in xs:\n        out.append(x)\n    return out\n\n\nassert f([1, 2]) == [1, 2]\n", "    out = []\n    for x"),
    Fix("set of a recursion", "def walk(tree, start):\n    def visit(n):\n        if n in seen:\n            return\n        seen.add(n)\n        for m in tree[n]:\n            visit(m)\n\n    visit(start)\n    return seen\n\n\nassert walk({1: [2], 2: [1]}, 1) == {1, 2}\n", "    seen = set()\n    def visit"),
    Fix("best so far", "def f(xs):\n    out = []\n    for x in xs:\n        if best is None or x > best:\n            best = x\n        out.append(best)\n    return out\n\n\nassert f([1, 3, 2]) == [1, 3, 3]\n", "    best = None\n    for x"),
    Fix("position of a slice", "import re\n\n\ndef f(text):\n    out = []\n    for m in re.finditer(',', text):\n        out.append(text[at:m.start()])\n        at = m.end()\n    return out + [text[at:]]\n\n\nassert f('a,b') == ['a', 'b']\n", "    at = 0\n    for m"),
    Fix("counter attribute", "class C:\n    def __init__(self, name):\n        self.name = name\n\n    def hit(self):\n        self.hits += 1\n        return self.hits\n\n\nassert C('x').hit() == 1\n", "self.hits = 0"),
    Fix("attribute asked for None", "class C:\n    def __init__(self):\n        self.name = 'x'\n\n    def get(self):\n        if self._made is None:\n            self._made = object()\n        return self._made\n\n\nc = C()\nassert c.get() is c.get()\n", "self._made = None"),
    Fix("counted in a dict", "def f(xs):\n    n = {}\n    for x in xs:\n        n[x] += 1\n    return n\n\n\nassert f('aba') == {'a': 2, 'b': 1}\n", "n[x] = n.get(x, 0) + 1"),
    Fix("grouped in a dict", "def f(xs):\n    n = {}\n    for x in xs:\n        n[len(x)].append(x)\n    return n\n\n\nassert f(['a']) == {1: ['a']}\n", "n.setdefault(len(x), []).append(x)"),
    Fix("asked for None", "def f(d):\n    mail = d['mail']\n    if mail is None:\n        return 'none'\n    return mail\n\n\nassert f({}) == 'none'\n", "d.get('mail')"),
    Fix("asked by the caller", "class Box:\n    def __init__(self):\n        self.items = {}\n\n    def find(self, key):\n        return self.items[key]\n\n    def show(self, key):\n        item = self.find(key)\n        if item is None:\n            return '-'\n        return item\n\n\nassert Box().show('a') == '-'\n", "self.items.get(key)"),
    Fix("guard of a sibling", "def mean(xs):\n    if not xs:\n        return 0.0\n    return sum(xs) / len(xs)\n\n\ndef share(xs):\n    return max(xs) / sum(xs)\n\n\nassert mean([]) == share([])\n", "    if not xs:\n        return 0.0\n    return max(xs)", PROBE),
]  # fmt: skip

TRAPS = [
    Trap("read only name", "def f(xs):\n    return [out for x in xs]\n\n\nf([1])\n"),
    Trap("moved up in a loop", "def f(xs):\n    for x in xs:\n        print(last + x)\n        last = abs(x)\n\n\nf([1, 2])\n"),
    Trap("attribute that is only read", "class C:\n    def __init__(self):\n        self.name = 1\n\n    def get(self):\n        return self.size\n\n\nC().get()\n"),
    Trap("attribute of a wider class", "import argparse\n\n\nclass C(argparse.Action):\n    def __init__(self):\n        self.name = 1\n\n    def hit(self):\n        self.hits += 1\n\n\nC().hit()\n"),
    Trap("keys of another's dict", "def f(n):\n    n['a'] += 1\n\n\nf({})\n"),
    Trap("dict that starts full", "def f():\n    n = {'b': 1}\n    n['a'] += 1\n\n\nf()\n"),
    Trap("nobody asks", "def f(d):\n    mail = d['mail']\n    return mail\n\n\nf({})\n"),
    Trap("sibling of another kind", "def mean(xs):\n    if not xs:\n        return 0.0\n    return sum(xs) / len(xs)\n\n\ndef scaled(xs):\n    top = max(xs)\n    return [x / top for x in xs]\n\n\nscaled([])\n"),
    Trap("siblings that disagree", "def a(xs):\n    if not xs:\n        return 0\n    return 1 / len(xs)\n\n\ndef b(xs):\n    if not xs:\n        return 1\n    return 2 / len(xs)\n\n\ndef c(xs):\n    return 3 / len(xs)\n\n\nc([])\n"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_what_the_code_shows_is_put_in(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("mode", ["probe", "bare"])
@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_no_value_is_made_up(case: Trap, mode: str, tmp_path: Path) -> None:
    check_trap(case, mode, tmp_path, RULES)
