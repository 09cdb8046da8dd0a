"""Functions of every signature and kind lead to the gate, look as before, and go on with the code of a variant."""

from __future__ import annotations

import asyncio
import builtins
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.sandbox.drivers import trial_gate
from selfheal_tui.sandbox.drivers.trial_gate import ENTER, GATE, Gate, Misfit, gated, version

FILE = "lib.py"
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "": ((), {}),
    "a": ((1,), {}),
    "a, b=2": ((1,), {}),
    "*args": ((1, 2), {}),
    "*args, **rest": ((1, 2), {"z": 3}),
    "a, *args": ((1, 2, 3), {}),
    "*, k": ((), {"k": 1}),
    "*, k=4, j": ((), {"j": 5}),
    "*args, k": ((1, 2), {"k": 3}),
    "**rest": ((), {"x": 1, "y": 2}),
    "a, /": ((1,), {}),
    "a=1, /, *, k=2": ((), {}),
    "a, /, b, *c, d, **e": ((1, 2, 3, 4), {"d": 5, "z": 6, "a": 7}),
    "item, gate=0, *, self=1": ((1,), {}),
    "é, *größe": ((1, 2), {}),
}
PLAIN = "def f({}):\n    return 'old', sorted(locals().items())\n"
KINDS = {
    "function": PLAIN,
    "generator": "def f({}):\n    yield 'old'\n    yield sorted(locals().items())\n    return 9\n",
    "coroutine": "async def f({}):\n    return 'old', sorted(locals().items())\n",
    "async generator": "async def f({}):\n    yield 'old'\n    yield sorted(locals().items())\n",
}


@pytest.fixture(autouse=True)
def _no_gate_is_left_in_builtins() -> Iterator[None]:
    yield
    for name in (GATE, ENTER):
        if hasattr(builtins, name):
            delattr(builtins, name)


