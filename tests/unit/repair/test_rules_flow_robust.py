"""No flow rule breaks on a crash that does not fit the source: wrong line, wrong columns, another statement there."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, LocalValue
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.repair.rules import (
    arguments,
    awaits,
    bounds,
    callables,
    containers,
    iteration,
    json_values,
    moved,
    moved_imports,
    no_cure,
    none_results,
    operand_types,
    swapped_arguments,
    text_values,
    unbound,
    unpacking,
)  # fmt: skip
from selfheal_tui.repair.rules.engine import RuleProposer
from tests.unit.repair.crashlab import Lab

RULES = tuple(
    rule
    for module in (
        arguments, awaits, bounds, callables, containers, iteration, json_values, moved, moved_imports, no_cure, none_results,
        operand_types, swapped_arguments, text_values, unbound, unpacking,
    )
    for rule in module.RULES
)  # fmt: skip
CRASHES = [
    ("TypeError", 'can only concatenate str (not "int") to str'),
    ("TypeError", "unsupported operand type(s) for +: 'int' and 'str'"),
    ("TypeError", "unsupported operand type(s) for +=: 'int' and 'NoneType'"),
    ("TypeError", "'<' not supported between instances of 'str' and 'int'"),
    ("TypeError", "sequence item 0: expected str instance, int found"),
    ("TypeError", "%d format: a real number is required, not str"),
    ("TypeError", "list indices must be integers or slices, not float"),
    ("TypeError", "list indices must be integers or slices, not tuple"),
    ("TypeError", "string indices must be integers, not 'str'"),
    ("TypeError", "a bytes-like object is required, not 'str'"),
    ("TypeError", "write() argument must be str, not bytes"),
    ("TypeError", "Object of type date is not JSON serializable"),
    ("TypeError", "unhashable type: 'list'"),
    ("UnboundLocalError", "cannot access local variable 'total' where it is not associated with a value"),
    ("NameError", "name 'total' is not defined"),
    ("AttributeError", "module 'collections' has no attribute 'Mapping'"),
    ("AttributeError", "'dict' object has no attribute 'iteritems'"),
    ("ImportError", "cannot import name 'Mapping' from 'collections' (x)"),
    ("ModuleNotFoundError", "No module named 'urllib2'"),
    ("RuntimeError", "dictionary changed size during iteration"),
    ("AttributeError", "'NoneType' object has no attribute 'total'"),
    ("TypeError", "'NoneType' object is not subscriptable"),
    ("TypeError", "'NoneType' object is not iterable"),
    ("TypeError", "'module' object is not callable"),
    ("TypeError", "'str' object is not callable"),
    ("TypeError", "'tuple' object is not callable"),
    ("TypeError", "'method' object is not subscriptable"),
    ("TypeError", "'builtin_function_or_method' object is not iterable"),
    ("TypeError", "'Box' object is not subscriptable"),
    ("TypeError", "'map' object is not subscriptable"),
    ("TypeError", "'int' object is not iterable"),
    ("AttributeError", "'dict' object has no attribute 'total'"),
    ("TypeError", "'coroutine' object is not subscriptable"),
    ("TypeError", "object int can't be used in 'await' expression"),
    ("TypeError", "'async_generator' object is not iterable"),
    ("TypeError", "'Box' object does not support the context manager protocol"),
    ("RuntimeError", "asyncio.run() cannot be called from a running event loop"),
    ("TypeError", "build() missing 1 required positional argument: 'total'"),
    ("TypeError", "build() takes 1 positional argument but 2 were given"),
    ("TypeError", "build() got multiple values for argument 'total'"),
    ("ValueError", "too many values to unpack (expected 2)"),
    ("IndexError", "list index out of range"),
    ("RecursionError", "maximum recursion depth exceeded"),
    ("ZeroDivisionError", "division by zero"),
]
SOURCE = '''"""Größe."""
import asyncio, collections
from collections import Mapping, deque
import urllib2


class Box:
    total: int = 0

    @property
    def size(self): return self.total

    async def fetch(self, total, *, deep=False):
        async with self as s, open("x") as f:
            async for x in s: total += [y async for y in x][0]
        await s; return f"{total!r:>{self.size}}" + "ä" % total


def build(total, xs=(), **kw):
    for i, (a, b) in enumerate(xs):
        total = total + a["b"][i + 1] if a else b.total[len(xs)]
        del xs[i]; xs.pop(i)
    while i <= len(xs): i += 1; total.iteritems()
    try:
        x = (1, 2) (3); y = [1] [2, 3]
    except (ValueError, KeyError) as e: pass
    match total:
        case {"a": [first, *rest]}: return first
        case _: lambda q: q(total)[0]
    with Box() as box, box.size() as z: print(e, box["total"], z.total)
    return build(build(total), total=1).total.keys[0], collections.Mapping, json.dumps(x), "".join(xs)


a, b = build(1)
async def main(): return asyncio.run(build)
total += sum(build(x) for x in range(len(a) + 1)) / 0
'''


@pytest.mark.parametrize(("kind", "message"), CRASHES, ids=lambda v: str(v)[:40])
def test_a_crash_that_does_not_fit_the_source_breaks_no_rule(kind: str, message: str, tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": SOURCE})
    source = lab.read("main.py")
    ast.parse(source)
    lines = source.splitlines()
    dice = random.Random(message)  # the same places in every run
    local = (
        LocalValue("total", "str", "'7'"),
        LocalValue("xs", "list", "[1]", 1),
        LocalValue("a", "dict", "{}", 0, ("total",)),
    )
    for number, line in enumerate(lines, 1):
        width = len(line.encode())
        start = dice.randint(0, width)
        for columns in ((None, None), (start, dice.randint(start, width))):
            frame = Frame(
                str(lab.root / "main.py"), "build", number, col=columns[0], end_col=columns[1], end_line=number if columns[0] is not None else None,
                source=line, locals=local, path="main.py", in_app=True,
            )  # fmt: skip
            report = CrashReport(
                "0" * 32, 0.0, CaptureSource.PROBE, (ExceptionInfo(kind, message, (frame, frame)),)
            )
            for finding in RuleProposer(RULES).propose(lab.context(report=report)):
                if isinstance(finding, CannotFix):
                    assert " failed: " not in finding.reason, (number, columns, finding.reason)
                    assert "not valid Python" not in finding.reason, (number, columns, finding.reason)
                else:
                    assert isinstance(finding, Candidate)
                    assert finding.edits[0].text != source
