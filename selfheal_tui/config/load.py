"""Reads the settings: defaults, then a file of the project, then variables, then flags.

Each value remembers where it came from. Nothing is ignored: a key that does not exist is an error,
since a misspelt limit that silently does not hold is worse than none.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfheal_tui.config.dotenv import read_dotenv
from selfheal_tui.config.errors import ConfigError
from selfheal_tui.config.schema import (
    ALIASES,
    VARIABLE_PREFIX,
    build_settings,
    render,
    settings_by_key,
)
from selfheal_tui.config.values import from_text, from_toml
from selfheal_tui.model.settings import Settings

OWN_FILE = "selfheal.toml"
SHARED_FILE = "pyproject.toml"
SHARED_TABLE = "[tool.selfheal]"
NOT_SETTINGS = frozenset(
    {
        "SELFHEAL_BLOCKED_SECONDS",
        "SELFHEAL_INBOX",
        "SELFHEAL_LIVE",
        "SELFHEAL_OPERATOR",
        "SELFHEAL_PROGRAM",
        "SELFHEAL_RADAR",
        "SELFHEAL_ROOT",
        "SELFHEAL_TEST_CHANNEL",
    }
)
"""Variables by which we speak to the probe and the sandbox, and the name under which a person decides."""
PROGRAM_TABLES = "program"
"""Key of the `[[program]]` tables, which stand beside the settings in the same files."""
_ROOT_MARKS = (OWN_FILE, SHARED_FILE, ".git", "setup.py", "setup.cfg")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of one setting came from.

    Attributes:
        value: The value, as TOML would have it.
        source: `default`, `selfheal.toml`, `pyproject.toml [tool.selfheal]`, `$SELFHEAL_…`, or `--…`.
    """

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, and where each came from.

    Attributes:
        settings: The settings.
        origins: By dotted key.
    """

    settings: Settings
    origins: dict[str, Origin]


def load_settings(
    root: Path,
    *,
    environ: Mapping[str, str],
    flags: Mapping[str, str] | None = None,
    env_file: Path | None = None,
) -> LoadedSettings:
    """Reads all settings.

    Args:
        root: Root of the project.
        environ: The environment variables.
        flags: Values from the command line by dotted key.
        env_file: A `.env` file to read as well; real variables win over it.

    Returns:
        The settings with their origins.

    Raises:
        ConfigError: Something is unknown, of the wrong type, out of range, or unreadable.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers = [_from_file(root)]
    if env_file is not None:
        layers.append(_from_variables(read_dotenv(env_file), f" in {env_file}"))
    layers.append(_from_variables(environ, ""))
    layers.append(_from_flags(flags or {}))
    for layer in layers:
        for key, (value, source) in layer.items():
            values[key] = value
            sources[key] = source
    origins = {
        key: Origin(render(values.get(key, setting.default)), sources.get(key, "default"))
        for key, setting in settings_by_key().items()
    }
    return LoadedSettings(build_settings(values), origins)


def find_root(start: Path) -> Path:
    """Finds the project that a folder belongs to.

    Args:
        start: A folder, or a file in it.

    Returns:
        The nearest folder, upwards from `start`, with `selfheal.toml`, `pyproject.toml`, `.git`,
        `setup.py` or `setup.cfg`; `start` itself when there is none.
    """
    folder = start.resolve()
    if folder.is_file():
        folder = folder.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in _ROOT_MARKS):
            return candidate
    return folder


@dataclass(frozen=True, slots=True)
class OwnTable:
    """What the project's file says to us, as TOML had it.

    Attributes:
        table: The keys.
        where: File and table, for errors.
        source: The same for people, and what is not read because of it.
    """

    table: Mapping[str, Any]
    where: str
    source: str


def own_table(root: Path) -> OwnTable:
    """Reads `selfheal.toml`, or else the table `[tool.selfheal]` of `pyproject.toml`.

    Raises:
        ConfigError: The file cannot be read.
    """
    own, shared = root / OWN_FILE, root / SHARED_FILE
    shared_table = _table_of(shared)
    if own.exists():
        # Both present: ours wins as a whole, and its origin says that the other is not read.
        source = f"{OWN_FILE} ({SHARED_FILE} {SHARED_TABLE} is ignored)" if shared_table else OWN_FILE
        return OwnTable(_parse(own), str(own), source)
    return OwnTable(shared_table, f"{shared} {SHARED_TABLE}", f"{SHARED_FILE} {SHARED_TABLE}")


_Layer = dict[str, tuple[Any, str]]


def _from_file(root: Path) -> _Layer:
    found = own_table(root)
    return _flatten(found.table, found.where, found.source)


def _table_of(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    tool = _parse(file).get("tool", {})
    table = tool.get("selfheal", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(
            file, "tool.selfheal", "is not a table", f"write {SHARED_TABLE} on a line of its own"
        )
    return table


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", f"is not valid TOML ({error})", "correct the file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(file, "", f"cannot be read ({error})", "make it a readable UTF-8 file") from error


def _flatten(table: Mapping[str, Any], where: str, source: str, prefix: str = "") -> _Layer:
    known = settings_by_key()
    found: _Layer = {}
    for name, value in table.items():
        key = prefix + name
        if key == PROGRAM_TABLES:
            continue  # `config.programs` reads them, as strictly
        if key in known:
            found[key] = (from_toml(known[key], value, where), source)
        elif any(other.startswith(f"{key}.") for other in known):
            if not isinstance(value, dict):
                raise ConfigError(where, key, "is a table, not a value", f"write its keys as {key}.…")
            found.update(_flatten(value, where, source, f"{key}."))
        else:
            raise _unknown(where, key, list(known))
    return found


def _from_variables(environ: Mapping[str, str], place: str) -> _Layer:
    names = {setting.variable: key for key, setting in settings_by_key().items()}
    found: _Layer = {}
    # Aliases first, so that the full name wins when both are set.
    ours = [name for name in environ if name.startswith(VARIABLE_PREFIX) and name not in NOT_SETTINGS]
    for name in sorted(ours, key=lambda name: (name not in ALIASES, name)):
        key = names.get(name) or ALIASES.get(name)
        if key is None:
            raise _unknown(f"${name}{place}", "", [*names, *ALIASES], name)
        source = f"${name}{place}"
        found[key] = (from_text(settings_by_key()[key], environ[name], source), source)
    return found


def _from_flags(flags: Mapping[str, str]) -> _Layer:
    known = settings_by_key()
    found: _Layer = {}
    for key, text in flags.items():
        if key not in known:
            raise _unknown("command line", key, list(known))
        source = "--env" if key == "environment" else f"--{key.replace('.', '-').replace('_', '-')}"
        found[key] = (from_text(known[key], text, source), source)
    return found


def _unknown(where: str, key: str, known: list[str], given: str = "") -> ConfigError:
    close = difflib.get_close_matches(given or key, known, n=1, cutoff=0.6)
    if not close and "." not in key and key:
        close = [other for other in known if other.rpartition(".")[2] == key][:1]
    remedy = f"did you mean {close[0]}?" if close else "`selfheal config` lists all settings"
    return ConfigError(where, key, "is not a setting", remedy)
