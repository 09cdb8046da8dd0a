"""The engine: which rules run, in which order fixes come, and that nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.crash import ExceptionInfo
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Attempt
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import registry
from selfheal_tui.repair.rules.engine import RuleProposer, exception_names
from selfheal_tui.repair.rules.rule import Rule
from selfheal_tui.repair.rules.support import candidate, explained
from selfheal_tui.source.diff import ast_key
from tests.unit.repair.crashlab import Lab

CRASH = {"main.py": "x = 1\ny = z\n"}


def offering(name: str, *fixes: tuple[float, str], path: str = "main.py") -> Rule:
    def apply(context: RepairContext) -> Iterable[Candidate]:
        for confidence, text in fixes:
            yield candidate(context, name, "because.", confidence, {path: text})

    return Rule(name, ("NameError",), apply)


def broken(_context: RepairContext) -> Iterable[Candidate]:
    raise ZeroDivisionError("oops")
    yield


def test_fixes_come_by_confidence_and_ties_by_the_order_of_rules(tmp_path: Path) -> None:
    lab = Lab(tmp_path, CRASH)
    rules = [
        offering("a", (0.4, "a = 1\n"), (0.8, "b = 1\n")),
        offering("b", (0.8, "c = 1\n"), (0.95, "d = 1\n")),
    ]
    assert [c.edits[0].text for c in lab.candidates("bare", rules)] == [
        "d = 1\n",
        "b = 1\n",
        "c = 1\n",
        "a = 1\n",
    ]


def test_the_same_fix_in_other_words_comes_once(tmp_path: Path) -> None:
    lab = Lab(tmp_path, CRASH)
    rules = [offering("a", (0.8, "x = 1\ny = 2\n")), offering("b", (0.95, "x = 1\n\ny = (2)  # other\n"))]
    assert [c.rule for c in lab.candidates("bare", rules)] == ["b"]


def test_a_fix_that_was_tried_is_not_offered_again(tmp_path: Path) -> None:
    lab = Lab(tmp_path, CRASH)
    context = lab.context("bare")
    rules = [offering("a", (0.8, "x = 1\n"))]
    tried = next(iter(RuleProposer(rules).propose(context)))
    assert isinstance(tried, Candidate)
    for key in (ast_key([("main.py", "x = 1\n")]), ""):
        again = replace(
            context, attempts=(Attempt(tried, Proof(tried.candidate_id, tried.patch_sha256), key),)
        )
        found = list(RuleProposer(rules).propose(again))
        assert [type(f) for f in found] == [CannotFix]


def test_a_rule_that_raises_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    lab = Lab(tmp_path, CRASH)
    rules = [Rule("broken", ("NameError",), broken), offering("good", (0.8, "x = 1\n"))]
    found = lab.findings("bare", rules)
    assert [getattr(f, "rule", "") for f in found] == ["good", ""]
    assert isinstance(found[1], CannotFix)
    assert "broken" in found[1].reason
    assert "ZeroDivisionError: oops" in found[1].reason


@pytest.mark.parametrize("text", ["x = (\n", "x = 1\ny = z\n"])
def test_a_fix_that_does_not_parse_or_changes_nothing_is_refused_aloud(tmp_path: Path, text: str) -> None:
    found = Lab(tmp_path, CRASH).findings("bare", [offering("a", (0.8, text))])
    assert [type(f) for f in found] == [CannotFix]
    assert found[0].reason.startswith("a: ")


@pytest.mark.parametrize("path", ["tests/test_x.py", "conftest.py", ".selfheal/x.py", "setup.py"])
def test_a_fix_of_a_protected_file_is_refused_aloud(tmp_path: Path, path: str) -> None:
    lab = Lab(tmp_path, {**CRASH, path: "a = 1\n"})
    found = lab.findings("bare", [offering("a", (0.95, "b = 1\n"), path=path)])
    assert [type(f) for f in found] == [CannotFix]
    assert path in found[0].reason


def test_rules_run_for_subclasses_even_when_a_text_names_no_bases(tmp_path: Path) -> None:
    assert {"ModuleNotFoundError", "ImportError", "Exception"} <= exception_names(
        ExceptionInfo("ModuleNotFoundError", "")
    )
    named = exception_names(ExceptionInfo("app.Odd", "", mro=("app.Base", "builtins.KeyError")))
    assert {"Odd", "Base", "KeyError"} <= named
    rule = Rule("x", ("KeyError",), lambda _context: [explained("seen.")])
    lab = Lab(tmp_path, CRASH)
    assert "seen." not in [f.reason for f in lab.findings("bare", [rule]) if isinstance(f, CannotFix)]


def test_without_any_fix_the_engine_says_so(tmp_path: Path) -> None:
    found = Lab(tmp_path, CRASH).findings("bare", [])
    assert [type(f) for f in found] == [CannotFix]
    assert "NameError" in found[0].reason


def test_every_registered_module_loads_and_names_are_unique() -> None:
    rules = registry.all_rules()
    assert len({rule.name for rule in rules}) == len(rules) > 10
    assert all(rule.exceptions and rule.name == rule.name.lower() for rule in rules)
