"""Diffs, matching and three-way merges."""

from __future__ import annotations

import random
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.source import matching
from selfheal_tui.source.diff import (
    ast_key,
    changed_definitions,
    changed_line_count,
    side_by_side,
    unified_diff,
    word_spans,
)
from selfheal_tui.source.matching import opcodes
from selfheal_tui.source.threeway import merge_three

items = st.lists(st.sampled_from("abcd"), max_size=12)
lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "x = 1\r\n"]), max_size=10)
texts = st.builds(lambda body, last: "".join(body) + last, lines, st.sampled_from(["", "end"]))


def apply(before, after, codes):
    out, at_before, at_after = [], 0, 0
    for tag, i1, i2, j1, j2 in codes:
        assert (i1, j1) == (at_before, at_after)
        at_before, at_after = i2, j2
        if tag == "equal":
            assert list(before[i1:i2]) == list(after[j1:j2])
            assert i2 > i1
        assert {"replace": i2 > i1 and j2 > j1, "insert": i1 == i2 < j2 + i2, "delete": j1 == j2}.get(
            tag, True
        )
        out += after[j1:j2]
    assert (at_before, at_after) == (len(before), len(after))
    return out


@pytest.mark.parametrize("max_pairs", [1_000_000, 0, -1])
@given(before=items, after=items)
def test_opcodes_turn_one_sequence_into_the_other_whatever_the_algorithm(max_pairs, before, after):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "_MAX_PAIRS", max_pairs)
        if max_pairs < 0:
            patch.setattr(matching, "_MAX_DISTANCE", 0)
        assert apply(before, after, opcodes(before, after)) == after


def test_few_changes_in_a_large_repetitive_text_are_found_as_such():
    rng = random.Random(1)
    before = [f"{rng.randrange(5)}\n" for _ in range(6000)]
    after = list(before)
    places = rng.sample(range(6000), 40)
    for place in places:
        after[place] = "new\n"
    assert changed_line_count("".join(before), "".join(after)) == 80


def test_unrelated_repetitive_texts_still_give_a_diff():
    rng = random.Random(1)
    before, after = ("".join(f"{rng.randrange(4)}\n" for _ in range(5000)) for _ in range(2))
    assert len(side_by_side(before, after)) >= 5000


@settings(max_examples=40)
@given(before=texts, after=texts)
def test_a_unified_diff_is_one_that_git_applies(before, after, tmp_path_factory):
    if "\r" in before + after or not before or not after:
        return
    folder = tmp_path_factory.mktemp("patch")
    (folder / "a.py").write_text(before)
    patch = unified_diff(before, after, "a.py")
    assert bool(patch) == (before != after)
    if patch:
        subprocess.run(
            ["git", "apply", "-"], cwd=folder, input=patch.encode(), check=True, capture_output=True
        )
    assert (folder / "a.py").read_text() == after


@given(before=texts, after=texts)
def test_side_by_side_shows_every_line_of_both_texts(before, after):
    rows = side_by_side(before, after, context=None)
    assert [r.left_no for r in rows if r.left_no] == list(range(1, sum(1 for r in rows if r.left_no) + 1))
    from selfheal_tui.source.text import split_lines

    for side, text in (("left", before), ("right", after)):
        shown = [getattr(r, side).rstrip("␍␊∅") for r in rows if getattr(r, side + "_no")]
        assert shown == [line.rstrip("\r\n") for line in split_lines(text)]
    assert all(r.kind == "equal" for r in rows) == (before == after)


def test_rows_have_gaps_and_word_spans():
    before = "".join(f"line {n}\n" for n in range(20))
    rows = side_by_side(before, before.replace("line 10", "line ten"))
    assert [r.kind for r in rows] == [
        "gap",
        "equal",
        "equal",
        "equal",
        "change",
        "equal",
        "equal",
        "equal",
        "gap",
    ]
    change = rows[4]
    assert (change.left_no, change.left_spans, change.right_spans) == (11, ((5, 7),), ((5, 8),))


def test_a_difference_in_line_ends_alone_is_shown():
    rows = side_by_side("a\nb", "a\r\nb\n")
    assert [(r.left, r.right) for r in rows] == [("a␊", "a␍␊"), ("b∅", "b␊")]


