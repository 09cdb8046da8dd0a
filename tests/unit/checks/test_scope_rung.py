"""The scope rung: declared files, declared functions, nothing lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from checks_world import AFTER, BEFORE, candidate_of, edit_of, make_context, with_candidate

from selfheal_tui.checks import scope
from selfheal_tui.checks.pairs import make_pair
from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.settings import LimitSettings, Settings

SOURCE = '''"""Doc."""
import json

LIMIT = 3


def helper(a, b=1, *args, key=None, **kw):
    def inner():
        return a
    return inner()


@decorated
class A(Base):
    size = 1

    @property
    def p(self):
        return 1

    @p.setter
    def p(self, value):
        self._p = value

    async def m(self, x):
        return x.nmae

    def _private(self, x):
        return x
'''


def verdict(after: str, *targets: str, before: str = SOURCE, identifier: str = "", **more: object) -> str:
    candidate = candidate_of(edit_of("m.py", before, after), targets=tuple(("m.py", t) for t in targets))
    candidate = replace(candidate, **more)  # type: ignore[arg-type]
    found = scope.scope_findings(make_pair("m.py", before, after), candidate, identifier)
    worst = {f.verdict for f in found}
    return "fail" if Verdict.FAIL in worst else "warn" if Verdict.WARN in worst else "pass"


def change(old: str, new: str) -> str:
    assert old in SOURCE
    return SOURCE.replace(old, new)


def test_a_declared_method_may_change() -> None:
    assert verdict(change("nmae", "name"), "A.m") == "pass"


def test_a_declared_class_covers_its_methods() -> None:
    assert verdict(change("nmae", "name"), "A") == "pass"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return inner()", "return inner() + 1"),
        ("LIMIT = 3", "LIMIT = 4"),
        ("size = 1", "size = 2"),
        ("    return inner()\n", "    return inner()\n\n\ndef extra():\n    return 1\n"),
        ("return 1\n", "return 2\n"),
        ("        return a\n", "        return b\n"),
    ],
)
def test_what_was_not_declared_may_not_change(old: str, new: str) -> None:
    assert verdict(change(old, new), "A.m") == "fail"


def test_a_new_helper_must_be_declared() -> None:
    after = SOURCE + "\n\ndef extra():\n    return 1\n"
    assert verdict(after, "A.m") == "fail"
    assert verdict(after, "A.m", "extra") == "pass"
    assert verdict(after, "<module>") == "pass"


def test_a_new_import_must_be_declared() -> None:
    after = change("import json\n", "import json\nimport os\n").replace("nmae", "name")
    assert verdict(after, "A.m") == "fail"
    assert verdict(after, "A.m", adds_imports=("os",)) == "pass"
    assert verdict(after, "A.m", adds_imports=("import os",)) == "pass"
    assert verdict(after, "A.m", "<module>") == "pass"


def test_another_name_from_a_known_module_needs_no_declaration() -> None:
    before = "from json import dump\n"
    assert verdict("from json import dump, dumps\n", "f", before=before) == "pass"


def test_a_failed_import_may_be_replaced() -> None:
    before = "from json import dmup\n\n\ndef f(x):\n    return dmup(x)\n"
    after = before.replace("dmup", "dump")
    assert verdict(after, "<module>", "f", before=before, identifier="dmup") == "pass"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def helper(a, b=1, *args, key=None, **kw)", "def helper(a, *args, key=None, **kw)"),
        ("def helper(a, b=1, *args, key=None, **kw)", "def helper(a, b, *args, key=None, **kw)"),
        ("def helper(a, b=1, *args, key=None, **kw)", "def helper(a, c=1, *args, key=None, **kw)"),
        ("def helper(a, b=1, *args, key=None, **kw)", "def helper(b=1, a=2, *args, key=None, **kw)"),
        ("def helper(a, b=1, *args, key=None, **kw)", "def helper(a, b=1, *args, **kw)"),
        ("def helper(a, b=1, *args, key=None, **kw)", "def helper(a, b=1, *, key=None, **kw)"),
        ("def helper(a, b=1, *args, key=None, **kw)", "def helper(a, b=1, *args, key=None)"),
        ("def helper(a, b=1, *args, key=None, **kw)", "def helper(a, b=1, *args, key=None, must, **kw)"),
        ("def helper(a, b=1, *args, key=None, **kw)", "async def helper(a, b=1, *args, key=None, **kw)"),
        ("async def m", "def m"),
        ("    @property\n", ""),
        ("@decorated\n", ""),
        ("A(Base)", "A"),
        ("A(Base)", "A(Base, metaclass=M)"),
        ("    size = 1\n", ""),
        ("LIMIT = 3\n", ""),
        ("    def _private(self, x):\n        return x\n", ""),
        ("    @p.setter\n    def p(self, value):\n        self._p = value\n", ""),
        ("class A(Base)", "class B(Base)"),
    ],
)
def test_nothing_that_others_rely_on_may_be_lost(old: str, new: str) -> None:
    assert verdict(change(old, new), "helper", "A", "B", "<module>") == "fail"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("**kw)", "more=1, **kw)"),
        ("def _private(self, x)", "def _private(self, y)"),
        ("def helper(a, b=1,", "def helper(a, b=None,"),
        ("    def _private(self, x)", "    @staticmethod\n    def _private(x)"),
        ("        return a\n    return inner()", "        return a\n    return a"),
        ("    def inner():\n        return a\n    return inner()", "    return a"),
    ],
)
def test_what_breaks_nobody_may_change(old: str, new: str) -> None:
    assert verdict(change(old, new), "helper", "A", "<module>") == "pass"


def test_a_method_may_be_given_the_self_that_it_lacked() -> None:
    before = "class A:\n    def m(x):\n        return x\n"
    assert verdict(before.replace("(x)", "(self, x)"), "A.m", before=before) == "pass"


def test_a_patch_that_declares_nothing_asks() -> None:
    assert verdict(change("nmae", "name")) == "warn"
    assert verdict(change("nmae", "name"), proposer="operator") == "pass"


def run(
    tmp_path: Path, candidate: Candidate, before: dict[str, bytes | None] | None = None, **more: object
) -> RungReport:
    context, _ = make_context(tmp_path, candidate=candidate, before=before, **more)  # type: ignore[arg-type]
    return scope.CHECK.run(context)


def test_a_small_declared_fix_passes(tmp_path: Path) -> None:
    report = run(tmp_path, candidate_of(edit_of("app.py", BEFORE, AFTER)))
    assert report.verdict is Verdict.PASS, report


@pytest.mark.parametrize("path", ["../app.py", "/etc/passwd", "a/../../x.py", "./app.py"])
def test_paths_out_of_the_project_fail(tmp_path: Path, path: str) -> None:
    root = tmp_path / "project"
    root.mkdir()
    candidate = candidate_of(edit_of(path, None, "x = 1\n"), targets=((path, "<module>"),))
    context, _ = make_context(root, before={})
    context.before[path] = None
    assert scope.CHECK.run(with_candidate(context, candidate)).verdict is Verdict.FAIL


def test_a_link_out_of_the_project_fails(tmp_path: Path) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside.py"
    root.mkdir()
    outside.write_text(BEFORE)
    (root / "app.py").symlink_to(outside)
    context, _ = make_context(root, before={})
    context.before["app.py"] = BEFORE.encode()
    assert scope.CHECK.run(context).verdict is Verdict.FAIL


@pytest.mark.parametrize("path", ["tests/test_app.py", "conftest.py", ".selfheal/x.py", "selfheal.toml"])
def test_protected_files_fail(tmp_path: Path, path: str) -> None:
    candidate = candidate_of(edit_of(path, "x = 1\n", "x = 2\n"), targets=((path, "<module>"),))
    assert run(tmp_path, candidate, {path: b"x = 1\n"}).verdict is Verdict.FAIL


def test_a_file_that_changed_since_fails(tmp_path: Path) -> None:
    candidate = candidate_of(edit_of("app.py", BEFORE + "# older\n", AFTER))
    assert "changed since" in run(tmp_path, candidate).summary


def test_a_fix_that_changes_nothing_fails(tmp_path: Path) -> None:
    candidate = candidate_of(edit_of("app.py", BEFORE, BEFORE + "\n# a comment\n"))
    report = run(tmp_path, candidate)
    assert report.verdict is Verdict.FAIL
    assert "changes nothing" in report.summary


def test_an_undeclared_new_file_fails_and_a_declared_one_passes(tmp_path: Path) -> None:
    edits = (edit_of("app.py", BEFORE, AFTER), edit_of("lib.py", None, "def h():\n    return 1\n"))
    before: dict[str, bytes | None] = {"app.py": BEFORE.encode(), "lib.py": None}
    assert run(tmp_path, candidate_of(*edits), before).verdict is Verdict.FAIL
    declared = candidate_of(*edits, targets=(("app.py", "f"), ("lib.py", "<module>")))
    assert run(tmp_path, declared, before).verdict is Verdict.PASS


def test_a_large_patch_fails_and_an_operators_warns(tmp_path: Path) -> None:
    settings = Settings(limits=LimitSettings(changed_lines=1))
    candidate = candidate_of(
        edit_of("app.py", BEFORE, AFTER.replace("    return x", "    y = 1\n    return x"))
    )
    assert run(tmp_path, candidate, settings=settings).verdict is Verdict.FAIL
    report = run(tmp_path, replace(candidate, proposer="operator"), settings=settings)
    assert report.verdict is Verdict.WARN


def test_too_many_files_fail(tmp_path: Path) -> None:
    settings = Settings(limits=LimitSettings(changed_files=1))
    edits = (edit_of("app.py", BEFORE, AFTER), edit_of("lib.py", BEFORE, AFTER))
    candidate = candidate_of(*edits, targets=(("app.py", "f"), ("lib.py", "f")))
    before: dict[str, bytes | None] = {"app.py": BEFORE.encode(), "lib.py": BEFORE.encode()}
    assert run(tmp_path, candidate, before, settings=settings).verdict is Verdict.FAIL


def test_changed_newlines_and_encoding_fail(tmp_path: Path) -> None:
    dos = BEFORE.replace("\n", "\r\n")
    candidate = candidate_of(edit_of("app.py", dos, AFTER))
    assert run(tmp_path, candidate, {"app.py": dos.encode()}).verdict is Verdict.FAIL
    edit = replace(edit_of("app.py", BEFORE, AFTER), encoding="utf-16")
    assert run(tmp_path, candidate_of(edit)).verdict is Verdict.FAIL
