"""The code-reading rungs survive any code, and say nothing about code that did not change."""

from __future__ import annotations

import ast
import sysconfig
from functools import lru_cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal_tui.checks.honesty import honesty_findings
from selfheal_tui.checks.imports import undefined_findings
from selfheal_tui.checks.pairs import make_pair
from selfheal_tui.checks.safety import safety_findings
from selfheal_tui.checks.scope import scope_findings
from selfheal_tui.model.candidate import Candidate

MODULES = [
    "abc",
    "bisect",
    "cmd",
    "codeop",
    "colorsys",
    "contextlib",
    "copy",
    "dis",
    "fileinput",
    "fnmatch",
    "genericpath",
    "getopt",
    "glob",
    "gzip",
    "heapq",
    "keyword",
    "linecache",
    "nturl2path",
    "opcode",
    "operator",
    "pkgutil",
    "queue",
    "quopri",
    "reprlib",
    "rlcompleter",
    "sched",
    "shelve",
    "shlex",
    "signal",
    "site",
    "stat",
    "string",
    "struct",
    "textwrap",
    "timeit",
    "token",
]
NOTHING = Candidate("operator", "edit", "", 1.0, ())


@lru_cache(maxsize=64)
def source_of(module: str) -> str:
    file = Path(sysconfig.get_paths()["stdlib"]) / f"{module}.py"
    return file.read_text(encoding="utf-8") if file.exists() else "x = 1\n"


@lru_cache(maxsize=64)
def statements_of(module: str) -> tuple[str, ...]:
    text = source_of(module)
    return tuple(ast.get_source_segment(text, s) or "" for s in ast.parse(text).body)


def everything(before: str | None, after: str) -> list[object]:
    pair = make_pair("m.py", before, after)
    return [
        *safety_findings(pair),
        *honesty_findings(pair, line=3, identifier="name", reprs=("'abc'", "[1, 2]", "12345")),
        *scope_findings(pair, NOTHING),
        *undefined_findings(pair),
    ]


@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(MODULES))
def test_unchanged_code_has_no_findings(module: str) -> None:
    assert everything(source_of(module), source_of(module)) == []


@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(MODULES))
def test_another_layout_has_no_findings(module: str) -> None:
    text = source_of(module)
    plain = ast.unparse(ast.parse(text))
    found = everything(plain, plain + "\n# the end\n")
    assert found == []


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_two_pieces_of_code_can_be_compared(data: st.DataObject) -> None:
    parts = [data.draw(st.sampled_from(statements_of(data.draw(st.sampled_from(MODULES))))) for _ in range(6)]
    everything("\n".join(parts[:3]), "\n".join(parts[2:]))
    everything(None, "\n".join(parts))


@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_reordered_statements_bring_no_new_capability(data: st.DataObject) -> None:
    statements = list(statements_of(data.draw(st.sampled_from(MODULES))))
    shuffled = data.draw(st.permutations(statements))
    pair = make_pair("m.py", "\n".join(statements), "\n".join(shuffled))
    assert safety_findings(pair) == []


@settings(deadline=None, max_examples=30)
@given(st.text(max_size=80))
def test_an_original_that_is_no_code_does_not_break_a_check(before: str) -> None:
    everything(before, "def f():\n    return 1\n")
