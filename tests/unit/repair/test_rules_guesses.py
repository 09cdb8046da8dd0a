"""Guards, type tests, signatures and handlers as real fixes make them, and the look-alikes where nothing may be offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import (
    enclosing_names,
    expected_exceptions,
    lacking_items,
    misplaced_members,
    none_guards,
    none_parameters,
    override_signatures,
    quoted_names,
    sibling_keywords,
    type_branches,
    widened_handlers,
)
from tests.unit.repair.crashlab import Lab
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (
    *enclosing_names.RULES,
    *quoted_names.RULES,
    *misplaced_members.RULES,
    *override_signatures.RULES,
    *sibling_keywords.RULES,
    *none_parameters.RULES,
    *none_guards.RULES,
    *type_branches.RULES,
    *lacking_items.RULES,
    *expected_exceptions.RULES,
    *widened_handlers.RULES,
)
PROBE = ("probe",)

FIXES = [
    # None where it is used
    Fix("measured in a condition", "class Invoice:\n    def __init__(self, lines=None):\n        self.lines = lines\n\n    def total(self):\n        if len(self.lines) > 0:\n            return sum(self.lines)\n        return 0\n\n\nassert Invoice([2, 3]).total() == 5\nassert Invoice().total() == 0\n", "if self.lines is not None and len(self.lines) > 0:"),
    Fix("one operand of several", "def due(task, today):\n    return 'due' if task['open'] and task['date'] < today else '-'\n\n\nassert due({'open': True, 'date': 1}, 2) == 'due'\nassert due({'open': True, 'date': None}, 2) == '-'\n", "task['open'] and task['date'] is not None and task['date'] < today", PROBE),
    Fix("walked over", "def names(group):\n    found = []\n    for member in group.get('members'):\n        found.append(member.upper())\n    return found\n\n\ndef count(group):\n    members = group['members']\n    return [m for m in members]\n\n\nassert count({'members': [1]}) == [1]\nassert count({'members': None}) == []\n", "for m in members or ()", PROBE),
    Fix("an entry without a value", "def slugs(rows):\n    out = []\n    for row in rows:\n        title = row['title']\n        out.append(title.lower())\n    return out\n\n\nassert slugs([{'title': 'A'}, {'title': None}, {'title': 'B'}]) == ['a', 'b']\n", "if title is None:\n            continue", PROBE),
    Fix("answered as elsewhere", "def area(shape):\n    if not isinstance(shape, dict):\n        return -1\n    size = shape.get('size')\n    width = size['w']\n    return width * size['h']\n\n\nassert area(0) == -1\nassert area({'size': {'w': 2, 'h': 3}}) == 6\nassert area({}) == -1\n", "if size is None:\n        return -1", PROBE),
    Fix("a call for its effect", "class Player:\n    def __init__(self, log=None):\n        self.log = log\n        self.moves = 0\n\n    def move(self):\n        self.moves += 1\n        self.log.append(self.moves)\n        return self.moves\n\n\nassert Player([]).move() == 1\nassert Player().move() == 1\n", "if self.log is not None:", PROBE),
    Fix("other functions say what it stands for", "import os\n\n\ndef listed(folder=None):\n    if folder is None:\n        folder = os.curdir\n    return os.path.join(folder, 'x')\n\n\ndef shown(folder=None):\n    return folder.strip('/') + '/x'\n\n\nassert shown('a/') == 'a/x'\nassert shown() == './x'\n", "if folder is None:\n        folder = os.curdir\n    return folder.strip", PROBE),
    Fix("a container that is filled", "def tag(item, tags=None):\n    tags.append(item)\n    return tags\n\n\nassert tag('a', []) == ['a']\nassert tag('a') == ['a']\n", "if tags is None:\n        tags = []", PROBE),
    # types
    Fix("a tuple beside a list", "def flat(value):\n    if isinstance(value, list):\n        return [x for part in value for x in flat(part)]\n    return [value.strip()]\n\n\ndef size(value):\n    if isinstance(value, list):\n        return len(value)\n    else:\n        return value.count('x')\n\n\ndef shown(value):\n    if isinstance(value, list):\n        return ' '.join(value)\n    else:\n        return value.strip()\n\n\nassert shown(['a', 'b']) == 'a b'\nassert shown(' a ') == 'a'\nassert shown(('a', 'b')) == 'a b'\n", "isinstance(value, (list, tuple))", PROBE),
    Fix("a subclass that a predicate denies", "class Raw(str):\n    pass\n\n\ndef is_plain(x):\n    return isinstance(x, str) and not isinstance(x, Raw)\n\n\ndef label(node):\n    if not is_plain(node):\n        return node.text\n    return node\n\n\nclass N:\n    text = 't'\n\n\nassert label(N()) == 't'\nassert label('a') == 'a'\nassert label(Raw('b')) == 'b'\n", "not isinstance(node, str)", PROBE),
    Fix("kept out of a branch", "class Leaf:\n    name = 'leaf'\n\n\nclass Tree:\n    name = 'tree'\n    children = [Leaf()]\n\n\ndef weigh(node, deep):\n    if deep and node.name:\n        return len(node.children)\n    return 0\n\n\nassert weigh(Tree(), True) == 1\nassert weigh(Leaf(), True) == 0\n", "if deep and node.name and hasattr(node, 'children'):", PROBE),
    Fix("None let through a check", "def read(size):\n    if not isinstance(size, int):\n        raise TypeError('size must be an int')\n    return size\n\n\nassert read(3) == 3\nassert read(None) is None\n", "if size is not None and not isinstance(size, int):", PROBE),
    # members
    Fix("one level too deep", "class Disk:\n    def make(self, name):\n        return name\n\n    def move(self, name):\n        return self.disk.make(name)\n\n\nassert Disk().move('a') == 'a'\n", "return self.make(name)"),
    Fix("one level too shallow", "class Bus:\n    def publish(self, what):\n        return what\n\n\nclass Shop:\n    def __init__(self):\n        self.bus = Bus()\n\n    def sell(self, what):\n        return self.publish(what)\n\n\nassert Shop().sell('tea') == 'tea'\n", "self.bus.publish(what)"),
    Fix("declared and not there", "from dataclasses import dataclass, fields\n\n\n@dataclass(init=False)\nclass Row:\n    a: int\n    b: int\n\n\ndef shown(row):\n    return [getattr(row, f.name) for f in fields(row) if f.repr]\n\n\nrow = Row()\nrow.a = 1\nassert shown(row) == [1]\n", "if f.repr and hasattr(row, f.name)", PROBE),
    # names
    Fix("renamed outside", "def writer(output):\n    def write(text):\n        with_prefix = '> ' + text\n        output_list.append(with_prefix)\n\n    return write\n\n\nout = []\nwriter(out)('a')\nassert out == ['> a']\n", "output.append(with_prefix)"),
    Fix("a parameter in quotes", "import zlib\n\n\ndef checksum(data):\n    return zlib.crc32('data') if data else 0\n\n\nassert checksum(b'abc') == zlib.crc32(b'abc')\n", "zlib.crc32(data)", PROBE),
    # signatures
    Fix("an override that fell behind", "class Shape:\n    def draw(self, canvas, scale=1):\n        return scale\n\n\nclass Dot(Shape):\n    def draw(self, canvas):\n        return 0\n\n\nassert [s.draw(None, scale=2) for s in (Shape(), Dot())] == [2, 0]\n", "def draw(self, canvas, scale=1):\n        return 0"),
    Fix("a default that only the base has", "class Reader:\n    def read(self, size=-1):\n        return size\n\n\nclass Limited(Reader):\n    def read(self, size):\n        return min(size, 5)\n\n\nassert Limited().read() == -1\n", "def read(self, size=-1):\n        return min"),
    Fix("positional argument of the base", "class Step:\n    def run(self, data, verbose=False):\n        return data\n\n\nclass Double(Step):\n    def run(self, data):\n        return data * 2\n\n\nassert Double().run(2, True) == 4\n", "def run(self, data, verbose=False):\n        return data * 2"),
    Fix("keyword of the other calls", "import json\n\n\ndef plain(value):\n    return str(value)\n\n\ndef save(value):\n    return json.dumps(value, default=plain)\n\n\ndef line(value):\n    return json.dumps([value])\n\n\nassert save(1j) == '\"1j\"'\nassert line(1j) == '[\"1j\"]'\n", "json.dumps([value], default=plain)", PROBE),
    # handlers
    Fix("the other failure of a conversion", "def number(text):\n    try:\n        return int(text)\n    except ValueError:\n        return -1\n\n\nassert number('x') == -1\nassert number(None) == -1\n", "except (ValueError, TypeError):", PROBE, rank=0),
    Fix("too large for a number", "def whole(text):\n    try:\n        return int(float(text))\n    except ValueError:\n        return 0\n\n\nassert whole('x') == 0\nassert whole('1e999') == 0\n", "except (ValueError, OverflowError):", PROBE),
    Fix("inside of another handler", "def whole(text):\n    try:\n        return int(text)\n    except (TypeError, ValueError):\n        try:\n            return int(float(text))\n        except (TypeError, ValueError):\n            return 0\n\n\nassert whole('1.5') == 1\nassert whole('1e999') == 0\n", "        except (TypeError, ValueError, OverflowError):", PROBE),
    Fix("a folder in place of a file", "def head(path):\n    try:\n        with open(path) as file:\n            return file.readline()\n    except FileNotFoundError:\n        return ''\n\n\nassert head('/no/such') == ''\nassert head('/') == ''\n", "except (FileNotFoundError, IsADirectoryError):", PROBE),
    Fix("a module that is there and lacks the name", "def fast():\n    try:\n        import json\n        return json.turbo\n    except ImportError:\n        return None\n\n\nassert fast() is None\n", "except (ImportError, AttributeError):", PROBE),
]  # fmt: skip

TRAPS = [
    Trap("a None that a call makes anew", "def load(key):\n    return None\n\n\nload('a').strip()\n"),
    Trap("a module is no value", "import math\n\nif math:\n    math.nothing\n"),
    Trap("names that share nothing", "def outer(table):\n    def inner():\n        return chair\n\n    return inner\n\n\nouter(1)()\n"),
    Trap("two holders have it", "class A:\n    def go(self):\n        return 1\n\n\nclass B:\n    def __init__(self):\n        self.one = A()\n        self.two = A()\n\n    def start(self):\n        return self.go()\n\n\nB().start()\n"),
    Trap("a quoted word that is meant", "def f(text):\n    return text + len('text') + max('text')\n\n\nf('a')\n"),
    Trap("calls that do not agree", "def f(a, **more):\n    return a + more.get('b', '')\n\n\nf('a', b='x')\nf('a', b='y')\nf(1)\n"),
    Trap("a handler far away", "def f(x):\n    try:\n        a = 1\n        b = 2\n        c = a + b\n        return c + x\n    except ValueError:\n        return 0\n\n\nf('a')\n"),
    Trap("a handler that raised by itself", "def f(text):\n    try:\n        return int(text)\n    except ValueError:\n        raise\n\n\nf('a')\n"),
    Trap("an override of nothing", "class A:\n    def run(self, x):\n        return x\n\n\nA().run(1, scale=2)\n"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_small_edits_of_real_fixes_are_offered_where_the_value_went_wrong(
    case: Fix, mode: str, tmp_path: Path
) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_nothing_is_offered_where_the_code_shows_no_way(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)


_BENEATH = """
    import unittest
    from stock import Stock, NoSuchItem


    class StockTest(unittest.TestCase):
        def test_take(self):
            with self.assertRaises(NoSuchItem):
                Stock().take("tea")


    StockTest("test_take").debug()
