"""Reads a `.env` file when asked to: `NAME=value` lines, strictly, and nothing is ever expanded or run."""

from __future__ import annotations

import re
from pathlib import Path

from selfheal_tui.config.errors import ConfigError

_LINE = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)")
_QUOTED = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|'([^']*)')[ \t]*(?:\#.*)?""")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def read_dotenv(file: Path) -> dict[str, str]:
    """Reads variables from a file.

    Args:
        file: The file.

    Returns:
        The variables, in order; a later one of the same name wins.

    Raises:
        ConfigError: It cannot be read, or a line is not an assignment.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(file, "", f"cannot be read ({error})", "name a readable UTF-8 file") from error
    found: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(file, f"line {number}", "is not NAME=value", "correct the line or remove it")
        name, value = match.groups()
        found[name] = _unquote(value, file, number)
    return found


def _unquote(value: str, file: Path, number: int) -> str:
    if value[:1] not in {'"', "'"}:
        return re.split(r"[ \t]+#", value, maxsplit=1)[0]
    match = _QUOTED.fullmatch(value)
    if match is None:
        raise ConfigError(file, f"line {number}", "has an unfinished quotation", "close it on the same line")
    double, single = match.groups()
    if single is not None:
        return single
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), double)
