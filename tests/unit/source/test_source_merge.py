"""Merging snippets: what is meant is changed, everything else stays, what is unclear is refused."""

from __future__ import annotations

import ast
import difflib

import pytest

from selfheal_tui.source.merge import MergeRefusedError, merge_snippet, replace_definition

MODULE = '''#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Doc."""
from __future__ import annotations
import os  # keep me
from typing import overload

LIMIT = 3   # the limit


# comment above f
def f(x):   # trailing
    return x.foo  # inner


@cache
@retry(times=3)
async def g(a, b):
    """g doc"""
    return await a/b


@overload
def h(x: int) -> int: ...
@overload
def h(x: str) -> str: ...
def h(x):
    return x


class A(Base):
    """A doc."""
    n = 1  # n comment

    # above m
    def m(self, k):
        return self.d[k]      # bug

    @property
    def p(self):
        return self._p
    @p.setter
    def p(self, v):
        self._p = v

    class B:
        @staticmethod
        def s(z): return z

    @classmethod
    def c(cls): return cls


class C:
    def m(self, k):
        return 2


if os.name == 'nt':
    def plat(): return 'nt'
else:
    def plat(): return 'posix'


try:
    import fast
except ImportError:
    def slow(x): return x


def outer():
    def inner(q):
        return q
    return inner


if __name__ == '__main__':
    f(1)
'''


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    lines = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if line[:3] not in ("---", "+++") and line[0] in "+-"
    ]
    return [x[1:] for x in lines if x[0] == "-"], [x[1:] for x in lines if x[0] == "+"]


ACCEPTED = [
    ("def f(x):\n    return 1\n", "", ["    return x.foo  # inner"], ["    return 1  # inner"]),
    (
        "```python\n    def f(x):\n        return 1\n```",
        "",
        ["    return x.foo  # inner"],
        ["    return 1  # inner"],
    ),
    (
        'async def g(a, b):\n    """g doc"""\n    if not b:\n        return 0\n    return await a/b\n',
        "",
        [],
        ["    if not b:", "        return 0"],
    ),
    ("async def g(a, b):\n    return 0\n", "", ["    return await a/b"], ["    return 0"]),
    (
        "@retry(times=5)\nasync def g(a, b):\n    return await a/b\n",
        "",
        ["@cache", "@retry(times=3)"],
        ["@retry(times=5)"],
    ),
    ("def h(x):\n    return str(x)\n", "", ["    return x"], ["    return str(x)"]),
    (
        "@overload\ndef h(x: int) -> int: ...\n@overload\ndef h(x: str) -> bytes: ...\n",
        "",
        ["def h(x: str) -> str: ..."],
        ["def h(x: str) -> bytes: ..."],
    ),
    (
        "def m(self, k):\n    return self.d.get(k)\n",
        "A.m",
        ["        return self.d[k]      # bug"],
        ["        return self.d.get(k)      # bug"],
    ),
    (
        "class A:\n    def m(self, k):\n        return 5  # x\n",
        "",
        ["        return self.d[k]      # bug"],
        ["        return 5  # x"],
    ),
    (
        "class A(Base):\n    def m(self, k):\n        return self.d[k]\n    def new(self):\n        return 1\n",
        "",
        [],
        ["    def new(self):", "        return 1", ""],
    ),
    (
        "class A:\n    @p.setter\n    def p(self, v):\n        self._p = int(v)\n",
        "",
        ["        self._p = v"],
        ["        self._p = int(v)"],
    ),
    (
        "class A:\n    @property\n    def p(self):\n        return 0\n",
        "",
        ["        return self._p"],
        ["        return 0"],
    ),
    ("class A:\n    n = 2\n", "", ["    n = 1  # n comment"], ["    n = 2  # n comment"]),
    ("class A(Base, Mixin):\n    n = 1\n", "", ["class A(Base):"], ["class A(Base, Mixin):"]),
    ("def s(z): return z+2\n", "A.B.s", ["        def s(z): return z"], ["        def s(z): return z+2"]),
    (
        "class B:\n    @staticmethod\n    def s(z): return z+2\n",
        "A.B.s",
        ["        def s(z): return z"],
        ["        def s(z): return z+2"],
    ),
    ("def inner(q):\n    return q*2\n", "outer.<locals>.inner", ["        return q"], ["        return q*2"]),
    ("def inner(q):\n    return q*2\n", "", ["        return q"], ["        return q*2"]),
    ("def slow(x): return x+1\n", "", ["    def slow(x): return x"], ["    def slow(x): return x+1"]),
    ("LIMIT = 10\n", "", ["LIMIT = 3   # the limit"], ["LIMIT = 10   # the limit"]),
    ("import os\nfrom typing import overload\ndef f(x):\n    return x.foo\n", "", [], []),
    ("if __name__ == '__main__':\n    f(1)\ndef f(x):\n    return x.foo\n", "", [], []),
    ("if __name__ == '__main__':\n    f(2)\n", "<module>", ["    f(1)"], ["    f(2)"]),
    ("# ours: guard\ndef f(x):\n    return x.foo\n", "", [], []),
]


