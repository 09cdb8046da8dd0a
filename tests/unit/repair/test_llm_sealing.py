"""Secrets in source are hidden from a model and come back exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.probe.redaction import MASK
from selfheal_tui.repair.llm.sealing import Seal

SOURCE = """\
API_KEY = "sk-abcdefghijklmnop1234567890"


def connect():
    password = "correct-horse-battery"
    return login("admin", password=password)
"""


def test_secrets_in_source_become_tokens_and_come_back() -> None:
    seal = Seal()
    shown = seal.source(SOURCE)
    assert "correct-horse" not in shown
    assert "sk-abc" not in shown
    assert "MASKED_SECRET_1" in shown
    assert seal.reveal(shown) == SOURCE


def test_a_stretch_hides_what_the_whole_file_says_is_secret() -> None:
    seal = Seal()
    start = SOURCE.index("correct")
    shown = seal.source(SOURCE, start, start + len("correct-horse-battery"))
    assert shown == "MASKED_SECRET_1"


def test_a_sealed_value_is_hidden_in_every_other_text() -> None:
    seal = Seal()
    seal.source(SOURCE, SOURCE.index("def connect"))
    assert "correct-horse" not in seal.hide("no login with correct-horse-battery")
    assert "sk-abc" not in seal.hide_known("the key sk-abcdefghijklmnop1234567890")


def test_code_with_a_bare_mask_or_an_unknown_token_is_refused() -> None:
    seal = Seal()
    seal.source(SOURCE)
    for code in (f'password = "{MASK}"', "x = MASKED_SECRET_9", "x = MASKED_SECRET_0"):
        with pytest.raises(ValueError, match=r"contains|not one of"):
            seal.reveal(code)


@given(
    st.lists(st.sampled_from([*SOURCE.splitlines(keepends=True), "token='a1b2c3d4'\n", "x\n", '"""', MASK]))
)
def test_whatever_is_sealed_comes_back_or_is_refused(lines: list[str]) -> None:
    text = "".join(lines)
    seal = Seal()
    shown = seal.source(text)
    assert "correct-horse" not in shown
    if MASK not in shown:
        assert seal.reveal(shown) == text
