"""Frames are named, placed and told apart from libraries, on interpreters that record less as well."""

from __future__ import annotations

import json
import types

import pytest

from selfheal_tui.probe import capture
from selfheal_tui.probe.frames import Sources

CODE = """\
import functools
def plain(): pass
@functools.lru_cache
@functools.wraps(plain)
def decorated(): pass
class Outer:
    def method(self):
        def inner(): return [x for x in ()]
        return lambda: inner
    class Inner:
        async def deep(self): pass
same = [lambda: 1, lambda: 2]
"""


def codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def test_names_found_in_the_source_are_those_that_newer_interpreters_record(tmp_path):
    file = tmp_path / "app.py"
    file.write_text(CODE)
    sources = Sources(str(tmp_path))
    for code in codes(compile(CODE, str(file), "exec")):
        # As on 3.9 and 3.10, which have no `co_qualname`.
        old = types.SimpleNamespace(
            co_name=code.co_name, co_filename=str(file), co_firstlineno=code.co_firstlineno
        )
        assert sources.qualname(old) == code.co_qualname


def test_without_a_source_the_bare_name_must_do(tmp_path):
    old = types.SimpleNamespace(co_name="f", co_filename=str(tmp_path / "gone.py"), co_firstlineno=1)
    assert Sources(str(tmp_path)).qualname(old) == "f"


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("app.py", True),
        ("pkg/a.py", True),
        (".venv/lib/python3.11/site-packages/x.py", False),
        ("../other.py", False),
    ],
)
def test_only_code_below_the_root_and_outside_libraries_is_in_app(tmp_path, path, ours):
    root = tmp_path / "root"
    root.mkdir()
    assert Sources(str(root)).is_in_app(str(root / path)) is ours


def test_a_sibling_with_the_same_beginning_is_not_below_the_root(tmp_path):
    (tmp_path / "app").mkdir()
    assert not Sources(str(tmp_path / "app")).is_in_app(str(tmp_path / "app2" / "x.py"))


def test_a_link_that_leads_out_of_the_root_is_not_below_it(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "outside.py").touch()
    (tmp_path / "root" / "link.py").symlink_to(tmp_path / "outside.py")
    assert not Sources(str(tmp_path / "root")).is_in_app(str(tmp_path / "root" / "link.py"))


def test_library_interpreter_and_probe_code_is_never_in_app_whatever_the_root():
    for root in ("", "/"):
        sources = Sources(root)
        assert not sources.is_in_app(json.__file__)
        assert not sources.is_in_app(pytest.__file__)
        assert not sources.is_in_app(capture.__file__)
        assert not sources.is_in_app("<string>")
        assert not sources.is_in_app("<frozen importlib._bootstrap>")


def test_a_relative_file_is_resolved_against_the_start_folder_first(tmp_path, monkeypatch):
    (tmp_path / "app.py").touch()
    monkeypatch.chdir("/")
    assert Sources("", str(tmp_path)).absolute("app.py") == str(tmp_path / "app.py")
    assert Sources("", str(tmp_path)).absolute("gone.py") == "/gone.py"
    assert Sources("").absolute("<stdin>") == "<stdin>"
