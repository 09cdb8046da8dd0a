"""What functions beside the one that crashed do to a parameter before they use it, and where that says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import sibling_conversions
from tests.unit.repair.crashlab import Lab
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = sibling_conversions.RULES
PROBE = ("probe",)

FIXES = [
    Fix("a store and its keys", """
class Key:
    def __init__(self, text):
        self.parts = tuple(text.split('/'))


class Store:
    def __init__(self):
        self.items = {}

    def put(self, key, value):
        if not isinstance(key, Key):
            key = Key(key)
        self.items[key.parts] = value

    def has(self, key):
        if not isinstance(key, Key):
            key = Key(key)
        return key.parts in self.items

    def get(self, key):
        return self.items[key.parts]


store = Store()
store.put('a/b', 1)
assert store.has('a/b')
assert store.get('a/b') == 1
""", "    def get(self, key):\n        if not isinstance(key, Key):\n            key = Key(key)\n        return", PROBE),
    Fix("temperatures in other units", """
def hot(reading):
    if isinstance(reading, str):
        reading = float(reading)
    return reading > 30


def rounded(reading):
    '''To whole degrees.'''
    return round(reading)


assert hot('31.5')
assert rounded(3.2) == 3
assert rounded('3.2') == 3
""", "    '''To whole degrees.'''\n    if isinstance(reading, str):\n        reading = float(reading)\n    return round", PROBE),
    Fix("a moment that may be left out", """
import datetime


class Calendar:
    today = datetime.date(2024, 5, 1)

    def weekday(self, day=None):
        if day is None:
            day = self.today
        return day.weekday()

    def month(self, day=None):
        return day.month


assert Calendar().weekday() == 2
assert Calendar().month() == 5
""", "        if day is None:\n            day = self.today\n        return day.month", PROBE),
    Fix("points that may be pairs", """
from collections import namedtuple

Point = namedtuple('Point', 'x y')


async def norm(point):
    if not isinstance(point, Point):
        point = Point(*point)
    return abs(point.x) + abs(point.y)


async def mirrored(point):
    return Point(-point.x, point.y)


import asyncio
assert asyncio.run(norm((1, -2))) == 3
assert asyncio.run(mirrored((1, 2))) == (-1, 2)
""", "async def mirrored(point):\n    if not isinstance(point, Point):\n        point = Point(*point)\n", PROBE),
    Fix("a separator with a default of the module", """
COMMA = ','


def split(line, sep=None):
    if sep is None:
        sep = COMMA
    return line.split(sep)


def joined(cells, sep=None):
    return sep.join(cells)


assert split('a,b') == ['a', 'b']
assert joined('ab') == 'a,b'
""", "    if sep is None:\n        sep = COMMA\n    return sep.join", PROBE),
    Fix("a caller passes it on", """
def parsed(when):
    if isinstance(when, str):
        when = int(when)
    return when


def minute(when):
    return _rest(when) // 60


def _rest(seconds):
    return seconds % 3600 + 0


assert parsed('60') == 60
assert minute('60') == 1
""", "def minute(when):\n    if isinstance(when, str):\n        when = int(when)\n    return _rest", PROBE),
    Fix("a library crashes on it", """
import posixpath


def listed(folder=None):
    if folder is None:
        folder = '.'
    return folder + '/*'


def index(folder=None):
    return posixpath.join(folder, 'index.html')


