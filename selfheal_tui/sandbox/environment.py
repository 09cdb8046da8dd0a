"""The environment variables that a program inside the walls sees: an allow-list, never the operator's own.

Secrets live in variables with any name, so nothing is passed on because it looks harmless; what a program needs beyond
this list is named in `sandbox.pass_environment`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from selfheal_tui.sandbox.interpreter import InterpreterFacts

PASSED = frozenset(
    {
        "LANG", "LANGUAGE", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC",
        "LC_TIME", "TZ", "COLUMNS", "LINES",
        # switches of the interpreter that change what a program does
        "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONOPTIMIZE", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG",
        "PYTHONINTMAXSTRDIGITS", "PYTHONSAFEPATH",
    }
)  # fmt: skip

_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")


def clean_environment(
    facts: InterpreterFacts,
    *,
    home: Path,
    temporary: Path,
    python_path: Iterable[str] = (),
    passed: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Builds the environment of a walled-in program.

    The hash seed is fixed, so that a replay before and one after a fix see sets and dicts of strings in the same order.

    Args:
        facts: The target interpreter.
        home: Its HOME, in the scratch.
        temporary: Its TMPDIR, in the scratch.
        python_path: Import path to put before the interpreter's own.
        passed: Names of further variables that the operator lets in.
        environ: Where values come from; by default this process's environment.

    Returns:
        Name to value.
    """
    source = os.environ if environ is None else environ
    wanted = PASSED | set(passed)
    made = {name: source[name] for name in source if name in wanted}
    own = [str(Path(facts.executable).parent)]
    made["PATH"] = os.pathsep.join(dict.fromkeys([*own, *_SYSTEM_PATH]))
    made["HOME"] = str(home)
    made["TMPDIR"] = made["TMP"] = made["TEMP"] = str(temporary)
    made["TERM"] = "dumb"
    made["NO_COLOR"] = "1"
    made["PYTHONHASHSEED"] = "0"
    made["PYTHONUNBUFFERED"] = "1"
    if facts.user_base:
        made["PYTHONUSERBASE"] = facts.user_base
    if facts.prefix != facts.base_prefix:
        made["VIRTUAL_ENV"] = facts.prefix
    path = list(dict.fromkeys(entry for entry in python_path if entry))
    if path:
        made["PYTHONPATH"] = os.pathsep.join(path)
    return made
