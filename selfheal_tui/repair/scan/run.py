"""Runs the detectors over files of a project, and says each fault once."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

from selfheal_tui.repair.scan import (
    calls,
    formats,
    imports,
    iterated,
    members,
    names,
    operations,
    results,
    tools,
)
from selfheal_tui.repair.scan.finding import CERTAIN, Detector, Fault
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import UnreadableSourceError

SECONDS = 60.0

_COMPILE = """
import sys, json, warnings
warnings.simplefilter('ignore')
found = []
for path, text in json.load(sys.stdin):
    try:
        compile(text, path, 'exec', dont_inherit=True)
    except SyntaxError as error:
        found.append([path, type(error).__name__, error.msg or '', error.lineno or 1])
    except (ValueError, RecursionError, MemoryError):
        pass
print(json.dumps(found))
"""

DETECTORS: tuple[Detector, ...] = (
    *names.DETECTORS,
    *imports.DETECTORS,
    *calls.DETECTORS,
    *results.DETECTORS,
    *operations.DETECTORS,
    *formats.DETECTORS,
    *iterated.DETECTORS,
    *members.DETECTORS,
)


def scan(
    project: Project,
    interpreter: str,
    sys_path: Sequence[str],
    paths: Sequence[str],
    *,
    with_ruff: bool = True,
    with_mypy: bool = False,
    tell: Callable[[str], None] = lambda _text: None,
) -> list[Fault]:
    """Reads files and tells what will raise.

    Args:
        project: The project, read only; nothing of it is run or imported.
        interpreter: Executable of the target interpreter, which is asked about its standard library.
        sys_path: Where it finds installed packages.
        paths: Files to report on, relative to the root.
        with_ruff: Whether ruff is asked where it is installed.
        with_mypy: Whether mypy is asked where it is installed.
        tell: Takes sentences about what could not be looked at.

    Returns:
        Faults by file and line; of several on one line and of one kind, the first.
    """
    world = World(project, interpreter, sys_path, project.python_files())
    found = list(_syntax(project, interpreter, paths))
    for path in paths:
        view = world.view(path)
        if view is not None:
            for detector in DETECTORS:
                found.extend(_run(detector, view, world, tell))
    ruff = tools.find_tool("ruff", interpreter) if with_ruff and paths else ""
    if ruff:
        found.extend(tools.ruff(ruff, world, paths))
    mypy = tools.find_tool("mypy", interpreter) if with_mypy and paths else ""
    if mypy:
        found.extend(tools.mypy(mypy, world, paths, interpreter))
    return distinct(found)


def _run(detector: Detector, view: View, world: World, tell: Callable[[str], None]) -> list[Fault]:
    try:
        return list(detector(view, world))
    except RecursionError:
        tell(f"{view.path}: nested too deeply for {detector.__name__}")
    except Exception as error:  # noqa: BLE001 - a bug of one detector is reported and must not cost the others
        tell(f"{view.path}: {detector.__name__} failed: {type(error).__name__}: {error}")
    return []


def distinct(found: Sequence[Fault]) -> list[Fault]:
    """Sorts faults by place, and keeps one for each line and exception; another tool's only where we have none."""
    kept: dict[tuple[str, int, str], Fault] = {}
    ours = {(one.path, one.line) for one in found if not one.foreign}
    for one in sorted(found, key=lambda f: (f.path, f.line, -f.confidence, f.col or 0, f.message)):
        if not (one.foreign and (one.path, one.line) in ours):
            kept.setdefault((one.path, one.line, one.exception), one)
    return list(kept.values())


def _syntax(project: Project, interpreter: str, paths: Sequence[str]) -> Iterator[Fault]:
    """Asks the target interpreter about files that ours cannot parse; it compiles them and runs nothing."""
    broken = []
    for path in paths:
        try:
            text = project.read(path).text
        except (OSError, UnreadableSourceError):
            continue
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            broken.append((path, text))
    if not broken:
        return
    texts = dict(broken)
    try:
        done = subprocess.run(
            [interpreter or sys.executable, "-I", "-B", "-c", _COMPILE],
            input=json.dumps(broken).encode(),
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        problems = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return
    for path, kind, message, line in problems:
        lines = texts[path].splitlines()
        source = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        yield Fault(path, line, kind, message, "syntax", CERTAIN, source=source)
