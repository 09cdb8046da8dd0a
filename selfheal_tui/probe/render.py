"""Turns live values into bounded, masked text without running any code of the program.

A user's `__repr__` can raise, hang, or change things, and cannot be interrupted; so only built-in types and a
few of the standard library are asked for theirs, and every other object is described by its type and the
attributes in its `__dict__` or slots, read past `__getattr__` and properties. Standard library only, 3.9+.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
import types
from typing import Any, Iterator

from .redaction import mask_text, mask_value
from .secretnames import is_secret_name, is_suspicious_name

MAX_TEXT = 400
MAX_DEPTH = 4
MAX_ITEMS = 12
MAX_KEYS = 64
MAX_KEY_TEXT = 120
# A `repr` of a huge integer takes quadratic time, and is refused from 4300 digits on by newer Pythons.
_MAX_INT_BITS = 2_000

# `isinstance` would ask a proxy for its `__class__`, which is the program's code; `issubclass` of the true type does not.
_SIZED: tuple[Any, ...] = (str, bytes, bytearray, list, tuple, dict, set, frozenset)
_PLAIN = (type(None), bool, float, complex, type(Ellipsis), type(NotImplemented), range)
_STANDARD = {
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "pathlib": ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"),
    "uuid": ("UUID",),
    "ipaddress": ("IPv4Address", "IPv6Address"),
}


class Budget:
    """How much time and text one capture may still spend.

    Attributes:
        deadline: Monotonic time in seconds after which nothing new is begun.
        characters: How much text may still be produced.
        nodes: How many values may still be visited.
        described: Values described before, by name and identity: the same object stands in many frames.
    """

    def __init__(self, seconds: float = 0.25, characters: int = 300_000, nodes: int = 20_000) -> None:
        self.deadline = time.monotonic() + seconds
        self.characters = characters
        self.nodes = nodes
        self.described: dict[tuple[str, int], tuple[Any, dict[str, Any]]] = {}

    def spent(self) -> bool:
        """Whether the capture must come to an end."""
        return self.nodes <= 0 or self.characters <= 0 or time.monotonic() > self.deadline


def clean(text: str) -> str:
    """Makes a text fit for UTF-8: lone surrogates become `?`.

    Args:
        text: Any string.

    Returns:
        The same text where it was fit already.
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def type_name(kind: type) -> str:
    """Names a type without asking its metaclass.

    Args:
        kind: The type.

    Returns:
        `module.Qualified.Name`, without the module for built-ins.
    """
    module = type_module(kind)
    name = _type_attribute(kind, "__qualname__")
    return clean(name if module in ("", "builtins") else module + "." + name)[:300]


def type_module(kind: type) -> str:
    """Names the module in which a type was defined, `""` if it does not say so.

    Args:
        kind: The type.

    Returns:
        The module's dotted name.
    """
    return _type_attribute(kind, "__module__")


def _type_attribute(kind: type, name: str) -> str:
    value = type.__dict__[name].__get__(kind)
    return value if type(value) is str else ""


def instance_dict(value: object) -> dict[Any, Any]:
    """Returns an object's own attributes without running code of its class.

    Args:
        value: Any object.

    Returns:
        Its `__dict__` (the live one), or its filled slots; empty when it has neither.
    """
    slots: dict[Any, Any] = {}
    for kind in type.__dict__["__mro__"].__get__(type(value)):
        namespace = type.__dict__["__dict__"].__get__(kind)
        entry = namespace.get("__dict__")
        if isinstance(entry, (types.GetSetDescriptorType, types.MemberDescriptorType)):
            found = entry.__get__(value)
            if type(found) is dict:
                return {**slots, **found} if slots else found
        if type_module(kind) == "builtins":
            continue
        for name, member in list(namespace.items())[:MAX_KEYS]:
            if isinstance(member, types.MemberDescriptorType):
                try:
                    slots[name] = member.__get__(value)
                except AttributeError:
                    continue
    return slots


def size_of(value: Any) -> int | None:
    """Returns `len()` of built-in strings and containers, None for all else.

    Args:
        value: Any object.

    Returns:
        The number of items.
    """
    for kind in _SIZED:
        if issubclass(type(value), kind):
            return int(kind.__len__(value))
    return None


def keys_of(value: Any) -> list[str]:
    """Returns the string keys of a dict, bounded and masked.

    Args:
        value: Any object.

    Returns:
        The keys in order; empty for everything that is not a dict.
    """
    if not issubclass(type(value), dict):
        return []
    keys = list(itertools.islice(dict.keys(value), MAX_KEYS))
    return [mask_text(clean(str.__str__(key)[:MAX_KEY_TEXT])) for key in keys if issubclass(type(key), str)]


def render(name: str, value: object, budget: Budget, *, limit: int = MAX_TEXT) -> str:
    """Describes one named value.

    Args:
        name: The variable, attribute or key, which decides whether the value is a secret.
        value: The live value.
        budget: What may still be spent.
        limit: Longest text in characters.

    Returns:
        Bounded and masked text; `<…>` for what could not be described.
    """
    try:
        text = _render(value, budget, 0)
        if type(value) not in _PLAIN or is_secret_name(name):
            text = mask_value(name, text)
    except Exception as problem:  # a dict that another thread changes, say
        text = "<not shown: %s>" % type(problem).__name__
    if len(text) > limit:
        text = text[: limit - 3] + "..."  # masked above as a whole
    budget.characters -= len(text)
    return clean(text)


