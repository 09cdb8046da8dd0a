"""The one range in which two texts differ."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfheal_tui.source.diff import changed_range

texts = st.text(st.sampled_from("ab\n\r é😀"), max_size=30) | st.text(max_size=20)


@given(before=texts, after=texts)
@example(before="aa", after="aaa")
@example(before="aaa", after="aa")
@example(before="abab", after="ab")
@example(before="", after="")
def test_putting_the_new_text_into_the_range_gives_the_text_after(before, after):
    start, end, new = changed_range(before, after)
    assert 0 <= start <= end <= len(before)
    assert before[:start] + new + before[end:] == after


@given(before=texts, after=texts)
def test_the_range_begins_and_ends_with_a_difference(before, after):
    start, end, new = changed_range(before, after)
    old = before[start:end]
    if old and new:
        assert old[0] != new[0]
        assert old[-1] != new[-1]


@given(text=texts)
def test_equal_texts_differ_in_an_empty_range(text):
    start, end, new = changed_range(text, text)
    assert (start == end, new) == (True, "")


@given(head=texts, tail=texts, old=texts, new=texts)
def test_the_range_is_no_longer_than_what_was_changed(head, tail, old, new):
    start, end, put = changed_range(head + old + tail, head + new + tail)
    assert end - start <= len(old)
    assert len(put) <= len(new)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("x = a.nmae\n", "x = a.name\n", (7, 9, "am")),
        ("é(x)\n", "é(str(x))\n", (2, 3, "str(x)")),
        ("x = a\n", "x = a + 1\n", (5, 5, " + 1")),
        ("f(x)\n", "", (0, 5, "")),
        ("", "f(x)\n", (0, 0, "f(x)\n")),
    ],
)
def test_the_range_is_told_in_characters(before, after, expected):
    assert changed_range(before, after) == expected
