"""Honesty lets start values through that the code itself shows, and only those."""

from __future__ import annotations

import pytest

from selfheal_tui.checks.honesty import honesty_findings
from selfheal_tui.checks.pairs import make_pair


def said(old: str, new: str, identifier: str = "") -> list[str]:
    return [f.message for f in honesty_findings(make_pair("m.py", old, new), identifier=identifier)]


FLAG = "def f(xs):\n{start}    for x in xs:\n        if x:\n            found = {value}\n    return found\n"
BEST = "def f(xs):\n{start}    for x in xs:\n        if best is None or x > best:\n            best = x\n    return best\n"
CLASS = "class C:\n    def __init__(self):\n        self.a = 1\n{start}\n    def hit(self):\n        {use}\n        return self.n\n"
COUNT = "def f(xs{argument}):\n{started}    for x in xs:\n        {line}\n    return n\n"


@pytest.mark.parametrize(
    ("old", "new", "identifier"),
    [
        (FLAG.format(start="", value=True), FLAG.format(start="    found = False\n", value=True), "found"),
        (BEST.format(start=""), BEST.format(start="    best = None\n"), "best"),
        (CLASS.format(start="", use="self.n += 1"), CLASS.format(start="        self.n = 0\n", use="self.n += 1"), "n"),
        (
            COUNT.format(argument="", started="    n = {}\n", line="n[x] += 1"),
            COUNT.format(argument="", started="    n = {}\n", line="n[x] = n.get(x, 0) + 1"),
            "x",
        ),
        (
            "def a(xs):\n    if not xs:\n        return 0\n    return 1 / len(xs)\n\n\ndef b(xs):\n    return 2 / len(xs)\n",
            "def a(xs):\n    if not xs:\n        return 0\n    return 1 / len(xs)\n\n\ndef b(xs):\n    if not xs:\n        return 0\n    return 2 / len(xs)\n",
            "",
        ),
    ],
)  # fmt: skip
def test_a_value_that_the_code_shows_is_no_finding(old: str, new: str, identifier: str) -> None:
    assert said(old, new, identifier) == []


@pytest.mark.parametrize(
    ("old", "new", "identifier"),
    [
        (FLAG.format(start="", value=True), FLAG.format(start="    found = True\n", value=True), "found"),
        (FLAG.format(start="", value="g(x)"), FLAG.format(start="    found = None\n", value="g(x)"), "found"),
        (CLASS.format(start="", use="self.n += 1"), CLASS.format(start="        self.n = 42\n", use="self.n += 1"), "n"),
        (CLASS.format(start="", use="pass"), CLASS.format(start="        self.n = 0\n", use="pass"), "n"),
        (
            COUNT.format(argument=", n", started="", line="n[x] += 1"),
            COUNT.format(argument=", n", started="", line="n[x] = n.get(x, 0) + 1"),
            "x",
        ),
        (
            COUNT.format(argument="", started="    n = {}\n", line="n[x] += 1"),
            COUNT.format(argument="", started="    n = {}\n", line="n[x] = n.get(x, 7) + 1"),
            "x",
        ),
        (
            "def a(xs):\n    return 1 / len(xs)\n\n\ndef b(xs):\n    return 2 / len(xs)\n",
            "def a(xs):\n    if not xs:\n        return 0\n    return 1 / len(xs)\n\n\ndef b(xs):\n    if not xs:\n        return 0\n    return 2 / len(xs)\n",
            "",
        ),
    ],
)  # fmt: skip
def test_a_value_that_is_made_up_is_still_found(old: str, new: str, identifier: str) -> None:
    assert said(old, new, identifier)


def test_a_lenient_lookup_is_no_finding_only_where_the_next_statement_asks_for_none() -> None:
    text = "def f(d):\n    x = {look}\n    {then}\n    return x\n"
    asks = "if x is None:\n        return 'none'"
    assert said(text.format(look="d['a']", then=asks), text.format(look="d.get('a')", then=asks), "a") == []
    assert said(text.format(look="d['a']", then="g(x)"), text.format(look="d.get('a')", then="g(x)"), "a")