@pytest.mark.parametrize(("snippet", "qualname", "gone", "new"), ACCEPTED)
def test_only_the_lines_that_are_meant_change(snippet, qualname, gone, new):
    result = merge_snippet(MODULE, snippet, qualname=qualname)
    assert changed_lines(MODULE, result.text) == (gone, new)
    assert bool(result.changed) == bool(gone or new)


REFUSED = [
    ("def f(x):\n    # ... existing code ...\n    return 1\n", "", "left out"),
    ("def f(x):\n    y = 1\n    # rest of the function\n", "", "left out"),
    ("def f(x):\n    ...\n", "", "stands for code"),
    ("class A:\n    ...\n    def m(self, k):\n        return 1\n", "", "stands for code"),
    ("def f(x:\n", "", "does not parse"),
    ("def m(self, k):\n    return 1\n", "", "A.m, C.m"),
    ("def zap(self, k):\n    return 1\n", "", "inside its class"),
    ("import os\nos.system('x')\ndef f(x): return 1\n", "", "runs on import"),
    ("import os; os.system('x')\n", "", "line of its own"),
    ("if True:\n    f(2)\n", "", "runs on import"),
    ("f(2)\n", "<module>", "runs on import"),
    ("def plat(): return 'any'\n", "", "2 times"),
    ("", "", "no code"),
    ("```\ndef f(x): return 1\n```\n```\ndef f(x): return 2\n```", "", "2 code blocks or more"),
    ("@overload\ndef h(x: int) -> int: ...\n" * 3, "", "overloads"),
    ("class A:\n    print('x')\n", "", "neither definition nor attribute"),
    ("async def f(x):\n    return 1\ndef f(", "", "does not parse"),
    ("def f(x):\n    # keep existing logic\n    return 1\n", "", "left out"),
    ("def f(x):\n    # handle the other cases ...\n    return 1\n", "", "left out"),
]


@pytest.mark.parametrize(("snippet", "qualname", "reason"), REFUSED)
def test_what_cannot_be_merged_without_guessing_is_refused_with_a_reason(snippet, qualname, reason):
    with pytest.raises(MergeRefusedError, match=reason):
        merge_snippet(MODULE, snippet, qualname=qualname)


def test_the_line_tells_definitions_of_one_name_apart():
    line = MODULE.splitlines().index("    def plat(): return 'posix'") + 1
    result = merge_snippet(MODULE, "def plat(): return 'any'\n", qualname="plat", line=line)
    assert changed_lines(MODULE, result.text) == (
        ["    def plat(): return 'posix'"],
        ["    def plat(): return 'any'"],
    )


def test_a_helper_goes_before_the_function_that_needs_it_and_imports_to_the_top():
    snippet = "import json\nfrom typing import Any\n\ndef _safe(x: Any):\n    return json.dumps(x)\n\ndef f(x):\n    return _safe(x)\n"
    result = merge_snippet(MODULE, snippet, qualname="f")
    assert result.added_imports == ("json", "typing")
    assert result.changed == ("_safe", "f")
    assert "from typing import overload\nimport json\nfrom typing import Any\n" in result.text
    assert (
        "\n\n\ndef _safe(x: Any):\n    return json.dumps(x)\n\n\n# comment above f\ndef f(x):   # trailing\n"
        in result.text
    )


