"""From histories to patterns to edits: what is learnt, what is not, and how it is written down again."""

from __future__ import annotations

import ast
import os
import subprocess
import time
from pathlib import Path

import pytest

from selfheal_tui.model.pattern import EditPattern
from selfheal_tui.repair.mining.extract import edits_of
from selfheal_tui.repair.mining.generalise import Generalisation, Seen, generalise
from selfheal_tui.repair.mining.history import is_test, says_fix, small_fixes
from selfheal_tui.repair.mining.learn import learn
from selfheal_tui.repair.rewriting import Rewriter
from selfheal_tui.repair.rules.support import parents, parse
from selfheal_tui.source.edits import apply_edits
from selfheal_tui.source.terms import NotATermError, to_code, to_term
from selfheal_tui.store import Store


def function(line: str, *more: str) -> str:
    body = "\n".join(f"    {text}" for text in (line, *more))
    return f"def work(book, key, rows):\n{body}\n    return rows\n"


def shown(before: str, after: str) -> list[tuple[str, str]]:
    return [(to_code(e.before), to_code(e.after)) for e in edits_of(before, after)]


def test_an_edit_is_the_smallest_code_that_says_something() -> None:
    found = shown(function("x = 1 + book.find(key)"), function("x = 1 + book.find(key.lower())"))
    assert found[0] == ("book.find(key)", "book.find(key.lower())")
    found = shown(
        function("for row in rows[1:]:", "    print(row)"), function("for row in rows[2:]:", "    print(row)")
    )
    assert found[0] == ("rows[1:]", "rows[2:]")


def test_a_statement_that_was_added_is_shown_with_its_neighbour() -> None:
    found = shown(function("x = len(key)"), function("key = key or ''", "x = len(key)"))
    assert found == [("x = len(key)", "key = key or ''\nx = len(key)")]


def test_a_block_that_stays_is_a_hole() -> None:
    old = function("if key:", "    print(1)", "    print(2)")
    (edit,) = edits_of(old, old.replace("if key:", "if key is not None:"))
    assert to_code(edit.before).startswith("if key:")
    assert "print" not in to_code(edit.before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("X = 1\n", "X = 2\n"),
        (function("x = 1"), "def work("),
        (function("x = 1"), function("x = 1")),
        (function("x = 1"), function("x = 1  # why")),
    ],
)
def test_what_changes_no_function_is_no_edit(before: str, after: str) -> None:
    assert edits_of(before, after) == []


def patterns(*pairs: tuple[str, str]) -> list[Generalisation]:
    seen = [
        Seen(edit, ".", str(number))
        for number, (before, after) in enumerate(pairs)
        for edit in edits_of(function(before), function(after))
    ]
    return generalise(seen, deadline=time.monotonic() + 60)


def test_edits_of_several_commits_become_one_pattern_that_they_support() -> None:
    best = patterns(
        ("a = book.find(key)", "a = book.find(key.lower())"),
        ("b = 2 + book.find(rows[0])", "b = 2 + book.find(rows[0].lower())"),
        ("c = book.find(str(key))", "c = book.find(str(key).lower())"),
    )[0]
    assert (to_code(best.before), to_code(best.after)) == ("book.find(_0)", "book.find(_0.lower())")
    assert len(best.seen) == 3


def test_a_pattern_that_would_have_to_invent_something_is_none() -> None:
    found = patterns(
        ("a = book.find(key)", "a = book.take(key)"), ("a = rows.head(key)", "a = rows.tail(key)")
    )
    assert all(len(pattern.seen) == 1 for pattern in found)


def test_a_pattern_that_fits_everywhere_is_none() -> None:
    assert not any(
        len(p.seen) > 1 for p in patterns(("a = f(key)", "a = g(f(key))"), ("a = h(rows)", "a = g(h(rows))"))
    )


def rewritten(text: str, after: str) -> str:
    """Makes the body of the first function what another says."""
    tree, wanted = parse(text), ast.parse(after)
    assert tree is not None
    old, new = tree.body[0], wanted.body[0]
    assert isinstance(old, ast.FunctionDef)
    assert isinstance(new, ast.FunctionDef)
    edits = Rewriter(text, parents(tree)).statements(old.body, to_term(new.body))
    return apply_edits(text, edits)


