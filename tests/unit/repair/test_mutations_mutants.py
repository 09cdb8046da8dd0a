"""Mutants: every slip that a person makes can be undone, and what is not asked for stays as it is."""

from __future__ import annotations

import ast
import re
from textwrap import dedent

import pytest

from selfheal_tui.repair.mutations import Mutant, mutants
from selfheal_tui.repair.rules.support import parse
from selfheal_tui.source.edits import apply_edits


def made(source: str, types: dict[str, str] | None = None) -> tuple[str, list[Mutant]]:
    text = dedent(source).lstrip("\n")
    tree = parse(text)
    assert tree is not None
    return text, mutants(text, tree, range(1, text.count("\n") + 1), types)


def shapes(text: str, found: list[Mutant]) -> set[str]:
    shown = set()
    for mutant in found:
        try:
            shown.add(ast.unparse(ast.parse(apply_edits(text, mutant.edits))))
        except SyntaxError:
            continue
    return shown


SLIPS = (
    ("while i <= len(xs):\n    i += 1", "while i < len(xs):\n    i += 1"),
    ("x = a + b", "x = a - b"),
    ("x = a / b", "x = b / a"),
    ("if not ready:\n    go()", "if ready:\n    go()"),
    ("if ready:\n    go()", "if not ready:\n    go()"),
    ("if a and b:\n    go()", "if a or b:\n    go()"),
    ("for i in range(n):\n    go(i)", "for i in range(1, n):\n    go(i)"),
    ("for i in range(len(xs)):\n    go(i)", "for i in range(len(xs) - 1):\n    go(i)"),
    ("x = xs[i]", "x = xs[i - 1]"),
    ("x = xs[i + 1]", "x = xs[i]"),
    ("hi = len(xs)", "hi = len(xs) - 1"),
    ("x = xs[-1]", "x = xs[0]"),
    ("go(a, b)", "go(b, a)"),
    ("go(timeuot=1, timeout=2)", "go(timeout=1, timeout=2)"),
    ("xs.append(ys)", "xs.extend(ys)"),
    ("x = min(xs)", "x = max(xs)"),
    ("x = d[k]", "x = d.get(k)"),
    ("x = d.get(k)", "x = d[k]"),
    ("total = x", "total = int(x)"),
    ("x = list(y)", "x = y"),
    ("x = y.lower()", "x = y"),
    ("flag = True", "flag = False"),
    ("while True:\n    if x:\n        break", "while True:\n    if x:\n        continue"),
    ("n -= 1", "n += 1"),
    (r"re.match(r'(\d)-x', text)", r"re.match(r'(\d+)-x', text)"),
    (r"re.match(r'(\d)-x', text)", r"re.match(r'(\d{1,2})-x', text)"),
    (r"re.search(rb'\w+,', text)", r"re.search(rb'\w*,', text)"),
    (r"P = re.compile(r'^a.b$')", r"P = re.compile(r'^a.b')"),
)


@pytest.mark.parametrize(("slip", "meant"), [s for s in SLIPS if "timeuot" not in s[0]])
def test_a_slip_is_undone_by_one_of_the_mutants(slip: str, meant: str) -> None:
    text, found = made(slip + "\n")
    assert ast.unparse(ast.parse(meant)) in shapes(text, found)


@pytest.mark.parametrize(
    "plain",
    [
        "re.match('(\\\\d)-x', text)\n",
        "say(r'(\\d)-x')\n",
        "re.match(pattern, r'\\d')\n",
        "text.split(r'\\d')\n",
    ],
    ids=["an ordinary literal", "no expression at all", "the text that is searched", "a method of text"],
)
def test_only_what_re_reads_as_a_pattern_is_varied_as_one(plain: str) -> None:
    _, found = made(plain)
    assert not [mutant for mutant in found if mutant.kind == "pattern"]


def test_every_varied_pattern_compiles() -> None:
    text, found = made(r"x = re.match(r'(?P<a>\d)(?:[a-z]|\))*?$', y)" + "\n")
    patterns = [m for m in found if m.kind == "pattern"]
    assert len(patterns) > 5
    for mutant in patterns:
        call = ast.parse(apply_edits(text, mutant.edits)).body[0].value  # type: ignore[attr-defined]
        re.compile(call.args[0].value)


@pytest.mark.parametrize("walk", ["x = sum(ages)", "x = max(ages)", "for age in ages:\n    go(age)"])
def test_the_values_of_a_mapping_that_is_gone_through_are_likely_meant(walk: str) -> None:
    _text, found = made(walk + "\n", {"ages": "dict"})
    likely = [m for m in found if m.kind == "method-step" and "ages.values()" in m.why]
    assert likely
    assert likely[0].weight > 0.5
    _, other = made("x = ages[k]\n", {"ages": "dict"})
    assert all(m.weight <= 0.3 for m in other if m.kind == "method-step")


def test_a_misspelt_keyword_becomes_a_name_of_the_file_that_looks_like_it() -> None:
    text, found = made("def f(p, default):\n    return p.replace(dfeault=default)\n")
    assert any("replace(default=default)" in shape for shape in shapes(text, found))


def test_a_variable_is_exchanged_for_others_of_its_function_and_those_of_its_type_come_first() -> None:
    source = "def f(left, right, name):\n    return left + left\n"
    _, found = made(source, {"left": "int", "right": "int", "name": "str"})
    names = [m.why for m in found if m.kind == "name"]
    assert names.index("`left` becomes `right`") < names.index("`left` becomes `name`")


def test_a_lost_return_is_put_back_and_one_inside_a_loop_moved_behind_it() -> None:
    text, found = made("def f(xs):\n    sorted(xs)\n")
    assert any("return sorted(xs)" in shape for shape in shapes(text, found))
    text, found = made("def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n        return t\n")
    wanted = "def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n    return t"
    assert wanted in shapes(text, found)


def test_a_statement_is_taken_out_of_its_condition() -> None:
    text, found = made("def f(d, k, p):\n    if p.shown:\n        d[k] = 1\n    return d\n")
    assert "def f(d, k, p):\n    d[k] = 1\n    return d" in shapes(text, found)


def test_annotations_decorators_and_f_strings_are_left_alone() -> None:
    text, found = made(
        """
        @cached(maxsize=1)
        def f(x: int = None) -> dict[str, int]:
            return f"{x + 1}"
        """
    )
    for mutant in found:
        after = apply_edits(text, mutant.edits)
        assert "cached(maxsize=1)" in after
        assert "-> dict[str, int]" in after
        assert "{x + 1}" in after


def test_only_the_lines_that_were_asked_for_change() -> None:
    text = "a = 1\nb = a + 2\nc = b < 3\n"
    tree = parse(text)
    assert tree is not None
    for mutant in mutants(text, tree, {2}):
        after = apply_edits(text, mutant.edits).splitlines()
        assert (after[0], after[2]) == ("a = 1", "c = b < 3")


def test_no_two_mutants_are_the_same_and_none_is_the_original() -> None:
    text, found = made(
        "def f(xs, n):\n    for i in range(n + 1):\n        if xs[i] > n and not xs:\n            n -= xs[0]\n"
    )
    results = [apply_edits(text, m.edits) for m in found]
    assert len(results) == len(set(results))
    assert text not in results
    assert [m.weight for m in found] == sorted((m.weight for m in found), reverse=True)


def test_columns_count_bytes_so_that_text_beyond_ascii_moves_nothing() -> None:
    text, found = made('x = "é—" + y[i]\n')
    assert all(apply_edits(text, m.edits).startswith("x = ") for m in found)
    assert any('"é—" + y[i - 1]' in apply_edits(text, m.edits) for m in found)
