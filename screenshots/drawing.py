"""Turns drawings of the console into files: SVG without foreign fonts, PNG, and one animated SVG of several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_FONT_FACES = re.compile(r"@font-face \{[^}]*\}\s*")
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def clean(svg: str) -> str:
    """Returns a drawing that depends on no font that is fetched from elsewhere."""
    return _FONT_FACES.sub("", svg).replace("Fira Code", "DejaVu Sans Mono")


def save(svg: str, file: Path, *, png: bool = True) -> None:
    """Writes a drawing as SVG and, where wanted, as PNG beside it."""
    file.with_suffix(".svg").write_text(clean(svg), encoding="utf-8")
    if png:
        import cairosvg

        cairosvg.svg2png(bytestring=clean(svg).encode(), write_to=str(file.with_suffix(".png")), scale=1.0)


def animate(frames: Sequence[tuple[str, float]]) -> str:
    """Returns one SVG that shows several in turn, endlessly.

    Args:
        frames: Drawings of one size, each with the seconds for which it is shown.
    """
    found = _SIZE.search(frames[0][0])
    assert found is not None
    width, height = found[1], found[2]
    total = sum(seconds for _, seconds in frames)
    styles, bodies, begin = [], [], 0.0
    for number, (svg, seconds) in enumerate(frames):
        start, end = 100 * begin / total, 100 * (begin + seconds) / total
        hidden_before = f"0%,{start:.3f}%{{visibility:hidden}}" if number else ""
        hidden_after = f"{end:.3f}%,100%{{visibility:hidden}}" if number < len(frames) - 1 else ""
        styles.append(
            f"@keyframes f{number}{{{hidden_before}{start + 0.001:.3f}%,{end - 0.001:.3f}%{{visibility:visible}}{hidden_after}}}"
            f"#f{number}{{animation:f{number} {total:.1f}s step-end infinite;visibility:hidden}}"
        )
        bodies.append(f'<g id="f{number}">{clean(svg)}</g>')
        begin += seconds
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f"<style>{''.join(styles)}</style>{''.join(bodies)}</svg>"
    )
