"""Positions inside f-strings, which Python before 3.12 guesses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from selfheal_tui.repair.rules.support import parse
from tests.unit.repair.crashlab import MODES
from tests.unit.repair.namecases import Cure, check_cure, name_of

TEXTS = [
    'x = f"{value}"\n',
    'x = f"ä {value} b {value.attr!r} {value:>{width}}"\n',
    'x = (\n    f"one {value} "\n    f"two {other(value)} "\n    "three"\n)\n',
    'x = f"""\n  ünï {value}\n  {other[\'k\']}\n  {{not}} {value + 1}\n"""\n',
    "x = rf'''{value}\n{value}\n'''\n",
    'def f():\n    return f"""{\n        value\n    } and {value}"""\n',
]


@pytest.mark.parametrize("text", TEXTS)
def test_every_name_stands_where_its_node_says(text: str) -> None:
    tree = parse(text)
    assert tree is not None
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    assert names
    for node in names:
        assert ast.get_source_segment(text, node) == node.id
    places = [(node.lineno, node.col_offset) for node in names]
    assert len(set(places)) == len(places)


CURES = [
    Cure("a name in one line", {"main.py": "value = 1\nprint(f'ä {valeu}')\n"}, "{value}"),
    Cure("a name in several lines", {"main.py": 'def f(value):\n    return f"""\n    ä\n    {valeu} {value}\n    """\n\nf(1)\n'}, "    {value} {value}"),
    Cure("an attribute in several parts", {"main.py": "class A:\n    width = 1\n\na = A()\nprint(\n    f'{a.width} '\n    f'{a.widht} '\n    'x'\n)\n"}, "f'{a.width} '\n    'x'"),
    Cure("a key in several lines", {"main.py": 'd = {"name": 1, "text": 2}\nprint(f"""\n {d[\'naem\']}\n""")\nprint(d["name"])\n'}, "{d['name']}"),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CURES, ids=name_of)
def test_a_name_in_an_f_string_is_cured_in_its_place(tmp_path: Path, case: Cure, mode: str) -> None:
    check_cure(tmp_path, case, mode)
