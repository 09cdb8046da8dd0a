"""The settings as a flat list of dotted keys, read off the dataclasses of `model.settings`. No I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast, get_type_hints

from selfheal_tui.model.settings import Settings

VARIABLE_PREFIX = "SELFHEAL_"
ALIASES: Mapping[str, str] = {"SELFHEAL_ENV": "environment"}
"""Variables beside the one that each key has by its name."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key.

    Attributes:
        key: Dotted, such as `sandbox.memory_mb`.
        type: `str`, `int`, `float`, `bool`, `tuple` (of strings), or an enumeration of strings.
        default: Its value when nobody says anything.
        help: What it means.
        low: Smallest allowed number.
        high: Largest allowed number.
    """

    key: str
    type: type[Any]
    default: Any
    help: str
    low: float | None = None
    high: float | None = None

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return VARIABLE_PREFIX + self.key.upper().replace(".", "_")

    @property
    def type_name(self) -> str:
        """The type in words for people."""
        if self.type is tuple:
            return "list of strings"
        if issubclass(self.type, StrEnum):
            return " | ".join(self.type)
        return {"str": "string", "int": "integer", "float": "number", "bool": "true | false"}[
            self.type.__name__
        ]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the table of settings, for documents and the command line.

    Attributes:
        key: Dotted.
        type: In words.
        default: As it would be written in TOML.
        help: What it means, with its range.
        variable: The environment variable that sets it.
    """

    key: str
    type: str
    default: str
    help: str
    variable: str


@lru_cache(maxsize=1)
def settings_by_key() -> Mapping[str, Setting]:
    """Returns every setting by its dotted key, in the order in which they are declared."""
    found: dict[str, Setting] = {}
    _collect(Settings, "", found)
    return found


def build_settings(values: Mapping[str, Any]) -> Settings:
    """Makes the settings from values of the right types; what is missing keeps its default."""
    return cast("Settings", _build(Settings, "", values))


def describe_settings() -> tuple[SettingRow, ...]:
    """Returns a row for each setting, in order."""
    return tuple(
        SettingRow(s.key, s.type_name, render(s.default), s.help + _range(s), s.variable)
        for s in settings_by_key().values()
    )


def render(value: Any) -> str:
    """Writes a value as TOML would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(render(item) for item in value) + "]"
    if isinstance(value, str):
        escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _range(setting: Setting) -> str:
    if setting.low is not None and setting.high is not None:
        return f" ({setting.low:g} to {setting.high:g})"
    if setting.low is not None:
        return f" ({setting.low:g} or more)"
    return f" (up to {setting.high:g})" if setting.high is not None else ""


def _collect(owner: type[Any], prefix: str, found: dict[str, Setting]) -> None:
    hints = get_type_hints(owner)
    for field in dataclasses.fields(owner):
        hint = hints[field.name]
        key = prefix + field.name
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            _collect(hint, f"{key}.", found)
            continue
        kind = getattr(hint, "__origin__", hint)
        found[key] = Setting(
            key,
            kind,
            field.default,
            field.metadata["help"],
            field.metadata["low"],
            field.metadata["high"],
        )


def _build(owner: type[Any], prefix: str, values: Mapping[str, Any]) -> Any:
    hints = get_type_hints(owner)
    arguments: dict[str, Any] = {}
    for field in dataclasses.fields(owner):
        hint = hints[field.name]
        key = prefix + field.name
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            arguments[field.name] = _build(hint, f"{key}.", values)
        elif key in values:
            arguments[field.name] = values[key]
    return owner(**arguments)
