"""A replacement of an expression is made wherever a file has the same expression, and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import a_candidate, a_project

from selfheal_tui.model.candidate import Candidate, FileEdit, sha256_hex
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.pipeline.repeats import JOIN, LESS_SURE, repeated


def everywhere(root: Path, before: str, after: str) -> list[Candidate]:
    root.mkdir(exist_ok=True)
    (root / "app.py").write_bytes(before.encode())
    candidate = a_candidate(before=before, after=after, targets=(Location("app.py", "one", 1),))
    return list(repeated(a_project(root, {"other.py": ""}), candidate))


TWICE = """\
def one(row):
    return row.nmae  # shown


class Table:
    def two(self, row):
        if row.nmae:
            return row.nmaed + row.name
"""


def test_every_other_place_that_reads_the_same_is_replaced_and_named_as_a_target(tmp_path: Path) -> None:
    (whole,) = everywhere(tmp_path, TWICE, TWICE.replace("row.nmae ", "row.name ", 1))
    (edit,) = whole.edits
    assert edit.text == TWICE.replace("row.nmae ", "row.name ").replace("row.nmae:", "row.name:")
    assert (edit.path, edit.before_sha256) == ("app.py", sha256_hex(TWICE.encode()))
    assert {(t.path, t.qualname) for t in whole.targets} == {("app.py", "one"), ("app.py", "Table.two")}
    assert whole.reason.endswith(f"{JOIN}the same at 1 other place(s) that read the same")
    assert whole.confidence == pytest.approx(0.95 * LESS_SURE, abs=0.001)
    assert whole.parts == 2


def test_the_project_is_only_read(tmp_path: Path) -> None:
    assert everywhere(tmp_path, TWICE, TWICE.replace("row.nmae ", "row.name ", 1))
    assert (tmp_path / "app.py").read_text() == TWICE


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("x = f(a.b)\ny = f( a . b )\n", "x = f(str(a.b))\ny = f( a . b )\n", "x = f(str(a.b))\ny = f( str(a.b) )\n"),
        ("x = a[0]\r\ny = a[0]\r\n", "x = a[1]\r\ny = a[0]\r\n", "x = a[1]\r\ny = a[1]\r\n"),
        ('x = a.b\ny = f"é{a.b}"\n', 'x = a.c\ny = f"é{a.b}"\n', 'x = a.c\ny = f"é{a.c}"\n'),
        ("s.n = 1\ns.n = 2\ny = s.n\n", "s.m = 1\ns.n = 2\ny = s.n\n", "s.m = 1\ns.m = 2\ny = s.n\n"),
        ("x = i < n\ny = i < n\n", "x = i <= n\ny = i < n\n", "x = i <= n\ny = i <= n\n"),
    ],
)  # fmt: skip
def test_places_are_the_same_by_syntax_not_by_spelling(
    tmp_path: Path, before: str, after: str, expected: str
) -> None:
    (whole,) = everywhere(tmp_path, before, after)
    assert whole.edits[0].text == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("x = a.b\ny = a.b * 2\n", "x = a.b or 0\ny = a.b * 2\n", "x = a.b or 0\ny = (a.b or 0) * 2\n"),
        ("x = a.b\ny = a.b.c\n", "x = a.b + 1\ny = a.b.c\n", "x = a.b + 1\ny = (a.b + 1).c\n"),
        ("x = a.b\ny = -a.b\n", "x = a.b\\\n + 1\ny = -a.b\n", "x = a.b\\\n + 1\ny = -(a.b\\\n + 1)\n"),
    ],
)
def test_operators_around_another_place_do_not_tear_the_replacement_apart(
    tmp_path: Path, before: str, after: str, expected: str
) -> None:
    (whole,) = everywhere(tmp_path, before, after)
    assert whole.edits[0].text == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = a.b\ny = a.c\n", "x = a.d\ny = a.c\n"),  # stands there once
        ("x = a\ny = a\n", "x = b\ny = a\n"),  # a name alone says too little
        ("x = a.b\ny = a.b\n", "x = a.b\nimport os\ny = a.b\n"),  # a statement
        ("x = a.b\ny = a.b\n", "x = a.c\ny = a.d\n"),  # two places at once
        ("x = a.b\ny = a.b\n", "x = a.b\ny = a.b\n"),  # nothing
        ("x = a.b(\ny = a.b\n", "x = a.b()\ny = a.b\n"),  # no Python before
        ("x = a.b\ny = a.b\n", "x = a.\ny = a.b\n"),  # none after
    ],
)
def test_what_is_no_single_expression_that_stands_there_again_has_no_repeats(
    tmp_path: Path, before: str, after: str
) -> None:
    assert everywhere(tmp_path, before, after) == []


def test_a_fix_of_two_files_or_of_a_file_that_is_gone_has_no_repeats(tmp_path: Path) -> None:
    project = a_project(tmp_path, {"app.py": TWICE})
    after = TWICE.replace("row.nmae ", "row.name ", 1)
    one = FileEdit("app.py", None, after)
    assert list(repeated(project, a_candidate(edits=(one, FileEdit("b.py", None, ""))))) == []
    assert list(repeated(project, a_candidate(edits=(FileEdit("gone.py", None, after),)))) == []
    assert list(repeated(project, a_candidate(edits=()))) == []
    assert list(repeated(project, a_candidate(edits=(one,)))) != []


leaves = st.sampled_from(["a.b", "a.b", "n", "1", "a.c"])
expressions = st.recursive(
    leaves,
    lambda inner: (
        st.builds("({} * {})".format, inner, inner)
        | st.builds("f({})".format, inner)
        | st.builds("{} ** -{}".format, inner, inner)
        | st.builds("[{}, {}]".format, inner, inner)
        | st.builds('f"{{{}!r}}"'.format, leaves)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    first=st.sampled_from(["a.b", "f(a.b)", "a.b + 1"]),
    others=st.lists(expressions, min_size=1, max_size=3),
    new=st.sampled_from(["a.d", "g(a.b)", "a.b or 0", "a.b + 1", "a.b if a else 0"]),
)
def test_whatever_stands_around_the_program_means_the_one_with_all_places_replaced(
    tmp_path_factory: pytest.TempPathFactory, first: str, others: list[str], new: str
) -> None:
    rest = "".join(f"y = {other}\n" for other in others)
    before, after = f"x = {first}\n{rest}", f"x = {first.replace('a.b', new)}\n{rest}"
    wholes = everywhere(tmp_path_factory.getbasetemp() / "repeats", before, after)
    again = ast.dump(ast.parse(f"x = {first}\n{rest}".replace("a.b", f"({new})")))
    if first == "a.b" and "a.b" in rest:
        assert [ast.dump(ast.parse(whole.edits[0].text)) for whole in wholes] == [again]
    for whole in wholes:
        ast.parse(whole.edits[0].text)
