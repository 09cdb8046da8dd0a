"""What of a fix is kept: all of it exactly, or nothing."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.record import ProvenFix
from selfheal_tui.repair.proven import IMPORTS, UnfitFixError, apply_proven, extract_proven, proven_of

BEFORE = '''\
import io

LIMIT = 3


class A:
    kind = "a"

    @property
    def size(self):
        return 1

    @size.setter
    def size(self, value):
        self.value = value

    def m(self, x):
        """Does it.

        At length.
        """
        return x.nmae


def f(x):
    return json.dumps(x)
'''


def extract(after: str, before: str = BEFORE, suspect: str = "") -> tuple[ProvenFix, ...]:
    return extract_proven(
        before, after, path="a.py", fingerprint="f", exception="E", rule="r", suspect=suspect
    )


def restore(fixes: tuple[ProvenFix, ...], text: str = BEFORE) -> str:
    for fix in fixes:
        text = apply_proven(text, fix, fix.qualname)
    return text


def test_a_changed_method_is_kept_dedented_and_comes_back_byte_for_byte() -> None:
    after = BEFORE.replace("nmae", "name")
    (fix,) = extract(after)
    assert (fix.qualname, fix.path, fix.exception, fix.rule) == ("A.m", "a.py", "E", "r")
    assert fix.before.startswith("def m(self, x):\n")
    assert fix.after == fix.before.replace("nmae", "name")
    assert restore((fix,)) == after


def test_a_fix_that_only_adds_an_import_hangs_on_the_crashing_function() -> None:
    after = BEFORE.replace("import io\n", "import io\nimport json\n")
    (fix,) = extract(after, suspect="f")
    assert fix.before == fix.after
    assert fix.extra[IMPORTS] == "import json"
    assert restore((fix,)) == after
    assert extract(after) == ()


def test_a_new_method_is_kept() -> None:
    after = BEFORE.replace("    def m(self", "    def n(self):\n        return 2\n\n    def m(self")
    (fix,) = extract(after)
    assert (fix.before, fix.qualname) == ("", "A.n")
    assert "    def n(self):" in restore((fix,))


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        BEFORE.replace("LIMIT = 3", "LIMIT = 4"),
        BEFORE.replace("nmae", "name").replace("LIMIT = 3", "LIMIT = 4"),
        BEFORE.replace("nmae", "name").replace('kind = "a"', 'kind = "b"'),
        BEFORE.replace("nmae", "name").replace("class A:", "class A(dict):"),
        BEFORE.replace("def f(x):\n    return json.dumps(x)\n", ""),
        BEFORE.replace("import io\n", "").replace("nmae", "name"),
        BEFORE.replace("self.value = value", "self.other = value"),
        BEFORE.replace("return x.nmae", "return ("),
        BEFORE.replace("return x.nmae", "password = 'correct-horse-battery'\n        return x.name"),
    ],
    ids=[
        "nothing changed", "constant", "function and constant", "function and class attribute", "bases",
        "function removed", "import removed", "one of two with the same name", "broken", "secret",
    ],
)  # fmt: skip
def test_what_cannot_be_kept_exactly_is_not_kept(after: str) -> None:
    assert extract(after, suspect="f") == ()


def test_a_fix_is_not_put_into_another_function() -> None:
    (fix,) = extract(BEFORE.replace("nmae", "name"))
    for text in (BEFORE.replace("nmae", "eman"), "x = 1\n", "def broken(:\n"):
        with pytest.raises(UnfitFixError):
            apply_proven(text, fix, "A.m")


def test_a_new_file_is_not_remembered() -> None:
    candidate = Candidate("llm", "m", "r", 0.5, (FileEdit("new.py", None, "def f():\n    return 1\n"),))
    assert proven_of(candidate, {}, fingerprint="f", exception="E") == ()


NAMES = st.sampled_from(["x", "y.z", "g(x)", "'a\\n'", "'''a\n  b\n'''", "[i for i in x]", "lambda: 1"])


@given(
    st.lists(NAMES, min_size=1, max_size=4),
    st.lists(NAMES, min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_kept_comes_back(old: list[str], new: list[str], method: bool, newline: str) -> None:
    def module(values: list[str]) -> str:
        code = "def f(x):\n" + "".join(f"    v = {value}\n" for value in values) + "    return v\n"
        text = "class C:\n" + textwrap.indent(code, "    ") if method else code
        return ("import os\n\n\n" + text + "\n\nEND = 1\n").replace("\n", newline)

    before, after = module(old), module(new)
    fixes = extract(after, before)
    assert bool(fixes) == (ast.dump(ast.parse(before)) != ast.dump(ast.parse(after))) or not fixes
    if fixes:
        assert restore(fixes, before) == after
