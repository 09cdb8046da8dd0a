"""Values become bounded, masked text, and none of the program's code runs for it."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import threading
import time
import uuid
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.probe.render import MAX_TEXT, Budget, instance_dict, keys_of, render, size_of, type_name


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int
    y: str


@dataclasses.dataclass
class Account:
    name: str
    password: str


class Slotted:
    __slots__ = ("filled", "unfilled")

    def __init__(self):
        self.filled = 1


def show(value, name="value"):
    return render(name, value, Budget())


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            1,
            -1.5,
            2j,
            "text",
            b"bytes",
            [],
            [1, "a"],
            (),
            (1,),
            {},
            {"a": [1]},
            {1, 2},
            set(),
            range(3),
            ...,
        ),
        *(dt.date(2020, 1, 2), decimal.Decimal("1.5"), pathlib.PurePosixPath("/x"), uuid.UUID(int=7)),
    ],
    ids=repr,
)
def test_builtin_and_known_values_look_as_their_repr(value):
    assert show(value) == repr(value)


def test_objects_are_described_by_type_and_attributes():
    here = __name__
    assert show(Account("bob", "hunter2")) == f"<{here}.Account object: name='bob', password=[masked]>"
    assert show(Slotted()) == f"<{here}.Slotted object: filled=1>"
    assert show(Point(1, "b")) == f"{here}.Point(x=1, y='b')"
    assert show(Colour.RED) == f"{here}.Colour.RED"
    assert show(Level.HIGH) == f"{here}.Level.HIGH"
    assert show(object()) == "<object object>"
    assert show(ValueError("x", 1)) == "ValueError('x', 1)"
    assert show(collections.OrderedDict(a=1)) == "collections.OrderedDict({'a': 1})"
    assert show(Account) == f"<class '{here}.Account'>"
    assert show(show) == "<function show>"
    assert show(pathlib) == "<module 'pathlib'>"


def test_secrets_are_masked_by_variable_key_attribute_and_shape():
    assert show("hunter2", "password") == "[masked]"
    assert show({"a": {"api_key": "hunter2"}}) == "{'a': {'api_key': [masked]}}"
    assert "hunter2" not in show(["postgres://me:hunter2@db/x"])
    assert "hunter2" not in show([("authorization", "hunter2")])
    key = "ghp_" + "A1b2C3d4" * 5
    assert key not in show({"note": f"my key is {key}"})
    # The end of what is shown falls into the secret.
    assert key[:12] not in show("x" * (MAX_TEXT - 20) + " " + key)


def test_size_and_keys_are_those_of_builtin_containers_only():
    class Liar(dict):
        def __len__(self):
            raise AssertionError("was run")

        keys = __iter__ = __len__

    assert size_of(Liar(a=1)) == 1
    assert keys_of(Liar(a=1)) == ["a"]
    assert size_of("abc") == 3
    assert size_of(object()) is None
    assert keys_of([1]) == []
    assert len(keys_of(dict.fromkeys(map(str, range(1000))))) == 64


def test_depth_width_and_cycles_are_bounded():
    cycle: list = []
    cycle.append(cycle)
    deep: list = []
    for _ in range(10_000):
        deep = [deep]
    assert len(show(cycle)) < 100
    assert len(show(deep)) < 100
    assert show(list(range(1000))).endswith("11, ...]")
    assert len(show("x" * 10_000_000)) <= MAX_TEXT
    assert show(10**20_000) == "<int of 66439 bits>"
    assert len(show(dict.fromkeys(range(100), "x" * 500))) <= MAX_TEXT


def test_a_spent_budget_ends_the_description():
    assert Budget(seconds=-1).spent()
    assert show([[1]]) == "[[1]]"
    assert render("x", [[1]], Budget(nodes=1)) == "<list ...>"


def test_properties_getattr_and_class_lies_are_not_run():
    class Trap:
        def __init__(self):
            self.kept = 1

        def __getattribute__(self, name):
            raise AssertionError(f"{name} was read")

        __repr__ = __str__ = __len__ = __iter__ = __hash__ = __eq__ = __bool__ = __getattribute__

    assert show(Trap()).endswith("Trap object: kept=1>")
    assert instance_dict(Trap()) == {"kept": 1}
    assert type_name(Trap).endswith("Trap")


def test_a_dict_that_another_thread_changes_costs_no_more_than_its_description():
    shared: dict[int, int] = dict.fromkeys(range(100))  # type: ignore[arg-type]
    stop = threading.Event()

    def churn():
        n = 0
        while not stop.is_set():
            n += 1
            shared[n] = n
            shared.pop(n - 50, None)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            assert isinstance(show(shared), str)
    finally:
        stop.set()
        thread.join()


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.binary() | st.floats(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
)
def test_every_value_has_a_bounded_description_fit_for_utf8(value):
    text = show(value)
    assert len(text) <= MAX_TEXT
    text.encode("utf-8")
