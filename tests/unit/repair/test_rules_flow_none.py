"""None results: missing returns, in-place methods; and loops that change what they walk over."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import iteration, none_results
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (*none_results.RULES, *iteration.RULES)

FIXES = [
    Fix("expression dropped", "def add(a, b):\n    a + b\n\n\nassert add(1, 2) + 1 == 4\n", "    return a + b"),
    Fix("assignment at the end", "def area(w, h):\n    result = w * h\n\n\nassert area(2, 3) + 1 == 7\n", "    result = w * h\n    return result"),
    Fix("recursion without return", "def gcd(a, b):\n    if b == 0:\n        return a\n    else:\n        gcd(b, a % b)\n\n\nassert gcd(4, 6) + 0 == 2\n", "        return gcd(b, a % b)"),
    Fix("one branch", "def kind(n):\n    if n > 1:\n        return 'many'\n    else:\n        label = 'one'\n\n\nassert kind(1).upper() == 'ONE'\n", "        label = 'one'\n        return label"),
    Fix("built list", "def evens(xs):\n    result = []\n    for x in xs:\n        if x % 2 == 0:\n            result.append(x)\n\n\nassert len(evens([1, 2])) == 1\n", "            result.append(x)\n    return result"),
    Fix("built sum", "def total(xs):\n    n = 0\n    for x in xs:\n        n += x\n\n\nassert total([1, 2]) * 2 == 6\n", "        n += x\n    return n"),
    Fix("other file", "from lib import load\n\nassert load()['a'] == 1\n", "    data = {'a': 1}\n    return data", files=(("lib.py", "def load():\n    data = {'a': 1}\n"),), changed="lib.py"),
    Fix("method", "class Box:\n    def size(self):\n        self.n = 3\n        self.n * 2\n\n\nbox = Box()\nassert box.size() + 1 == 7\n", "        return self.n * 2"),
    Fix("through a variable", "def make():\n    data = [1]\n\n\nrows = make()\nassert rows[0] == 1\n", "    return data"),
    Fix("through a parameter", "def make():\n    data = [1]\n\n\ndef first(xs):\n    return xs[0]\n\n\nassert first(make()) == 1\n", "    data = [1]\n    return data"),
    Fix("chained builder", "class B:\n    def __init__(self):\n        self.xs = []\n\n    def a(self, x):\n        self.xs.append(x)\n        return self\n\n    def b(self, x):\n        self.xs.extend([x])\n\n\nassert B().b(1).a(2).xs == [1, 2]\n", "self.xs.extend([x])\n        return self"),
    Fix("enter", "class R:\n    def __enter__(self):\n        self.n = 1\n\n    def __exit__(self, *_):\n        pass\n\n\nwith R() as r:\n    assert r.n == 1\n", "        self.n = 1\n        return self"),
    Fix("property", "class R:\n    @property\n    def name(self):\n        'x'.upper()\n\n    def go(self):\n        return self.name.lower()\n\n\nassert R().go() == 'x'\n", "        return 'x'.upper()"),
    Fix("await", "import asyncio\n\n\nasync def load():\n    data = {'a': 1}\n\n\nasync def main():\n    data = await load()\n    return data['a']\n\n\nassert asyncio.run(main()) == 1\n", "    return data\n\n\nasync def main"),
    Fix("sort assigned", "def top(xs):\n    xs = xs.sort()\n    return xs[0]\n\n\nassert top([2, 1]) == 1\n", "    xs.sort()\n    return xs[0]"),
    Fix("sort to another name", "def top(xs):\n    ys = xs.sort(reverse=True)\n    return ys[0]\n\n\nassert top([1, 2]) == 2\n", "ys = sorted(xs, reverse=True)"),
    Fix("sort used", "def top(xs):\n    return xs.sort()[0]\n\n\nassert top([2, 1]) == 1\n", "sorted(xs)[0]"),
    Fix("sort returned", "def order(xs):\n    return xs.sort()\n\n\nassert order([2, 1])[0] == 1\n", "return sorted(xs)"),
    Fix("append assigned", "xs = []\nxs = xs.append(1)\nassert len(xs) == 1\n", "xs = []\nxs.append(1)"),
    Fix("update assigned", "d = {}\nd = d.update(a=1)\nassert d['a'] == 1\n", "d = {}\nd.update(a=1)"),
    Fix("shuffle", "import random\n\nxs = [1]\nys = random.shuffle(xs)\nassert ys[0] == 1\n", "random.sample(xs, len(xs))"),
    Fix("loop over in-place", "for x in [2, 1].sort():\n    pass\n", "in sorted([2, 1]):"),
    Fix("dict loop", "d = {1: 1, 2: 2}\nfor k in d:\n    del d[k]\nassert not d\n", "for k in list(d):"),
    Fix("items loop", "def prune(d):\n    for k, v in d.items():\n        if v:\n            d.pop(k)\n    return d\n\n\nassert prune({1: 1, 2: 0}) == {2: 0}\n", "in list(d.items()):"),
    Fix("set loop", "s = {1, 2}\nfor x in s:\n    s.discard(x)\nassert not s\n", "for x in list(s):"),
    Fix("deque loop", "from collections import deque\n\nd = deque([1, 2])\nfor x in d:\n    d.append(x) if len(d) < 5 else None\n", "in list(d):"),
    Fix("comprehension", "d = {1: 1, 2: 2}\nout = [d.pop(k) for k in d]\nassert out == [1, 2]\n", "for k in list(d)]"),
    Fix("handed to a library", "import re\n\n\ndef clean(s):\n    out = s.strip()\n\n\nassert re.sub('a', 'b', clean(' a ')) == 'b'\n", "    out = s.strip()\n    return out"),
    Fix("passed on under the same name", "import re\n\n\ndef lower(word):\n    word = word.strip()\n    word.lower()\n\n\ndef show(word):\n    word = re.sub('a', 'b', word)\n    return word\n\n\nassert show(lower(' A ')) == 'b'\n", "    return word.lower()"),
    Fix("decorator", "def twice(f):\n    def inner():\n        return f() * 2\n\n\n@twice\ndef two():\n    return 1\n\n\nassert two() == 2\n", "        return f() * 2\n    return inner"),
    Fix("tabs", "def add(a, b):\n\ttotal = a + b\n\n\nassert add(1, 2) + 1 == 4\n", "\ttotal = a + b\n\treturn total"),
]  # fmt: skip

TRAPS = [
    Trap("lookup that found nothing", "def find(xs, y):\n    for x in xs:\n        if x == y:\n            return x\n\n\nfind([1], 2).go\n", "find"),
    Trap("explicit None", "def find(x):\n    if x:\n        return x\n    return None\n\n\nfind(0).go\n", "returns None here"),
    Trap("dict get", "d = {}\nd.get('a').go\n", "key is missing"),
    Trap("regular expression", "import re\n\nre.match('a', 'b').group()\n", "nothing matches"),
    Trap("print", "def show(x):\n    print(x)\n\n\nshow(1).go\n", "never returns a value"),
    Trap("attribute that starts as None", "class A:\n    def __init__(self):\n        self.x = None\n\n    def go(self):\n        return self.x.y\n\n\nA().go()\n", "set to None here"),
    Trap("global assignment", "state = 1\n\n\ndef setup():\n    global state\n    state = 2\n\n\nsetup().go\n"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_the_value_that_the_function_computes_is_returned(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("mode", ["probe", "bare"])
@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_no_return_is_invented_and_the_origin_is_explained(case: Trap, mode: str, tmp_path: Path) -> None:
    check_trap(case, mode, tmp_path, RULES)
