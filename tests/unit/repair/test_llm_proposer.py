"""From an answer to a candidate: what is let through, what is asked again, what ends in an honest refusal."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.evidence import RUNGS, Proof, RungReport
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.kinds import Nature, Verdict
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.llm.answer import MalformedAnswerError, parse_answer
from selfheal_tui.repair.llm.client import ModelAnswer, ModelTimeoutError, ModelUnavailableError
from selfheal_tui.repair.llm.prompt import build_prompt
from selfheal_tui.repair.llm.proposer import LlmProposer
from selfheal_tui.repair.llm.weave import weave
from tests.unit.repair.llmcases import GOOD, OTHER, SHOP, ScriptedAsker, context_of, failed, make_project

FIXED = SHOP.replace('"Total: " + self.total()', '"Total: " + str(self.total())')


def candidate_of(context: RepairContext, answer: str = GOOD) -> Candidate:
    (item,) = [next(LlmProposer(ScriptedAsker(answer)).propose(context))]
    assert isinstance(item, Candidate), item
    return item


def answer_for(qualname: str, code: str, path: str = "shop.py") -> str:
    return f"REASON: r\nCONFIDENCE: 1\n\n### {path} :: {qualname}\n```python\n{code}\n```\n"


def exchange(search: str, replace: str, qualname: str = "<module>", path: str = "shop.py") -> str:
    block = f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE"
    return f"### {path} :: {qualname}\n```\n{block}\n```\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def context(root: Path) -> RepairContext:
    return context_of(root)


def test_a_good_answer_becomes_a_candidate_that_changes_one_line(context: RepairContext) -> None:
    candidate = candidate_of(context)
    (edit,) = candidate.edits
    assert edit.text == FIXED
    assert edit.before_sha256 == context.project.read("shop.py").sha256
    assert [(t.path, t.qualname) for t in candidate.targets] == [("shop.py", "Basket.label")]
    assert (candidate.proposer, candidate.rule) == ("llm", "openai/scripted")
    assert candidate.confidence == 0.6
    assert candidate.cost.usd == 0.01
    assert candidate.cost.prompt_tokens == 1_000


def test_without_a_configured_model_nothing_is_yielded_and_nobody_asked(root: Path) -> None:
    asker = ScriptedAsker(GOOD)
    assert list(LlmProposer(asker).propose(context_of(root, name=""))) == []
    assert asker.asked == []


def test_what_is_not_code_is_not_put_to_a_model(root: Path) -> None:
    asker = ScriptedAsker(GOOD)
    (item,) = LlmProposer(asker).propose(context_of(root, nature=Nature.POLICY))
    assert isinstance(item, CannotFix)
    assert asker.asked == []


def test_each_answer_is_told_why_the_one_before_failed(context: RepairContext) -> None:
    asker = ScriptedAsker(GOOD, OTHER)
    stream = LlmProposer(asker).propose(context)
    first = next(stream)
    assert isinstance(first, Candidate)
    second = stream.send(failed(first, "red → red", "TypeError: as before"))
    assert isinstance(second, Candidate)
    assert second.patch_sha256 != first.patch_sha256
    assert "TypeError: as before" in asker.last
    with pytest.raises(StopIteration):
        stream.send(failed(second))


def test_the_same_fix_again_is_sent_back_once_and_then_given_up(context: RepairContext) -> None:
    same = GOOD.replace("str(self.total())", "str( self.total() )  # now with spaces")
    asker = ScriptedAsker(GOOD, same, same)
    stream = LlmProposer(asker).propose(context)
    first = next(stream)
    assert isinstance(first, Candidate)
    second = stream.send(failed(first))
    assert isinstance(second, CannotFix)
    assert "tried before" in second.reason
    assert "tried before" in asker.last


def test_a_malformed_answer_is_asked_again_with_the_reason_and_both_are_billed(
    context: RepairContext,
) -> None:
    asker = ScriptedAsker("Just add str().", GOOD)
    candidate = next(LlmProposer(asker).propose(context))
    assert isinstance(candidate, Candidate)
    assert "no block" in asker.last
    assert asker.asked[1][2]["content"] == "Just add str()."
    assert candidate.cost.usd == 0.02


def test_after_the_last_reask_it_ends_with_the_reason(context: RepairContext) -> None:
    (item,) = LlmProposer(ScriptedAsker("no", "no")).propose(context)
    assert isinstance(item, CannotFix)
    assert "unusable 2 times" in item.reason
    assert item.cost.usd == 0.02


def test_an_answer_that_was_cut_off_is_not_used_even_if_it_parses(context: RepairContext) -> None:
    cut = ModelAnswer(GOOD, "length", 1, 1, 0.0, 0.1)
    (item,) = LlmProposer(ScriptedAsker(cut, cut)).propose(context)
    assert isinstance(item, CannotFix)
    assert "cut off" in item.reason


def test_a_refusal_of_the_model_is_passed_on(context: RepairContext) -> None:
    (item,) = LlmProposer(ScriptedAsker("CANNOT_FIX: a person has to decide")).propose(context)
    assert isinstance(item, CannotFix)
    assert "a person has to decide" in item.reason
    assert item.cost.usd == 0.01


@pytest.mark.parametrize(
    "error", [ModelTimeoutError("late; raise model.seconds"), ModelUnavailableError("gone")]
)
def test_no_answer_is_a_refusal_with_the_reason_never_an_exception(
    context: RepairContext, error: ModelUnavailableError
) -> None:
    (item,) = LlmProposer(ScriptedAsker(error)).propose(context)
    assert isinstance(item, CannotFix)
    assert item.reason == str(error)
    assert item.cost.prompt_tokens > 0
    assert item.cost.usd is None


@pytest.mark.parametrize(
    ("limits", "spent", "named"),
    [
        ({"tokens_per_incident": 10}, 0.0, "model.tokens_per_incident"),
        ({"usd_per_incident": 0.0}, 0.0, "model.usd_per_incident"),
        ({}, 10.0, "model.usd_per_day"),
    ],
)
def test_an_empty_budget_stops_before_asking_and_is_named(
    root: Path, limits: dict[str, float], spent: float, named: str
) -> None:
    asker = ScriptedAsker(GOOD)
    (item,) = LlmProposer(asker, spent_today=lambda: spent).propose(context_of(root, **limits))
    assert isinstance(item, CannotFix)
    assert named in item.reason
    assert asker.asked == []


def test_a_budget_that_runs_out_between_answers_stops_the_next_question(root: Path) -> None:
    asker = ScriptedAsker(GOOD, OTHER)
    stream = LlmProposer(asker).propose(context_of(root, usd_per_incident=0.01))
    first = next(stream)
    assert isinstance(first, Candidate)
    second = stream.send(failed(first))
    assert isinstance(second, CannotFix)
    assert len(asker.asked) == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (answer_for("test_price", "def test_price():\n    assert True", "tests/test_shop.py"), "may not be changed"),
        (answer_for("f", "def f():\n    return 1", "../outside.py"), "may not be changed"),
        (answer_for("f", "def f():\n    return 1", "pyproject.toml"), "may not be changed"),
        (answer_for("price", "def price(item, currency='eur'):\n    return 1"), "may not be changed"),
        (answer_for("Basket.total", "def total(self):\n    return 1"), "may not be changed"),
        (answer_for("Other.new", "def new(self):\n    return 1"), "nothing may be added to Other"),
        (answer_for("Basket.label", "def total(self):\n    return 1"), "defines total, not label"),
        (answer_for("Basket.label", "def label(self):\n    return ("), "not valid Python"),
        (answer_for("Basket.label", "def label(self):\n    return 1\n\n\nimport os\nos.system('x')"), "nothing else"),
        (answer_for("Basket.label", "def label(self):\n    return 1\n\n\ndef b():\n    return 1"), "nothing else"),
        (answer_for("Basket.label", "x = 1"), "nothing else"),
        (answer_for("Basket.label", "def label(self):\n    ..."), "abbreviated"),
        (answer_for("Basket.label", "def label(self):\n    # ... rest of the code\n    return 1"), "abbreviated"),
        (answer_for("Basket.label", "def label(self):\n    # unchanged\n    return 1"), "abbreviated"),
        (answer_for("Basket.label", 'def label(self):\n    return "Total: " + self.total()'), "changes nothing"),
        (answer_for("Basket.label", "def label(self):\n    return '\x00'"), "not valid Python"),
        (answer_for("Basket.label", "def label(self):\n    return " + "(" * 5_000), "not valid Python"),
        (answer_for("Basket.label", "def label(self):\n    return '[masked]'"), "masked"),
        (answer_for("<module>", "X = 1"), "search and replace"),
        (exchange("import json", "import os"), "nearest lines"),
        (exchange("", "import os"), "is empty"),
        (exchange("RATES", "RATES"), "exactly once"),
        (exchange("        amount = 0", "        amount = 1"), "inside Basket.total"),
        (exchange('    """What somebody buys."""', '    """Other."""'), "inside class Basket"),
        (exchange("import io", "import io\n\n\ndef price(item):\n    return 1"), "also changes price"),
        (exchange("import io", "import io\n\n\ndef extra():\n    return 1"), "also changes extra"),
        (exchange("import io", "# existing code"), "abbreviated"),
        (exchange("import io", "import io", qualname="price"), "whole function"),
        (exchange("import io", "import io  # same"), "changes nothing"),
    ],
)  # fmt: skip
def test_what_may_not_be_is_refused_with_a_reason_for_the_model(
    context: RepairContext, answer: str, says: str
) -> None:
    prompt = build_prompt(context, ())
    with pytest.raises(MalformedAnswerError, match=says):
        weave(parse_answer(answer), prompt.evidence, prompt.seal, context.project)


def woven(context: RepairContext, answer: str) -> str:
    prompt = build_prompt(context, ())
    (edit,) = weave(parse_answer(answer), prompt.evidence, prompt.seal, context.project).edits
    ast.parse(edit.text)
    return edit.text


def test_a_method_may_come_indented_or_inside_its_class(context: RepairContext) -> None:
    body = '    def label(self):\n        return "Total: " + str(self.total())'
    assert woven(context, answer_for("Basket.label", body)) == FIXED
    assert woven(context, answer_for("Basket.label", "class Basket:\n" + body)) == FIXED


def test_new_methods_functions_and_imports_are_added_where_that_was_offered(context: RepairContext) -> None:
    text = woven(
        context,
        answer_for("Basket.count", "def count(self):\n    return len(self.items)")
        + answer_for("shout", "import string\n\n\ndef shout(text):\n    return string.capwords(text)")
        + exchange("import io", "import io\nimport json"),
    )
    assert "    def count(self):" in text
    assert "\ndef shout(text):" in text
    assert "import json" in text
    assert "import string" in text
    prompt = build_prompt(context, ())
    answer = parse_answer(exchange("import io", "import io\nimport os.path"))
    assert weave(answer, prompt.evidence, prompt.seal, context.project).adds_imports == ("os.path",)


def test_a_class_may_come_whole_with_its_methods(context: RepairContext) -> None:
    new = "RATES = {}\n\n\nclass Rate:\n    def of(self, item):\n        return RATES[item]"
    text = woven(context, exchange('RATES = {"eur": 1.0}', new))
    assert "class Rate:\n    def of(self, item):" in text


def test_a_function_that_is_there_cannot_be_given_anew_beside_a_statement(context: RepairContext) -> None:
    line = 'RATES = {"eur": 1.0}'
    with pytest.raises(MalformedAnswerError, match="also changes price"):
        woven(context, exchange(line, f"{line}\n\n\ndef price(item):\n    return 0"))


def test_windows_newlines_and_a_bom_survive(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (root / "shop.py").write_bytes(b"\xef\xbb\xbf" + SHOP.replace("\n", "\r\n").encode())
    context = context_of(root)
    (edit,) = candidate_of(context, GOOD + exchange("import io", "import io\nimport json")).edits
    expected = FIXED.replace("import io\n", "import io\nimport json\n").replace("\n", "\r\n")
    assert edit.after_bytes() == b"\xef\xbb\xbf" + expected.encode()


def test_a_secret_in_the_function_is_hidden_from_the_model_and_kept_in_the_file(tmp_path: Path) -> None:
    source = SHOP.replace(
        'return "Total: " + self.total()',
        'password = "correct-horse-battery"\n        return "Total: " + self.total() + password',
    )
    context = context_of(make_project(tmp_path, {"shop.py": source}))
    body = 'password = "MASKED_SECRET_1"\n    return "Total: " + str(self.total()) + password'
    asker = ScriptedAsker(answer_for("Basket.label", f"def label(self):\n    {body}"))
    candidate = next(LlmProposer(asker).propose(context))
    assert isinstance(candidate, Candidate)
    assert "correct-horse" not in asker.last
    assert 'password = "MASKED_SECRET_1"' in asker.last
    assert candidate.edits[0].text == source.replace("self.total() +", "str(self.total()) +")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    code=st.text(max_size=80), qualname=st.sampled_from(["Basket.label", "run", "<module>", "Basket", "x.y"])
)
def test_any_code_is_woven_in_or_refused_and_never_anything_else(
    context: RepairContext, code: str, qualname: str
) -> None:
    prompt = build_prompt(context, ())
    for answer in (answer_for(qualname, code), exchange(code, code + "x", qualname)):
        try:
            result = weave(parse_answer(answer), prompt.evidence, prompt.seal, context.project)
        except MalformedAnswerError:
            continue
        assert all(edit.path in {"shop.py", "main.py"} for edit in result.edits)


@settings(max_examples=60, deadline=None)
@given(answers=st.lists(st.text(max_size=200), min_size=2, max_size=2))
def test_nonsense_never_raises(answers: list[str], context: RepairContext) -> None:
    for item in LlmProposer(ScriptedAsker(*answers)).propose(context):
        assert isinstance(item, CannotFix)


def drained(
    root: Path, asker: ScriptedAsker, outcome: Callable[[Candidate], Attempt], **model: object
) -> list[str]:
    """Takes all that is yielded, each with that outcome; the models that were asked."""
    stream = LlmProposer(asker).propose(context_of(root, **model))
    with contextlib.suppress(StopIteration):
        item = next(stream)
        while True:
            item = stream.send(outcome(item) if isinstance(item, Candidate) else None)
    return asker.models


def proved(candidate: Candidate) -> Attempt:
    reports = tuple(RungReport(rung, Verdict.PASS, "") for rung in RUNGS)
    return Attempt(candidate, Proof(candidate.candidate_id, candidate.patch_sha256, reports))


def test_a_stronger_model_is_asked_when_all_answers_of_the_first_have_failed(root: Path) -> None:
    asker = ScriptedAsker(GOOD, OTHER, GOOD.replace("str(", "format("), "nonsense")
    asked = drained(root, asker, failed, candidates=2, escalate_to="openai/large", reasks=0)
    assert asked == ["openai/scripted", "openai/scripted", "openai/large", "openai/large"]
    assert "red → red" in asker.last


@pytest.mark.parametrize("bad", ["CANNOT_FIX: a person has to decide", "nonsense"])
def test_a_stronger_model_is_asked_when_the_first_has_nothing_to_offer(root: Path, bad: str) -> None:
    asked = drained(root, ScriptedAsker(bad, GOOD), proved, escalate_to="openai/large", reasks=0)
    assert asked == ["openai/scripted", "openai/large"]


def test_nobody_is_asked_any_more_once_a_fix_is_proved(root: Path) -> None:
    assert drained(root, ScriptedAsker(GOOD), proved, escalate_to="openai/large") == ["openai/scripted"]


def test_an_empty_budget_stops_the_stronger_model_too(root: Path) -> None:
    answer = ModelAnswer(GOOD, "stop", 5_000, 900, 0.01, 0.5)
    asked = drained(
        root,
        ScriptedAsker(answer),
        failed,
        candidates=1,
        escalate_to="openai/large",
        tokens_per_incident=6_000,
    )
    assert asked == ["openai/scripted"]
