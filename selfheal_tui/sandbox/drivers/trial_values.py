"""Values that a function is tried on, and what it made of them, so that two versions of it can be compared.

Used by `trials.py`; standard library only. Neighbours of a value keep its type and stay close to it: they are
meant to be values that the function could as well have been given.
"""

from __future__ import annotations

import hashlib
import pickle
import re
import signal
import types
from typing import Any, Callable, Iterator

MOST_ITEMS = 2_000
MOST_DEPTH = 6
LONGEST = 200_000
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


UNKNOWN = "?"


class TooLong(BaseException):
    """A call ran out of time."""


def neighbours(value: Any) -> Iterator[Any]:
    """Yields values of the same type near a value."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, value + 2, value * 2, value * 3 + 1)
    elif isinstance(value, float):
        yield from (value + 1.0, value / 2.0, value * 3.0)
    elif isinstance(value, str):
        if len(value) > 1:
            yield from (value[1:], value[:-1], value[::-1], value + value[0], value[-1] + value)
            yield value[: len(value) // 2] + value[len(value) // 2 + 1 :]
        if value:
            yield value + value
    elif type(value) in (list, tuple):
        if len(value) > 1:
            yield from (value[1:], value[:-1], value[::-1], value[1:] + value[:1])
            yield value[: len(value) // 2] + value[len(value) // 2 + 1 :]
        if value:
            yield value + value[:1]
            yield value + value[-1:]
        for index, item in list(enumerate(value))[:4]:
            for other in list(neighbours(item))[:2]:
                changed = list(value)
                changed[index] = other
                yield type(value)(changed)
    elif type(value) is dict:
        for key in list(value)[:3]:
            for other in list(neighbours(value[key]))[:2]:
                yield {**value, key: other}
        if len(value) > 1:
            yield dict(list(value.items())[1:])
    elif type(value) is set and len(value) > 1:
        yield set(sorted(value, key=repr)[1:])


def varied(blob: bytes, most: int) -> Iterator[bytes]:
    """Yields pickled arguments in which one argument has a neighbour's value."""
    args, kwargs = pickle.loads(blob)
    made = [
        ((*args[:index], other, *args[index + 1 :]), kwargs)
        for index, value in enumerate(args)
        for other in neighbours(value)
    ]
    made += [(args, {**kwargs, name: other}) for name, value in kwargs.items() for other in neighbours(value)]
    step = max(1, len(made) // most)
    for item in made[::step][:most]:
        yield pickle.dumps(item)


def described(value: Any, depth: int = 0, seen: tuple[int, ...] = ()) -> str:
    """Spells a value so that equal ones read the same, whatever object they are."""
    if id(value) in seen or depth > MOST_DEPTH:
        return "…"
    below = (*seen, id(value))
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        # A program that goes on with 4.0 where 4 was meant mostly goes on alike, but it is another answer.
        return type(value).__name__ + ":" + repr(value)
    name = type(value).__name__
    if isinstance(value, dict):
        items = [
            described(k, depth + 1, below) + "=" + described(v, depth + 1, below)
            for k, v in list(value.items())[:MOST_ITEMS]
        ]
        return name + "{" + ",".join(sorted(items)) + "}"
    if isinstance(value, (set, frozenset)):
        return name + "{" + ",".join(sorted(described(v, depth + 1, below) for v in value)) + "}"
    if isinstance(value, (list, tuple)) or name == "deque":
        return name + "[" + ",".join(described(v, depth + 1, below) for v in list(value)[:MOST_ITEMS]) + "]"
    if isinstance(value, types.GeneratorType) or (hasattr(value, "__next__") and hasattr(value, "__iter__")):
        items = []
        for item in value:
            items.append(described(item, depth + 1, below))
            if len(items) >= MOST_ITEMS:
                break
        return "iterator[" + ",".join(items) + "]"
    own = getattr(value, "__dict__", None)
    if isinstance(own, dict) and not isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return name + described(own, depth + 1, below)
    return name + ":" + _ADDRESS.sub("", repr(value))


def outcome(function: Callable[..., Any] | None, blob: bytes, seconds: float) -> str:
    """Calls a function on pickled arguments and spells what came of it, also of what it did to its arguments.

    Returns:
        A digest; `!` and the exception's type when it raised; `?` when it could not be said.
    """
    if function is None:
        return UNKNOWN
    try:
        args, kwargs = pickle.loads(blob)
    except Exception:
        return UNKNOWN

    def ring(_number: int, _frame: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        text = described(function(*args, **kwargs)) + "|" + described(args) + described(kwargs)
    except TooLong:
        return "!time"
    except (SystemExit, KeyboardInterrupt, Exception) as error:
        return "!" + type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return hashlib.sha256(text[:LONGEST].encode("utf-8", "surrogatepass")).hexdigest()[:16]
