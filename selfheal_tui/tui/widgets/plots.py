"""Plots as text in any size, by plotext: bars and lines, in glyphs or in ASCII. Pure: numbers in, rich texts out.

plotext keeps one global figure, so that this may only be called from one thread: the app's.
"""

from __future__ import annotations

from typing import Any

from rich.text import Text

from selfheal_tui.operations.snapshot import Series
from selfheal_tui.tui.looks import Looks

MOST_BARS = 12
_BAR = "▇"
_LEAST_HEIGHT = 4
_LEAST_DAYS = 14


def nothing(series: Series, looks: Looks) -> list[Text]:
    """Returns what is shown of a series without numbers."""
    return [Text(f"{series.name}: nothing yet", looks.quiet)]


def bars(series: Series, width: int, looks: Looks) -> list[Text]:
    """Draws horizontal bars, the greatest first, each with its number; a bar more than fits is summed up."""
    if not any(series.values):
        return nothing(series, looks)
    pairs = sorted(zip(series.labels, series.values, strict=True), key=lambda pair: -pair[1])
    rest = pairs[MOST_BARS:]
    pairs = pairs[:MOST_BARS]
    if rest:
        pairs.append((f"{len(rest)} others", sum(value for _, value in rest)))
    label = min(28, max(len(name) for name, _ in pairs))
    number = max(len(_number(value)) for _, value in pairs)
    room = max(4, width - label - number - 3)
    most = max(value for _, value in pairs)
    lines = [Text(f"{series.name} ({series.unit})", "bold")]
    for name, value in pairs:
        length = round(value / most * room) if most else 0
        line = Text(f"{name[:label]:<{label}} ", looks.quiet)
        line.append(("#" if looks.ascii else _BAR) * max(length, 1 if value else 0), looks.named("accent"))
        lines.append(line.append(f" {_number(value)}"))
    return lines


def line(series: Series, width: int, height: int, looks: Looks) -> list[Text]:
    """Draws a series over its labels (days) with axes."""
    if not any(series.values):
        return nothing(series, looks)
    import plotext

    figure: Any = plotext
    figure.clear_figure()
    figure.limit_size(False, False)  # it asks for the size of the real terminal otherwise
    figure.theme("clear")
    figure.plot_size(max(20, width), max(_LEAST_HEIGHT, height))
    places = list(range(len(series.values)))
    # A bar of one day must not fill the whole width.
    figure.xlim(min(-0.5, len(places) - _LEAST_DAYS - 0.5), len(places) - 0.5)
    figure.bar(places, list(series.values), marker="#" if looks.ascii else "sd", color="cyan", width=0.8)
    figure.ylim(0, max(series.values) * 1.05)
    step = max(1, len(places) // max(1, width // 14))
    figure.xticks(places[::step], list(series.labels[::step]))
    figure.yfrequency(min(4, max(2, height // 3)))
    drawn = Text.from_ansi(figure.build().rstrip("\n"))
    lines = [Text(f"{series.name} ({series.unit})", "bold")]
    return lines + [Text(part.plain.rstrip(), looks.named("accent")) for part in drawn.split("\n")]


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"
