"""Reads a directory of cases and makes fresh copies of them. A case's true fix is never read here, nor copied.

A case is a folder with `case.json`, `buggy/` (the project as it stood), `repro.py` (fails while the fault is there) and,
for its `tests` command, `tests.json`. Paths of tests, `repro.py` and the like are `protected`: what a healer does to them
counts for nothing.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

REPRO = "repro.py"
ENVIRONMENTS = "BENCH_ENVS"
"""Variable that names the folder of the interpreters' environments."""
DEFAULT_ENVIRONMENTS = "~/.cache/selfheal-bench-envs"
_CACHES = shutil.ignore_patterns(
    "__pycache__", "*.pyc", ".pytest_cache", ".selfheal", ".self_healing_backups"
)


class BenchError(ValueError):
    """A case or a directory of cases cannot be used; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Case:
    """One faulty project.

    Attributes:
        case_id: Name of its folder.
        folder: Its folder.
        split: Letter of its split, such as A.
        kind: Kind of fault.
        exception: Bare type of the exception.
        origin: Where the fault comes from.
        environment: Name of the environment that it needs; empty: none of its own.
        repro: Command that fails while the fault is there, with `{python}` and `{dir}`.
        tests: Command that runs the tests, with `{python}`, `{dir}`, `{case}` and `{harness}`; its last line is JSON
            with `expected`, `passed` and `failed`, or its status alone counts.
        repro_seconds: Time limit of the repro.
        tests_seconds: Time limit of the tests.
        protected: Files and folders that a healer may not help itself with.
        test_files: Files that hold tests.
    """

    case_id: str
    folder: Path
    split: str
    kind: str
    exception: str
    origin: str
    environment: str
    repro: str
    tests: str
    repro_seconds: float
    tests_seconds: float
    protected: tuple[str, ...]
    test_files: tuple[str, ...]

    def is_protected(self, path: str) -> bool:
        """Whether a path (relative, with slashes) is the repro's or the tests'."""
        shields = (*self.protected, REPRO)
        return any(path == p or path.startswith(p.rstrip("/") + "/") for p in shields)


def find_cases(directory: Path, only: Sequence[str] = ()) -> list[Case]:
    """Reads the cases of a directory, in order of their names.

    Args:
        directory: Holds the cases' folders, or a folder `cases` with them.
        only: Patterns; a case counts when its id, kind, split or origin matches one of them. None: all.

    Raises:
        BenchError: There is none, or one is malformed.
    """
    place = directory / "cases" if (directory / "cases").is_dir() else directory
    cases = [_read(file.parent) for file in sorted(place.glob("*/case.json"))]
    if not cases:
        raise BenchError(f"{place} holds no case; each is a folder with case.json, buggy/ and repro.py")
    if not only:
        return cases
    chosen = [
        case
        for case in cases
        if any(
            fnmatchcase(name, p) for p in only for name in (case.case_id, case.kind, case.split, case.origin)
        )
    ]
    if not chosen:
        raise BenchError(f"no case matches {', '.join(only)}; give ids, kinds, splits or origins")
    return chosen


def _read(folder: Path) -> Case:
    file = folder / "case.json"
    try:
        data: dict[str, Any] = json.loads(file.read_text("utf-8"))
        case = Case(
            case_id=folder.name,
            folder=folder.resolve(),
            split=str(data.get("split", "?")),
            kind=str(data.get("kind", "?")),
            exception=str(data.get("exception", "")),
            origin=str(data.get("origin", "?")),
            environment=str(data.get("env", "")),
            repro=str(data.get("repro", "{python} " + REPRO)),
            tests=str(data.get("tests", "{python} -m pytest -q -p no:cacheprovider")),
            repro_seconds=float(data.get("repro_timeout", 70)),
            tests_seconds=float(data.get("tests_timeout", 240)) + 30,
            protected=tuple(str(p) for p in data.get("protected", ())),
            test_files=tuple(str(p) for p in data.get("test_files", ())),
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BenchError(f"{file} cannot be read ({error}); correct it, or leave the case out") from error
    for needed in ("buggy", REPRO):
        if not (folder / needed).exists():
            raise BenchError(f"{folder} has no {needed}; complete the case, or leave it out")
    return case


def harness_of(directory: Path) -> str:
    """Returns the folder `harness` beside or in a directory of cases; empty when there is none."""
    for place in (directory / "harness", directory.resolve().parent / "harness"):
        if place.is_dir():
            return str(place.resolve())
    return ""


def interpreter_of(case: Case, environ: Mapping[str, str], configured: str = "") -> str:
    """Finds the Python of a case.

    Args:
        case: The case.
        environ: Environment variables.
        configured: The one to use for all cases, if any.

    Raises:
        BenchError: The environment that it needs is not there.
    """
    if configured or not case.environment:
        return configured or sys.executable
    home = Path(environ.get(ENVIRONMENTS) or os.path.expanduser(DEFAULT_ENVIRONMENTS))  # noqa: PTH111 - `~` only
    python = home / case.environment / "bin" / "python"
    if not python.exists():
        raise BenchError(
            f"{case.case_id} needs the environment {case.environment}, and there is no {python}; set it up as the "
            f"cases' README says, name its folder in ${ENVIRONMENTS}, or give --python"
        )
    return str(python)


def command(case: Case, template: str, python: str, copy: Path, harness: str = "") -> list[str]:
    """Fills a command of a case.

    Args:
        case: The case.
        template: `case.repro` or `case.tests`.
        python: The interpreter.
        copy: The copy to run it on.
        harness: The folder of helper scripts.
    """
    values = {"python": python, "dir": str(copy), "case": str(case.folder), "harness": harness}
    parts = shlex.split(template)
    for name, value in values.items():
        parts = [part.replace("{" + name + "}", value) for part in parts]
    return parts


def fresh_copy(case: Case, target: Path, *, tests: bool = True) -> Path:
    """Copies a case's project and repro.

    Args:
        case: The case.
        target: Folder to make.
        tests: Whether its tests go with it.

    Returns:
        The folder.
    """
    shutil.copytree(case.folder / "buggy", target, symlinks=True, ignore=_CACHES)
    shutil.copy(case.folder / REPRO, target / REPRO)
    for path in () if tests else (*case.protected, *case.test_files):
        place = target / path
        if path == REPRO or not place.resolve().is_relative_to(target.resolve()):
            continue
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
    return target
