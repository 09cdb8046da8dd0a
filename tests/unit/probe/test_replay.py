"""Arguments are saved only when they still are the arguments, and never with a secret in them."""

from __future__ import annotations

import pickle
import sys
import types

import pytest

from selfheal_tui.probe import replay
from selfheal_tui.probe.capture import capture_exception

MODULE = "replayed_module"


@pytest.fixture
def calls(tmp_path):
    """Runs a module's code, captures its crash, and returns its replay calls with their opened payloads."""

    def run(code: str):
        file = tmp_path / "app.py"
        file.write_text(code)
        module = types.ModuleType(MODULE)
        module.__file__ = str(file)
        sys.modules[MODULE] = module
        try:
            exec(compile(code, str(file), "exec"), module.__dict__)
        except Exception as error:
            found = capture_exception(error, root=str(tmp_path), payload_dir=str(tmp_path), stem="1-2-3")[
                "replay"
            ]
        else:
            raise AssertionError("it did not crash")
        for call in found:
            if call["payload"]:
                call["opened"] = pickle.loads((tmp_path / call["payload"]).read_bytes())
        return found

    yield run
    sys.modules.pop(MODULE, None)


def test_every_kind_of_parameter_is_saved_in_its_place(calls):
    (call,) = calls("def f(a, /, b, c=3, *rest, d, e=5, **more): return 1 / 0\nf(1, 2, 4, 6, 7, d=8, x=9)")
    assert call["opened"] == {"args": (1, 2, 4, 6, 7), "kwargs": {"d": 8, "e": 5, "x": 9}}
    assert (call["qualname"], call["module"], call["problem"]) == ("f", MODULE, "")
    assert call["payload"] == "1-2-3.args.0.pickle"


def test_a_method_is_saved_with_its_self_and_at_most_three_calls_innermost_first(calls):
    found = calls(
        "class T:\n    def __init__(self): self.n = 0\n    def a(self): return 1 / self.n\n    def b(self): self.a()\n"
        "def c(): T().b()\ndef d(): c()\nd()"
    )
    assert [call["qualname"] for call in found] == ["T.a", "T.b", "c"]
    assert found[0]["opened"]["args"][0].n == 0
    assert found[2]["opened"] == {"args": (), "kwargs": {}}


@pytest.mark.parametrize(
    ("body", "rebound"),
    [
        ("x = x or 1; 1 / 0", True),
        ("del x; 1 / 0", True),
        ("1 / 0; x = 1", False),
        ("for i in (1, 0):\n        1 / i\n        x = 2", True),
        ("y = 0; 1 / y", False),
        ("x += 1; 1 / 0", True),
        ("(lambda: x); x = 0; 1 / x", True),
        ("import os as x; 1 / 0", True),
    ],
)
def test_a_parameter_that_may_have_been_assigned_to_is_no_argument(calls, body, rebound):
    (call,) = calls(f"def f(x):\n    {body}\nf(3)")
    assert (call["payload"] is None) is rebound
    assert ("argument rebound: x" in call["problem"]) is rebound


def test_mutable_arguments_are_saved_and_said_to_be_uncertain(calls):
    (call,) = calls("def f(rows): rows.append(1); 1 / 0\nf([])")
    assert call["opened"]["args"] == ([1],)
    assert call["problem"] == replay.CHANGED_IN_PLACE


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def f():\n    yield 1 / 0\nnext(f())", "generator"),
        ("def f():\n    def g(): 1 / 0\n    g()\nf()", "nested"),
        ("def f(x): 1 / 0\nf(lambda: 1)", "cannot be saved"),
        ("def f(x): 1 / 0\nf(bytes(3_000_000))", "bytes"),
        ("class X:\n    def __reduce_ex__(self, p): raise SystemExit\ndef f(x): 1 / 0\nf(X())", "SystemExit"),
    ],
)
def test_a_call_that_cannot_be_saved_says_why_and_leaves_no_file(calls, tmp_path, code, problem):
    call = calls(code)[0]
    assert call["payload"] is None
    assert problem in call["problem"]
    assert not list(tmp_path.glob("*-0.args*")) + list(tmp_path.glob(".*.tmp"))


def test_a_coroutine_function_is_marked(calls):
    (call,) = calls("async def f(x): 1 / 0\nc = f(1)\ntry:\n    c.send(None)\nexcept StopIteration: pass")
    assert call["is_async"]
    assert call["opened"]["args"] == (1,)


def test_endless_state_is_stopped_by_time(calls, monkeypatch):
    monkeypatch.setattr(replay, "MAX_SECONDS", 0.05)
    (call,) = calls(
        "class Node:\n    def __getstate__(self): return {'next': Node()}\ndef f(x): 1 / 0\nimport sys\n"
        "sys.setrecursionlimit(100_000) if False else None\nf([Node() for _ in range(3)])"
    )
    assert call["payload"] is None


def test_secrets_are_masked_in_every_corner_and_the_live_objects_stay(calls):
    found = calls(
        "class Client:\n    def __init__(self, key): self.api_key = key; self.nested = {'a': [{'password': key}]}\n"
        "class Slot:\n    __slots__ = ('token',)\n"
        "class Bag(dict): pass\n"
        "slot = Slot(); slot.token = 'hunter2'\n"
        "shared = {'password': 'hunter2'}\n"
        "client = Client('hunter2')\n"
        "def f(client, slot, bag, one, two, url, raw, *, secret): 1 / 0\n"
        "f(client, slot, Bag(password='hunter2'), shared, [shared], 'redis://:hunter2@h', b'password=hunter2', secret='hunter2')"
    )
    call = found[0]
    assert replay.MASKED in call["problem"]
    args = call["opened"]["args"]
    assert "hunter2" not in repr((args, vars(args[0]), args[2], call["opened"]["kwargs"]))
    assert args[0].api_key == "[masked]"
    assert args[1].token == "[masked]"
    assert args[4][0] is args[3]
    module = sys.modules[MODULE]
    assert module.client.api_key == "hunter2"
    assert module.shared == {"password": "hunter2"}


def test_cycles_and_sharing_survive_masking(calls):
    (call,) = calls(
        "loop = {'password': 'hunter2'}\nloop['me'] = loop\ndef f(x, y): 1 / 0\nf(loop, [loop, loop])"
    )
    first, second = call["opened"]["args"]
    assert first["me"] is first
    assert second[0] is second[1] is first


def test_without_a_folder_nothing_is_saved(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("def f(): 1 / 0")
    names: dict = {"__name__": "a"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    try:
        names["f"]()
    except ZeroDivisionError as error:
        report = capture_exception(error, root=str(tmp_path))
    assert report["replay"][0]["problem"] == "no payload was asked for"
    assert [one.name for one in tmp_path.iterdir()] == ["a.py"]
