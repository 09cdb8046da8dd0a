"""Methods without the parameter that takes their instance or class."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.repair.crashlab import MODES
from tests.unit.repair.namecases import Cure, Trap, check_cure, check_trap, name_of

CURES = [
    Cure("no parameters at all", {"main.py": "class A:\n    def hello():\n        return 1\n\nassert A().hello() == 1\n"}, "def hello(self):", rule="missing-self-parameter", least=0.8),
    Cure("self is used in the body", {"main.py": "class A:\n    def __init__(self):\n        self.n = 1\n\n    def add(x):\n        return self.n + x\n\nassert A().add(2) == 3\n"}, "def add(self, x):", least=0.95),
    Cure("in another module", {"m.py": "class A:\n    def add(x, y=1):\n        return x + y\n", "main.py": "from m import A\n\na = A()\nassert a.add(2, 3) == 5\n"}, "def add(self, x, y=1):", path="m.py"),
    Cure("called through the class as well", {"main.py": "class A:\n    def add(x):\n        return x\n\nassert A.add(1) == 1\nassert A().add(2) == 2\n"}, "    @staticmethod\n    def add(x):", rule="missing-staticmethod", least=0.8),
    Cure("a class method", {"main.py": "class A:\n    @classmethod\n    def make():\n        return 1\n\nA.make()\n"}, "def make(cls):", least=0.95),
    Cure("a coroutine", {"main.py": "import asyncio\n\nclass A:\n    async def go():\n        return 1\n\nasyncio.run(A().go())\n"}, "async def go(self):"),
    Cure("the receiver has another name", {"main.py": "class A:\n    n = 1\n\n    def show(this):\n        return self.n\n\nassert A().show() == 1\n"}, "def show(self):", rule="undefined-self"),
    Cure("a method called with its object", {"main.py": "class A:\n    n = 1\n\n    def show(x):\n        return self.n + x\n\ntry:\n    A.show(1)\nexcept TypeError:\n    pass\n"}, "def show(self, x):", rule="undefined-self"),
]  # fmt: skip

TRAPS = [
    Trap("too many arguments for a real method", {"main.py": "class A:\n    def add(self, x):\n        return x\n\nA().add(1, 2)\n"}),
    Trap("a function outside of a class", {"main.py": "def add(x):\n    return x\n\nadd(1, 2)\n"}),
    Trap("a static method", {"main.py": "class A:\n    @staticmethod\n    def add(x):\n        return x\n\nA().add(1, 2)\n"}),
    Trap("two too many", {"main.py": "class A:\n    def add():\n        return 1\n\nA().add(1)\n"}),
    Trap("self in a function of no class", {"main.py": "def f():\n    return self.x\n\nf()\n"}),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CURES, ids=name_of)
def test_a_missing_receiver_is_added(tmp_path: Path, case: Cure, mode: str) -> None:
    if mode not in case.modes:
        pytest.skip("this capture does not tell")
    check_cure(tmp_path, case, mode)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_a_call_that_no_receiver_cures_is_left_alone(tmp_path: Path, case: Trap) -> None:
    for mode in case.modes:
        check_trap(tmp_path, case, mode)