def test_layout_and_comments_elsewhere_survive() -> None:
    text = "def f(a):\n    x = [ a,a ]  # spaced\n    return g( a )\n"
    assert rewritten(text, "def f(a):\n    x = [a, a]\n    return g(a or 0)\n") == text.replace(
        "( a )", "( a or 0 )"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = a * 2", "x = (a + 1) * 2"),
        ("x = a.b", "x = (a or c).b"),
        ("if a:\n        y = 1  # keep\n    x = 2", "if a is None:\n        y = 1\n    x = 2"),
        ("x = 1\n    return x", "x = 1\n    if x:\n        y = 3\n    return x"),
        ("x = 1", "x = 1\n    y = 2"),
        ("x = 1\n    y = 2", "y = 2"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_result_says_what_was_asked_for(old: str, new: str, newline: str) -> None:
    text, wanted = (f"def f(a):\n    {body}\n    return a\n".replace("\n", newline) for body in (old, new))
    made = rewritten(text, wanted)
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(wanted))
    assert made.count("# keep") == text.count("# keep")
    assert made.count("\n") == made.count(newline)


def test_a_change_that_would_lose_a_comment_is_refused() -> None:
    with pytest.raises(NotATermError):
        rewritten(
            "def f(a):\n    x = (a +  # why\n         1)\n    return x\n",
            "def f(a):\n    x = a - 1\n    return x\n",
        )


def git(root: Path, *arguments: str) -> None:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, env=environ)


def commit(root: Path, name: str, text: str, message: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text)
    git(root, "add", ".")
    git(root, "commit", "-qm", message)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("history")
    git(root, "init", "-q")
    commit(root, "a.py", function("x = book.find(key)"), "Start")
    commit(root, "a.py", function("x = book.find(key.lower())"), "Fix KeyError for capitals")
    commit(root, "a.py", function("x = book.find(key.upper())"), "Shout")
    commit(root, "tests/test_a.py", function("x = 1"), "Start tests")
    commit(root, "tests/test_a.py", function("x = 2"), "Fix a test")
    commit(root, "a.py", function("x = 3", *(f"y = {n}" for n in range(9))), "Fix very much")
    commit(root, "evil.py", function("x = 1"), "Add")
    evil = "import os\nos.system('touch ran')\n"
    commit(root, "evil.py", evil + function("x = book.find(key[0])"), "Fix a crash")
    return root


def test_only_small_fixes_of_sources_are_read(history: Path) -> None:
    found = list(small_fixes(history, max_commits=99, deadline=time.monotonic() + 60))
    assert [fix.path for fix in found] == ["evil.py", "a.py"]
    assert found[1].after == function("x = book.find(key.lower())")
    assert list(small_fixes(history, max_commits=99, deadline=0)) == []


def test_learning_runs_nothing_and_learning_again_replaces(history: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        lesson = learn(store.learning, tmp_path, [history])
        (mined,) = lesson.mined
        assert (mined.trusted, mined.fixes, mined.problem) == (False, 2, "")
        assert [p.trusted for p in store.learning.patterns()] == [False] * lesson.kept
        learn(store.learning, tmp_path, [history], trust=True)
        assert [p.trusted for p in store.learning.patterns()] == [True] * lesson.kept
    assert not list(history.rglob("ran"))
    assert not list(tmp_path.rglob("ran"))


def test_a_folder_without_history_says_so(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        (mined,) = learn(store.learning, tmp_path).mined
    assert "git repository" in mined.problem


def test_a_pattern_with_a_secret_is_not_kept(tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2c3D4" * 5
    pattern = EditPattern("k", "[]", f'{{"const":"{secret}"}}', "x", True, ())
    with Store.open(tmp_path) as store:
        assert store.learning.learn_patterns([pattern], origins=["."]) == 0
        assert store.learning.patterns() == []


@pytest.mark.parametrize(
    ("message", "is_one"),
    [
        ("Fix crash on empty input", True),
        ("Fixes #12", True),
        ("Add colours", False),
        ("Fix typo in docs", False),
    ],
)
def test_messages_that_speak_of_a_fix(message: str, is_one: bool) -> None:
    assert says_fix(message) is is_one


@pytest.mark.parametrize("path", ["tests/a.py", "src/test_a.py", "a/b_test.py", "conftest.py"])
def test_tests_are_told_by_their_names(path: str) -> None:
    assert is_test(path)
    assert not is_test("src/contest.py")
