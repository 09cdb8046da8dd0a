"""Turns what stands in a file, a variable or a flag into a value of a setting's type. No I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from selfheal_tui.config.errors import ConfigError
from selfheal_tui.config.schema import Setting, render

_TRUTH: Mapping[str, bool] = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def from_toml(setting: Setting, value: Any, where: str) -> Any:
    """Checks a value from a TOML file, where types are written out and nothing is guessed.

    Args:
        setting: The setting.
        value: What TOML had.
        where: The file, for the error.

    Raises:
        ConfigError: Wrong type, or out of range.
    """
    kind = setting.type
    if kind is tuple:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _wrong(setting, where, value)
        return tuple(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if issubclass(kind, StrEnum):
        if not isinstance(value, str):
            raise _wrong(setting, where, value)
        return _member(setting, kind, value, where)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(setting, where, value)
    return _in_range(setting, value, where)


def from_text(setting: Setting, text: str, where: str) -> Any:
    """Reads a value from text, as variables and flags have it.

    Args:
        setting: The setting.
        text: Its value; lists are separated by commas.
        where: `$VARIABLE` or `--flag`, for the error.

    Raises:
        ConfigError: Not of the type, or out of range.
    """
    kind = setting.type
    if kind is str:
        return text
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    text = text.strip()
    if kind is bool:
        if text.lower() not in _TRUTH:
            raise _wrong(setting, where, text)
        return _TRUTH[text.lower()]
    if issubclass(kind, StrEnum):
        return _member(setting, kind, text, where)
    try:
        number = kind(text)
    except ValueError:
        raise _wrong(setting, where, text) from None
    return _in_range(setting, number, where)


def _member(setting: Setting, kind: type[StrEnum], text: str, where: str) -> StrEnum:
    try:
        return kind(text.strip().lower())
    except ValueError:
        raise _wrong(setting, where, text) from None


def _in_range(setting: Setting, value: Any, where: str) -> Any:
    if isinstance(value, str | bool):
        return value
    if not math.isfinite(value):
        raise _wrong(setting, where, value)
    if setting.low is not None and value < setting.low:
        raise ConfigError(where, setting.key, f"{value} is too small", f"use {setting.low:g} or more")
    if setting.high is not None and value > setting.high:
        raise ConfigError(where, setting.key, f"{value} is too large", f"use {setting.high:g} or less")
    return value


def _wrong(setting: Setting, where: str, value: Any) -> ConfigError:
    shown = repr(value)
    if len(shown) > 60:
        shown = shown[:57] + "…"
    return ConfigError(
        where,
        setting.key,
        f"{shown} is not a value of type {setting.type_name}",
        f"write for example {render(setting.default)}",
    )
