"""Rarer crashes about names: chains, enumerations, templates, hidden modules, relative imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.repair.crashlab import MODES, Lab
from tests.unit.repair.namecases import RULES, Cure, Trap, check_cure, check_trap, name_of

CURES = [
    Cure("a step of a chain", {"main.py": "class Q:\n    def where(self):\n        return self\n\n    def order(self):\n        return self\n\nx = (\n    Q()\n    .where()\n    .ordr()\n    .where()\n)\n"}, "    .order()\n"),
    Cure("super", {"main.py": "class B:\n    def setup_all(self):\n        return 1\n\nclass C(B):\n    def setup(self):\n        return super().setup_al()\n\nC().setup()\n"}, "super().setup_all()"),
    Cure("an enumeration", {"main.py": "from enum import Enum\n\nclass Color(Enum):\n    GREEN = 1\n    RED = 2\n\nprint(Color.GREN)\n"}, "Color.GREEN", rule="misspelt-attribute"),
    Cure("a property does not read itself", {"main.py": "class A:\n    def __init__(self):\n        self._valeu = 1\n\n    @property\n    def value(self):\n        return self._value\n\nA().value\n"}, "return self._valeu"),
    Cure("the except clause itself", {"main.py": "try:\n    1 / 0\nexcept ZeroDivsionError:\n    pass\n"}, "except ZeroDivisionError:"),
    Cure("a global that a function declares", {"main.py": "def set_it():\n    global config_value\n    config_value = 1\n\ndef get():\n    return config_vlaue\n\nset_it()\nget()\n"}, "return config_value"),
    Cure("null", {"main.py": "x = null\ny = [null]\nassert x is None\n"}, "x = None\ny = [None]", rule="foreign-constant"),
    Cure("a dict asked like an object", {"main.py": "d = {'name': 1}\nprint(d.name)\n"}, "print(d['name'])", rule="key-as-attribute"),
    Cure("a path method of a subclass", {"main.py": "from pathlib import Path\n\nPath('x').exist()\n"}, "Path('x').exists()"),
    Cure("too many dots", {"pkg/__init__.py": "", "pkg/a.py": "from ..b import x\n", "b.py": "x = 1\n", "main.py": "import pkg.a\n"}, "from b import x", path="pkg/a.py", rule="relative-import"),
    Cure("dots in a script", {"helper.py": "x = 1\n", "main.py": "from . import helper\n\nprint(helper.x)\n"}, "import helper\n", rule="relative-import", least=0.8),
    Cure("an abbreviated keyword", {"main.py": "class Client:\n    def send(self, message, priority=0):\n        return message\n\ndef go(c):\n    return c.send(msg='x', priority=1)\n\ngo(Client())\n"}, "c.send(message='x', priority=1)", most=0.6),
    Cure("a key in a loop", {"main.py": "d = {'alpha': 1, 'beta': 2}\nfor k in ['alpha', 'betta']:\n    print(d[k])\n"}, "['alpha', 'beta']"),
    Cure("a dict in the class body", {"main.py": "class A:\n    data = {'users': []}\n\n    def go(self):\n        return self.data['user']\n\nA().go()\n"}, "self.data['users']"),
    Cure("a keyword of a template", {"main.py": "T = 'hello {name}'\nprint(T.format(nmae='x'))\n"}, "T.format(name='x')", rule="misspelt-format-field"),
    Cure("a field of a template", {"main.py": "T = '{who} says {naem!r} {{naem}}'\nprint(T.format(who='w', name='x'))\n"}, "{name!r} {{naem}}", rule="misspelt-format-field", rank=1),
    Cure("a missing import behind CRLF stays CRLF", {"main.py": "'''Doc.'''\r\nprint(math.pi)\r\n"}, "'''Doc.'''\r\nimport math\r\nprint"),
    Cure("a keyword through a decorator", {"main.py": "import functools\n\ndef deco(fn):\n    @functools.wraps(fn)\n    def w(*a, **k):\n        return fn(*a, **k)\n\n    return w\n\n@deco\ndef f(alpha=1):\n    return alpha\n\nf(alpa=2)\n"}, "f(alpha=2)"),
    Cure("names that come together", {"main.py": "def f(x: Dict[str, Any]) -> Optional[int]:\n    pass\n"}, "from typing import Dict, Any, Optional"),
    Cure("the name of another class is no reason to rename", {"main.py": "class A:\n    width = 1\n\nclass B:\n    widht = 2\n\nprint(B().widht)\nprint(A().widht)\n"}, "print(B().widht)\nprint(A().width)", rule="misspelt-attribute"),
]  # fmt: skip

TRAPS = [
    Trap("a dict method of another kind", {"main.py": "d = {'name': 1}\nd.name()\n"}),
    Trap("a dict without the key", {"main.py": "d = {'other': 1}\nprint(d.name)\n"}),
    Trap("a template of another origin", {"main.py": "print(str('{zzz}').format(name='x'))\n"}),
    Trap("dots to nowhere", {"main.py": "from . import helper\n"}),
    Trap("data is not called", {"main.py": "class A:\n    def __init__(self):\n        self.count = 0\n\n    def bump(self):\n        self.cuont()\n\nA().bump()\n"}),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CURES, ids=name_of)
def test_a_rarer_wrong_name_is_cured(tmp_path: Path, case: Cure, mode: str) -> None:
    check_cure(tmp_path, case, mode)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_what_only_looks_like_one_is_left_alone(tmp_path: Path, case: Trap) -> None:
    for mode in case.modes:
        check_trap(tmp_path, case, mode)


def test_a_file_that_hides_a_library_module_is_explained(tmp_path: Path) -> None:
    for number, use in enumerate(("import random\n\nrandom.randint(1, 2)\n", "from random import randint\n")):
        (tmp_path / str(number)).mkdir()
        lab = Lab(tmp_path / str(number), {"random.py": "X = 1\n", "main.py": use})
        assert not lab.candidates("bare", RULES)
        assert any("hides the standard library" in refusal.reason for refusal in lab.refusals("bare", RULES))


def test_a_source_that_does_not_parse_any_more_gives_no_fix_and_no_failure(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": "value = 1\nprint(valeu)\n"})
    report = lab.report("bare")
    lab.write({"main.py": "value = (\nprint(valeu)\n"})
    from selfheal_tui.repair.rules.engine import RuleProposer

    found = list(RuleProposer(RULES).propose(lab.context(report=report)))
    assert all("failed" not in f.reason for f in found)
    assert len(found) == 1
