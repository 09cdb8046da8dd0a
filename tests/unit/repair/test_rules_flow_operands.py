"""Operators and calls that got the wrong type."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import json_values, operand_types, text_values
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (*operand_types.RULES, *text_values.RULES, *json_values.RULES)

FIXES = [
    Fix("text plus number", 'def show(n):\n    return "n: " + n\n\nshow(3)\n', '"n: " + str(n)'),
    Fix("chain of text", 'def show(n):\n    return "n: " + n + "!"\n\nassert show(3) == "n: 3!"\n', '"n: " + str(n) + "!"'),
    Fix("number plus text", 'def show(n):\n    return n + " items"\n\nshow(3)\n', 'str(n) + " items"'),
    Fix("augmented text", 'def show(n):\n    out = "x"\n    out += n\n    return out\n\nassert show(3) == "x3"\n', "out += str(n)"),
    Fix("sum of outside text", 'import sys\nsys.argv = ["x", "4"]\nage = sys.argv[1]\nassert age + 1 == 5\n', "int(age) + 1"),
    Fix("text times", 'def half(x):\n    return x / 2\n\nassert half("3") == 1.5\n', "int(x) / 2"),
    Fix("float text", 'def half(x):\n    return x - 0.5\n\nassert half("1.5") == 1.0\n', "float(x) - 0.5"),
    Fix("counter of text", 'def total(xs):\n    n = 0\n    for x in xs:\n        n += x\n    return n\n\nassert total(["1", "2"]) == 3\n', "n += int(x)"),
    Fix("compare text", 'def adult(age):\n    return age >= 18\n\nassert adult("20")\n', "int(age) >= 18"),
    Fix("compare method", 'class A:\n    def size(self):\n        return 3\n\na = A()\nassert a.size > 2\n', "a.size() > 2"),
    Fix("compare length", "def many(xs):\n    return xs > 2\n\nassert not many([1])\n", "len(xs) > 2"),
    Fix("list plus tuple", "def both(a, b):\n    return a + b\n\nassert both([1], (2,)) == [1, 2]\n", "a + list(b)"),
    Fix("tuple plus list", "def both(a, b):\n    return a + b\n\nassert both((1,), [2]) == (1, 2)\n", "a + tuple(b)"),
    Fix("list plus keys", "d = {1: 2}\nassert [0] + d.keys() == [0, 1]\n", "[0] + list(d.keys())"),
    Fix("keys plus list", "d = {1: 2}\nassert d.keys() + [0] == [1, 0]\n", "list(d.keys()) + [0]"),
    Fix("list plus item", 'def add(a, x):\n    return a + x\n\nassert add(["a"], "b") == ["a", "b"]\n', "a + [x]"),
    Fix("dict plus dict", "a = {1: 1}\nb = {2: 2}\nassert a + b == {1: 1, 2: 2}\n", "{**a, **b}"),
    Fix("bytes literal", 'def end(b):\n    return b + "\\n"\n\nassert end(b"x") == b"x\\n"\n', 'b"\\n"'),
    Fix("bytes to text", 'def show(b):\n    return "got " + b\n\nassert show(b"x") == "got x"\n', "b.decode()"),
    Fix("text to bytes", 'def send(b, s):\n    return b + s\n\nassert send(b"a", "x") == b"ax"\n', "b + s.encode()"),
    Fix("decimal", 'from decimal import Decimal\n\ndef tax(x):\n    return x * 0.5\n\nassert tax(Decimal(2)) == 1\n', "x * Decimal(str(0.5))"),
    Fix("path", 'def join(a, b):\n    return a / b\n\nassert str(join("a", "b")) == "a/b"\n', "Path(a) / b"),
    Fix("repeat float", 'def line(n):\n    return "-" * (n / 2)\n\nassert line(4) == "--"\n', "(n // 2)"),
    Fix("repeat text", 'def line(n):\n    return [0] * n\n\nassert line("2") == [0, 0]\n', "[0] * int(n)", ("probe",)),
    Fix("join", 'def show(xs):\n    return ", ".join(xs)\n\nassert show([1, 2]) == "1, 2"\n', '", ".join(map(str, xs))'),
    Fix("join generator", 'xs = [1]\nassert ",".join(x + 1 for x in xs) == "2"\n', "str(x + 1) for x in xs"),
    Fix("percent", 'def show(x):\n    return "%d items" % x\n\nshow("many")\n', '"%s items" % x'),
    Fix("percent number", 'def show(x):\n    return "%05d" % x\n\nassert show("7") == "00007"\n', '"%05d" % int(x)', ("probe",)),
    Fix("abs of text", 'def f(s):\n    return abs(s)\n\nassert f("-3") == 3\n', "abs(int(s))"),
    Fix("minus text", 'def f(s):\n    return -s\n\nassert f("3") == -3\n', "-int(s)"),
    Fix("float index", "def mid(xs):\n    return xs[len(xs) / 2]\n\nassert mid([1, 2, 3]) == 2\n", "xs[len(xs) // 2]"),
    Fix("float index by name", "def mid(xs):\n    i = len(xs) / 2\n    return xs[i]\n\nassert mid([1, 2, 3]) == 2\n", "i = len(xs) // 2"),
    Fix("float range", "def half(n):\n    return list(range(n / 2))\n\nassert half(4) == [0, 1]\n", "range(n // 2)"),
    Fix("float slice", "def half(xs):\n    return xs[: len(xs) / 2]\n\nassert half([1, 2]) == [1]\n", "xs[: len(xs) // 2]"),
    Fix("text index", 'def pick(xs, i):\n    return xs[i]\n\nassert pick([1, 2], "1") == 2\n', "xs[int(i)]", ("probe",)),
    Fix("text range", 'n = "3"\nassert len(list(range(n))) == 3\n', "range(int(n))", ("probe",)),
    Fix("missing comma", "def rows():\n    return [\n        [1, 2]\n        [3, 4],\n    ]\n\nassert rows() == [[1, 2], [3, 4]]\n", "[1, 2],\n"),
    Fix("values", 'users = {"a": {"age": 3}}\nfor user in users:\n    assert user["age"] == 3\n', "in users.values():", ("probe",)),
    Fix("json text", 'import json\n\ndef name(text):\n    return text["name"]\n\nassert name(\'{"name": 1}\') == 1\n', 'json.loads(text)["name"]', ("probe",)),
    Fix("hash text", 'import hashlib\n\ndef digest(s):\n    return hashlib.sha256(s).hexdigest()\n\ndigest("x")\n', "sha256(s.encode())"),
    Fix("split bytes", 'def parts(b):\n    return b.split(",")\n\nassert parts(b"a,b") == [b"a", b"b"]\n', 'b.split(b",")'),
    Fix("in bytes", 'def has(b):\n    return "x" in b\n\nassert has(b"xy")\n', 'b"x" in b'),
    Fix("write number", 'import io\n\ndef put(f, n):\n    f.write(n)\n\nput(io.StringIO(), 3)\n', "f.write(str(n))"),
    Fix("write bytes", 'import io\n\ndef put(f, b):\n    f.write(b)\n\nput(io.StringIO(), b"x")\n', "f.write(b.decode())"),
    Fix("mode", 'import os\n\nwith open(os.devnull, "w") as f:\n    f.write(b"x")\n', 'open(os.devnull, "wb")', rank=1),
    Fix("loads dict", "import json\n\ndef read(d):\n    return json.loads(d)\n\nassert read({1: 2}) == {1: 2}\n", "return d"),
    Fix("loads file", 'import io\nimport json\n\ndef read(f):\n    return json.loads(f)\n\nread(io.StringIO("1"))\n', "json.load(f)"),
    Fix("load text", 'import json\n\ndef read(s):\n    return json.load(s)\n\nassert read("1") == 1\n', "json.loads(s)"),
    Fix("serialise date", "import json\nfrom datetime import date\n\ndef out(x):\n    return json.dumps({'d': x}, indent=1)\n\nout(date(2020, 1, 1))\n", "indent=1, default=str)"),
    Fix("list key", "def put(d, k):\n    d[k] = 1\n\nput({}, [1])\n", "d[tuple(k)] = 1"),
    Fix("set of lists", "rows = [[1], [1]]\nassert len(set(rows)) == 1\n", "set(map(tuple, rows))"),
    Fix("int of decimals", 'def size(s):\n    return int(s)\n\nassert size("3.0") == 3\n', "int(float(s))"),
    Fix("bytes pattern", 'import re\n\ndef find(b):\n    return re.search("x", b)\n\nassert find(b"x")\n', 're.search("x", b.decode())'),
    Fix("float index with text evidence", 'def pad(s, n):\n    return s * (n / 1)\n\nassert pad("a", 2) == "aa"\n', "n // 1"),
    Fix("non-ascii column", 'def show(n):\n    return "größe – " + n\n\nshow(3)\n', '"größe – " + str(n)'),
]  # fmt: skip

TRAPS = [
    Trap("None is never turned into text", 'def show(n):\n    return "n: " + n\n\nshow(None)\n'),
    Trap("None in a join", 'print(",".join([None]))\n', "None"),
    Trap(
        "unit of a date is not guessed",
        "from datetime import datetime\n\nprint(datetime.now() + 3)\n",
        "unit",
    ),
    Trap("minus of words", 'def f(a, b):\n    return a - b\n\nf("x", "y")\n'),
    Trap("text index that is a word", 'def f(xs, k):\n    return xs[k]\n\nf([1], "name")\n'),
    Trap("a dictionary is no key", "d = {}\nd[{}] = 1\n", "dict"),
    Trap("int of a word", 'int("many")\n'),
    Trap("no order of dicts", "print(sorted([{}, {}]))\n", "order"),
    Trap("objects without json", "import json\n\nclass A:\n    pass\n\njson.dumps(A())\n"),
]


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_the_operand_that_does_not_fit_is_converted(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_what_is_not_evident_is_left_alone(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)


def test_text_is_the_first_guess_for_a_label_and_a_number_the_second(tmp_path: Path) -> None:
    from tests.unit.repair.crashlab import Lab

    lab = Lab(tmp_path, {"main.py": 'import os\nos.environ["N"] = "4"\nn = os.environ["N"]\nprint(n + 1)\n'})
    texts = [c.edits[0].text for c in lab.candidates("probe", RULES)]
    assert ["int(n) + 1" in texts[0], "n + str(1)" in texts[1]] == [True, True]
