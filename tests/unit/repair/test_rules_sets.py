"""Sets by protocol, and values that cannot be in any set."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import set_operators, unhashable_members
from tests.unit.repair.flowcases import Fix, Trap, check_fix, check_trap, name_of

RULES = (*set_operators.RULES, *unhashable_members.RULES)
_OWN = (
    "from collections.abc import MutableSet\n\n\nclass Tags(MutableSet):\n    def __init__(self, items=()):\n"
    "        self.items = list(items)\n\n    def __contains__(self, item):\n        return item in self.items\n\n"
    "    def __iter__(self):\n        return iter(self.items)\n\n    def __len__(self):\n        return len(self.items)\n\n"
    "    def add(self, item):\n        self.items.append(item)\n\n    def discard(self, item):\n"
    "        self.items.remove(item)\n\n\n"
)

FIXES = [
    Fix("own class", _OWN + "def both(a, b):\n    return len(Tags(a).intersection(b))\n\nassert both('ab', 'bc') == 1\n", "return len((Tags(a) & b))"),
    Fix("keys of a dictionary", "def names(a, b):\n    known = a.keys()\n    return known.union(b, 'x')\n\nassert names({'a': 1}, ['b']) == {'a', 'b', 'x'}\n", "return known | b | set('x')"),
    Fix("keys compared", "def covers(a, b):\n    known = a.keys()\n    return known.issuperset(b)\n\nassert covers({'a': 1}, ['a'])\n", "return known >= set(b)"),
    Fix("a list in a set", "YES = {1, 'yes'}\nNO = frozenset({0, 'no'})\n\ndef truth(value):\n    if value in YES:\n        return True\n    elif value in NO:\n        return False\n    return bool(value)\n\nassert truth([]) is False\nassert truth('no') is False\n", "elif isinstance(value, Hashable) and value in NO:"),
    Fix("a dictionary among keys", "NAMES = {'a': 1}\n\ndef known(item, strict):\n    return strict and item.value not in NAMES\n\nclass Item:\n    value = {}\n\nassert known(Item(), True)\n", "strict and (not isinstance(item.value, Hashable) or item.value not in NAMES)"),
]  # fmt: skip

TRAPS = [
    Trap("a method that no set has", _OWN + "Tags('a').intersect('b')\n"),
    Trap("an object that is no set", "class A:\n    pass\n\nA().union(1)\n"),
    Trap("an element that is made", "def add(found, item):\n    found.add(item)\n\nadd(set(), [1])\n"),
    Trap("a value that costs", "def f():\n    return [1]\n\nf() in {1}\n"),
]  # fmt: skip


@pytest.mark.parametrize("case", FIXES, ids=name_of)
def test_the_fix_is_offered(case: Fix, tmp_path: Path) -> None:
    check_fix(case, "probe", tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_nothing_is_offered(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)
