"""Names that are misspelt, behind `self.`, or were never imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.repair.crashlab import MODES, Lab
from tests.unit.repair.namecases import RULES, Cure, Trap, check_cure, check_trap, name_of

CURES = [
    Cure("a local", {"main.py": "def f():\n    counter = 1\n    return countr\n\nassert f() == 1\n"}, "return counter", rule="misspelt-name", least=0.95),
    Cure("a parameter", {"main.py": "def f(message):\n    print(mesage)\n    return mesage + message\n\nf('x')\n"}, "    print(message)\n    return message + message", rule="misspelt-name"),
    Cure("a global", {"main.py": "DEFAULT_LIMIT = 3\n\ndef f():\n    return DEFALT_LIMIT\n\nf()\n"}, "return DEFAULT_LIMIT"),
    Cure("a builtin", {"main.py": "pritn('x')\n"}, "print('x')"),
    Cure("an imported name", {"main.py": "from pathlib import Path\n\nPaht('x')\nPath('y')\n"}, "Path('x')"),
    Cure("an enclosing local", {"main.py": "def f():\n    total = 1\n\n    def g():\n        return totla\n\n    return g()\n\nf()\n"}, "return total"),
    Cure("a name in a comprehension", {"main.py": "print([itme for item in [1]])\n"}, "[item for item in [1]]"),
    Cure("a name in an f-string", {"main.py": "value = 1\nprint(f'{valeu}')\n"}, "{value}"),
    Cure("a method without self", {"main.py": "class A:\n    def helper(self):\n        return 1\n\n    def run(self):\n        return helper()\n\nassert A().run() == 1\n"}, "return self.helper()", rule="missing-self-prefix", least=0.95),
    Cure("an attribute without self", {"main.py": "class A:\n    def __init__(self):\n        self.name = 'x'\n\n    def show(self):\n        return name + name\n\nassert A().show() == 'xx'\n"}, "return self.name + self.name", rule="missing-self-prefix"),
    Cure("a method of the base class", {"main.py": "class B:\n    def helper(self):\n        return 1\n\nclass A(B):\n    def run(self):\n        return helper()\n\nA().run()\n"}, "self.helper()"),
    Cure("a class method", {"main.py": "class A:\n    LIMIT = 3\n\n    @classmethod\n    def run(cls):\n        return LIMIT\n\nassert A.run() == 3\n"}, "return cls.LIMIT"),
    Cure("a static method reads a class attribute", {"main.py": "class A:\n    LIMIT = 3\n\n    @staticmethod\n    def run():\n        return LIMIT\n\nassert A.run() == 3\n"}, "return A.LIMIT"),
    Cure("a module of the standard library", {"main.py": "def f():\n    return json.dumps({})\n\nf()\n"}, "import json\n", rule="missing-import", least=0.95),
    Cure("a class of the standard library", {"main.py": "'''Doc.'''\nimport os\n\nd = defaultdict(list)\nprint(os.sep)\n"}, "import os\nfrom collections import defaultdict\n", rule="missing-import", least=0.95),
    Cure("Path", {"main.py": "print(Path('x').name)\n"}, "from pathlib import Path"),
    Cure("dataclass", {"main.py": "@dataclass\nclass A:\n    x: int\n\nA(1)\n"}, "from dataclasses import dataclass", least=0.95),
    Cure("a typing name in an annotation", {"main.py": "def f(x: Optional[int]) -> None:\n    pass\n\nf(1)\n"}, "from typing import Optional"),
    Cure("datetime the class", {"main.py": "print(datetime.now().year)\n"}, "from datetime import datetime"),
    Cure("datetime the module", {"main.py": "print(datetime.datetime.now().year)\n"}, "import datetime\n"),
    Cure("time the module", {"main.py": "time.sleep(0)\n"}, "import time\n"),
    Cure("copy the function", {"main.py": "copy([1])\n"}, "from copy import copy"),
    Cure("asyncio in a coroutine", {"main.py": "import asyncio\n\nasync def f():\n    await sleep(0)\n\nasyncio.run(f())\n"}, "from asyncio import sleep"),
    Cure("a function of another module", {"helpers.py": "def compute_total(xs):\n    return sum(xs)\n", "main.py": "print(compute_total([1]))\n"}, "from helpers import compute_total", rule="missing-import", least=0.95),
    Cure("a module of the project", {"helpers.py": "def compute_total(xs):\n    return sum(xs)\n", "main.py": "print(helpers.compute_total([1]))\n"}, "import helpers"),
    Cure(
        "a class of the same package by relative import",
        {"pkg/__init__.py": "", "pkg/models.py": "class Order:\n    pass\n", "pkg/base.py": "ZERO = 0\n", "pkg/api.py": "from .base import ZERO\n\n\ndef make():\n    return Order(), ZERO\n", "main.py": "from pkg.api import make\n\nmake()\n"},
        "from .models import Order", path="pkg/api.py",
    ),
    Cure(
        "an import that other modules have under an alias",
        {"other.py": "import json as js\n\n\ndef f():\n    return js.dumps(1)\n", "main.py": "print(js.dumps(1))\n"},
        "import json as js",
    ),
    Cure(
        "a module that imports this one gives a local import",
        {"app.py": "import main_part\n\n\ndef helper_function():\n    return 1\n", "main_part.py": "def run():\n    return helper_function()\n", "main.py": "import app\nimport main_part\n\nmain_part.run()\n"},
        "    from app import helper_function\n", path="main_part.py",
    ),
    Cure(
        "an import for the type checker only",
        {"main.py": "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from pathlib import Path as P\n\n\ndef f(x: P):\n    return P('x')\n\nf(1)\n"},
        "from typing import TYPE_CHECKING\nfrom pathlib import Path as P\n", rule="missing-import",
    ),
]  # fmt: skip

TRAPS = [
    Trap("bound later is not bound", {"main.py": "def f():\n    return thing\n\nf()\nzzzz = 1\n"}),
    Trap("two letters", {"main.py": "ab = 1\nprint(ac)\n"}),
    Trap("unbound local", {"main.py": "def f():\n    print(counter)\n    counter = 1\n    countr = 2\n\nf()\n"}),
    Trap("the name stands in a string that is evaluated", {"main.py": "value = 1\neval('valeu')\n"}),
    Trap("a variable of another function", {"main.py": "def g():\n    secret_number = 1\n\ndef f():\n    return secret_numbr\n\nf()\n"}),
    Trap("a name that a test defines", {"tests/test_x.py": "def make_everything():\n    return 1\n", "main.py": "make_everything()\n"}),
    Trap("a static method has no instance", {"main.py": "class A:\n    def __init__(self):\n        self.total_sum = 3\n\n    @staticmethod\n    def run():\n        return total_sum\n\nA.run()\n"}),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CURES, ids=name_of)
def test_an_undefined_name_is_cured(tmp_path: Path, case: Cure, mode: str) -> None:
    if mode not in case.modes:
        pytest.skip("this capture does not tell")
    check_cure(tmp_path, case, mode)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_an_undefined_name_without_a_meaning_is_left_alone(tmp_path: Path, case: Trap) -> None:
    for mode in case.modes:
        check_trap(tmp_path, case, mode)


def test_a_name_with_several_homes_gives_several_imports(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": "q = Queue()\nq.put(1)\n"})
    texts = [candidate.edits[0].text for candidate in lab.candidates("bare", RULES)]
    assert any("from queue import Queue" in text for text in texts)
    assert len(texts) > 1


def test_a_library_that_is_not_installed_is_explained_not_invented(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": "sns.heatmap([])\n"})
    found = lab.refusals("bare", RULES)
    assert any("pip install seaborn" in refusal.explanation for refusal in found)
    assert not lab.candidates("bare", RULES)


def test_nothing_is_compared_with_a_builtin_function(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": "def f(path, kind):\n    return path == ext\n\n\nf(1, 2)\n"})
    assert not [c for c in lab.candidates() if "exit" in c.edits[0].text or "next" in c.edits[0].text]