assert listed() == './*'
assert index() == './index.html'
""", "def index(folder=None):\n    if folder is None:\n        folder = '.'\n    return", PROBE),
]  # fmt: skip

_KEYS = "class Key:\n    def __init__(self, text):\n        self.text = text\n\n\n"
TRAPS = [
    Trap("it stores to the parameter itself", _KEYS + "def a(key):\n    if not isinstance(key, Key):\n        key = Key(key)\n    return key.text\n\n\ndef b(key):\n    key = key.text\n    return key\n\n\nb('x')\n"),
    Trap("a loop stores to the parameter", "def a(x=None):\n    if x is None:\n        x = []\n    return x\n\n\ndef b(x=None):\n    for x in x:\n        pass\n\n\nb()\n"),
    Trap("the value has the wanted type already", _KEYS + "def a(key):\n    if not isinstance(key, Key):\n        key = Key(key)\n    return key\n\n\ndef b(key):\n    return key.nothing\n\n\nb(Key('x'))\n"),
    Trap("the value has one of the wanted types", "def a(x):\n    if not isinstance(x, str | bytes):\n        x = str(x)\n    return x\n\n\ndef b(x):\n    return x.nothing\n\n\nb('x')\n"),
    Trap("there is a value", "def a(x=None):\n    if x is None:\n        x = ''\n    return x.upper()\n\n\ndef b(x=None):\n    return x.upper()\n\n\nb(1)\n"),
    Trap("another type is converted", "def a(x):\n    if isinstance(x, bytes):\n        x = x.decode()\n    return x.upper()\n\n\ndef b(x):\n    return x.upper()\n\n\nb(1)\n"),
    Trap("something of the value is asked, not the value", "def a(x):\n    if x.up is None:\n        x = x.down\n    return x\n\n\ndef b(x):\n    return x.upper()\n\n\nb(None)\n"),
    Trap("it needs another parameter", "def a(x, kind):\n    if not isinstance(x, kind):\n        x = kind(x)\n    return x.upper()\n\n\ndef b(x):\n    return x.upper()\n\n\nb(1)\n"),
    Trap("it needs an object that a static method does not have", "class Shop:\n    rate = 2\n\n    def net(self, price=None):\n        if price is None:\n            price = self.rate\n        return price / 2\n\n    @staticmethod\n    def gross(price=None):\n        return price * 2.0\n\n\nShop.gross()\n"),
    Trap("it needs a local name", "def a(x=None):\n    usual = 'a'\n    if x is None:\n        x = usual\n    return x.upper()\n\n\ndef b(x=None):\n    return x.upper()\n\n\nb()\n"),
    Trap("the parameter has another name", "def a(x=None):\n    if x is None:\n        x = ''\n    return x.upper()\n\n\ndef b(y=None):\n    return y.upper()\n\n\nb()\n"),
    Trap("it is in another class", "class A:\n    def f(self, x=None):\n        if x is None:\n            x = ''\n        return x.upper()\n\n\nclass B:\n    def f(self, x=None):\n        return x.upper()\n\n\nB().f()\n"),
    Trap("there is a choice of two", "def a(x=None):\n    if x is None:\n        x = ''\n    else:\n        x = x.strip()\n    return x.upper()\n\n\ndef b(x=None):\n    return x.upper()\n\n\nb()\n"),
    Trap("more is done beside it", "def a(x=None):\n    if x is None:\n        print('none')\n        x = ''\n    return x.upper()\n\n\ndef b(x=None):\n    return x.upper()\n\n\nb()\n"),
    Trap("it comes late", "def a(x=None):\n    one = 1\n    two = 2\n    three = 3\n    four = 4\n    if x is None:\n        x = one + two + three + four\n    return x\n\n\ndef b(x=None):\n    return x.upper()\n\n\nb()\n"),
    Trap("on one line it cannot be put before", "def a(x=None):\n    if x is None:\n        x = ''\n    return x.upper()\n\n\ndef b(x=None): return x.upper()\n\n\nb()\n"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_a_parameter_is_brought_into_shape_as_beside_it(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_nothing_is_taken_over_that_does_not_fit(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)


@pytest.mark.parametrize("mode", ["text", "bare"])
def test_without_the_value_it_is_not_known_whether_it_would_apply(mode: str, tmp_path: Path) -> None:
    assert Lab(tmp_path, {"main.py": FIXES[0].code}).candidates(mode, RULES) == []


def test_it_is_a_guess_and_the_more_callers_away_the_less_likely(tmp_path: Path) -> None:
    code = """
        class Tree:
            def add(self, node):
                if isinstance(node, str):
                    node = [node]
                return len(node)

            def walk(self, node):
                return self.leaf(node)

            def leaf(self, node):
                return node.pop()


        assert Tree().add('ab') == 1
        assert Tree().walk(['b']) == 'b'
        assert Tree().walk('b') == 'b'
    """
    lab = Lab(tmp_path, {"main.py": code})
    crashed, caller = lab.candidates("probe", RULES)
    assert "def leaf(self, node):\n        if isinstance" in crashed.edits[0].text
    assert "def walk(self, node):\n        if isinstance" in caller.edits[0].text
    assert crashed.confidence > caller.confidence
    assert crashed.guess
    assert caller.guess
    assert lab.heals(crashed)
    assert lab.heals(caller)


def test_what_more_siblings_do_is_named_first_with_their_number(tmp_path: Path) -> None:
    code = "def a(x=None):\n    if x is None:\n        x = []\n    return x\n\n\n"
    other = "def z(x=None):\n    if x is None:\n        x = {}\n    return x\n\n\n"
    text = other + code + code.replace("def a", "def c") + "def b(x=None):\n    return x.copy()\n\n\nb()\n"
    found = Lab(tmp_path, {"main.py": text}).candidates("probe", RULES)
    assert ["x = []" in c.edits[0].text.rpartition("def b")[2] for c in found] == [True, False]
    assert found[0].reason.startswith("2 function(s)")


def test_tests_on_the_traceback_are_never_changed(tmp_path: Path) -> None:
    files = {
        "lib.py": "def plain(seconds):\n    return seconds % 60 + 0\n",
        "test_lib.py": "from lib import plain\n\n\ndef test_a(when='1'):\n    if isinstance(when, str):\n        when = int(when)\n    assert plain(when) == 1\n\n\ndef test_b(when='1'):\n    assert plain(when) == 1\n",
        "main.py": "import test_lib\n\ntest_lib.test_b()\n",
    }
    assert Lab(tmp_path, files).candidates("probe", RULES) == []
