"""What the rules share: similarity, scopes, imports between files, edits of pieces of syntax."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.repair.rules.imports import import_statement, importable, reaches, with_local_import
from selfheal_tui.repair.rules.scopes import visible
from selfheal_tui.repair.rules.similar import distance, kindred, near, tokens
from selfheal_tui.repair.rules.spans import rename_definition, rename_string
from selfheal_tui.repair.rules.target import exporters, is_installed, is_stdlib, module_members
from selfheal_tui.source.edits import apply_edits
from selfheal_tui.source.project import Project

IDENTIFIERS = st.from_regex(r"[a-z_][a-z0-9_]{0,15}", fullmatch=True)


@given(IDENTIFIERS, st.lists(IDENTIFIERS, max_size=20))
def test_a_name_is_never_near_itself_and_confidence_falls(name: str, choices: list[str]) -> None:
    matches = near(name, choices)
    assert name not in {m.name for m in matches}
    assert [m.confidence for m in matches] == sorted((m.confidence for m in matches), reverse=True)
    assert len(matches) <= 4


@given(IDENTIFIERS, IDENTIFIERS)
def test_distance_is_symmetric(left: str, right: str) -> None:
    assert distance(left, right) == distance(right, left)


@pytest.mark.parametrize(
    ("name", "choices", "best", "confidence"),
    [
        ("recieve", ["receive", "relieve"], "receive", 0.6),
        ("getName", ["get_name", "set_name"], "get_name", 0.95),
        ("countr", ["counter", "xyz"], "counter", 0.95),
        ("calcualte_totl", ["calculate_total"], "calculate_total", 0.8),
        ("cat", ["cut"], "cut", 0.8),
    ],
)
def test_near_names(name: str, choices: list[str], best: str, confidence: float) -> None:
    matches = near(name, choices)
    assert (matches[0].name, matches[0].confidence) == (best, confidence)


def test_short_names_are_near_nothing() -> None:
    assert near("ab", ["ac", "abc"]) == []


def test_words_of_names() -> None:
    assert tokens("hasHTTPSecrets_now2") == {"has", "http", "secrets", "now", "2"}
    assert kindred("has_secrets", "contains_secrets")
    assert kindred("fetch_user", "get_user")
    assert not kindred("has_secrets", "remove_secrets")
    assert not kindred("run", "execute")
    assert not kindred("get_user", "get_order")


def seen_at(code: str, marker: str) -> dict[str, str]:
    tree = ast.parse(code)
    node = next(n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == marker)
    return {name: b.where for name, b in visible(tree, node).items()}


def test_methods_do_not_see_their_class_body_and_functions_see_their_enclosers() -> None:
    code = "import os\nclass A:\n    hidden = 1\n    def f(self, a, *b, c=1, **d):\n        e = 1\n        def g():\n            here\n"
    seen = seen_at(code, "here")
    assert "hidden" not in seen
    assert {name: seen[name] for name in "abcde"} == dict.fromkeys("abcde", "enclosing")
    assert seen["os"] == seen["A"] == "global"
    assert seen["print"] == "builtin"


def test_comprehension_targets_are_seen_inside_only() -> None:
    assert "item" in seen_at("[here for item in x]\n", "here")
    assert "item" not in seen_at("[item for item in x]\nhere\n", "here")


def test_default_values_do_not_see_parameters() -> None:
    assert "a" not in seen_at("def f(a, b=here): pass\n", "here")


def test_except_with_for_and_match_bind() -> None:
    code = "try: pass\nexcept E as err: pass\nwith x as ctx: pass\nfor i, (j, k) in x: pass\nmatch x:\n    case [m, *rest]: pass\nhere\n"
    assert {"err", "ctx", "i", "j", "k", "m", "rest"} <= seen_at(code, "here").keys()


def make(root: Path, *paths: str) -> Project:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return Project(root)


def test_scripts_import_from_their_own_folder_and_packages_from_the_root(tmp_path: Path) -> None:
    project = make(
        tmp_path,
        "tools/run.py",
        "tools/helper.py",
        "pkg/__init__.py",
        "pkg/a.py",
        "pkg/sub/__init__.py",
        "pkg/sub/b.py",
    )
    assert import_statement(project, "tools/run.py", "tools/helper.py", "x") == "from helper import x"
    assert import_statement(project, "pkg/a.py", "pkg/sub/b.py", "x") == "from pkg.sub.b import x"
    assert import_statement(project, "tools/run.py", "pkg/sub/b.py", None) == "from pkg.sub import b"
    assert importable(project, "helper", "tools/run.py") == "tools/helper.py"
    assert importable(project, "helper", "pkg/a.py") is None


def test_relative_imports_are_used_where_the_file_uses_them(tmp_path: Path) -> None:
    project = make(tmp_path, "pkg/__init__.py", "pkg/a.py", "pkg/c.py", "pkg/sub/__init__.py", "pkg/sub/b.py")
    (tmp_path / "pkg/sub/b.py").write_text("from ..a import y\n")
    assert import_statement(project, "pkg/sub/b.py", "pkg/c.py", "x") == "from ..c import x"
    assert import_statement(project, "pkg/sub/b.py", "pkg/c.py", None) == "from .. import c"


def test_imports_are_followed_to_circles(tmp_path: Path) -> None:
    project = make(tmp_path, "a.py", "b.py", "c.py")
    (tmp_path / "a.py").write_text("import b\n")
    (tmp_path / "b.py").write_text("if 1:\n    from c import x\n")
    (tmp_path / "c.py").write_text("def f():\n    import a\n")
    assert reaches(project, "a.py", "c.py")
    assert not reaches(project, "c.py", "a.py")


def test_a_local_import_goes_after_the_docstring() -> None:
    text = "def f():\n    '''Doc.'''\n    # why\n    return x\n"
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert "'''Doc.'''\n    # why\n    from m import x\n    return x" in with_local_import(
        text, function, "from m import x"
    )


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ("x['a']", "b", "x['b']"),
        ('x["a"]', "b", 'x["b"]'),
        ("x[r'a']", "b", "x[r'b']"),
        ("x['a']", "b'c", 'x["b\'c"]'),
        ("x['\\x61']", "b", "x['b']"),
        ("x['a' '']", "b", "x['b']"),
    ],
)
def test_a_string_keeps_its_quotes_where_it_can(old: str, new: str, result: str) -> None:
    node = next(n for n in ast.walk(ast.parse(old)) if isinstance(n, ast.Constant))
    assert apply_edits(old, [rename_string(old, node, new)]) == result


def test_a_definition_is_renamed_behind_any_decorator() -> None:
    text = "@deco(old)\nasync  def  old(old): pass\n"
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.AsyncFunctionDef)
    edit = rename_definition(text, node, "new")
    assert edit is not None
    assert apply_edits(text, [edit]) == "@deco(old)\nasync  def  new(old): pass\n"


def test_the_target_is_asked_about_its_library_only() -> None:
    assert is_stdlib(sys.executable, "collections.abc")
    assert not is_stdlib(sys.executable, "hypothesis")
    assert "dumps" in module_members(sys.executable, "json")
    assert module_members(sys.executable, "hypothesis") == ()
    assert module_members(sys.executable, "antigravity") == ()
    assert exporters(sys.executable, "defaultdict") == ["collections"]
    assert not is_installed(sys.executable, "no_such_package_here")


def test_an_interpreter_that_does_not_start_is_stood_in_for(tmp_path: Path) -> None:
    assert "dumps" in module_members(str(tmp_path / "python"), "json")
