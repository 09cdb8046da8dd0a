"""Draws results as one SVG: a bar for each kind and mode, parted by score. Writes text; needs no library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from selfheal_tui.supervisor.bench.result import Score
from selfheal_tui.supervisor.bench.tally import Tally

COLOURS = {
    Score.HEALED: "#2e7d32",
    Score.PLAUSIBLE: "#c62828",
    Score.BROKE_IT: "#8e0000",
    Score.UNHEALED: "#ef6c00",
    Score.NO_CHANGE: "#b0bec5",
    Score.ERROR: "#5d4037",
}
"""Dark on white throughout; each part is named in words as well, so that nothing hangs on its colour."""
_ROW, _LEFT, _BAR, _RIGHT, _TOP = 24, 250, 430, 260, 74
_STYLE = "text { font: 12px sans-serif; fill: #212121 } .title { font-size: 16px; font-weight: bold } .part { fill: #ffffff; font-size: 11px }"


def chart(tallies: Sequence[Tally], title: str) -> str:
    """Draws a chart.

    Args:
        tallies: Groups, in order from top to bottom.
        title: Its title.

    Returns:
        An SVG document.
    """
    height = _TOP + _ROW * len(tallies) + 16
    width = _LEFT + _BAR + _RIGHT
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-label="{escape(title)}">'
        ),
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        *_legend(),
    ]
    for row, tally in enumerate(tallies):
        parts += _bar(tally, _TOP + row * _ROW)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend() -> list[str]:
    parts = []
    for place, (score, colour) in enumerate(COLOURS.items()):
        x = 16 + place * 110
        parts += [
            f'<rect x="{x}" y="42" width="12" height="12" fill="{colour}"/>',
            f'<text x="{x + 18}" y="52">{escape(score.value)}</text>',
        ]
    return parts


def _bar(tally: Tally, y: int) -> list[str]:
    name = {"all": "all cases", "split": f"split {tally.name}"}.get(tally.group, tally.name)
    parts = [
        f'<text x="{_LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(f"{name} · {tally.mode.value}")}</text>'
    ]
    x = float(_LEFT)
    for score, colour in COLOURS.items():
        count = tally.scores.get(score.value, 0)
        if not count or not tally.cases:
            continue
        wide = _BAR * count / tally.cases
        parts.append(
            f'<rect x="{x:.1f}" y="{y + 2}" width="{wide:.1f}" height="{_ROW - 6}" fill="{colour}"/>'
        )
        shade = ' style="fill:#212121"' if score is Score.NO_CHANGE else ""
        parts.append(f'<text class="part" x="{x + 4:.1f}" y="{y + 15}"{shade}>{count}</text>')
        x += wide
    told = f"{tally.repair_rate:.0%} healed, {tally.false_fix_rate:.0%} false, median {tally.seconds_median:.1f} s"
    parts.append(f'<text x="{_LEFT + _BAR + 10}" y="{y + 15}">{escape(told)}</text>')
    return parts