def outcome(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a call gives, whatever kind of function it is, with all items that it yields."""
    made = function(*args, **kwargs)
    if inspect.iscoroutine(made):
        return asyncio.run(made)
    if inspect.isgenerator(made):
        items = []
        while True:
            try:
                items.append(next(made))
            except StopIteration as stop:
                return items, stop.value
    if inspect.isasyncgen(made):

        async def collected() -> list[Any]:
            return [item async for item in made]

        return asyncio.run(collected())
    return made


def before_and_at_the_gate(
    text: str, variant: str, name: str = "f"
) -> tuple[Callable[..., Any], Callable[..., Any], list[str]]:
    """The function as it is, and in a program that waits at the gate and goes on with a variant."""
    plain: dict[str, Any] = {}
    exec(compile(text, FILE, "exec"), plain)
    opened: list[str] = []

    def go_on() -> None:
        opened.append("opened")
        gate.go_on(version({FILE: variant}))

    gate = Gate(go_on)
    waiting: dict[str, Any] = {}
    exec(gated(text, FILE, set()), waiting)
    return plain[name], waiting[name], opened


def looks(function: Callable[..., Any]) -> tuple[Any, ...]:
    return (
        inspect.signature(function),
        function.__name__,
        function.__qualname__,
        inspect.iscoroutinefunction(function),
        inspect.isgeneratorfunction(function),
        inspect.isasyncgenfunction(function),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signature", CALLS)
def test_the_first_call_comes_by_the_gate_and_gives_what_the_variant_makes_of_the_arguments(
    signature: str, kind: str
) -> None:
    text = KINDS[kind].format(signature)
    args, kwargs = CALLS[signature]
    plain, waiting, opened = before_and_at_the_gate(text, text.replace("'old'", "'new'"))
    assert looks(waiting) == looks(plain)
    assert opened == []
    expected = outcome(plain, args, kwargs)
    found = outcome(waiting, args, kwargs)
    assert repr(found) == repr(expected).replace("'old'", "'new'")
    assert outcome(waiting, args, kwargs) == found
    assert opened == ["opened"]
    assert looks(waiting) == looks(plain)


@pytest.mark.parametrize("signature", [text for text in CALLS if "*" not in text.replace("*, ", "")])
def test_a_call_that_does_not_fit_is_refused_before_it_comes_by_the_gate(signature: str) -> None:
    plain, waiting, opened = before_and_at_the_gate(PLAIN.format(signature), PLAIN.format(signature))
    for function in (plain, waiting):
        with pytest.raises(TypeError):
            function(*range(9))
        with pytest.raises(TypeError):
            function(no_such_name=1)
    assert opened == []


names = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=6, max_size=6)


@given(names=names, counts=st.tuples(*[st.integers(0, 2)] * 3), stars=st.tuples(st.booleans(), st.booleans()))
def test_any_signature_leads_to_the_gate_with_all_its_arguments(
    names: list[str], counts: tuple[int, int, int], stars: tuple[bool, bool]
) -> None:
    left = iter(names)
    first, middle, named = ([next(left) for _ in range(n)] for n in counts)
    header = [*first, *(["/"] if first else []), *middle]
    header += ["*more"] if stars[0] else ["*"] if named else []
    header += [*named, *(["**rest"] if stars[1] else [])]
    text = PLAIN.format(", ".join(header))
    args = (*range(len(first) + len(middle)), *((7, 8) if stars[0] else ()))
    kwargs = {name: name for name in named} | ({"zz": 9} if stars[1] else {})
    plain, waiting, opened = before_and_at_the_gate(text, text.replace("'old'", "'new'"))
    assert looks(waiting) == looks(plain)
    assert waiting(*args, **kwargs) == ("new", plain(*args, **kwargs)[1])
    assert opened == ["opened"]


def test_methods_keep_their_class_and_private_parameters() -> None:
    text = """
class Base:
    def who(self, *args):
        return args
class C(Base):
    def who(self, *args, __k=3):
        return ('old', super().who(*args), __k)
    @staticmethod
    def free(*args):
        return ('old', args)
    @classmethod
    def made(cls, *args, **rest):
        return ('old', cls.__name__, args, rest)
"""
    _, found, opened = before_and_at_the_gate(text, text.replace("'old'", "'new'"), "C")
    assert opened == []
    assert found().who(1, 2) == ("new", (1, 2), 3)
    assert found.free(1) == ("new", (1,))
    assert found.made(1, b=2) == ("new", "C", (1,), {"b": 2})
    assert opened == ["opened"]


def test_a_generator_is_sent_to_and_closed_through_the_gate() -> None:
    text = "def f(*args):\n    try:\n        got = yield args\n        yield got\n    finally:\n        args[0].append('closed')\n"
    _, waiting, _ = before_and_at_the_gate(text, text)
    seen: list[str] = []
    made = waiting(seen)
    assert next(made) == (seen,)
    assert made.send("sent") == "sent"
    made.close()
    assert seen == ["closed"]


def test_an_exception_passes_the_gate_as_it_is() -> None:
    text = "def f(*args):\n    raise KeyError(*args)\n"
    _, waiting, _ = before_and_at_the_gate(text, text)
    with pytest.raises(KeyError, match="gone"):
        waiting("gone")


def test_only_the_functions_that_are_wanted_lead_to_the_gate() -> None:
    text = "def f(*args):\n    return 'f'\ndef g(*args):\n    return 'g'\n"
    opened: list[str] = []
    gate = Gate(lambda: (opened.append("opened"), gate.go_on({}))[0])
    waiting: dict[str, Any] = {}
    exec(gated(text, FILE, {(FILE, "g")}), waiting)
    assert waiting["f"](1) == "f"
    assert opened == []
    assert waiting["g"](1) == "g"
    assert opened == ["opened"]


def test_a_variant_whose_function_has_other_free_variables_is_a_misfit() -> None:
    text = "class B:\n    pass\nclass C(B):\n    def f(self, *args):\n        return args\n"
    _, found, _ = before_and_at_the_gate(text, text.replace("return args", "return super().__repr__()"), "C")
    with pytest.raises(Misfit):
        found().f(1)


def test_recorded_arguments_are_those_from_outside() -> None:
    text = "def f(*args):\n    return g(sum(args))\ndef g(*args, k=1):\n    return args[0] + k\n"
    gate = Gate(lambda: gate.go_on({}))
    gate.recorder = trial_gate.Recorder([])
    waiting: dict[str, Any] = {}
    exec(gated(text, FILE, set()), waiting)
    assert waiting["f"](1, 2) == 4
    assert [key for key, _ in gate.recorder.inputs] == [f"{FILE}:f#1"]
    assert waiting["g"](5, k=2) == 7
    assert len(gate.recorder.inputs) == 2
