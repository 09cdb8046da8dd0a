"""Looks: contrast, ASCII, and the guard before the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from selfheal_tui.operations.snapshot import Standing, Tone
from selfheal_tui.source.display import visible
from selfheal_tui.tui.looks import Guard, Looks
from selfheal_tui.tui.themes import DARK, LIGHT, TERMINAL

BLACK = Color(0, 0, 0)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    parts = [value / 255 for value in Color.parse(colour).rgb]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize(
    "name", ["foreground", "primary", "accent", "warning", "error", "success", "quiet", "ask", "busy"]
)
def test_texts_have_the_contrast_that_wcag_asks_for(theme, name):
    colour = theme.variables.get(name) or getattr(theme, name)
    for ground in (theme.background, theme.surface, theme.panel):
        assert contrast(colour, ground) >= 4.5


def test_the_terminals_own_palette_names_no_colour_of_ours():
    looks = Looks(TERMINAL, ascii_only=False, variables={"ask": "ansi_yellow", "cursor-row": "ansi_default"})
    assert looks.style(Tone.ASK).color.name == "yellow"
    assert looks.ground("cursor-row").reverse


def test_a_state_is_told_by_sign_and_word():
    standing = Standing("needs you", "●", "!", Tone.ASK)
    assert Looks(DARK, ascii_only=False, variables={}).badge(standing).plain == "● needs you"
    assert Looks(DARK, ascii_only=True, variables={}).badge(standing).plain == "! needs you"


@given(st.text(max_size=80))
def test_nothing_that_a_terminal_obeys_gets_past_the_guard(text):
    guard = Guard()
    (segment,) = guard.apply([Segment(text)], BLACK)
    assert visible(segment.text) == segment.text
    assert "\n" not in segment.text
    assert "\x1b" not in segment.text


@given(st.text(max_size=80))
def test_in_ascii_mode_nothing_but_ascii_gets_past_the_guard(text):
    guard = Guard()
    guard.ascii = True
    (segment,) = guard.apply([Segment(text)], BLACK)
    assert segment.text.isascii()
    assert segment.text.isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=60))
def test_in_ascii_mode_every_sign_keeps_its_width(text):
    guard = Guard()
    guard.ascii = True
    shown = visible(text)
    (segment,) = guard.apply([Segment(shown)], BLACK)
    assert cell_len(segment.text) == cell_len(shown)


def test_a_blank_that_does_not_break_is_a_blank_in_ascii_mode_too():
    guard = Guard()
    guard.ascii = True
    assert guard.apply([Segment("tests\u00a0✓\u00a052/52")], BLACK)[0].text == "tests + 52/52"
