"""Captured arguments as literals: equal when evaluated, or refused."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.sandbox.drivers.literals import MOST_CHARACTERS, NotPlain, answer_for, literal

_KEYS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.binary(max_size=8))
PLAIN = st.recursive(
    st.one_of(
        _KEYS,
        st.floats(allow_nan=False),
        st.complex_numbers(allow_nan=False),
        st.just(...),
        st.binary(max_size=8).map(bytearray),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(_KEYS, inner, max_size=4),
        st.sets(_KEYS, max_size=4),
        st.frozensets(_KEYS, max_size=4),
    ),
    max_leaves=12,
)


def types_of(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value), [types_of(item) for item in value]
    if isinstance(value, dict):
        return dict, [(type(k), types_of(v)) for k, v in value.items()]
    return type(value)


@given(PLAIN)
def test_a_literal_evaluates_to_an_equal_value_of_the_same_types(value: Any) -> None:
    text = literal(value)
    again = eval(text)
    assert again == value
    assert types_of(again) == types_of(value)
    assert text.isascii()


class Weak(str):
    __slots__ = ()


class Pair(NamedTuple):
    left: int


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Weak("x"),
        OrderedDict(a=1),
        Pair(1),
        [lambda: 0],
        {"a": open},
        "x" * (MOST_CHARACTERS + 1),
        list(range(1000)),
        1 << 5000,
    ],
)
def test_what_is_no_plain_data_or_too_much_of_it_is_refused(value: Any) -> None:
    with pytest.raises(NotPlain):
        literal(value)


def test_an_endless_structure_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotPlain):
        literal(loop)


def test_an_unreadable_payload_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"\x80\x04no pickle")
    assert "cannot be read" in answer_for({"payload": str(tmp_path / "p")})["problem"]
    (tmp_path / "q").write_bytes(pickle.dumps({"args": ([1, "é"],), "kwargs": {"key": {2}}}))
    answer = answer_for({"payload": str(tmp_path / "q")})
    assert answer == {"args": ["[1, '\\xe9']"], "kwargs": {"key": "{2}"}}
