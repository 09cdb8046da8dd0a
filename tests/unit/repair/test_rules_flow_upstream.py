"""Missing returns, awaits and decorators further up than the failing line, and names told by use."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import (
    awaits,
    bounds,
    dropped_values,
    generator_manager,
    keyword_argument,
    none_results,
    none_upstream,
    operand_types,
    swapped_arguments,
    text_values,
    unread_names,
    wrong_import,
)
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (
    *none_results.RULES, *none_upstream.RULES, *dropped_values.RULES, *unread_names.RULES, *generator_manager.RULES,
    *awaits.RULES, *swapped_arguments.RULES, *bounds.RULES, *operand_types.RULES, *text_values.RULES,
    *keyword_argument.RULES, *wrong_import.RULES,
)  # fmt: skip
PROBE = ("probe",)

FIXES = [
    Fix("decorator factory", "def register(name):\n    def wrap(f):\n        return f\n\n\n@register('x')\ndef go():\n    return 1\n\n\nassert go() == 1\n", "    return wrap"),
    Fix("decorated method", "def timed(f):\n    def inner(*a):\n        return f(*a)\n\n\nclass C:\n    @timed\n    def work(self):\n        return 1\n\n\nclass D:\n    def __init__(self, c):\n        self.c = c\n\n    def go(self):\n        return self.c.work()\n\n\nassert D(C()).go() == 1\n", "    return inner"),
    Fix("through an attribute", "class T:\n    def __init__(self):\n        self.parts = self.split()\n\n    def split(self):\n        parts = []\n        parts.append(1)\n\n    def go(self):\n        return [p for p in self.parts]\n\n\nassert T().go() == [1]\n", "        return parts"),
    Fix("through a constructor", "class P:\n    def __init__(self, tokens):\n        self.tokens = tokens\n\n    def size(self):\n        return len(self.tokens)\n\n\ndef lex(text):\n    found = []\n    for c in text:\n        found.append(c)\n\n\nassert P(lex('ab')).size() == 2\n", "    return found"),
    Fix("worked out once", "class T:\n    def __init__(self):\n        self._made = None\n\n    def made(self):\n        if self._made is None:\n            self._made = [1]\n\n\nassert T().made()[0] == 1\n", "        return self._made"),
    Fix("value kept in a store", "class T:\n    def size(self, n):\n        self.n = n\n        n * 2\n\n\ndef total(sizes):\n    return sum(sizes.values())\n\n\nsizes = {}\nsizes['a'] = T().size(1)\nassert total(sizes) == 2\n", "return n * 2"),
    Fix("iterator", "class B:\n    def __init__(self):\n        self.d = {1: 2}\n\n    def __iter__(self):\n        iter(self.d)\n\n\ndef f(b):\n    return [x for x in b]\n\n\nassert f(B()) == [1]\n", "return iter(self.d)"),
    Fix("only unread parameter", "def read(path, mode='r'):\n    return str(file_path) + mode\n\n\nassert read('a') == 'ar'\n", "str(path)"),
    Fix("two at once", "def join(source, target):\n    return {src: dst}\n\n\nassert join(1, 2) == {1: 2}\n", "{source: target}", (), rank=0),
    Fix("unread in a comprehension", "def f(rows, column):\n    return [row[col] for row in rows]\n\n\nassert f([[1]], 0) == [1]\n", "row[column]"),
    Fix("name with a further word", "def save(text, output_path=None):\n    if output_path:\n        return [text, output]\n    return text\n\n\nassert save('a', 'b') == ['a', 'b']\n", "[text, output_path]"),
    Fix("manager", "from contextlib import suppress\n\n\ndef scope(log):\n    log.append(1)\n    yield log\n\n\nwith suppress(ValueError), suppress(KeyError):\n    pass\nwith scope([]) as log:\n    assert log == [1]\n", "@contextmanager\ndef scope"),
    Fix("gather of a list", "import asyncio\n\n\nasync def one(n):\n    return n\n\n\nasync def main():\n    return await asyncio.gather([one(1), one(2)])\n\n\nassert asyncio.run(main()) == [1, 2]\n", "gather(*[one(1), one(2)])", PROBE),
    Fix("stored coroutine", "import asyncio\n\n\nclass W:\n    def __init__(self):\n        self.kept = {}\n\n    async def work(self):\n        return 1\n\n    async def run(self):\n        value = self.work()\n        self.kept['a'] = value\n\n    def total(self):\n        return sum(self.kept.values())\n\n\nw = W()\nasyncio.run(w.run())\nassert w.total() == 1\n", "await self.work()", PROBE),
    Fix("swapped constructor", "class Account:\n    def __init__(self, owner, balance):\n        self.owner = owner\n        self.balance = balance\n\n    def post(self, n):\n        return self.owner.upper(), self.balance + n\n\n\ndef make(owner, balance):\n    return Account(balance, owner)\n\n\nassert make('a', 1).post(2) == ('A', 3)\n", "Account(owner, balance)", PROBE),
    Fix("guard that lets the length through", "class L:\n    def __init__(self):\n        self.t, self.i = 'ab', 2\n\n    def peek(self):\n        if self.i > len(self.t):\n            return None\n        return self.t[self.i]\n\n\nassert L().peek() is None\n", "self.i >= len(self.t)"),
    Fix("condition that lets the length through", "class L:\n    def __init__(self):\n        self.t, self.i = 'ab', 2\n\n    def peek(self):\n        if self.i <= len(self.t):\n            return self.t[self.i]\n        return None\n\n\nassert L().peek() is None\n", "self.i < len(self.t)"),
    Fix("count of a list", "def f(xs):\n    return 'n:%d' % (len(xs) and xs,)\n\n\nassert f([1]) == 'n:1'\n", "len(", PROBE),
    Fix("keyword of a type in C", "from collections import deque\n\nassert deque([1, 2], max_len=1).maxlen == 1\n", "maxlen=1"),
    Fix("submodule", "from pack import serie\n\nassert serie.X == 1\n", "from pack import series", files=(("pack/__init__.py", ""), ("pack/series.py", "X = 1\n"))),
    Fix("sum stays a number", "def f(rows):\n    total = 0.0\n    for row in rows:\n        total += row['n']\n    return total\n\n\nassert f([{'n': '1.5'}, {'n': '2'}]) == 3.5\n", "float(row['n'])", PROBE),
]  # fmt: skip
FIXES = [fix if fix.modes else Fix(fix.name, fix.code, fix.after, PROBE) for fix in FIXES]

TRAPS = [
    Trap("several unread", "def f(alpha, beta):\n    return gamma_value\n\n\nf(1, 2)\n"),
    Trap("all are read", "def f(alpha):\n    return alpha + gamma_value\n\n\nf(1)\n"),
    Trap("literal None upstream", "class T:\n    def __init__(self):\n        self.parts = self.split()\n\n    def split(self):\n        return None\n\n    def go(self):\n        return len(self.parts)\n\n\nT().go()\n"),
    Trap("two places it came from", "class T:\n    def a(self):\n        self.x = self.p()\n        return len(self.x)\n\n    def b(self):\n        self.x = self.q()\n\n    def p(self):\n        if self is None:\n            return 1\n        return None\n\n    def q(self):\n        pass\n\n\nT().a()\n"),
    Trap("two dropped values", "def a(n):\n    n * 2\n\n\ndef b(n):\n    n * 3\n\n\nkept = {}\nkept['a'] = a(1)\nkept['b'] = b(1)\nsum(kept.values())\n"),
    Trap("guard that fits", "class L:\n    def __init__(self):\n        self.t, self.i = 'ab', -3\n\n    def peek(self):\n        if self.i >= len(self.t):\n            return None\n        return self.t[self.i]\n\n\nL().peek()\n"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_the_cause_is_found_where_it_is(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("mode", ["probe", "bare"])
@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_nothing_is_offered_where_the_way_is_not_the_only_one(case: Trap, mode: str, tmp_path: Path) -> None:
    check_trap(case, mode, tmp_path, RULES)
