"""Remembered fixes: offered only where they fit exactly, for the same crash first, then for the same function."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.model.candidate import Candidate, FileEdit, sha256_hex
from selfheal_tui.model.kinds import Nature
from selfheal_tui.model.record import ProvenFix
from selfheal_tui.repair.memory import MemoryProposer
from selfheal_tui.repair.proven import extract_proven, proven_of
from selfheal_tui.source.fingerprint import fingerprint
from tests.unit.repair.llmcases import MAIN, SHOP, context_of, crash, make_project

FIXED = SHOP.replace('"Total: " + self.total()', '"Total: " + str(self.total())')


class Memory:
    def __init__(self, *fixes: ProvenFix) -> None:
        self.fixes = list(fixes)

    def proven(self, fingerprint: str | None = None) -> list[ProvenFix]:
        return [f for f in self.fixes if fingerprint in (None, f.fingerprint)]


def remembered(value: str, before: str = SHOP, after: str = FIXED, path: str = "shop.py") -> ProvenFix:
    (fix,) = extract_proven(
        before,
        after,
        path=path,
        fingerprint=value,
        exception="TypeError",
        rule="text-plus-number",
        suspect="Basket.label",
    )
    return fix


def offers(memory: Memory, root: Path, **changes: object) -> list[Candidate]:
    items = list(MemoryProposer(memory).propose(context_of(root, **changes)))
    assert all(isinstance(item, Candidate) for item in items)
    return items


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def value(root: Path) -> str:
    return fingerprint(context_of(root).report).value


def test_a_fix_of_the_same_crash_is_offered_again_exactly(root: Path, value: str) -> None:
    (candidate,) = offers(Memory(remembered(value)), root)
    assert candidate.edits == (FileEdit("shop.py", sha256_hex(SHOP.encode()), FIXED),)
    assert (candidate.proposer, candidate.rule, candidate.confidence) == ("memory", "text-plus-number", 0.9)
    assert [(t.path, t.qualname) for t in candidate.targets] == [("shop.py", "Basket.label")]


def test_the_same_function_elsewhere_gets_the_fix_of_another_crash(tmp_path: Path, value: str) -> None:
    files = {"shop.py": "", "store.py": "# moved\n" + SHOP, "main.py": MAIN.replace("shop", "store")}
    root = make_project(tmp_path, files)
    (candidate,) = offers(Memory(remembered(value)), root, report=crash(root))
    assert candidate.edits[0].path == "store.py"
    assert candidate.edits[0].text == "# moved\n" + FIXED
    assert candidate.confidence == 0.7


def test_nothing_is_offered_where_the_function_differs(tmp_path: Path, value: str) -> None:
    root = make_project(tmp_path, {"shop.py": SHOP.replace('"Total: "', '"Sum: "')})
    assert offers(Memory(remembered(value)), root) == []


def test_another_exception_gets_nothing(root: Path) -> None:
    assert offers(Memory(replace(remembered("other"), exception="KeyError")), root) == []


def test_what_is_not_code_and_an_empty_memory_offer_nothing(root: Path, value: str) -> None:
    assert offers(Memory(), root) == []
    assert offers(Memory(remembered(value)), root, nature=Nature.EXTERNAL) == []


def test_a_protected_file_is_not_offered_a_fix(root: Path, value: str) -> None:
    test = remembered(value)
    assert offers(Memory(replace(test, path="tests/test_shop.py")), root)[0].edits[0].path == "shop.py"
    assert offers(Memory(replace(test, path="../shop.py", exception="X")), root) == []


def test_newer_fixes_come_first_and_no_offer_twice(root: Path, value: str) -> None:
    newer = SHOP.replace('"Total: " + self.total()', 'f"Total: {self.total()}"')
    first, second = offers(Memory(remembered(value), remembered(value, after=newer), remembered("x")), root)
    assert first.edits[0].text == newer
    assert second.edits[0].text == FIXED


def test_a_comment_added_since_then_does_not_matter(tmp_path: Path, value: str) -> None:
    source = SHOP.replace("    def label(self):\n", "    def label(self):\n        # for the till\n")
    root = make_project(tmp_path, {"shop.py": source})
    (candidate,) = offers(Memory(remembered(value)), root)
    assert "str(self.total())" in candidate.edits[0].text
    assert "# for the till" in candidate.edits[0].text


def test_windows_newlines_are_kept(tmp_path: Path, value: str) -> None:
    root = make_project(tmp_path, {"shop.py": SHOP.replace("\n", "\r\n")})
    (candidate,) = offers(Memory(remembered(value)), root)
    assert candidate.edits[0].text == FIXED.replace("\n", "\r\n")


def test_a_fix_of_several_files_is_offered_whole_or_not_at_all(root: Path, value: str) -> None:
    new_main = MAIN.replace("basket.label()", "str(basket.label())")
    edits = (FileEdit("shop.py", "0", FIXED), FileEdit("main.py", "0", new_main))
    made = Candidate("llm", "m", "r", 0.5, edits)
    fixes = proven_of(made, {"shop.py": SHOP, "main.py": MAIN}, fingerprint=value, exception="TypeError")
    assert len(fixes) == 2
    (candidate,) = offers(Memory(*fixes), root)
    assert {e.path: e.text for e in candidate.edits} == {"shop.py": FIXED, "main.py": new_main}
    assert offers(Memory(fixes[0]), root) == []
    assert offers(Memory(fixes[0], replace(fixes[1], before="def run():\n    return 0\n")), root) == []


def test_added_imports_are_announced(root: Path, value: str) -> None:
    after = FIXED.replace("import io\n", "import io\nimport json\n")
    (candidate,) = offers(Memory(remembered(value, after=after)), root)
    assert candidate.adds_imports == ("json",)
    assert candidate.edits[0].text == after
