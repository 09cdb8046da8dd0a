"""Attributes that are misspelt where they are used or defined, and methods of other languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.repair.crashlab import MODES
from tests.unit.repair.namecases import Cure, Trap, check_cure, check_trap, name_of

COUNTER = """
class Counter:
    def __init__(self):
        self.coutner = 0

    def bump(self):
        self.counter += 1

    def show(self):
        return self.counter

c = Counter()
c.bump()
assert c.show() == 1
"""

CURES = [
    Cure(
        "a method of the project",
        {"main.py": "class Box:\n    def append_item(self, x):\n        return x\n\nBox().apend_item(1)\n"},
        "Box().append_item(1)",
        rule="misspelt-attribute",
        least=0.95,
    ),
    Cure(
        "a method of a class in another module",
        {
            "shop/__init__.py": "",
            "shop/cart.py": "class Cart:\n    def __init__(self):\n        self.items = []\n\n    def total_price(self):\n        return sum(self.items)\n",
            "main.py": "from shop.cart import Cart\n\ncart = Cart()\nprint(cart.total_pirce())\n",
        },
        "cart.total_price()",
        least=0.95,
    ),
    Cure(
        "an attribute set in a base class",
        {
            "base.py": "class Base:\n    def __init__(self):\n        self.timeout = 3\n",
            "main.py": "from base import Base\n\nclass Child(Base):\n    def wait(self):\n        return self.timout\n\nassert Child().wait() == 3\n",
        },
        "return self.timeout",
    ),
    Cure(
        "a dataclass field",
        {"main.py": "from dataclasses import dataclass\n\n@dataclass\nclass P:\n    width: int\n    height: int\n\nprint(P(1, 2).heigth)\nprint(P(1, 2).height)\n"},
        "print(P(1, 2).height)\nprint(P(1, 2).height)",
    ),
    Cure(
        "a slot",
        {"main.py": "class P:\n    __slots__ = ('width',)\n\n    def __init__(self):\n        self.width = 1\n\nassert P().widht == 1\nassert P().width\n"},
        "P().width == 1",
    ),
    Cure(
        "another case",
        {"main.py": "class P:\n    def get_name(self):\n        return 'n'\n\nassert P().getName() == 'n'\n"},
        "P().get_name()",
        least=0.95,
    ),
    Cure("a method of str", {"main.py": "assert 'A'.lowwer() == 'a'\n"}, "'A'.lower()", least=0.95),
    Cure("a method of list", {"main.py": "a = []\na.apend(1)\nassert a == [1]\n"}, "a.append(1)", least=0.95),
    Cure("a function of a stdlib module", {"main.py": "import json\n\njson.dmups({})\n"}, "json.dumps({})"),
    Cure(
        "a function of a project module",
        {"tools.py": "def run_tool():\n    return 1\n", "main.py": "import tools\n\ntools.run_tol()\n"},
        "tools.run_tool()",
    ),
    Cure(
        "the same misuse all over the class",
        {"main.py": "class A:\n    def __init__(self):\n        self.value = 1\n\n    def one(self):\n        return self.valeu\n\n    def two(self):\n        return self.value + self.valeu\n\na = A()\nassert a.one() + a.two() == 3\n"},
        "return self.value + self.value",
    ),
    Cure("the definition instead of the uses", {"main.py": COUNTER}, "self.counter = 0", rule="misspelt-definition", least=0.95),
    Cure(
        "a class attribute",
        {"main.py": "class Limits:\n    MAX_SIZE = 3\n\nassert Limits.MAX_SZIE == 3\nassert Limits.MAX_SIZE\n"},
        "Limits.MAX_SIZE == 3",
    ),
    Cure("characters before it", {"main.py": "class P:\n    breite = 1\n\np = P(); x = 'äöü€😀' + str(p.briete)\n"}, "str(p.breite)", rule="misspelt-attribute"),
    Cure("length of a list", {"main.py": "a = [1]\nassert a.length == 1\n"}, "assert len(a) == 1", rule="foreign-method"),
    Cure("len as a method", {"main.py": "assert 'abc'.len() == 3\n"}, "len('abc') == 3", rule="foreign-method"),
    Cure("has_key", {"main.py": "d = {'a': 1}\nif d.has_key('a'):\n    print(1)\n"}, "if 'a' in d:", rule="foreign-method"),
    Cure("has_key inside an expression", {"main.py": "d = {'a': 1}\nx = not d.has_key('a')\nassert not x\n"}, "not ('a' in d)", rule="foreign-method"),
    Cure("iteritems", {"main.py": "for k, v in {'a': 1}.iteritems():\n    print(k, v)\n"}, "{'a': 1}.items()", rule="foreign-method"),
    Cure("push", {"main.py": "a = []\na.push(1 + 2)\nassert a == [3]\n"}, "a.append(1 + 2)", rule="foreign-method"),
    Cure("append on a set", {"main.py": "s = set()\ns.append(1)\nassert s == {1}\n"}, "s.add(1)", rule="foreign-method"),
    Cure("trim", {"main.py": "assert ' a'.trim() == 'a'\n"}, "' a'.strip()", rule="foreign-method"),
]  # fmt: skip

TRAPS = [
    Trap("None has no other name", {"main.py": "class A:\n    name = 'x'\n\na = None\na.nmae\n"}),
    Trap("nothing is near", {"main.py": "class A:\n    alpha = 1\n\nA().zzzzzz\n"}),
    Trap("a short name is near everything", {"main.py": "class A:\n    ab = 1\n    ac = 2\n\nA().ad\n"}),
    Trap(
        "raised by hand",
        {"main.py": "class A:\n    value = 1\n\n    def __getattr__(self, name):\n        raise AttributeError(f\"'A' object has no attribute '{name}'\")\n\nA().valeu\n"},
    ),
    Trap("getattr with a string", {"main.py": "class A:\n    value = 1\n\ngetattr(A(), 'valeu')\n"}),
    Trap("push whose value is used", {"main.py": "a = []\nn = a.push(1)\n"}),
    Trap("push of two", {"main.py": "a = []\na.push(1, 2)\n"}),
    Trap("private names are mangled", {"main.py": "class A:\n    def __init__(self):\n        self.__valeu = 1\n\nA().__value\n"}),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CURES, ids=name_of)
def test_a_misspelt_attribute_is_cured(tmp_path: Path, case: Cure, mode: str) -> None:
    if mode not in case.modes:
        pytest.skip("this capture does not tell")
    check_cure(tmp_path, case, mode)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_what_is_no_misspelt_attribute_is_left_alone(tmp_path: Path, case: Trap) -> None:
    for mode in case.modes:
        check_trap(tmp_path, case, mode)