def _render(value: Any, budget: Budget, depth: int) -> str:
    budget.nodes -= 1
    kind = type(value)
    if kind in _PLAIN:
        return repr(value)
    if issubclass(kind, (str, bytes, bytearray)):
        return _render_text(value)
    if issubclass(kind, int):
        return _render_int(value)
    if issubclass(kind, type):
        return "<class '%s'>" % type_name(value)
    if issubclass(kind, types.ModuleType):
        return "<module '%s'>" % str(instance_dict(value).get("__name__", "?"))[:200]
    if issubclass(kind, (types.FunctionType, types.BuiltinFunctionType)):
        return "<function %s>" % str(value.__qualname__)[:200]
    if issubclass(kind, types.MethodType):
        return "<bound method %s>" % str(getattr(value.__func__, "__qualname__", "?"))[:200]
    if depth >= MAX_DEPTH or budget.spent():
        return "<%s ...>" % type_name(kind)
    if issubclass(kind, dict):
        return _wrapped(
            kind, dict, "{" + _pairs(dict.items(value), dict.__len__(value), budget, depth, "{}: {}") + "}"
        )
    for base, opening, closing in (
        (list, "[", "]"),
        (tuple, "(", ")"),
        (set, "{", "}"),
        (frozenset, "{", "}"),
    ):
        if issubclass(kind, base):
            return _render_sequence(value, base, opening, closing, budget, depth)
    if issubclass(kind, BaseException):
        arguments = BaseException.__dict__["args"].__get__(value)
        return type_name(kind) + _render(arguments, budget, depth + 1)
    return _render_object(value, budget, depth)


def _render_text(value: Any) -> str:
    kind = type(value)
    if issubclass(kind, str):
        whole = str.__len__(value)
        text = repr(str.__str__(str.__getitem__(value, slice(0, 2 * MAX_TEXT))))
    else:
        whole = memoryview(value).nbytes
        text = repr(bytes(memoryview(value)[: 2 * MAX_TEXT]))
        if issubclass(kind, bytearray):
            text = "bytearray(" + text + ")"
    if whole <= 2 * MAX_TEXT and len(text) <= MAX_TEXT:
        return text
    # Masked before it is cut, so that a secret on the edge is seen whole.
    return mask_text(text)[: MAX_TEXT - 4] + "..."


def _render_int(value: int) -> str:
    name = instance_dict(value).get("_name_") if type(value) is not int else None
    if type(name) is str:
        return type_name(type(value)) + "." + name
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _MAX_INT_BITS else "<int of %d bits>" % bits


def _render_sequence(value: Any, base: Any, opening: str, closing: str, budget: Budget, depth: int) -> str:
    size = base.__len__(value)
    fields = type.__dict__["__dict__"].__get__(type(value)).get("_fields") if base is tuple else None
    if type(fields) is tuple and len(fields) == size:
        pairs = zip((field if type(field) is str else "?" for field in fields), tuple.__iter__(value))  # noqa: B905 - 3.9
        return type_name(type(value)) + "(" + _pairs(pairs, size, budget, depth, "{}={}", names=True) + ")"
    items = list(itertools.islice(base.__iter__(value), MAX_ITEMS))
    parts = [_render(item, budget, depth + 1) for item in items]
    if size > MAX_ITEMS:
        parts.append("...")
    text = ", ".join(parts) + ("," if base is tuple and size == 1 else "")
    if not size and base in (set, frozenset):
        return _wrapped(type(value), base, "set()") if base is set else "frozenset()"
    if base is frozenset:
        return type_name(type(value)) + "({" + text + "})"
    return _wrapped(type(value), base, opening + text + closing)


def _wrapped(kind: type, base: type, text: str) -> str:
    return text if kind is base else "%s(%s)" % (type_name(kind), text)


def _pairs(pairs: Any, size: int, budget: Budget, depth: int, form: str, *, names: bool = False) -> str:
    parts = []
    for key, item in list(itertools.islice(pairs, MAX_ITEMS)):
        text = _render(item, budget, depth + 1)
        # Shapes are masked later, in the text as a whole; names are at hand only here.
        if type(key) is str and (is_secret_name(key) or is_suspicious_name(key)):
            text = mask_value(key, text)
        parts.append(form.format(key if names else _render(key, budget, depth + 1), text))
    if size > MAX_ITEMS:
        parts.append("...")
    return ", ".join(parts)


def _render_object(value: Any, budget: Budget, depth: int) -> str:
    kind = type(value)
    if kind in _standard_types():
        return mask_text(repr(value))[:MAX_TEXT]
    attributes = instance_dict(value)
    if "_name_" in attributes and "_value_" in attributes:
        return type_name(kind) + "." + str(attributes["_name_"])[:MAX_KEY_TEXT]
    shown = {key: item for key, item in list(attributes.items())[: MAX_ITEMS + 1] if type(key) is str}
    if not shown:
        return "<%s object>" % type_name(kind)
    inner = _pairs(shown.items(), len(attributes), budget, depth, "{}={}", names=True)
    return "<%s object: %s>" % (type_name(kind), inner)


def _standard_types() -> Iterator[type]:
    """The types whose own `repr` is trusted, as far as the program has loaded their modules."""
    library = os.path.dirname(os.__file__)
    for module, names in _STANDARD.items():
        namespace = instance_dict(sys.modules.get(module))
        # A program may have a `uuid.py` of its own; that one is not trusted.
        if str(namespace.get("__file__", "")).startswith(library):
            for name in names:
                found = namespace.get(name)
                if isinstance(found, type):
                    yield found
