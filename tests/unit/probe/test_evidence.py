"""What the failing process knew about the missing thing, on live exceptions."""

from __future__ import annotations

import textwrap

import pytest

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.serial import from_builtins
from selfheal_tui.probe.capture import capture_exception


def crash(tmp_path, code):
    """Captures the exception that a file of the project raises."""
    file = tmp_path / "app.py"
    file.write_text(textwrap.dedent(code))
    try:
        exec(compile(file.read_text(), str(file), "exec"), {"__name__": "app"})
    except Exception as error:
        return from_builtins(capture_exception(error, root=str(tmp_path)), CrashReport)
    raise AssertionError("it did not crash")


def evidence(tmp_path, code):
    return crash(tmp_path, code).raised.evidence


BASE = """
class Base:
    def inherited(self): pass
class Tool(Base):
    label = 'x'
    def __init__(self): self.name = 1
    def append_item(self): pass
    @property
    def hidden(self): raise AssertionError('was run')
    def __dir__(self): raise AssertionError('was run')
"""


def test_an_attribute_error_knows_the_names_of_object_and_bases(tmp_path):
    found = evidence(tmp_path, BASE + "Tool().apend_item()")
    assert (found.name, found.obj_type, found.obj_module) == ("apend_item", "app.Tool", "app")
    assert found.obj_names == ("name", "label", "append_item", "hidden", "inherited")
    assert found.obj_mro == ("app.Base",)


def test_a_class_is_described_itself_and_not_its_metaclass(tmp_path):
    found = evidence(tmp_path, BASE + "Tool.nothing")
    assert found.obj_type == "app.Tool"
    assert "append_item" in found.obj_names


def test_a_module_is_described_by_its_names_and_file(tmp_path):
    found = evidence(tmp_path, "import json\njson.dmps")
    assert (found.obj_type, found.obj_module) == ("module", "json")
    assert "dumps" in found.obj_names
    assert found.obj_file.endswith("__init__.py")


def test_none_is_told_from_unknown(tmp_path):
    assert evidence(tmp_path, "x = None\nx.lower()").obj_type == "NoneType"


def test_an_attribute_error_raised_by_hand_is_resolved_from_the_failing_line(tmp_path):
    found = evidence(tmp_path, BASE + "raise AttributeError(\"'Tool' object has no attribute 'other'\")")
    assert (found.name, found.obj_type) == ("other", None)


def test_a_name_error_knows_what_was_in_scope(tmp_path):
    found = evidence(tmp_path, "def f(counter):\n    return countr\nf(1)")
    assert found.name == "countr"
    assert {"counter", "f"} <= set(found.obj_names)


def test_an_unbound_local_is_named(tmp_path):
    assert evidence(tmp_path, "def f():\n    x += 1\nf()").name == "x"


def test_imports_know_the_missing_name_and_its_module(tmp_path):
    found = evidence(tmp_path, "from collections import OrderdDict")
    assert (found.name, found.obj_module) == ("OrderdDict", "collections")
    assert "OrderedDict" in found.obj_names
    assert evidence(tmp_path, "import colections_").name == "colections_"


def test_an_unexpected_keyword_is_named(tmp_path):
    assert evidence(tmp_path, "def f(alpha): pass\nf(alpa=1)").name == "alpa"


@pytest.mark.parametrize(
    "code",
    [
        "d = {'alpha': 1}\nd['alpa']",
        "class C: pass\nc = C()\nc.d = {'alpha': 1}\ndef f(c):\n    return (\n        c\n        .d['alpa']\n    )\nf(c)",
        "d = [{'x': {'alpha': 1}}]\nprint(d[0]['x']['alpa'], d[0]['x'])",
        "d = {'alpha': 1}\nd.pop('alpa')",
        "d = {'alpha': 1}\ndel d['alpa']",
        "d, e = {'alpa': 1}, {'alpha': 1}\nd['alpa'], e['alpa']",
        "class D(dict):\n    def __missing__(self, key): raise KeyError(key)\nD(alpha=1)['alpa']\n",
    ],
)
def test_a_key_error_knows_the_keys_of_its_mapping_without_evaluating_anything(tmp_path, code):
    found = evidence(tmp_path, code)
    assert found.name == "alpa"
    # A `__missing__` raises from its own line, where no subscript of the mapping is.
    assert found.keys == (() if "__missing__" in code else ("'alpha'",))


def test_a_mapping_behind_a_call_is_not_called_again(tmp_path):
    found = evidence(
        tmp_path, "n = []\ndef f():\n    n.append(1)\n    assert len(n) == 1\n    return {'a': 1}\nf()['b']"
    )
    assert (found.name, found.keys) == ("b", ())


def test_a_key_that_is_no_string_is_given_as_its_repr(tmp_path):
    found = evidence(tmp_path, "{1: 2}[3]\n")
    assert found.name == "3"


def test_a_secret_key_is_masked(tmp_path):
    key = "ghp_" + "A1b2C3d4" * 5
    assert key not in str(crash(tmp_path, f"{{}}[{key!r}]"))
