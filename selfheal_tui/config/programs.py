"""Reads the `[[program]]` tables: the programs that `selfheal run` starts when no command is given.

As strict as the settings beside them: an unknown key is an error that says what was meant. It checks
what can be known without starting anything; whether a command exists is found out when it is started.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfheal_tui.config.errors import ConfigError
from selfheal_tui.config.load import PROGRAM_TABLES, own_table
from selfheal_tui.model.kinds import Restart

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VARIABLE = re.compile(r"[^=\0]+")


@dataclass(frozen=True, slots=True)
class ProgramTable:
    """One `[[program]]` table.

    Attributes:
        name: Unique name; it stands before the program's output.
        command: The command's words; no shell is involved.
        cwd: Working directory, absolute.
        restart: When it is started again; None where the table does not say.
        pty: Whether it gets a terminal of its own.
        env: Environment variables beside ours.
    """

    name: str
    command: tuple[str, ...]
    cwd: Path
    restart: Restart | None = None
    pty: bool = False
    env: Mapping[str, str] = field(default_factory=dict)


def load_programs(root: Path) -> tuple[ProgramTable, ...]:
    """Reads the programs of a project.

    Args:
        root: Root of the project; working directories are relative to it.

    Returns:
        The programs in the order of the file; none when there are no tables.

    Raises:
        ConfigError: A key is unknown, missing, doubled or of the wrong type, or the file is unreadable.
    """
    found = own_table(root)
    tables = found.table.get(PROGRAM_TABLES, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(
            found.where,
            PROGRAM_TABLES,
            "is not a list of tables",
            "write [[program]] above each program's keys",
        )
    programs: list[ProgramTable] = []
    for number, table in enumerate(tables, start=1):
        program = _read(table, root, found.where, number)
        if any(other.name == program.name for other in programs):
            raise ConfigError(
                found.where,
                f"program {number}: name",
                f"{program.name!r} is the name of another program too",
                "choose another",
            )
        programs.append(program)
    return tuple(programs)


def pick_programs(programs: Sequence[ProgramTable], names: Sequence[str]) -> tuple[ProgramTable, ...]:
    """Picks programs by name.

    Args:
        programs: All programs.
        names: The names that were asked for; none means all.

    Returns:
        The programs, in the order of the file.

    Raises:
        ConfigError: There is no program of a name.
    """
    known = [program.name for program in programs]
    for name in names:
        if name not in known:
            raise ConfigError("--name", name, "is not the name of a program", _meant(name, known))
    return tuple(program for program in programs if not names or program.name in names)


def valid_name(name: str, where: str, key: str) -> str:
    """Returns a program's name if it can be one.

    Raises:
        ConfigError: It has other characters, or too many.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            where,
            key,
            f"{name!r} cannot be a name",
            "use up to 64 letters, digits, `.`, `_`, `-`, and begin with a letter or digit",
        )
    return name


def _read(table: Mapping[str, Any], root: Path, where: str, number: int) -> ProgramTable:
    known = list(_KINDS)
    for key in table:
        if key not in known:
            raise ConfigError(
                where, f"program {number}: {key}", "is not a key of a program", _meant(key, known)
            )
    for key, value in table.items():
        kinds, wanted = _KINDS[key]
        if not isinstance(value, kinds) or (isinstance(value, str) and "\0" in value):
            raise ConfigError(where, f"program {number}: {key}", f"{value!r} is not {wanted}", "correct it")
    for key in ("name", "command"):
        if key not in table:
            raise ConfigError(
                where, f"program {number}: {key}", "is missing", f"write {key} = {_EXAMPLES[key]}"
            )
    name = valid_name(table["name"], where, f"program {number}: name")
    place = f"program {name}"
    return ProgramTable(
        name=name,
        command=_command(table["command"], where, f"{place}: command"),
        cwd=(root / table.get("cwd", ".")).resolve(),
        restart=_restart(table["restart"], where, f"{place}: restart") if "restart" in table else None,
        pty=table.get("pty", False),
        env=_env(table.get("env", {}), where, f"{place}: env"),
    )


def _command(value: str | list[Any], where: str, key: str) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ConfigError(
                where, key, f"cannot be split into words ({error})", "close the quotation, or write a list"
            ) from error
    elif all(isinstance(word, str) for word in value):
        words = value
    else:
        raise ConfigError(where, key, "has a word that is not a string", "write each word in quotes")
    if not words or not words[0] or any("\0" in word for word in words):
        raise ConfigError(where, key, "names no program", f"write for example {_EXAMPLES['command']}")
    return tuple(words)


def _restart(value: str, where: str, key: str) -> Restart:
    try:
        return Restart(value)
    except ValueError:
        remedy = _meant(value, list(Restart), f"write one of {', '.join(Restart)}")
        raise ConfigError(where, key, f"{value!r} is not a restart policy", remedy) from None


def _env(value: Mapping[str, Any], where: str, key: str) -> dict[str, str]:
    for name, text in value.items():
        if not isinstance(text, str) or "\0" in text:
            raise ConfigError(where, f"{key}.{name}", f"{text!r} is not a string", "write it in quotes")
        if not _VARIABLE.fullmatch(name):
            raise ConfigError(where, f"{key}.{name}", "is no name of a variable", "leave out `=`")
    return dict(value)


def _meant(given: str, known: Sequence[str], otherwise: str = "") -> str:
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    return otherwise or (f"there are {', '.join(known)}" if known else "write a [[program]] table for it")


_KINDS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "name": (str, "a string"),
    "command": ((str, list), "a string or a list of strings"),
    "cwd": (str, "a string"),
    "restart": (str, "a string"),
    "pty": (bool, "true or false"),
    "env": (dict, "a table of strings"),
}
_EXAMPLES = {"name": '"agent"', "command": '"python agent.py"'}
