"""The side-by-side diff as plain text in two columns, for terminals and logs. Pure; prints nothing."""

from __future__ import annotations

import shutil

from selfheal_tui.source.diff import side_by_side
from selfheal_tui.source.display import visible

SIGNS = {"equal": " ", "change": "|", "delete": "<", "insert": ">", "gap": "~"}


def two_columns(path: str, before: str, after: str, *, width: int | None = None) -> str:
    """Lays a diff out in two columns.

    Args:
        path: The file.
        before: Its text before.
        after: Its text after.
        width: Columns of the terminal; None asks it.

    Returns:
        The text, one row a line.
    """
    columns = width or shutil.get_terminal_size((120, 40)).columns
    half = max(20, (columns - 15) // 2)
    lines = [f"{path} (before){'':<{max(0, half - len(path) - 4)}}   {path} (after)"]
    for row in side_by_side(before, after):
        if row.kind == "gap":
            lines.append(f"{'…':>5}")
            continue
        left = f"{row.left_no or '':>5} {_cut(row.left or '', half):<{half}}"
        right = f"{row.right_no or '':>5} {_cut(row.right or '', half)}"
        lines.append(f"{left} {SIGNS[row.kind]} {right}".rstrip())
    return "\n".join(lines)


def _cut(text: str, width: int) -> str:
    shown = visible(text.rstrip("\r\n")).expandtabs(4)
    return shown if len(shown) <= width else shown[: width - 1] + "…"
