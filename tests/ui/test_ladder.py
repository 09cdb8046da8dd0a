"""The ladder says by sign and word how each rung stands, and never tears one apart."""

from __future__ import annotations

from dataclasses import replace

from fakes import FAIL, NOW, RUNNING, WARN, rungs
from rich.text import Text

from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.themes import DARK
from selfheal_tui.tui.widgets.ladder import compact_ladder, full_ladder, wrapped

LOOKS = Looks(DARK, ascii_only=False, variables=DARK.variables)
ASCII = Looks(DARK, ascii_only=True, variables=DARK.variables)


def plain(lines: list[Text]) -> str:
    return "\n".join(line.plain for line in lines)


def test_a_passed_ladder_is_one_line_where_there_is_room() -> None:
    line = plain(wrapped(compact_ladder(rungs(), LOOKS), 200))
    assert line.startswith("syntax ✓  scope ✓  safety ✓")
    assert line.endswith("tests ✓ 52/52")


def test_no_rung_is_torn_apart_and_none_is_lost() -> None:
    parts = compact_ladder(rungs(), LOOKS)
    for width in range(1, 120):
        lines = wrapped(parts, width)
        assert "  ".join(line.plain for line in lines) == "  ".join(part.plain for part in parts)
        assert all(line.cell_len <= width or "  " not in line.plain for line in lines)


def test_what_did_not_pass_says_so_in_words_and_in_ascii() -> None:
    assert "tests ✗ fail" in plain(compact_ladder(rungs(last=FAIL), LOOKS))
    warned = plain(compact_ladder(rungs(last=WARN), ASCII))
    assert "tests ! warn" in warned
    assert all(ord(sign) < 128 for sign in warned.replace("red → green", ""))


def test_a_running_rung_tells_for_how_long() -> None:
    running = (replace(rungs()[0], standing=RUNNING, started_at=NOW - 12, summary="", seconds=0.0),)
    assert plain(compact_ladder(running, LOOKS, now=NOW)) == "syntax ● running 0:12"
    assert "running · for 0:12" in plain(full_ladder(running, LOOKS, now=NOW))


def test_the_full_form_has_the_evidence_and_bounds_it() -> None:
    rung = replace(rungs()[0], details=tuple(f"line {n}\x1b" for n in range(1000)), isolation="bubblewrap")
    text = plain(full_ladder((rung,), LOOKS))
    assert "bubblewrap" in text
    assert "line 0␛" in text
    assert "600 more lines" in text
