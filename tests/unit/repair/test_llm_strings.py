"""Strings over several lines keep what they say when a model moves the code around them."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.repair.llm.strings import keep_strings

METHOD = '''\
def query(self):
        """Does it.

        At length.
        """
        text = f"""
            SELECT {self.name}
              FROM t
        """
        return text + b"""
        raw""".decode()
'''


def moved(code: str) -> str:
    """As a model writes a method: at the left margin, strings and all."""
    return textwrap.dedent("    " + code).replace("return text", 'return text or ""')


def strings(code: str) -> list[str]:
    tree = ast.parse(code)
    return [ast.dump(n) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr | ast.Constant)]


def test_a_moved_string_says_again_what_it_said() -> None:
    kept = keep_strings(METHOD, moved(METHOD))
    assert kept != moved(METHOD)
    assert set(strings(METHOD)) <= set(strings(kept))
    assert 'return text or ""' in kept


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f():\n    return '''a\n      b'''", "def f():\n    return '''a\n      c'''"),
        ("def f():\n    return '''a\n  b''' + '''a\n    b'''", "def f():\n    return '''a\n b'''"),
        ("def f(:", "def f():\n    return '''a\n b'''"),
        ("def f():\n    return '''a\n b'''", "def f(:\n '''a\n  b'''"),
        ("", "def f():\n    return '''a\n b'''"),
    ],
    ids=["another text", "two models", "old code broken", "new code broken", "no old code"],
)
def test_a_string_that_was_meant_to_change_or_may_have_been_is_left(old: str, new: str) -> None:
    assert keep_strings(old, new) == new


@given(st.lists(st.text("ab \"'\\{}é", max_size=6), min_size=1, max_size=4), st.integers(0, 6))
def test_code_that_did_not_move_stays_as_it_is_and_moved_code_is_undone(lines: list[str], by: int) -> None:
    literal = '"""x\n' + "\n".join(" " * 6 + repr(line)[1:-1].replace('"', "'") for line in lines) + '\n"""'
    old = f"def f():\n    return {literal}\n"
    assert keep_strings(old, old) == old
    new = old.replace("\n      ", "\n" + " " * by)
    try:
        ast.parse(new)
    except SyntaxError:
        return
    assert keep_strings(old, new) == old
