"""The pieces of the hot swap: what is believed, what is refused, and that a failure leaves no trace."""

from __future__ import annotations

import ast
import importlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.probe.swap import remember_sources, swap_files, swapper
from selfheal_tui.probe.swap.codes import code_key, pair
from selfheal_tui.probe.swap.functions import bounce
from selfheal_tui.probe.swap.journal import Journal
from selfheal_tui.probe.swap.safety import imported_names, is_safe

_numbers = itertools.count()


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Loads a text as a module; the returned function replaces the text and swaps."""
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"swapped_{os.getpid()}_{next(_numbers)}"
    file = tmp_path / f"{name}.py"

    def load(text, *, remember=True):
        file.write_text(text, encoding="utf-8")
        module = importlib.import_module(name)
        if remember:
            remember_sources(str(tmp_path))
        return module

    def swap(text, **more):
        file.write_text(text, encoding="utf-8")
        return swap_files([str(file)], root=str(tmp_path), **more)

    yield load, swap, file
    sys.modules.pop(name, None)


def test_a_file_outside_of_the_root_is_never_swapped(program, tmp_path):
    load, _, file = program
    module = load("def f(): return 1\n")
    inside = tmp_path / "inside"
    inside.mkdir()
    file.write_text("def f(): return 2\n", encoding="utf-8")
    (inside / file.name).symlink_to(file)
    for path in (file, inside / file.name, inside / ".." / file.name):
        outcome = swap_files([str(path)], root=str(inside))
        assert "outside" in outcome.error
    assert module.f() == 1


def test_an_unexpected_error_in_the_middle_puts_everything_back(program, monkeypatch):
    load, swap, _ = program
    module = load(
        "X = 1\ndef a(x=1): return 'a', X\ndef b(): return 'b'\nclass C:\n    def m(self): return 1\n"
    )
    held = (module.a, module.b, module.C().m)
    before = [(one.__code__, one.__defaults__) for one in held]
    calls = []

    def failing(journal, function, header):
        calls.append(function)
        raise MemoryError("in the middle")

    monkeypatch.setattr("selfheal_tui.probe.swap.functions.give_header", failing)
    outcome = swap(
        "import json\nX = 2\ndef b(): return 'B'\ndef a(x=2): return 'A', X\n"
        "class C:\n    def m(self): return 2\n    def n(self): return 3\n"
    )
    assert calls
    assert "put back" in outcome.error
    assert outcome.swapped == []
    assert [(one.__code__, one.__defaults__) for one in held] == before
    assert module.X == 1
    assert not hasattr(module, "json")
    assert not hasattr(module.C, "n")


def test_without_the_earlier_text_functions_are_swapped_and_constants_left_alone(program):
    load, swap, _ = program
    module = load("TIMEOUT = 30\ndef f(): return 1\n", remember=False)
    module.TIMEOUT = 60
    outcome = swap("TIMEOUT = 31\ndef f(): return helper()\ndef helper(): return 2\n")
    assert outcome.ok
    assert module.f() == 2
    assert module.TIMEOUT == 60
    assert any("unknown" in remark and "TIMEOUT" in remark for _, remark in outcome.notes)


def test_an_earlier_text_that_is_not_what_runs_is_not_believed(program):
    load, swap, file = program
    module = load("X = 1\ndef f(): return 1\n", remember=False)
    outcome = swap("X = 2\ndef f(): return 2\n", before={str(file): "X = 1\ndef f(): return 'other'\n"})
    assert outcome.ok
    assert (module.f(), module.X) == (2, 1)


def test_an_earlier_text_that_the_caller_gives_is_used_when_it_fits(program):
    load, swap, file = program
    old = "X = 1\ndef f(): return 1\n"
    module = load(old, remember=False)
    assert swap("X = 2\ndef f(): return 2\n", before={str(file): old}).ok
    assert (module.f(), module.X) == (2, 2)


def test_a_second_swap_recognises_functions_that_the_first_one_added(program):
    load, swap, _ = program
    module = load("def f(): return 1\n")
    assert swap("import json\nLIM = 1\ndef h(x): return json.dumps(x)\ndef f(): return h(LIM)\n").ok
    outcome = swap("import json\nLIM = 2\ndef h(x): return json.dumps(x)\ndef f(): return h(LIM)\n")
    assert outcome.notes == []
    assert module.f() == "2"


def test_bytecode_that_contradicts_its_source_cannot_win(program):
    load, _, file = program
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    load("def f(): return 1\n")
    command = [sys.executable, "-c", f"import {file.stem}; print({file.stem}.f())"]
    stamp = 1_700_000_000
    os.utime(file, (stamp, stamp))
    subprocess.run(command, cwd=file.parent, env=environ, check=True, capture_output=True)
    assert list(Path(file.parent, "__pycache__").glob("*.pyc"))
    file.write_text("def f(): return 2\n", encoding="utf-8")
    os.utime(file, (stamp, stamp))
    stale = subprocess.run(command, cwd=file.parent, env=environ, capture_output=True, text=True)
    assert stale.stdout == "1\n"  # Python itself is fooled
    outcome = swap_files([str(file)], root=str(file.parent))
    assert outcome.ok
    assert sys.modules[file.stem].f() == 2
    fresh = subprocess.run(command, cwd=file.parent, env=environ, capture_output=True, text=True)
    assert fresh.stdout == "2\n"


def test_the_script_itself_is_swapped(tmp_path):
    script = tmp_path / "agent.py"
    text = (
        "import sys\nfrom selfheal_tui.probe.swap import remember_sources, swap_files\n"
        "class Agent:\n    def __init__(self): self.done = 3\n    def work(self): return 'old', self.done\n"
        "def main():\n    agent = Agent(); root = sys.argv[1]; remember_sources(root)\n"
        "    text = open(__file__).read(); open(__file__, 'w').write(text.replace(\"'old'\", \"'new'\", 1))\n"
        "    outcome = swap_files([__file__], root=root)\n    print(agent.work(), outcome.ok, outcome.swapped)\n"
        "if __name__ == '__main__':\n    main()\n"
    )
    script.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True)
    assert done.stdout == "('new', 3) True ['__main__:Agent.work']\n", done.stderr


def test_a_call_that_is_under_way_is_told(program):
    load, swap, _ = program
    module = load("def f(then): return 'old', then()\n")
    outcomes = []
    assert module.f(lambda: outcomes.append(swap("def f(then): return 'new', then()\n")))[0] == "old"
    assert [why for _, why in outcomes[0].notes if "still running old code" in why]
    assert module.f(int)[0] == "new"


def test_another_swap_under_way_is_an_error_and_not_a_deadlock(program, monkeypatch):
    load, swap, _ = program
    load("def f(): return 1\n")
    monkeypatch.setattr(swapper, "LOCK_SECONDS", 0.01)
    with swapper._lock:
        assert "under way" in swap("def f(): return 2\n").error
    assert swap("def f(): return 2\n").ok


@given(st.lists(st.integers(0, 4), max_size=6), st.lists(st.integers(0, 4), max_size=6))
def test_equal_code_is_always_paired_with_equal_code(before, after):
    def codes(values):
        text = "\n".join(f"def f(): return 'v{value}'" for value in values)
        return [one for one in compile(text, "x", "exec").co_consts if hasattr(one, "co_code")]

    old, new = codes(before), codes(after)
    pairs = pair(old, new)
    assert len(pairs) == min(len(old), len(new))
    equal = sum(code_key(one) == code_key(other) for one, other in pairs)
    if len(old) > 1 or len(new) > 1:
        assert equal == sum(min(before.count(value), after.count(value)) for value in set(before))


def test_a_trampoline_keeps_closures_arguments_and_can_be_undone():
    def make(a, b):
        return lambda x, y=1: (a, b, x, y)

    old = make(1, 2)
    journal = Journal()
    bounce(journal, old, lambda *a, **k: ("new", a, k))
    assert old(5, y=6) == ("new", (5,), {"y": 6})
    assert journal.roll_back() == []
    assert old(5) == (1, 2, 5, 1)
    assert not hasattr(old, "__wrapped__")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("X = 1", True),
        ("X, Y = (1, 2)", True),
        ("X: int = -3", True),
        ("D = OrderedDict(a=1)", True),
        ("X = open('f')", False),
        ("X = OrderedDict(a=open('f'))", False),
        ("X = [print(i) for i in (1,)]", False),
        ("os.environ['X'] = '1'", False),
        ("print(1)", False),
        ("X = (Y := 1)", False),
        ("for i in (): pass", False),
        ("try:\n    import a\nexcept ImportError:\n    a = None", True),
        ("try:\n    import a\nexcept ImportError:\n    exit()", False),
        ("if print(1):\n    X = 1", False),
    ],
)
def test_only_statements_without_side_effects_count_as_safe(text, safe):
    tree = ast.parse("from collections import OrderedDict\n" + text)
    assert is_safe(tree.body[1], imported_names(tree)) is safe
