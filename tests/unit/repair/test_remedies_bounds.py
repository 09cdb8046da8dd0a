"""Remedies for an index outside of a sequence: text that is asked, lengths that default, literals that may stand in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.mutations.places import spots
from selfheal_tui.repair.mutations.remedies import BROAD_GUARD, remedies
from selfheal_tui.repair.mutations.remedy_steps import constants, mentions
from selfheal_tui.repair.mutations.spot import Spot
from selfheal_tui.source.edits import apply_edits
from tests.unit.repair.crashlab import Lab


def spot_of(tmp_path: Path, code: str, mode: str = "probe") -> Spot:
    return next(spots(Lab(tmp_path, {"main.py": code}).context(mode)))


def made(tmp_path: Path, code: str, kind: str, mode: str = "probe") -> list[str]:
    """The files that mutants of a kind lead to; all of them must parse."""
    spot = spot_of(tmp_path, code, mode)
    texts = [apply_edits(spot.site.text, m.edits) for m in remedies(spot) if m.kind == kind]
    for text in texts:
        ast.parse(text)
    return texts


def heaviest(spot: Spot, *kinds: str) -> Mutant:
    return max((m for m in remedies(spot) if m.kind in kinds), key=lambda m: m.weight)


ASKED = {
    "a sentence": ("def ended(text):\n    return text[-1] == '.'\n\n\nassert ended('') is False\n", "return text.endswith('.')"),
    "a url": ("def joined(base, page):\n    if base[-1] != '/':\n        base += '/'\n    return base + page\n\n\nassert joined('', 'a') == '/a'\n", "if not base.endswith('/'):"),
    "a comment": ("def code(lines):\n    return [line for line in lines if line[0] != '#']\n\n\nassert code(['', '#a']) == ['']\n", "if not line.startswith('#')]"),
    "an option": ("def flags(words):\n    count = 0\n    for word in words:\n        if word[0] == \"-\" and word != '-':\n            count += 1\n    return count\n\n\nassert flags(['-a', '', '-']) == 1\n", 'if word.startswith("-") and word'),
    "a denial that is denied": ("def bare(name):\n    return not name[0] != '_'\n\n\nassert bare('') is False\n", "return not (not name.startswith('_'))"),
    "the last one, written with a blank": ("def ended(text):\n    return text[- 1] == '!'\n\n\nassert ended('') is False\n", "return text.endswith('!')"),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_a_text_is_asked_what_it_begins_or_ends_with(name: str, tmp_path: Path) -> None:
    code, after = ASKED[name]
    found = [text for text in made(tmp_path, code, "text-slice") if after in text]
    assert len(found) == 1
    lab = Lab(tmp_path, {"main.py": found[0]})
    assert lab.is_green()


def test_asking_goes_before_cutting(tmp_path: Path) -> None:
    spot = spot_of(tmp_path, ASKED["a sentence"][0])
    best = heaviest(spot, "text-slice", "slice")
    assert "text.endswith('.')" in best.why


NOT_ASKED = {
    "a list": "def ended(parts):\n    return parts[-1] == '.'\n\n\nended([])\n",
    "a tuple of the module": "PARTS = ()\n\n\ndef ended():\n    return PARTS[-1] == '.'\n\n\nended()\n",
    "bytes": "def ended(raw):\n    return raw[-1] == 46\n\n\nended(b'')\n",
    "a text that is worked out": "def ended(line):\n    return line.strip()[-1] == '.'\n\n\nended(' ')\n",
    "more than one character": "def ended(text):\n    return text[-1] == '..'\n\n\nended('')\n",
    "another variable": "def same(text, mark):\n    return text[-1] == mark\n\n\nsame('', '.')\n",
    "a chain": "def within(text):\n    return text[0] == 'a' == text\n\n\nwithin('')\n",
    "an order": "def early(text):\n    return text[0] < 'b'\n\n\nearly('')\n",
    "in the middle": "def third(text):\n    return text[2] == '.'\n\n\nthird('')\n",
}


@pytest.mark.parametrize("name", NOT_ASKED)
def test_only_text_and_one_character_at_its_ends_are_asked_for(name: str, tmp_path: Path) -> None:
    spot = spot_of(tmp_path, NOT_ASKED[name])
    texts = [apply_edits(spot.site.text, m.edits) for m in remedies(spot)]
    assert texts
    assert not any("endswith" in text or "startswith" in text for text in texts)


@pytest.mark.parametrize("name", ["a list", "a tuple of the module", "bytes", "a text that is worked out"])
def test_what_is_not_known_to_be_text_is_only_cut_as_any_sequence(name: str, tmp_path: Path) -> None:
    kinds = {m.kind for m in remedies(spot_of(tmp_path, NOT_ASKED[name]))}
    assert "text-slice" not in kinds
    assert "slice" in kinds


def test_without_the_values_of_variables_nothing_is_taken_for_text(tmp_path: Path) -> None:
    assert made(tmp_path, ASKED["a sentence"][0], "text-slice", "text") == []
    assert any("text[-1:]" in text for text in made(tmp_path, ASKED["a sentence"][0], "slice", "text"))


CUT = {
    "initials": ("def initial(name):\n    return name[0] + '.'\n\n\nassert initial('') == '.'\n", "name[:1] + '.'"),
    "a check digit": ("def digit(number):\n    return number[-1].upper()\n\n\nassert digit('') == ''\n", "number[-1:].upper()"),
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_a_character_of_an_empty_text_is_no_character(name: str, tmp_path: Path) -> None:
    code, after = CUT[name]
    (text,) = made(tmp_path, code, "text-slice")
    assert after in text
    assert Lab(tmp_path, {"main.py": text}).is_green()


LENGTHS = {
    "a table's columns": ("def columns(rows):\n    return len(rows[0])\n\n\nassert columns([]) == 0\n", "return (len(rows[0]) if rows else 0)"),
    "a matrix": ("def cells(m):\n    return len(m) * len(m[0])\n\n\nassert cells([]) == 0\n", "len(m) * (len(m[0]) if m else 0)"),
    "the last word": ("class Text:\n    words = ()\n\n    def last(self):\n        return len(self.words[-1]) + 1\n\n\nassert Text().last() == 1\n", "(len(self.words[-1]) if self.words else 0) + 1"),
    "the third field": ("def width(fields):\n    return len(fields[2])\n\n\nassert width(['a']) == 0\n", "(len(fields[2]) if len(fields) > 2 else 0)"),
    "a field by its number": ("def width(fields, at):\n    return max(len(fields[at]), 2)\n\n\nassert width(['a'], 1) == 2\n", "max((len(fields[at]) if at < len(fields) else 0), 2)"),
    "a choice of two": ("def width(rows, head):\n    return len((rows or head)[0])\n\n\nassert width([], []) == 0\n", "(len((rows or head)[0]) if (rows or head) else 0)"),
}  # fmt: skip


@pytest.mark.parametrize("name", LENGTHS)
def test_what_is_not_there_has_no_length(name: str, tmp_path: Path) -> None:
    code, after = LENGTHS[name]
    found = [text for text in made(tmp_path, code, "default") if after in text]
    assert len(found) == 1
    assert Lab(tmp_path, {"main.py": found[0]}).is_green()


@pytest.mark.parametrize(
    "code",
    [
        "def total(rows):\n    return sum(rows[0])\n\n\ntotal([])\n",
        "def size(rows):\n    return len(rows[0] + [1])\n\n\nsize([])\n",
    ],
)
def test_only_a_length_itself_defaults_to_nought(code: str, tmp_path: Path) -> None:
    assert not any("(len(" in text or "(sum(" in text for text in made(tmp_path, code, "default"))


def test_a_sequence_that_is_a_choice_of_two_is_asked_and_cut_as_a_whole(tmp_path: Path) -> None:
    code = "def first(rows, spare):\n    if (rows or spare)[0] > 1:\n        return 1\n    return 0\n\n\nassert first([], []) == 0\n"
    (text,) = [t for t in made(tmp_path, code, "condition") if "if " in t and " and " in t]
    assert "if (rows or spare) and (rows or spare)[0] > 1:" in text
    assert any("(rows or spare)[:1]" in t for t in made(tmp_path, code, "slice"))


FIRST = {
    "the top of a stack": ("def closed(stack):\n    while stack[-1] > 1:\n        stack.pop()\n    return stack\n\n\nassert closed([2]) == []\n", "while stack and stack[-1] > 1:"),
    "the first of a queue": ("def due(queue, now):\n    if queue[0] <= now:\n        return queue.pop(0)\n    return None\n\n\nassert due([], 1) is None\n", "if queue and queue[0] <= now:"),
    "a field that may be missing": ("def named(row):\n    if row[1] or row[0]:\n        return True\n    return False\n\n\nassert named(['a']) is False\n", "if len(row) > 1 and (row[1] or row[0]):"),
    "beside another question": ("def marked(words, on):\n    if on and words[0] == 'x':\n        return True\n    return False\n\n\nassert marked([], 1) is False\n", "if words and on and words[0] == 'x':"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST)
def test_a_condition_asks_first_whether_there_is_something(name: str, tmp_path: Path) -> None:
    code, after = FIRST[name]
    found = [text for text in made(tmp_path, code, "condition") if after in text]
    assert len(found) == 1
    assert Lab(tmp_path, {"main.py": found[0]}).is_green()


@pytest.mark.parametrize(
    ("test", "condition", "asked"),
    [
        ("xs", "xs", True),
        ("on and xs and xs[0]", "xs", True),
        ("at  <  len(xs) and xs[at]", "at < len( xs )", True),
        ("xs[0] > 1", "xs", False),
        ("on or xs", "xs", False),
        ("not xs", "xs", False),
        ("xs.rows[0]", "xs.rows", False),
    ],
)
def test_only_what_a_condition_asks_by_itself_is_asked_already(
    test: str, condition: str, asked: bool
) -> None:
    assert mentions(ast.parse(test, mode="eval").body, condition) is asked


def test_what_is_asked_already_is_not_asked_twice(tmp_path: Path) -> None:
    code = "def f(xs, ys):\n    if xs and xs[0] + ys[0]:\n        return 1\n    return 0\n\n\nf([1], [])\n"
    texts = made(tmp_path, code, "condition")
    assert any("if ys and xs and xs[0]" in text for text in texts)
    assert not any("xs and xs and" in text for text in texts)


CONSTANTS = {
    "what it hands out": ("def f(xs):\n    if xs is None:\n        return 'none'\n    return xs[0]\n\n\nf([])\n", ["'none'"]),
    "the choice it makes": ("def f(xs, on):\n    a = 7 if on else 8\n    return xs[a]\n\n\nf([], 1)\n", ["7", "8"]),
    "the default of a lookup": ("def f(xs, d):\n    a = d.get('k', 5)\n    return xs[a]\n\n\nf([], {})\n", ["5"]),
    "what it begins with for want of a value": ("def f(xs):\n    a = 0\n    b = ''\n    c = []\n    d = {}\n    e = False\n    return xs[a]\n\n\nf([])\n", ["0", "''", "[]", "{}", "False"]),
    "one less than nought": ("def f(xs):\n    at = -1\n    return xs[at]\n\n\nf([])\n", ["-1"]),
    "one less than nought, handed out": ("def f(xs):\n    if xs is None:\n        return -1\n    return xs[0]\n\n\nf([])\n", ["-1"]),
    "nothing that means something": ("def f(xs):\n    name = 'total'\n    limit = 100\n    table = {'a': 1}\n    row = [1, 2]\n    gap = -7\n    return xs[0]\n\n\nf([])\n", []),
    "nothing that is not there": ("def f(xs):\n    if xs is None:\n        return None\n    a = None\n    return xs[0]\n\n\nf([])\n", []),
    "nothing of other functions": ("def g():\n    return 'g'\n\n\ndef f(xs):\n    def h():\n        return 'h'\n\n    return xs[0]\n\n\nf([])\n", []),
    "once": ("def f(xs):\n    a = 0\n    b = 0\n    if xs is None:\n        return 0\n    return xs[0]\n\n\nf([])\n", ["0"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTANTS)
def test_literals_that_may_stand_in(name: str, tmp_path: Path) -> None:
    code, expected = CONSTANTS[name]
    assert sorted(constants(spot_of(tmp_path, code))) == sorted(expected)


def test_a_literal_of_the_function_stands_in_for_what_is_not_there(tmp_path: Path) -> None:
    code = "def f(xs):\n    if xs is None:\n        return 'none'\n    label = 'first'\n    return label + xs[0]\n\n\nassert f([]) == 'firstnone'\n"
    texts = made(tmp_path, code, "default")
    (found,) = [text for text in texts if "(xs[0] if xs else 'none')" in text]
    assert Lab(tmp_path, {"main.py": found}).is_green()
    assert not any("else 'first'" in text for text in texts)


@pytest.mark.parametrize(
    ("code", "broad"),
    [
        ("def f(rows):\n    x = 1\n    return rows[0] + x\n\n\nf([])\n", False),
        ("def f(name):\n    x = 1\n    return name.strip() * x\n\n\nf(None)\n", False),
        ("def f(rows):\n    x = {}\n    return sum([{}, rows, x])\n\n\nf([])\n", True),
    ],
    ids=["an index of nothing", "a method of None", "types that do not go together"],
)
def test_a_guard_is_broad_where_emptiness_is_not_what_it_crashed_of(
    code: str, broad: bool, tmp_path: Path
) -> None:
    kinds = {m.kind for m in remedies(spot_of(tmp_path, code)) if "`return" in m.why and "not x" in m.why}
    kinds |= {m.kind for m in remedies(spot_of(tmp_path, code)) if "is None" in m.why or "not rows" in m.why}
    assert (BROAD_GUARD in kinds) is broad
