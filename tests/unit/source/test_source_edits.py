"""Character-exact edits: the named range changes, nothing else."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.source.edits import (
    EditError,
    TextEdit,
    add_import,
    apply_edits,
    indent_of,
    insert_after_line,
    insert_before_line,
    replace_node,
)


def node_of(text: str, source: str) -> ast.AST:
    return next(
        n
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.expr) and ast.get_source_segment(text, n) == source
    )


def test_columns_count_bytes_as_in_ast():
    text = "é = 'ü' + naïve['ß']  # ä\r\nx = 1\r\n"
    assert replace_node(text, node_of(text, "naïve['ß']"), "y") == "é = 'ü' + y  # ä\r\nx = 1\r\n"


def test_several_edits_are_made_against_the_same_original():
    edits = [TextEdit((2, 0), (2, 1), "Z"), TextEdit((1, 0), (1, 0), "# "), TextEdit((1, 4), (1, 5), "22")]
    assert apply_edits("a = 1\nb = 2\n", edits) == "# a = 22\nZ = 2\n"


@pytest.mark.parametrize(
    "edits",
    [
        [TextEdit((1, 0), (1, 3), "x"), TextEdit((1, 2), (1, 4), "y")],
        [TextEdit((1, 3), (1, 1), "x")],
        [TextEdit((9, 0), (9, 0), "x")],
        [TextEdit((1, 99), (1, 99), "x")],
        [TextEdit((2, 1), (2, 1), "x")],
    ],
)
def test_edits_that_do_not_fit_are_refused(edits):
    with pytest.raises(EditError):
        apply_edits("a = 1\né = 2\n", edits)


@given(st.text(alphabet="aé\n\r"), st.data())
def test_an_edit_leaves_everything_outside_of_its_range(text, data):
    raw = text.encode()
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    line = data.draw(st.integers(1, len(lines)))
    prefix = lines[line - 1].decode()
    column = len(prefix[: data.draw(st.integers(0, len(prefix)))].encode())
    if line == len(lines) and not lines[-1]:
        column = 0
    out = apply_edits(text, [TextEdit((line, column), (line, column), "NEW")])
    assert out.replace("NEW", "", 1) == text


@pytest.mark.parametrize(
    ("before", "statement", "after"),
    [
        ('"""Doc."""\nimport os\n\nx = 1\n', "import sys", '"""Doc."""\nimport os\nimport sys\n\nx = 1\n'),
        ("import os\n", "import os", "import os\n"),
        ("from a import b\n", "from a import b, c", "from a import b\nfrom a import c\n"),
        ('"""Doc."""\nx = 1\n', "import sys", '"""Doc."""\nimport sys\nx = 1\n'),
        ("#!/bin/x\n# coding: utf-8\nx = 1\n", "import sys", "#!/bin/x\n# coding: utf-8\nimport sys\nx = 1\n"),
        ("# License\n\n# about x\nx = 1\n", "import sys", "# License\nimport sys\n\n# about x\nx = 1\n"),
        ("# about x\nx = 1\n", "import sys", "import sys\n# about x\nx = 1\n"),
        ("from __future__ import annotations\nimport os\n", "from __future__ import division",
         "from __future__ import annotations\nfrom __future__ import division\nimport os\n"),
        ("import os\n", "from __future__ import annotations", "from __future__ import annotations\nimport os\n"),
        ("import os; x = (\n    1)\ny = 2\n", "import sys", "import os; x = (\n    1)\nimport sys\ny = 2\n"),
        ("import os\r\nx = 1\r\n", "import sys", "import os\r\nimport sys\r\nx = 1\r\n"),
        ("import os", "import sys", "import os\nimport sys"),
        ("", "import sys", "import sys\n"),
        ("try:\n    import a\nexcept ImportError:\n    a = None\nimport os\nx = a.y\nimport late\n", "import sys",
         "try:\n    import a\nexcept ImportError:\n    a = None\nimport os\nimport sys\nx = a.y\nimport late\n"),
        ("@deco\ndef f(): pass\n", "import sys", "import sys\n@deco\ndef f(): pass\n"),
    ],
)  # fmt: skip
def test_an_import_goes_after_docstring_future_and_imports(before, statement, after):
    out = add_import(before, statement)
    assert out == after
    ast.parse(out)
    assert add_import(out, statement) == out


def test_only_imports_may_be_added():
    with pytest.raises(EditError, match="not an import"):
        add_import("x = 1\n", "print(1)")


def test_lines_are_inserted_with_the_newlines_of_the_file():
    assert insert_after_line("a\r\nb\r\n", 1, "x\ny\n") == "a\r\nx\r\ny\r\nb\r\n"
    assert insert_before_line("a\nb", 1, "x") == "x\na\nb"
    assert insert_after_line("a\nb", 2, "x\n") == "a\nb\nx"
    with pytest.raises(EditError):
        insert_after_line("a\n", 5, "x")


def test_the_indentation_of_a_line_is_told():
    assert [indent_of("a\n\tb\n    c\n   \n", n) for n in (1, 2, 3, 4)] == ["", "\t", "    ", "   "]
    with pytest.raises(EditError):
        indent_of("a\n", 2)
