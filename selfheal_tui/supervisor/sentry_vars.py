"""Turns the `vars` of a Sentry frame into local variables as the probe would have described them.

Clients send `repr`s, and trees of them for containers; their own scrubbing does not look inside containers, so
everything is masked here by name on every level. Types are read off the text where it shows them, and left
empty where it does not: a wrong type misleads a rule more than none. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from selfheal_tui.model.crash import LocalValue
from selfheal_tui.probe.redaction import mask_text, mask_value

MAX_LOCALS = 40
MAX_TEXT = 400
"""As the probe bounds them (`docs/wire-format.md`)."""
_MAX_KEYS = 64
_MAX_ITEMS = 12
_MAX_DEPTH = 4
_MAX_SCANNED = 4_000
_MAX_NAME = 200
_OBJECT = re.compile(r"<([A-Za-z_][\w.]{0,200}) object at 0x")
_LITERALS = (
    (re.compile(r"None\Z"), "NoneType"),
    (re.compile(r"(?:True|False)\Z"), "bool"),
    (re.compile(r"-?\d+\Z"), "int"),
    (re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?\Z|-?(?:inf|nan)\Z"), "float"),
    (re.compile(r"b['\"]"), "bytes"),
    (re.compile(r"['\"]"), "str"),
)


def local_values(found: object) -> tuple[LocalValue, ...]:
    """Reads the local variables of one frame.

    Args:
        found: What the event calls `vars`; anything at all.

    Returns:
        The variables, bounded and masked; without dunders and modules.
    """
    if not isinstance(found, Mapping):
        return ()
    out: list[LocalValue] = []
    for name, value in found.items():
        if not isinstance(name, str) or not name or name.startswith("__"):
            continue
        if isinstance(value, str) and value.startswith("<module "):
            continue
        out.append(_local(_fit(name, _MAX_NAME), value))
        if len(out) >= MAX_LOCALS:
            break
    return tuple(out)


def _local(name: str, value: Any) -> LocalValue:
    kind = ""
    size: int | None = None
    keys: tuple[str, ...] = ()
    if isinstance(value, Mapping):
        kind, size = "dict", len(value)
        keys = tuple(mask_text(_fit(key, 120)) for key in list(value)[:_MAX_KEYS] if isinstance(key, str))
    elif isinstance(value, list):
        size = len(value)  # lists, tuples and sets look the same
    elif isinstance(value, str):
        kind = _type_of(value)
    elif value is None or isinstance(value, (bool, int, float)):
        kind = type(value).__name__
    text = mask_value(name, _render(value, 0)[:_MAX_SCANNED])
    return LocalValue(name=name, type=kind, repr=text[:MAX_TEXT], size=size, keys=keys)


def _type_of(text: str) -> str:
    named = _OBJECT.match(text)
    if named:
        return named[1].removeprefix("__main__.")
    return next((kind for pattern, kind in _LITERALS if pattern.match(text)), "")


def _render(value: Any, depth: int) -> str:
    if isinstance(value, Mapping):
        if depth >= _MAX_DEPTH:
            return "{…}"
        parts = []
        for key, item in list(value.items())[:_MAX_ITEMS]:
            name = key if isinstance(key, str) else ""
            parts.append(f"{_fit(name, 120)!r}: {mask_value(name, _render(item, depth + 1))}")
        return "{" + ", ".join(parts) + (", …}" if len(value) > _MAX_ITEMS else "}")
    if isinstance(value, list):
        if depth >= _MAX_DEPTH:
            return "[…]"
        shown = ", ".join(_render(item, depth + 1) for item in value[:_MAX_ITEMS])
        return f"[{shown}{', …' if len(value) > _MAX_ITEMS else ''}]"
    if isinstance(value, str):
        return _fit(value, _MAX_SCANNED)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return "<large int>"
    return repr(value) if value is None or isinstance(value, (bool, int, float)) else ""


def _fit(text: str, limit: int) -> str:
    return text[:limit].encode("utf-8", "replace").decode("utf-8")
