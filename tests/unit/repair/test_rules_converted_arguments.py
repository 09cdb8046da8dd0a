"""Text and bytes across a call: where one caller is at fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import converted_arguments
from tests.unit.repair.flowcases import Fix, Trap, check_fix, check_trap, name_of

RULES = converted_arguments.RULES

FIXES = [
    Fix("bytes to a function of text", "def bold(text):\n    return '*' + text + '*'\n\ndef line(raw):\n    return bold(raw[:2])\n\nassert bold('a') == '*a*'\nassert line(b'abc') == '*ab*'\n", "bold(raw[:2].decode())"),
    Fix("text to a function of bytes", "def framed(data, end=b'.'):\n    return data + end\n\ndef send(word):\n    return framed(b'x', end=word or '')\n\nassert framed(b'a') == b'a.'\nassert send('!') == b'x!'\n", "end=(word or '').encode()"),
]  # fmt: skip

TRAPS = [
    Trap("a value of the function's own", "def bold():\n    text = b'a'\n    return '*' + text\n\nbold()\n"),
    Trap("a parameter that was changed", "def bold(text):\n    text = text[1:]\n    return '*' + text\n\nbold(b'ab')\n"),
    Trap("called from elsewhere", "def bold(text):\n    return '*' + text\n\nlist(map(bold, [b'a']))\n"),
]  # fmt: skip


@pytest.mark.parametrize("case", FIXES, ids=name_of)
def test_the_fix_is_offered(case: Fix, tmp_path: Path) -> None:
    check_fix(case, "probe", tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_nothing_is_offered(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)
