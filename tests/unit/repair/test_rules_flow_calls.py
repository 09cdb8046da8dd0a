"""Parentheses, brackets and dots in the wrong place."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import callables, containers
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (*callables.RULES, *containers.RULES)

FIXES = [
    Fix("datetime", "import datetime\n\nassert datetime(2020, 1, 1).year == 2020\n", "datetime.datetime(2020"),
    Fix("pprint", "import pprint as pp\n\npp({})\n", "pp.pprint({})"),
    Fix("project module", "import worker\n\nassert worker()\n", "worker.Worker()", files=(("worker.py", "class Worker:\n    pass\n\n\nclass Other:\n    pass\n"),)),
    Fix("from package", "from app import worker\n\nassert worker()\n", "worker.Worker()", files=(("app/__init__.py", ""), ("app/worker.py", "class Worker:\n    pass\n"))),
    Fix("property", "class A:\n    @property\n    def name(self):\n        return 'x'\n\n\nassert A().name() == 'x'\n", "A().name == 'x'"),
    Fix("attribute", "class A:\n    def __init__(self):\n        self.n = 3\n\n\nassert A().n() == 3\n", "A().n == 3"),
    Fix("hidden list", "list = [1, 2]\n\nassert list(range(2)) == [0, 1] and list\n", "list_value = [1, 2]\n\nassert list(range(2)) == [0, 1] and list_value"),
    Fix("hidden sum", "def total(xs):\n    sum = 0\n    return sum(xs)\n\n\nassert total([1]) == 1\n", "sum_value = 0\n    return sum(xs)"),
    Fix("comma between tuples", "xs = [\n    (1, 2)\n    (3, 4),\n]\nassert len(xs) == 2\n", "(1, 2),\n"),
    Fix("comma between texts", 'xs = ["a" ("b")]\nassert len(xs) == 2\n', '"a", ("b")'),
    Fix("multiplication", "def f(x):\n    return 2(x + 1)\n\n\nassert f(1) == 4\n", "2 * (x + 1)"),
    Fix("multiplication by name", "def f(n, x):\n    return n(x + 1)\n\n\nassert f(2, 1) == 4\n", "n * (x + 1)"),
    Fix("list called", "xs = [1, 2]\nassert xs(0) == 1\n", "xs[0]"),
    Fix("environ called", "import os\n\nos.environ['A'] = 'x'\nassert os.environ('A') == 'x'\n", "assert os.environ['A']"),
    Fix("method indexed", "class A:\n    def at(self, i):\n        return i\n\n\nassert A().at[3] == 3\n", "A().at(3)"),
    Fix("method without arguments indexed", "class A:\n    def rows(self):\n        return [1]\n\n\na = A()\nassert a.rows[0] == 1\n", "a.rows()[0]"),
    Fix("keys indexed", "d = {1: 2}\nassert d.keys[0] == 1\n", "list(d.keys())[0]"),
    Fix("split indexed", "s = 'a b'\nassert s.split[0] == 'a'\n", "s.split()[0]"),
    Fix("items walked", "d = {1: 2}\nfor k, v in d.items:\n    assert v == 2\n", "in d.items():"),
    Fix("values in", "d = {1: 2}\nassert 2 in d.values\n", "in d.values()"),
    Fix("len of method", "d = {1: 2}\nassert len(d.keys) == 1\n", "len(d.keys())"),
    Fix("method plus", "class A:\n    def n(self):\n        return 1\n\n\na = A()\nassert a.n + 1 == 2\n", "a.n() + 1"),
    Fix("attribute of method", "class A:\n    def me(self):\n        return self\n\n    x = 1\n\n\na = A()\nassert a.me.x == 1\n", "a.me().x"),
    Fix("object like a dictionary", "from dataclasses import dataclass\n\n\n@dataclass\nclass User:\n    name: str\n\n\ndef show(user):\n    return user['name']\n\n\nassert show(User('a')) == 'a'\n", "user.name"),
    Fix("attribute set by key", "class User:\n    def __init__(self):\n        self.age = 0\n\n\nuser = User()\nuser['age'] = 3\nassert user.age == 3\n", "user.age = 3"),
    Fix("dictionary like an object", "def show(d):\n    return d.name\n\n\nassert show({'name': 'a'}) == 'a'\n", 'd["name"]', ("probe",)),
    Fix("literal dictionary like an object", "d = {'name': 'a'}\nassert d.name == 'a'\n", 'd["name"]'),
    Fix("map indexed", "xs = map(str, [1])\nassert xs[0] == '1'\n", "xs = list(map(str, [1]))"),
    Fix("keys view indexed", "d = {1: 2}\nassert d.keys()[0] == 1\n", "list(d.keys())[0]"),
    Fix("len of generator", "xs = (x for x in [1])\nassert len(xs) == 1\n", "xs = list(x for x in [1])"),
    Fix("keys sorted in place", "d = {2: 1, 1: 1}\nks = d.keys()\nks.sort()\nassert ks == [1, 2]\n", "ks = list(d.keys())"),
    Fix("reversed map", "assert [*reversed(map(str, [1]))] == ['1']\n", "reversed(list(map(str, [1])))"),
    Fix("next of list", "assert next([1]) == 1\n", "next(iter([1]))"),
    Fix("range of len", "xs = [1]\nfor i in len(xs):\n    assert xs[i] == 1\n", "in range(len(xs)):"),
    Fix("range of number", "def f(n):\n    return [i for i in n]\n\n\nassert f(2) == [0, 1]\n", "for i in range(n)]"),
    Fix("first of a set", "s = {1}\nassert s[0] == 1\n", "next(iter(s))"),
    Fix("choice of keys", "import random\n\nd = {1: 2}\nassert random.choice(d.keys()) == 1\n", "random.choice(list(d.keys()))"),
    Fix("sample of set", "import random\n\nassert random.sample({1}, 1) == [1]\n", "random.sample(sorted({1}), 1)"),
]  # fmt: skip

TRAPS = [
    Trap("object that is not callable", "class A:\n    pass\n\n\nA()(1, 2)\n"),
    Trap("module without a member of its name", "import math\n\nmath(1)\n", "module"),
    Trap("function that needs arguments", "def f(x):\n    return x\n\n\nlen(f)\n", "needs arguments"),
    Trap("missing key of a dictionary", "def f(d):\n    return d.nothing\n\n\nf({'a': 1})\n"),
    Trap("number in a call", "sum(3)\n"),
    Trap("text is immutable", "s = 'ab'\ns[0] = 'x'\n", "in place"),
    Trap("object without that attribute", "class User:\n    pass\n\n\nUser()['name']\n"),
]


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_the_right_brackets_are_put(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_nothing_is_turned_into_something_callable(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)
