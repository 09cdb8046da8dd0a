"""Writes the captured arguments of a call as Python literals, if they are plain data.

Usage: `literals.py FD`; on stdin a line with a token, then a JSON object: `payload`, `sys_path`. To the descriptor the token and one JSON object: `args`
(list of texts) and `kwargs` (name to text), or `problem`. The payload is a pickle that the crashed program wrote: it is opened here, inside the walls.
"""

from __future__ import annotations

import ast
import json
import math
import os
import pickle
import sys
from typing import Any

MOST_ITEMS = 200
MOST_DEPTH = 12
MOST_CHARACTERS = 4000


class NotPlain(Exception):  # noqa: N818 - a verdict, not an error
    """The value is no plain data, or too much of it; the message says which."""


def literal(value: Any) -> str:
    """Writes a value so that evaluating the text gives an equal value of the same types.

    Args:
        value: Anything.

    Returns:
        The text; only builtins are named in it.

    Raises:
        NotPlain: It is no plain data, or too large.
    """
    text = _write(value, MOST_DEPTH)
    if len(text) > MOST_CHARACTERS:
        raise NotPlain("the arguments are longer than %d characters" % MOST_CHARACTERS)
    return text


def _write(value: Any, depth: int) -> str:
    kind = type(value)
    if depth == 0:
        raise NotPlain("the arguments are nested too deeply")
    if value is None or value is Ellipsis or kind is bool:
        return repr(value)
    if kind in (str, bytes, int):
        if kind is not int and len(value) > MOST_CHARACTERS:
            raise NotPlain("the arguments are longer than %d characters" % MOST_CHARACTERS)
        if kind is int and value.bit_length() > MOST_CHARACTERS:
            raise NotPlain("a number is too large")
        return ascii(value) if kind is str else repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else "float(%r)" % repr(value)
    if kind is complex:
        return "complex(%s, %s)" % (_write(value.real, depth), _write(value.imag, depth))
    if kind in (list, tuple, set, frozenset, dict):
        return _container(value, kind, depth - 1)
    if kind is bytearray:
        return "bytearray(%s)" % _write(bytes(value), depth)
    if kind is range:
        return repr(value)
    raise NotPlain("an argument is a %s.%s, which is no plain data" % (kind.__module__, kind.__qualname__))


def _container(value: Any, kind: type, depth: int) -> str:
    if len(value) > MOST_ITEMS:
        raise NotPlain("a container has more than %d items" % MOST_ITEMS)
    if kind is dict:
        return "{%s}" % ", ".join(_write(k, depth) + ": " + _write(v, depth) for k, v in value.items())
    items = [_write(item, depth) for item in value]
    if kind is list:
        return "[%s]" % ", ".join(items)
    if kind is tuple:
        return "(%s,)" % items[0] if len(items) == 1 else "(%s)" % ", ".join(items)
    items.sort()
    if kind is set:
        return "{%s}" % ", ".join(items) if items else "set()"
    return "frozenset({%s})" % ", ".join(items) if items else "frozenset()"


def answer_for(spec: Any) -> dict[str, Any]:
    """Reads a payload and writes its arguments."""
    try:
        with open(spec["payload"], "rb") as file:
            data = pickle.load(file)
        args = [literal(value) for value in data["args"]]
        kwargs = {name: literal(value) for name, value in data["kwargs"].items()}
        if sum(map(len, [*args, *kwargs.values()])) > MOST_CHARACTERS:
            return {"problem": "the arguments are longer than %d characters" % MOST_CHARACTERS}
        for text in [*args, *kwargs.values()]:
            ast.parse(text, mode="eval")
    except NotPlain as reason:
        return {"problem": str(reason)}
    except BaseException as error:
        return {"problem": "the captured arguments cannot be read: %s" % type(error).__name__}
    return {"args": args, "kwargs": kwargs}


def main(argv: list[str]) -> None:
    """Reads the specification, answers, and leaves at once: unpickling may have started threads."""
    number = int(argv[1])
    os.set_inheritable(number, False)
    token = sys.stdin.readline().strip()
    spec = json.load(sys.stdin)
    sys.path[0:1] = spec["sys_path"]
    os.dup2(2, 1)
    answer = (token + json.dumps(answer_for(spec)) + "\n").encode("utf-8")
    while answer:
        answer = answer[os.write(number, answer) :]
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv)
