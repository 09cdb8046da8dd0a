"""A model may ask to see more of the project before it answers: what it gets, how much, and what it then may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.llm.answer import MalformedAnswerError, Place, parse_answer
from selfheal_tui.repair.llm.proposer import LlmProposer
from selfheal_tui.repair.llm.shown import MOST_PLACES, MOST_ROUNDS
from tests.unit.repair.llmcases import GOOD, ScriptedAsker, context_of, make_project

FAR = '''\
"""Far from the crash."""

API_TOKEN = "sk-live-0123456789abcdef0123456789"


class Printer:
    """Prints."""

    def line(self, text):
        return text + "\\n"

    def rule(self):
        return "-" * 3


def plain(value):
    return value
'''
FAR_FIX = """\
REASON: r
CONFIDENCE: 0.9

### far.py :: plain
```python
def plain(value):
    return str(value)
```
"""
LABEL = "SHOW: shop.py :: Basket.label"


@pytest.fixture
def context(tmp_path: Path) -> RepairContext:
    return context_of(make_project(tmp_path, {"far.py": FAR}))


def ask(context: RepairContext, *answers: str) -> tuple[Candidate | CannotFix, ScriptedAsker]:
    asker = ScriptedAsker(*answers)
    return next(LlmProposer(asker).propose(context)), asker


def user_text(asker: ScriptedAsker, number: int) -> str:
    return "\n".join(message["content"] for message in asker.asked[number][1:])


@pytest.mark.parametrize(
    "text",
    [
        "SHOW: far.py :: plain",
        "I have to see more.\n\n- `SHOW`: `far.py` :: `plain`\n",
        "**SHOW**: far.py::plain\nSHOW: far.py :: plain",
    ],
)
def test_a_wish_to_see_more_is_an_answer(text: str) -> None:
    assert parse_answer(text).wanted == (Place("far.py", "plain"),)


def test_an_answer_that_asks_and_offers_a_fix_does_neither() -> None:
    with pytest.raises(MalformedAnswerError, match="one of the two"):
        parse_answer(f"SHOW: far.py :: plain\n{GOOD}")


def test_what_was_asked_for_is_shown_and_may_be_changed_but_the_run_alone_does_not_vouch_for_it(
    context: RepairContext,
) -> None:
    found, asker = ask(context, "SHOW: far.py :: plain", FAR_FIX)
    assert isinstance(found, Candidate), found
    assert [(t.path, t.qualname) for t in found.targets] == [("far.py", "plain")]
    assert found.sweeping
    assert "return value" not in user_text(asker, 0)
    assert "return value" in user_text(asker, 1)
    assert "- far.py :: plain (replace)" in user_text(asker, 1)


def test_a_fix_of_what_crashed_is_not_beside_it_whatever_was_looked_at(context: RepairContext) -> None:
    found, _ = ask(context, "SHOW: far.py :: plain", GOOD)
    assert isinstance(found, Candidate)
    assert not found.sweeping


def test_without_having_been_shown_it_may_not_be_changed_and_the_model_is_told_how_to_ask(
    context: RepairContext,
) -> None:
    found, asker = ask(context, FAR_FIX, GOOD)
    assert isinstance(found, Candidate)
    assert [e.path for e in found.edits] == ["shop.py"]
    assert "SHOW: path :: name" in user_text(asker, 1)


def test_a_class_is_shown_with_its_methods_and_a_module_with_its_statements(context: RepairContext) -> None:
    _, asker = ask(context, "SHOW: far.py :: Printer\nSHOW: main.py :: <module>", GOOD)
    text = user_text(asker, 1)
    assert "- far.py :: Printer (add methods)" in text
    assert "- far.py :: Printer.rule (replace)" in text
    assert "def rule(self):" in text
    assert 'if __name__ == "__main__":' in text
    assert "- far.py :: plain" not in text


def test_secrets_of_what_is_shown_stay_hidden(context: RepairContext) -> None:
    _, asker = ask(context, "SHOW: far.py :: <module>", GOOD)
    assert "API_TOKEN" in user_text(asker, 1)
    assert "0123456789abcdef" not in user_text(asker, 1)


def test_a_protected_file_is_shown_and_may_still_not_be_changed(context: RepairContext) -> None:
    test = "tests/test_shop.py :: test_price"
    evil = f"REASON: r\nCONFIDENCE: 1\n\n### {test}\n```python\ndef test_price():\n    pass\n```\n"
    found, asker = ask(context, f"SHOW: {test}", evil, GOOD)
    assert isinstance(found, Candidate)
    assert [e.path for e in found.edits] == ["shop.py"]
    assert 'assert price({"cents": 3}) == 3' in user_text(asker, 1)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("SHOW: ../outside.py :: f", "no Python file of this project"),
        ("SHOW: /etc/passwd :: <module>", "no Python file of this project"),
        ("SHOW: .env :: <module>", "no Python file of this project"),
        ("SHOW: fra.py :: plain", "far.py"),
        ("SHOW: far.py :: plane", "it has Printer, Printer.line, Printer.rule, plain"),
        (LABEL, "shown above already"),
        ("\n".join(f"SHOW: far.py :: f{n}" for n in range(MOST_PLACES + 1)), f"at most {MOST_PLACES} places"),
    ],
)
def test_what_cannot_be_shown_is_said_and_counts_as_an_unusable_answer(
    context: RepairContext, wish: str, says: str
) -> None:
    (context.project.root / ".env").write_text("TOKEN=abc")
    found, asker = ask(context, wish, GOOD)
    assert isinstance(found, Candidate)
    assert says in user_text(asker, 1)
    found, asker = ask(context, *[wish] * 9)
    assert isinstance(found, CannotFix)
    assert len(asker.asked) == context.settings.model.reasks + 1


def test_a_model_that_asks_for_ever_is_stopped(tmp_path: Path) -> None:
    many = "\n\n".join(f"def f{n}():\n    return {n}" for n in range(20))
    context = context_of(make_project(tmp_path, {"far.py": many}))
    found, asker = ask(context, *[f"SHOW: far.py :: f{n}" for n in range(20)])
    assert isinstance(found, CannotFix)
    assert len(asker.asked) == MOST_ROUNDS + context.settings.model.reasks + 1


def test_what_a_model_asked_for_once_is_shown_with_its_next_candidate_too(tmp_path: Path) -> None:
    context = context_of(make_project(tmp_path, {"far.py": FAR}), candidates=2)
    asker = ScriptedAsker("SHOW: far.py :: plain", GOOD, FAR_FIX)
    proposing = LlmProposer(asker).propose(context)
    first = next(proposing)
    second = proposing.send(None)
    assert isinstance(first, Candidate)
    assert isinstance(second, Candidate), second
    assert [e.path for e in second.edits] == ["far.py"]
