"""The answer parser: one small format, for text that nobody vouches for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.repair.llm.answer import MalformedAnswerError, Replacement, parse_answer
from tests.unit.repair.llmcases import GOOD

SEARCH_AND_REPLACE = """\
REASON: The import is missing.

### a/b.py :: <module>
```
<<<<<<< SEARCH
import io
=======
import io
import json
>>>>>>> REPLACE
<<<<<<< SEARCH
X = 1
=======
>>>>>>> REPLACE
```
"""


def test_a_function_block_is_read_with_reason_and_confidence() -> None:
    answer = parse_answer(GOOD)
    assert answer.reason == "A number was added to a text."
    assert answer.confidence == 0.9
    (block,) = answer.blocks
    assert (block.path, block.qualname) == ("shop.py", "Basket.label")
    assert block.code == 'def label(self):\n    return "Total: " + str(self.total())\n'


def test_search_and_replace_blocks_are_read_in_order() -> None:
    (block,) = parse_answer(SEARCH_AND_REPLACE).blocks
    assert block.replacements == (
        Replacement("import io", "import io\nimport json"),
        Replacement("X = 1", ""),
    )


def test_windows_newlines_and_a_thinking_preface_are_understood() -> None:
    preface = "<think>\n### x.py :: y\n```python\nnonsense\n</think>\n"
    assert parse_answer((preface + GOOD).replace("\n", "\r\n")).blocks == parse_answer(GOOD).blocks


def test_a_longer_fence_may_hold_a_shorter_one() -> None:
    text = '### a.py :: f\n````python\ndef f():\n    """\n```\n    """\n````\n'
    assert "```" in parse_answer(text).blocks[0].code


def test_a_refusal_is_an_answer() -> None:
    answer = parse_answer("CANNOT_FIX: the file must be supplied\nby the operator\n")
    assert answer.cannot_fix == "the file must be supplied by the operator"
    assert not answer.blocks


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("<think>hm</think>", "empty"),
        ("I would add str().", "no block"),
        ("CANNOT_FIX:", "followed by the reason"),
        ("CANNOT_FIX: no\n" + GOOD, "one of the two"),
        ("REASON: x\nCANNOT_FIX: no", "only line"),
        ("```python\ndef f(): pass\n```", "no header"),
        ("### a.py :: f\nno fence", "followed by a fenced"),
        ("### a.py :: f", "followed by a fenced"),
        ("### a.py :: f\n```python\ndef f():\n    return 1\n", "cut off"),
        ("### a.py :: f\n```python\n\n```", "is empty"),
        (GOOD + GOOD, "given twice"),
        ("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "inside a fenced block"),
        ("### a.py :: <module>\n```\n<<<<<<< SEARCH\na\n=======\nb\n```", "not closed"),
        ("### a.py :: <module>\n```\n<<<<<<< SEARCH\n\n=======\nb\n>>>>>>> REPLACE\n```", "is empty"),
        ("### a.py :: <module>\n```\nx\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```", "between"),
        ("x" * 500_000, "too long"),
    ],
)
def test_what_is_wrong_is_told_to_the_model(text: str, says: str) -> None:
    with pytest.raises(MalformedAnswerError, match=says):
        parse_answer(text)


@pytest.mark.parametrize(
    ("line", "expected"),
    [("0.25", 0.25), ("85%", 0.85), ("7", 1.0), ("very", 0.5), ("", 0.5), ("-1", 0.5), ("nan", 0.5)],
)
def test_confidence_is_a_number_from_0_to_1_whatever_is_claimed(line: str, expected: float) -> None:
    assert parse_answer(GOOD.replace("0.9", line)).confidence == expected


PIECES = st.sampled_from(
    [
        "### a.py :: f", "### a.py :: <module>", "```", "```python", "````", "~~~", "<<<<<<< SEARCH", "=======",
        ">>>>>>> REPLACE", "CANNOT_FIX: x", "REASON: y", "CONFIDENCE: 0.5", "def f():", "    return 1", "", "\r", "<think>",
        "</think>", "\x00", "…",
    ]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=20))).map("\n".join)))
def test_any_text_is_an_answer_or_malformed_and_never_anything_else(text: str) -> None:
    try:
        answer = parse_answer(text)
    except MalformedAnswerError:
        return
    assert bool(answer.blocks) != bool(answer.cannot_fix)
    assert 0 <= answer.confidence <= 1
    assert all(bool(b.code) != bool(b.replacements) for b in answer.blocks)