def test_lines_with_little_in_common_are_marked_whole():
    assert word_spans("return x", "raise KeyError(name)") == (((0, 8),), ((0, 20),))
    assert word_spans("a" + " b" * 1000, "a" + " c" * 1000) == (((0, 2001),), ((0, 2001),))


BEFORE = "import os\n\nclass A:\n    x = 1\n    def m(self): return 1\n    def n(self): return 2\n\ndef f():\n    def g(): return 1\n    return g\n"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("return 2", "return 3  # why", {"A.n"}),
        ("    def n(self): return 2\n", "", {"A.n"}),
        ("    x = 1\n", "    x = 2\n", {"A"}),
        ("class A:", "class A(B):", {"A"}),
        ("import os", "import os, sys", {"<module>"}),
        ("def f():", "@d\ndef f():", {"f"}),
        ("def g(): return 1", "def g(): return 2", {"f.<locals>.g"}),
        ("import os\n", "import os  # comment\n\n\n", set()),
        ("def f():", "def new(): pass\ndef f():", {"new"}),
    ],
)
def test_changed_definitions_names_exactly_what_changed(old, new, changed):
    assert changed_definitions(BEFORE, BEFORE.replace(old, new)) == changed


def test_moving_a_definition_to_another_branch_is_a_change():
    before = "if a:\n    def f(): pass\nelse:\n    pass\n"
    after = "if a:\n    pass\nelse:\n    pass\n    def f(): pass\n"
    assert "<module>" in changed_definitions(before, after)


def test_the_key_of_a_fix_ignores_formatting_and_comments_only():
    key = ast_key([("a.py", "x = 1\n")])
    assert ast_key([("a.py", "x   =  1  # same\n\n")]) == key
    assert ast_key([("a.py", "x = 2\n")]) != key
    assert ast_key([("b.py", "x = 1\n")]) != key
    assert ast_key([("a.py", "x = (\n")]) != ast_key([("a.py", "x = [\n")])
    assert ast_key([("a.py", "x=1"), ("b.py", "y=1")]) == ast_key([("b.py", "y = 1"), ("a.py", "x = 1")])


@given(base=texts, changed=texts)
def test_a_change_of_one_side_alone_is_taken(base, changed):
    assert merge_three(base, base, changed) == merge_three(base, changed, base)
    assert merge_three(base, base, changed).text == changed
    assert merge_three(base, base, changed).conflicts == 0


@given(base=texts, changed=texts)
def test_the_same_change_of_both_sides_is_taken_once(base, changed):
    merged = merge_three(base, changed, changed)
    assert (merged.text, merged.conflicts) == (changed, 0)


@given(st.lists(st.integers(0, 2), min_size=3, max_size=20), st.data())
def test_changes_of_lines_that_do_not_touch_merge_cleanly(kinds, data):
    base = [f"line {n}\n" for n in range(2 * len(kinds))]
    ours, theirs, both = list(base), list(base), list(base)
    for n, kind in enumerate(kinds):  # even lines only, so that an unchanged line lies between
        if kind:
            new = data.draw(st.sampled_from(["", f"new {n}\n", f"new {n}\nmore {n}\n"]))
            (ours if kind == 1 else theirs)[2 * n] = new
            both[2 * n] = new
    merged = merge_three("".join(base), "".join(ours), "".join(theirs))
    assert (merged.text, merged.conflicts) == ("".join(both), 0)


@given(base=texts, ours=texts, theirs=texts)
def test_no_line_of_either_side_is_lost_silently(base, ours, theirs):
    merged = merge_three(base, ours, theirs)
    assert ("<<<<<<< ours" in merged.text) == bool(merged.conflicts)
    kept = {line.rstrip("\r\n") for line in merged.text.split("\n")}
    for side, other in ((ours, theirs), (theirs, ours)):
        fresh = set(side.split("\n")) - set(base.split("\n"))
        assert {line.rstrip("\r\n") for line in fresh} <= kept, other


def test_conflicts_are_marked_and_counted():
    merged = merge_three("a\nb\nc\n", "a\nB\nc\n", "a\nX\nc\n")
    assert merged.text == "a\n<<<<<<< ours\nB\n=======\nX\n>>>>>>> theirs\nc\n"
    assert merged.conflicts == 1
