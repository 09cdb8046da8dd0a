"""The console's three looks: dark, light, and the terminal's own palette. Data only.

Colours of the first two keep a contrast of at least 4.5:1 on their background (WCAG 2.1, 1.4.3, level AA), which
`tests/ui/test_looks.py` checks.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="selfheal-dark",
    primary="#7aa2f7",
    secondary="#9ece6a",
    accent="#7dcfff",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#d5d9e6",
    background="#15171f",
    surface="#1b1e28",
    panel="#252937",
    dark=True,
    variables={
        "quiet": "#8f96ab",
        "ask": "#ffb454",
        "busy": "#7dcfff",
        "cursor-row": "#2f3549",
        "added": "#1c3326",
        "removed": "#3b1f28",
        "added-word": "#2c5a3c",
        "removed-word": "#6b2f40",
    },
)
LIGHT = Theme(
    name="selfheal-light",
    primary="#2a4fa8",
    secondary="#2f6b2f",
    accent="#0b6a86",
    warning="#8a5a00",
    error="#b3253f",
    success="#2f6b2f",
    foreground="#1d2230",
    background="#f6f6f3",
    surface="#fbfbf9",
    panel="#e7e7e2",
    dark=False,
    variables={
        "quiet": "#5c6273",
        "ask": "#9a4b00",
        "busy": "#0b6a86",
        "cursor-row": "#d8dff0",
        "added": "#dff2df",
        "removed": "#fbe0e2",
        "added-word": "#b5dfb8",
        "removed-word": "#f3b6bd",
    },
)
TERMINAL = Theme(
    name="selfheal-terminal",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_green",
    accent="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        # Textual's own sheets want these two of every theme of this kind.
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "quiet": "ansi_bright_black",
        "ask": "ansi_yellow",
        "busy": "ansi_cyan",
        "cursor-row": "ansi_default",
        "added": "ansi_default",
        "removed": "ansi_default",
        "added-word": "ansi_default",
        "removed-word": "ansi_default",
    },
)
THEMES = (DARK, LIGHT, TERMINAL)
"""In the order in which the theme key goes through them."""
