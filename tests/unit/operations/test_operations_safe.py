"""Untrusted texts are bounded before they are looked at, and can do nothing to a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.operations.safe import block, line, lines, paragraph
from selfheal_tui.source.display import visible

hostile = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("\x1b\x9b\u202e\u2066\u200b\r\n\t\x00\ud800[31m `|"))
)


@given(hostile, st.integers(1, 400))
def test_a_line_is_one_bounded_line_without_anything_unsafe(text: str, width: int) -> None:
    shown = line(text, width)
    assert len(shown) <= width
    assert visible(shown) == shown
    assert not set(shown) & set("\n\r\t\x1b")


@given(hostile, st.integers(1, 20), st.integers(1, 100))
def test_a_block_is_bounded_in_both_directions(text: str, count: int, width: int) -> None:
    shown = block(text, lines=count, width=width)
    assert len(shown) <= count + 1
    assert all(len(one) <= max(width, len("… (more was cut)")) for one in shown)
    assert all(visible(one) == one and "\n" not in one for one in shown)


@given(st.lists(hostile, max_size=30), st.integers(1, 20))
def test_several_texts_are_bounded_together(found: list[str], most: int) -> None:
    shown = lines(found, most=most)
    assert len(shown) <= most + 1


class Enormous(str):
    """A text that refuses to be walked through."""

    __slots__ = ()

    def split(self, *_: object) -> list[str]:  # type: ignore[override]
        raise AssertionError("it was looked at as a whole")

    splitlines = replace = translate = encode = split  # type: ignore[assignment]


def test_a_megabyte_is_cut_before_it_is_looked_at() -> None:
    enormous = Enormous("x\x1b" * 500_000)
    assert line(enormous).endswith("…")
    assert block(enormous)[-1] == "… (more was cut)"
    assert len(paragraph(enormous)) < 20_000


def test_what_is_short_is_left_as_it_is() -> None:
    assert line("  a  b\n c ") == "a b c"
    assert block("  a\n\n  b\n\n") == ("  a", "", "  b")
    assert line("") == ""
    assert block("") == ()


def test_a_cut_is_told() -> None:
    assert line("abcdef", 4) == "abc…"
    assert block("a\nb\nc", lines=2) == ("a", "b", "… (more was cut)")
