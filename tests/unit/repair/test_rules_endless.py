"""Endless loops and recursions: the cure is offered, and where nothing tells what was meant, none is."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import (
    endless_waits,
    loop_growth,
    loop_interval,
    loop_progress,
    loop_standstill,
    recursion_arguments,
    recursion_self,
)
from tests.unit.repair.flowcases import Fix, Trap, check_fix, check_trap, name_of

RULES = (
    *loop_progress.RULES, *loop_standstill.RULES, *loop_interval.RULES, *loop_growth.RULES, *recursion_self.RULES,
    *recursion_arguments.RULES, *endless_waits.RULES,
)  # fmt: skip

ALARM = """
import signal


def too_late(signum, frame):
    raise TimeoutError("still running")


signal.signal(signal.SIGVTALRM, too_late)
signal.setitimer(signal.ITIMER_VIRTUAL, 0.1)
"""


def looping(name: str, code: str, after: str, rank: int = 0) -> Fix:
    """A case whose program ends itself by an alarm, in processor time so that a busy machine changes nothing."""
    return Fix(name, ALARM + code, after, ("probe",), rank=rank)


LOOPS = (
    looping("a way without the step", """
at, found = 0, []
text = "a b"
while at < len(text):
    if text[at].isalpha():
        found.append(text[at])
        at += 1
    elif text[at] == "!":
        at += 1
assert found == ["a", "b"]
""", "    else:\n        at += 1\n"),
    looping("a result that is dropped", """
line = "a   b"
while "  " in line:
    line.replace("  ", " ")
assert line == "a b"
""", 'line = line.replace("  ", " ")'),
    looping("a sign that is assigned", """
first, pages = 0, []
while first < 9:
    pages.append(first)
    first =+ 3
assert pages == [0, 3, 6]
""", "first += 3"),
    looping("a step away from the end", """
left, used = 5, 0
while left > 0:
    used += 1
    left = left + 1
assert used == 5
""", "left = left - 1"),
    looping("a counter that nothing counts", """
tries, limit = 0, 3
sent = []
while tries < limit:
    sent.append("x")
assert len(sent) == 3
""", '    sent.append("x")\n    tries += 1\n'),
    looping("a link that is not followed", """
class Item:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next


def total(item):
    result = 0
    while item is not None:
        result += item.value
    return result


assert total(Item(1, Item(2))) == 3
""", "        item = item.next\n"),
    looping("a queue that is only looked at", """
waiting, done = ["a", "b"], []
while waiting:
    job = waiting[0]
    done.append(job)
assert done == ["a", "b"]
""", "job = waiting.pop(0)"),
    looping("bounds that do not meet", """
def place(items, wanted):
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        if items[middle] < wanted:
            low = middle
        else:
            high = middle
    return low


assert place([1, 3, 5], 4) == 2
""", "low = middle + 1"),
    looping("a list that feeds itself", """
names = ["a", "b"]
for name in names:
    names.append(name.upper())
assert names == ["a", "b", "A", "B"]
""", "for name in list(names):"),
    looping("a walk in a circle", """
graph = {"a": ["b"], "b": ["a"]}


def reach(start):
    seen, todo = set(), [start]
    while todo:
        node = todo.pop()
        for other in graph[node]:
            if other not in seen:
                todo.append(other)
    return seen


assert reach("a") == {"a", "b"}
""", "        node = todo.pop()\n        seen.add(node)\n"),
    looping("a number below zero", """
def clamp(width):
    if not width:
        return ""
    while width != 0:
        width -= 1
    return "x"


assert clamp(-3) == ""
""", "if width <= 0:"),
)  # fmt: skip

RECURSIONS = (
    Fix("a property that reads itself", """
class Disc:
    def __init__(self, size):
        self._size = size

    @property
    def size(self):
        return self.size


assert Disc(3).size == 3
""", "return self._size"),
    Fix("an override without super", """
class Base:
    def name(self, short):
        return "b" if short else "base"


class Child(Base):
    def name(self, short):
        return "child " + self.name(short)


assert Child().name(True) == "child b"
""", "super().name(short)"),
    Fix("setting that sets", """
class Options:
    def __setattr__(self, name, value):
        setattr(self, name.lower(), value)


o = Options()
o.SIZE = 1
assert o.size == 1
""", "super().__setattr__(name.lower(), value)"),
    Fix("a copy without attributes", """
import copy


class Proxy:
    def __init__(self, target):
        self.target = target

    def __getattr__(self, name):
        return getattr(self.target, name)


assert copy.copy(Proxy([1])).count(1) == 1
""", "super().__getattribute__('target')"),
    Fix("a length that asks itself", """
class Pile:
    def __init__(self):
        self.cards = []

    def __len__(self):
        return len(self)


assert len(Pile()) == 0
""", "len(self.cards)"),
    Fix("a loop variable that is not handed on", """
def depth(node):
    return 1 + max([depth(node) for child in node["sub"]], default=0)


assert depth({"sub": [{"sub": []}]}) == 2
""", "depth(child) for child"),
    Fix("a mark that is never set", """
def walk(graph, node, seen):
    if node in seen:
        return
    for other in graph[node]:
        walk(graph, other, seen)


marks = set()
walk({1: [2], 2: [1]}, 1, marks)
assert marks == {1, 2}
""", "    seen.add(node)\n"),
    Fix("a middle that stays", """
def find(items, wanted, low, high):
    if low > high:
        return -1
    middle = (low + high) // 2
    if items[middle] == wanted:
        return middle
    if items[middle] < wanted:
        return find(items, wanted, middle, high)
    return find(items, wanted, low, middle - 1)


assert find([1, 3], 4, 0, 1) == -1
""", "middle + 1, high", ("probe",)),
)  # fmt: skip

TRAPS = (
    Trap("a loop that is only slow", ALARM + """
n = 0
while n < 10 ** 12:
    n += 1
"""),
    Trap("a time limit that no signal enforced", """
waited = 0
while waited < 3:
    waited += 1
raise TimeoutError("the server timed out")
"""),
    Trap("a server", ALARM + """
handled = []
while True:
    handled[:] = ["request"]
"""),
    Trap("a recursion that is only deep", """
def total(items):
    if not items:
        return 0
    return items[0] + total(items[1:])


total([0] * 5000)
"""),
    Trap("no base case that could be known", """
def price(items):
    return items["net"] + price(items["parts"])


class Parts(dict):
    def __missing__(self, key):
        return self if key == "parts" else 1


price(Parts())
"""),
)  # fmt: skip


@pytest.mark.parametrize("case", LOOPS, ids=name_of)
def test_an_endless_loop_gets_on(case: Fix, tmp_path: Path) -> None:
    check_fix(case, "probe", tmp_path, RULES)


@pytest.mark.parametrize("case", RECURSIONS, ids=name_of)
def test_a_recursion_comes_to_its_end(case: Fix, tmp_path: Path) -> None:
    check_fix(case, "probe", tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_what_cannot_be_known_is_left_alone(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)