def test_a_helper_of_a_script_exists_before_the_script_runs_it():
    script = "def main():\n    work()\n\n\nmain()\n"
    result = merge_snippet(script, "def work():\n    return 1\n")
    exec(compile(result.text, "script", "exec"), {})


def test_a_new_constant_comes_after_what_its_value_needs():
    module = "import os\n\n\ndef base():\n    return 1\n\n\ndef f():\n    return 2\n"
    result = merge_snippet(module, "TOTAL = base() + 1\n\ndef f():\n    return TOTAL\n")
    namespace: dict = {}
    exec(compile(result.text, "module", "exec"), namespace)
    assert namespace["f"]() == 2


def test_unchanged_statements_keep_comments_and_layout_when_the_answer_drops_them():
    module = (
        "def f(items):   # entry\n    # step one\n    total = 0  # accumulator\n\n    for it in items:  # loop\n"
        "        # weird   spacing\n        x   =  it.value   # may be None\n        total += x\n\n"
        "    # finish\n    return total  # done\n"
    )
    answer = "def f(items):\n    total = 0\n    for it in items:\n        x = it.value or 0\n        total += x\n    return total\n"
    result = merge_snippet(module, answer)
    assert changed_lines(module, result.text) == (
        ["        x   =  it.value   # may be None"],
        ["        x = it.value or 0   # may be None"],
    )


def test_a_statement_wrapped_in_a_guard_leaves_its_neighbours_alone():
    module = "def f(d):\n    # first\n    a = d['a']  # a\n\n    # second\n    b = a.b()  # b\n    return b  # end\n"
    answer = (
        "def f(d):\n    a = d['a']\n    if a is None:\n        return None\n    b = a.b()\n    return b\n"
    )
    result = merge_snippet(module, answer)
    assert changed_lines(module, result.text) == ([], ["    if a is None:", "        return None"])


def test_a_changed_branch_leaves_the_other_branches_alone():
    module = (
        "def f(x):\n    if x:  # yes\n        a = 1  # one\n    elif x is None:  # none\n        a = 2  # two\n    else:\n"
        "        # no\n        a = 3\n    try:\n        b = a  # b\n    except KeyError:  # missing\n        b = 0  # zero\n"
        "    finally:\n        c = 1  # c\n    return b\n"
    )
    answer = (
        "def f(x):\n    if x:\n        a = 1\n    elif x is None:\n        a = 22\n    else:\n        a = 3\n"
        "    try:\n        b = a\n    except KeyError:\n        b = 1\n    finally:\n        c = 1\n    return b\n"
    )
    result = merge_snippet(module, answer)
    assert changed_lines(module, result.text) == (
        ["        a = 2  # two", "        b = 0  # zero"],
        ["        a = 22  # two", "        b = 1  # zero"],
    )


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_newlines_of_the_file_are_kept(newline):
    module = MODULE.replace("\n", newline)
    result = merge_snippet(
        module, "import json\n\ndef extra():\n    return 1\n\ndef f(x):\n    y = 1\n    return y\n"
    )
    assert result.text.count(newline) == result.text.count("\n")
    assert "\r" not in result.text.replace("\r\n", "")


def test_tabs_of_the_file_are_kept():
    result = merge_snippet(
        "class T:\n\tdef m(self):\n\t\treturn 1\n",
        "def m(self):\n    if x:\n        return 2\n",
        qualname="T.m",
    )
    assert result.text == "class T:\n\tdef m(self):\n\t\tif x:\n\t\t\treturn 2\n"


def test_a_docstring_that_the_answer_leaves_out_or_indents_differently_is_kept():
    module = 'class A:\n    def m(self):\n        """One.\n\n        Two.\n        """\n        return 1\n'
    for doc in ("", '    """One.\n\n    Two.\n    """\n'):
        result = merge_snippet(module, f"def m(self):\n{doc}    return 2\n", qualname="A.m")
        assert changed_lines(module, result.text) == (["        return 1"], ["        return 2"])


