"""From frames to nodes, from lines to names, from names to definitions."""

from __future__ import annotations

import ast
import sys
from types import TracebackType

import pytest

from selfheal_tui.model.crash import ExceptionInfo, Frame, NameEvidence
from selfheal_tui.source.position import (
    enclosing_function,
    failing_expression,
    failing_node,
    find_definition,
    qualname_at,
)

KINDS = [
    ("def f(d): return d['a']['b'].c", "d['a']"),
    ("def f(d):\n    z = {'é': d['k']}\n    return z", "d['k']"),
    ("def f(d): return [i/0 for i in range(3)]", "i/0"),
    ("def f(d): return undefined1 + 2", "undefined1"),
    ("def f(d): return int('x') + (1 if d else len(3))", "int('x')"),
    ("def f(d):\n    for a, b in [1]: pass", "a, b"),
    ("def f(d):\n    x, y = d['t']", "x, y"),
    ("def f(d): raise ValueError(1)", "raise ValueError(1)"),
    ("def f(d): return (lambda: d.zz)()", "d.zz"),
    ("def f(d):\n    d['n'] += 1", "d['n']"),
    ("def f(d): return -d", "-d"),
    ("def f(d): return foo(\n    1,\n    2)", "foo"),
    ("def f(d):\n    return (d\n      .get('zz')\n      .strip())", "d\n      .get('zz')\n      .strip"),
]


def innermost(trace: TracebackType) -> Frame:
    while trace.tb_next:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    line, end_line, col, end_col = list(code.co_positions())[trace.tb_lasti // 2]
    return Frame(
        file="m.py", qualname=code.co_qualname, line=line, end_line=end_line, col=col, end_col=end_col
    )


@pytest.mark.parametrize(("source", "expression"), KINDS)
def test_positions_name_the_expression_that_failed(source, expression):
    namespace: dict = {}
    exec(compile(source, "m.py", "exec"), namespace)
    try:
        namespace["f"]({"t": [1]})
    except Exception:
        frame = innermost(sys.exc_info()[2])
    assert failing_expression(source, frame) == expression


def info(kind: str, message: str = "", name: str | None = None) -> ExceptionInfo:
    return ExceptionInfo(type=kind, message=message, evidence=NameEvidence(name=name))


@pytest.mark.parametrize(
    ("line", "error", "expression"),
    [
        ("return a.b + c.d(e)", info("AttributeError", name="d"), "c.d"),
        ("return a.b + c.d(e)", info("AttributeError"), ""),
        ("return x['a'] + y['b']", info("KeyError", name="b"), "y['b']"),
        ("return x / 2 if y else z", info("ZeroDivisionError"), "x / 2"),
        ("return f(a)", info("TypeError", "f() takes 0 positional arguments but 1 was given"), "f(a)"),
        ("return f(a)[0]", info("TypeError", "'int' object is not subscriptable"), "f(a)[0]"),
        ("return f(g(a))", info("TypeError", "missing 1 required positional argument"), ""),
        ("return abs", None, ""),
        ("return a + b", info("NameError", name="b"), "b"),
    ],
)
def test_with_a_line_alone_a_node_is_named_only_if_it_is_the_only_one(line, error, expression):
    text = f"def f():\n    {line}\n"
    assert failing_expression(text, Frame(file="m.py", qualname="f", line=2), error) == expression


def test_a_file_that_changed_since_is_not_searched():
    frame = Frame(file="m.py", qualname="f", line=1, col=0, end_col=5, source="a / 0")
    assert failing_node("b / 0\n", frame) is None
    assert failing_node("a  /  0\n", frame) is not None
    assert failing_node("a / (\n", frame) is None
    assert failing_node("", frame) is None


TEXT = """import x


@deco
def f(a):
    def g():
        return 1
    return g


class A:
    y = 1

    @property
    def p(self):
        return 1

    @p.setter
    def p(self, v):
        pass

    class B:
        async def m(self):
            return [z for z in self]


if x:
    def h(): return 1
else:
    def h(): return 2
"""


@pytest.mark.parametrize(
    ("line", "qualname"),
    [(1, "<module>"), (4, "f"), (5, "f"), (7, "f.<locals>.g"), (8, "f"), (12, "A"), (16, "A.p"), (24, "A.B.m"), (28, "h"), (99, "<module>")],
)  # fmt: skip
def test_a_line_belongs_to_the_innermost_definition(line, qualname):
    assert qualname_at(TEXT, line) == qualname


def test_the_enclosing_function_of_a_class_line_is_none():
    assert enclosing_function(TEXT, 12) is None
    assert enclosing_function(ast.parse(TEXT), 7).name == "g"
    assert enclosing_function("def (", 1) is None


def test_definitions_are_found_by_name_the_last_one_or_the_one_at_the_line():
    assert find_definition(TEXT, "A.p").lineno == 19
    assert find_definition(TEXT, "A.p", line=16).lineno == 15
    assert find_definition(TEXT, "h").lineno == 30
    assert isinstance(find_definition(TEXT, "A.B.m"), ast.AsyncFunctionDef)
    assert isinstance(find_definition(TEXT, "<module>"), ast.Module)
    assert find_definition(TEXT, "f.<locals>.g").lineno == 6
    assert find_definition(TEXT, "g") is None
    assert find_definition("def (", "g") is None
    overloads = "@overload\ndef o(x): ...\ndef o(x): return 1\n@typing.overload\ndef o(y): ...\n"
    assert find_definition(overloads, "o").lineno == 3
