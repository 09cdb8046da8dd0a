"""Floor 1: reads settings from files, environment and flags, and says where each came from."""

from __future__ import annotations

from selfheal_tui.config.dotenv import read_dotenv
from selfheal_tui.config.errors import ConfigError
from selfheal_tui.config.load import LoadedSettings, Origin, find_root, load_settings
from selfheal_tui.config.schema import SettingRow, describe_settings

__all__ = [
    "ConfigError",
    "LoadedSettings",
    "Origin",
    "SettingRow",
    "describe_settings",
    "find_root",
    "load_settings",
    "read_dotenv",
]
