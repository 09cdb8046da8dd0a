"""Variables that are read before they get a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import unbound
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = unbound.RULES

FIXES = [
    Fix("global counter", 'calls = 0\n\n\ndef hit():\n    """Counts."""\n    calls += 1\n    return calls\n\n\nassert hit() == 1 and calls == 1\n', '"""Counts."""\n    global calls\n    calls += 1'),
    Fix("global cache", "cache = None\n\n\ndef get():\n    if cache is None:\n        cache = 3\n    return cache\n\n\nassert get() == 3\n", "def get():\n    global cache\n    if"),
    Fix("nonlocal", "def outer():\n    n = 0\n\n    def inner():\n        n += 1\n        return n\n\n    return inner()\n\n\nassert outer() == 1\n", "def inner():\n        nonlocal n\n        n += 1"),
    Fix("builtin hidden", "def top(a, b):\n    max = max(a, b)\n    return max\n\n\nassert top(1, 2) == 2\n", "max_value = max(a, b)\n    return max_value"),
    Fix("module hidden", "import time\n\n\ndef now():\n    time = time.time()\n    return time > 0\n\n\nassert now()\n", "time_value = time.time()\n    return time_value > 0"),
    Fix("function hidden", "def total(xs):\n    return sum(xs)\n\n\ndef show(xs):\n    total = total(xs)\n    return total\n\n\nassert show([1]) == 1\n", "total_value = total(xs)"),
    Fix("sum", "def total(xs):\n    for x in xs:\n        n += x\n    return n\n\n\nassert total([1, 2]) == 3\n", "    n = 0\n    for x in xs:"),
    Fix("text", 'def total(xs):\n    for x in xs:\n        out += x + ","\n    return out\n\n\nassert total("ab") == "a,b,"\n', '    out = ""\n    for x in xs:'),
    Fix("product", "def product(xs):\n    for x in xs:\n        p = p * x\n    return p\n\n\nassert product([2, 3]) == 6\n", "    p = 1\n    for x in xs:"),
    Fix("list", "def rows(xs):\n    for x in xs:\n        out += [x]\n    return out\n\n\nassert rows([1]) == [1]\n", "    out = []\n    for"),
    Fix("per item", "def counts(rows):\n    out = []\n    for row in rows:\n        for _ in row:\n            n += 1\n        out.append(n)\n    return out\n\n\nassert counts([[1], [1, 2]]) == [1, 2]\n", "        n = 0\n        for _ in row:"),
    Fix("flag", "def has(xs, y):\n    for x in xs:\n        if x == y:\n            found = True\n    return found\n\n\nassert not has([1], 2)\n", "    found = False\n    for x in xs:"),
    Fix("checked for None", "def find(xs, y):\n    for x in xs:\n        if x == y:\n            hit = x\n    if hit is None:\n        return -1\n    return hit\n\n\nassert find([1], 2) == -1\n", "    hit = None\n    for x in xs:"),
    Fix("reset elsewhere", "def groups(xs):\n    out = []\n    for x in xs:\n        if x is None:\n            out.append(part)\n            part = []\n        else:\n            part = [*part, x]\n    return out\n\n\nassert groups([1, None]) == [[1]]\n", "    part = []\n    for x in xs:"),
    Fix("misspelt branch", 'def kind(n):\n    if n > 1:\n        label = "many"\n    else:\n        lable = "one"\n    return label\n\n\nassert kind(1) == "one"\n', 'label = "one"'),
    Fix("misspelt branch in try", 'def kind(n):\n    try:\n        value = int(n)\n    except ValueError:\n        vlaue = -1\n    return value\n\n\nassert kind("x") == -1\n', "value = -1"),
    Fix("local import", "import json\n\n\ndef dump(x, pretty):\n    if pretty:\n        import json\n        return json.dumps(x, indent=1)\n    return json.dumps(x)\n\n\nassert dump(1, False) == '1'\n", "def dump(x, pretty):\n    import json\n    if"),
    Fix("exception name", 'def attempt():\n    for _ in range(2):\n        try:\n            int("x")\n        except ValueError as error:\n            print(error)\n    return error\n\n\nassert attempt() is not None\n', "    last_error = None\n    for _"),
    Fix("assigned later", "def area():\n    result = width * 2\n    width = 3\n    return result\n\n\nassert area() == 6\n", "width = 3\n    result = width * 2\n    return"),
    Fix("module level", "for x in [1, 2]:\n    total += x\nassert total == 3\n", "total = 0\nfor x"),
    Fix("CRLF stays", "def total(xs):\r\n    for x in xs:\r\n        n += x\r\n    return n\r\n\r\n\r\nassert total([1]) == 1\r\n", "    n = 0\r\n    for"),
]  # fmt: skip

TRAPS = [
    Trap("branch without a value", 'def kind(n):\n    if n > 3:\n        label = "big"\n    elif n > 1:\n        label = "mid"\n    return label\n\n\nkind(0)\n', "line 3, 5"),
    Trap("empty loop", "def last(xs):\n    for x in xs:\n        pass\n    return x\n\n\nlast([])\n", "nothing to walk over"),
    Trap("failed try", 'def read(s):\n    try:\n        n = int(s)\n    except ValueError:\n        print("bad")\n    return n\n\n\nread("x")\n', "no value is evident"),
    Trap("deleted", "def f():\n    x = 1\n    del x\n    return x\n\n\nf()\n", "deleted"),
    Trap("plain undefined name", "print(nothing)\n"),
    Trap("moving would change what it means", "def f():\n    a = b\n    c = 2\n    b = c\n    return a\n\n\nf()\n"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_the_variable_gets_the_value_that_the_function_shows(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("mode", ["probe", "bare"])
@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_no_value_is_invented(case: Trap, mode: str, tmp_path: Path) -> None:
    check_trap(case, mode, tmp_path, RULES)