def test_text_inside_strings_survives_an_indented_answer():
    answer = "    def f(x):\n        y = '''\nleft\n    right'''\n        return y\n"
    result = merge_snippet(MODULE, answer)
    function = next(
        n for n in ast.parse(result.text).body if isinstance(n, ast.FunctionDef) and n.name == "f"
    )
    assert function.body[0].value.value == "\nleft\n    right"


def test_a_conditional_import_is_not_made_unconditional():
    module = "try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib\n\n\ndef f():\n    return 1\n"
    result = merge_snippet(module, "import tomllib\n\ndef f():\n    return tomllib\n")
    assert result.added_imports == ()
    assert result.text.count("import tomllib") == 1


def test_a_class_without_members_takes_a_new_one():
    result = merge_snippet("class A: pass\n", "def m(self):\n    return 1\n", qualname="A.m")
    assert result.text == "class A:\n    def m(self):\n        return 1\n"


def test_replace_definition_replaces_a_class_as_a_whole_and_keeps_what_is_the_same():
    module = "x = 1\n\n\nclass A:\n    # about a\n    a = 1  # a\n\n    def m(self):  # m\n        return 1\n\n    def n(self): pass\n"
    out = replace_definition(module, "A", "class A:\n    a = 1\n    def m(self):\n        return 2\n")
    assert changed_lines(module, out) == (
        ["        return 1", "", "    def n(self): pass"],
        ["        return 2"],
    )


@pytest.mark.parametrize(
    ("qualname", "code"),
    [
        ("f", "def other(x): return 1\n"),
        ("missing", "def missing(): return 1\n"),
        ("f", "x = 1\n"),
        ("plat", "def plat(): return 1\n"),
    ],
)
def test_replace_definition_refuses_code_that_is_not_that_definition(qualname, code):
    with pytest.raises(MergeRefusedError):
        replace_definition(MODULE, qualname, code)


@pytest.mark.parametrize("fence", ["", "```"])
def test_a_fence_inside_a_docstring_does_not_cut_the_code(fence):
    code = 'def f(x):\n    """Use it.\n\n    ```python\n    print(f(1))\n    ```\n    """\n    return 1\n'
    result = merge_snippet(MODULE, f"{fence}\n{code}{fence}\n")
    assert result.changed == ("f",)
    assert "    return 1  # inner" in result.text


@pytest.mark.parametrize(
    "comment",
    [
        "# retry after a while...",
        "# the remaining items",
        "# existing code paths rely on this",
        "# keep the original request body",
    ],
)
def test_an_ordinary_comment_is_not_taken_for_a_placeholder(comment):
    assert comment in merge_snippet(MODULE, f"def f(x):\n    {comment}\n    return 1\n").text


@pytest.mark.parametrize("snippet", ["x = 5\n", "def x():\n    return 1\n", "class y: pass\n", "z = 1\n"])
def test_a_name_that_is_assigned_along_with_others_is_not_shadowed(snippet):
    module = "x, y = 1, 2\nif x:\n    z = 3\n\n\ndef f():\n    return x\n"
    with pytest.raises(MergeRefusedError, match="assigned"):
        merge_snippet(module, snippet)


@pytest.mark.parametrize("newline", ["\r", "\r\n", "\n"])
def test_mixed_newlines_form_feeds_and_a_missing_last_newline_stay(newline):
    module = f"import os{newline}\x0c{newline}x = 1\r\ny = '''a\rb\nc'''{newline}def f(x):{newline}    return 1{newline}z = 2"
    result = merge_snippet(module, "def f(x):\n    return 2\n")
    assert result.text == module.replace("return 1", "return 2")


def test_the_line_picks_one_overload():
    line = MODULE.splitlines().index("def h(x: str) -> str: ...") + 1
    result = merge_snippet(MODULE, "@overload\ndef h(x: str) -> bytes: ...\n", qualname="h", line=line)
    assert changed_lines(MODULE, result.text) == (
        ["def h(x: str) -> str: ..."],
        ["def h(x: str) -> bytes: ..."],
    )


def test_a_module_that_does_not_parse_is_refused_and_said_to_be_the_problem():
    with pytest.raises(MergeRefusedError, match="the file itself"):
        merge_snippet("def f(:\n", "def f(): return 1\n")
