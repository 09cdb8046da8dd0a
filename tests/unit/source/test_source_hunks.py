"""Hunks: every subset of the changes is a text of its own, and nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.source.hunks import apply_hunks, hunks_of
from selfheal_tui.source.text import split_lines

TEXTS = st.text(alphabet="ab \n\r", max_size=60)


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str]:
    """A text of distinct lines, and the same with lines taken out and fresh ones put in."""
    count = draw(st.integers(0, 12))
    end = draw(st.sampled_from(["", "\n"]))
    before = "\n".join(f"old {n}" for n in range(count)) + end
    lines: list[str] = []
    for n, line in enumerate(split_lines(before)):
        lines += [f"new {n}.{k}\n" for k in range(draw(st.integers(0, 2)))]
        if draw(st.booleans()):
            lines.append(line)
    return before, "".join(lines)


@given(TEXTS, TEXTS)
def test_all_hunks_give_the_text_after_and_none_the_text_before(before: str, after: str) -> None:
    hunks = hunks_of(before, after)
    assert apply_hunks(before, hunks, {h.number for h in hunks}) == after
    assert apply_hunks(before, hunks, ()) == before
    assert [h.number for h in hunks] == list(range(1, len(hunks) + 1))
    assert bool(hunks) == (before != after)


@given(TEXTS, TEXTS, st.data())
def test_any_subset_has_the_lines_of_its_hunks_and_the_others_as_they_were(
    before: str, after: str, data: st.DataObject
) -> None:
    hunks = hunks_of(before, after)
    chosen = data.draw(st.sets(st.sampled_from([h.number for h in hunks]))) if hunks else set()
    text = apply_hunks(before, hunks, chosen)
    expected: list[str] = []
    at = 0
    for hunk in hunks:
        expected += split_lines(before)[at : hunk.start]
        expected += hunk.after if hunk.number in chosen else hunk.before
        at = hunk.stop
    assert split_lines(text) == expected + split_lines(before)[at:]


@given(edits(), st.data())
def test_the_hunks_of_a_subset_are_that_subset(texts: tuple[str, str], data: st.DataObject) -> None:
    before, after = texts
    hunks = hunks_of(before, after)
    chosen = data.draw(st.sets(st.sampled_from([h.number for h in hunks]))) if hunks else set()
    again = hunks_of(before, apply_hunks(before, hunks, chosen))
    wanted = [h for h in hunks if h.number in chosen]
    assert [(h.start, h.before, h.after) for h in again] == [(h.start, h.before, h.after) for h in wanted]


@given(TEXTS, TEXTS)
def test_two_hunks_are_parted_by_a_line_that_stays(before: str, after: str) -> None:
    hunks = hunks_of(before, after)
    for one, other in itertools.pairwise(hunks):
        assert one.stop < other.start


def test_an_unknown_number_is_refused() -> None:
    hunks = hunks_of("a\n", "b\n")
    with pytest.raises(ValueError, match="no hunk 2"):
        apply_hunks("a\n", hunks, {1, 2})


def test_hunks_of_another_text_are_refused() -> None:
    with pytest.raises(ValueError, match="another text"):
        apply_hunks("x\n", hunks_of("a\n", "b\n"), {1})