"""


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("raise ValueError(name)", "raise NoSuchItem(name)"),
        ("raise", "raise NoSuchItem('take() cannot go on')"),
        (
            "return self.items[name]",
            "except KeyError as error:\n            raise NoSuchItem(str(error)) from error",
        ),
        (
            "if not self.items[name]:\n            raise ValueError(str(name))",
            "except KeyError as error:\n            raise NoSuchItem(str(error)) from error",
        ),
    ],
)
def test_what_a_test_waits_for_is_raised(body: str, after: str, tmp_path: Path) -> None:
    stock = f"class NoSuchItem(Exception):\n    pass\n\n\nclass Stock:\n    items = {{}}\n\n    def take(self, name):\n        {body}\n"
    lab = Lab(tmp_path, {"stock.py": stock, "test_stock.py": _BENEATH}, script="test_stock.py")
    found = lab.candidates("probe", expected_exceptions.RULES)
    assert len(found) == 1
    assert found[0].guess
    assert after in found[0].edits[0].text


@pytest.mark.parametrize(
    ("body", "count"),
    [("return self.items[name]", 2), ("for item in self.items:\n            print(item)", 1)],
    ids=["a statement", "a block, of which more would be told as that"],
)
def test_what_is_none_is_refused_by_name_where_a_test_waits_for_it(
    body: str, count: int, tmp_path: Path
) -> None:
    stock = f"class NoSuchItem(Exception):\n    pass\n\n\nclass Stock:\n    items = None\n\n    def take(self, name):\n        {body}\n"
    lab = Lab(tmp_path, {"stock.py": stock, "test_stock.py": _BENEATH}, script="test_stock.py")
    found = lab.candidates("probe", expected_exceptions.RULES)
    assert len(found) == count
    guard = "if self.items is None:\n            raise NoSuchItem('self.items is None')\n"
    assert guard + f"        {body}\n" in found[0].edits[0].text


@pytest.mark.parametrize(
    ("handled", "count"),
    [("raise NoSuchItem(name) from None", 1), ("return None", 0)],
    ids=["raises", "does not"],
)
def test_a_handler_that_raises_is_widened_where_a_test_waits_for_what_comes_of_it(
    handled: str, count: int, tmp_path: Path
) -> None:
    stock = (
        "class NoSuchItem(Exception):\n    pass\n\n\nclass Stock:\n    def take(self, name):\n        try:\n"
        f"            return {{}}[name][0]\n        except RuntimeError:\n            {handled}\n"
    )
    lab = Lab(tmp_path, {"stock.py": stock, "test_stock.py": _BENEATH}, script="test_stock.py")
    found = lab.candidates("probe", widened_handlers.RULES)
    assert ["(RuntimeError, KeyError)" in c.edits[0].text for c in found] == [True] * count


def test_an_exception_that_no_test_waits_for_stays(tmp_path: Path) -> None:
    code = "class Gone(Exception):\n    pass\n\n\ndef f():\n    raise ValueError('x')\n\n\nf()\n"
    assert Lab(tmp_path, {"main.py": code}).candidates("probe", expected_exceptions.RULES) == []


def test_guards_are_guesses_that_a_test_has_to_vouch_for(tmp_path: Path) -> None:
    code = "def f(x=None):\n    if len(x) > 1:\n        return 1\n    return 0\n\n\nf()\n"
    found = Lab(tmp_path, {"main.py": code}).candidates("probe", none_guards.RULES)
    assert found
    assert all(candidate.guess for candidate in found)
