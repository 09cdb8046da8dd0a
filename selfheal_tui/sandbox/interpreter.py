"""Which Python runs the project, and where its files are.

An interpreter is asked once for its facts, outside the walls: with a clean environment and from an empty
directory, so that nothing of the project is imported. What a crash report names is untrusted: it is asked
only when it looks like an interpreter, is no world-writable file, and is in the project only as part of a virtual environment.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.ports import SandboxError
from selfheal_tui.source.project import Project

INTERPRETER_NAME = re.compile(r"(python|pypy)\d*(\.\d+)*t?(\.exe)?\Z")

_ASK_SECONDS = 20.0
_OLDEST = (3, 9)

_QUESTION = """
import json, site, sys, sysconfig
base = getattr(site, "USER_BASE", None) or ""
user = site.ENABLE_USER_SITE and base
print("\\n" + json.dumps({
    "executable": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3],
    "prefix": sys.prefix, "base_prefix": sys.base_prefix,
    "prefixes": [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix],
    "sys_path": [p for p in sys.path if p],
    "stdlib": sysconfig.get_paths()["stdlib"], "user_base": user or "",
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can run the project.

    Attributes:
        executable: Absolute path.
        version: Such as `3.11.7`.
        origin: Where it was found, for `selfheal doctor`.
    """

    executable: str
    version: str
    origin: str


@dataclass(frozen=True, slots=True)
class InterpreterFacts:
    """What an interpreter said about itself.

    Attributes:
        executable: Its own idea of its path (shims resolved).
        version: Such as `3.11.7`.
        prefix: `sys.prefix`.
        base_prefix: `sys.base_prefix`; differs from `prefix` in a virtual environment.
        prefixes: Every prefix that it uses.
        sys_path: Import path as started with no script.
        stdlib: Directory of its standard library.
        user_base: `site.USER_BASE` where the user's own packages are importable, else empty.
    """

    executable: str
    version: str
    prefix: str
    base_prefix: str
    prefixes: tuple[str, ...]
    sys_path: tuple[str, ...]
    stdlib: str
    user_base: str


@functools.lru_cache(maxsize=64)
def interpreter_facts(executable: str) -> InterpreterFacts:
    """Asks an interpreter for its facts, once per process.

    Args:
        executable: Path or name on PATH.

    Returns:
        The facts.

    Raises:
        SandboxError: It cannot be run, is too old, or answers nonsense.
    """
    remedy = "set project.interpreter to a CPython 3.9 or newer"
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT"}}
    try:
        with tempfile.TemporaryDirectory(prefix="selfheal-ask-") as empty:
            answer = subprocess.run(
                [executable, "-c", _QUESTION],
                cwd=empty,
                env={**kept, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_ASK_SECONDS,
                check=True,
            )
        raw = json.loads(answer.stdout.decode("utf-8", "replace").strip().splitlines()[-1])
        facts = InterpreterFacts(
            executable=raw["executable"] or executable,
            version=raw["version"],
            prefix=raw["prefix"],
            base_prefix=raw["base_prefix"],
            prefixes=tuple(dict.fromkeys(raw["prefixes"])),
            sys_path=tuple(path for path in raw["sys_path"] if Path(path) != Path(empty)),
            stdlib=raw["stdlib"],
            user_base=raw["user_base"],
        )
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, IndexError, TypeError) as error:
        raise SandboxError(f"the interpreter {executable} does not work ({error}); {remedy}") from error
    if tuple(int(part) for part in facts.version.split(".")[:2]) < _OLDEST:
        raise SandboxError(f"the interpreter {executable} is Python {facts.version}; {remedy}")
    return facts


def find_interpreter(project: Project, report: CrashReport | None, configured: str = "") -> Interpreter:
    """Finds the Python that runs the project.

    Order: the configured one, the one that crashed, a virtual environment in the project, `$VIRTUAL_ENV`,
    `python3` on PATH, the one that runs us. The first that works wins, but a configured one that does not
    work is an error: the operator asked for it.

    Args:
        project: The project.
        report: A crash, which knows its executable.
        configured: `project.interpreter` of the settings; may be relative to the root.

    Returns:
        The interpreter.

    Raises:
        SandboxError: The configured one does not work, or none does.
    """
    if configured:
        inside = project.root / configured
        facts = interpreter_facts(str(inside) if inside.is_file() else configured)
        return Interpreter(facts.executable, facts.version, "configured (project.interpreter)")
    problems: list[str] = []
    for executable, origin in _guesses(project, report):
        try:
            facts = interpreter_facts(executable)
        except SandboxError as error:
            problems.append(f"{origin}: {error}")
            continue
        return Interpreter(facts.executable, facts.version, origin)
    raise SandboxError("no Python was found for the project; set project.interpreter. " + "; ".join(problems))


def _guesses(project: Project, report: CrashReport | None) -> Iterator[tuple[str, str]]:
    if report is not None and is_trustworthy_interpreter(report.process.executable, project.root):
        yield report.process.executable, "the program that crashed"
    for name in (".venv", "venv", "env"):
        python = project.root / name / "bin" / "python"
        if (project.root / name / "pyvenv.cfg").is_file() and python.is_file():
            yield str(python), f"{name} in the project"
    active = os.environ.get("VIRTUAL_ENV")
    if active and (Path(active) / "bin" / "python").is_file():
        yield str(Path(active) / "bin" / "python"), "$VIRTUAL_ENV"
    on_path = shutil.which("python3") or shutil.which("python")
    if on_path:
        yield on_path, "PATH"
    if sys.executable:
        yield sys.executable, "the Python that runs selfheal"


def is_trustworthy_interpreter(executable: str, root: Path) -> bool:
    """Tells whether an executable that a crash report names may be run to ask its version.

    Args:
        executable: What the report says.
        root: Project root; a file in it counts only as part of a virtual environment.

    Returns:
        Whether it looks like an interpreter that nobody else could have planted.
    """
    path = Path(executable)
    if not executable or not path.is_absolute() or not INTERPRETER_NAME.match(path.name):
        return False
    try:
        status = path.stat()
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_mode & stat.S_IWOTH or not os.access(path, os.X_OK):
        return False
    if ".selfheal" in path.parts:
        return False
    inside = path.is_relative_to(root)
    return (
        not inside
        or (path.parent.parent / "pyvenv.cfg").is_file()
        or (path.parent.parent / "conda-meta").is_dir()
    )
