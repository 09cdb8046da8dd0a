"""Other tools as sources of faults: ruff, and mypy when asked for; each only where it is installed.

Of ruff only the rules whose finding raises whenever its line runs are asked: names that are not defined, formats
that do not fit, `raise NotImplemented`. Rules such as F632 (`is` with a literal) or most of flake8-bugbear tell of
bugs that do not raise, and are left out. Of mypy only messages are believed that speak of something that is not there;
its other errors are about declarations, which do not raise.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from selfheal_tui.repair.scan.finding import LIKELY, STRONG, Fault, fault
from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World

SECONDS = 120.0

RUFF_RULES: dict[str, str] = {
    "F821": "NameError",
    "F823": "UnboundLocalError",
    "F501": "ValueError",
    "F502": "TypeError",
    "F503": "TypeError",
    "F505": "KeyError",
    "F506": "ValueError",
    "F507": "TypeError",
    "F509": "ValueError",
    "F521": "ValueError",
    "F524": "KeyError",
    "F525": "ValueError",
    "F901": "TypeError",
}
"""Rule → the exception that its finding raises (docs.astral.sh/ruff/rules)."""

_QUOTED = re.compile(r"`([^`]+)`")
_MYPY: tuple[tuple[str, re.Pattern[str], str, str], ...] = (
    (
        "name-defined",
        re.compile(r'Name "(?P<name>\w+)" is not defined'),
        "NameError",
        "name '{name}' is not defined",
    ),
    (
        "attr-defined",
        re.compile(r'Module "(?P<owner>[\w.]+)" has no attribute "(?P<name>\w+)"; maybe'),
        "AttributeError",
        "module '{owner}' has no attribute '{name}'",
    ),
    (
        "attr-defined",
        re.compile(r'^"(?P<owner>[\w.]+)" has no attribute "(?P<name>\w+)"; maybe'),
        "AttributeError",
        "'{owner}' object has no attribute '{name}'",
    ),
    (
        "call-arg",
        re.compile(r'Unexpected keyword argument "(?P<name>\w+)" for "(?P<owner>\w+)"; did you mean'),
        "TypeError",
        "{owner}() got an unexpected keyword argument '{name}'",
    ),
)
"""Code, message, exception, and how the interpreter says it; only what names a likely original is taken."""


def find_tool(name: str, interpreter: str) -> str:
    """Finds a tool beside the project's interpreter, beside ours, or on PATH; empty when it is not installed."""
    for folder in (Path(interpreter).parent if interpreter else None, Path(sys.executable).parent):
        if folder is not None and (folder / name).is_file():
            return str(folder / name)
    return shutil.which(name) or ""


def ruff(executable: str, world: World, paths: Sequence[str]) -> Iterator[Fault]:
    """Asks ruff, apart from the project's own settings of it.

    Args:
        executable: Path of ruff.
        world: The project.
        paths: Files, relative to the root.
    """
    command = [executable, "check", "--isolated", "--no-cache", "--exit-zero", "--output-format", "json"]
    answer = _run([*command, "--select", ",".join(RUFF_RULES), "--", *paths], world)
    for item in _listed(answer):
        code, row = str(item.get("code")), item.get("location", {}).get("row", 0)
        path = world.project.relative(str(item.get("filename", "")))
        view = world.view(path) if path and code in RUFF_RULES else None
        if view is None or view.stars:
            continue
        node = _at(view, int(row), int(item["location"].get("column", 1)) - 1)
        if node is not None and not (code == "F821" and _is_bound(view, node)):
            message = _words(code, str(item.get("message", "")))
            yield from fault(view, node, RUFF_RULES[code], message, f"ruff-{code}", STRONG)


def _is_bound(view: View, node: ast.AST) -> bool:
    """Whether something binds the name after all: for ruff a `del` on one path unbinds it on all."""
    return not isinstance(node, ast.Name) or view.resolve(node) is not None


def _words(code: str, said: str) -> str:
    """Puts a finding into the interpreter's words, as far as they are fixed."""
    name = next(iter(_QUOTED.findall(said)), "")
    if code == "F821":
        return f"name '{name}' is not defined"
    if code == "F823":
        return f"cannot access local variable '{name}' where it is not associated with a value"
    return said


def mypy(executable: str, world: World, paths: Sequence[str], interpreter: str) -> Iterator[Fault]:
    """Asks mypy, and believes it little.

    Args:
        executable: Path of mypy.
        world: The project.
        paths: Files, relative to the root.
        interpreter: The target interpreter, whose packages it reads.
    """
    command = [
        executable,
        "--check-untyped-defs",
        "--ignore-missing-imports",
        "--no-error-summary",
        "--follow-imports=silent",
    ]
    command += [
        "--output",
        "json",
        "--cache-dir",
        "/dev/null",
        "--config-file",
        "/dev/null",
        "--python-executable",
        interpreter,
    ]
    for line in _run([*command, "--", *paths], world).splitlines():
        for item in _listed(f"[{line}]"):
            path = world.project.relative(str(item.get("file", "")))
            view = world.view(path) if path else None
            if view is None:
                continue
            for code, pattern, exception, words in _MYPY:
                found = pattern.search(str(item.get("message", "")))
                if item.get("code") == code and found:
                    node = _at(view, int(item.get("line", 0)), int(item.get("column", 0)))
                    if node is not None:
                        message = words.format(**found.groupdict())
                        yield from fault(view, node, exception, message, f"mypy-{code}", LIKELY)


def _run(command: Sequence[str], world: World) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=world.project.root,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _listed(answer: str) -> list[dict[str, Any]]:
    try:
        items = json.loads(answer)
    except ValueError:
        return []
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _at(view: View, line: int, column: int) -> ast.AST | None:
    """The smallest expression that starts at a place, else the statement there."""
    on_line = [
        n for n in view.nodes if getattr(n, "lineno", 0) == line and isinstance(n, ast.expr | ast.stmt)
    ]
    here = [n for n in on_line if getattr(n, "col_offset", -1) == column and isinstance(n, ast.expr)]
    names = [n for n in here if isinstance(n, ast.Name)]
    return next(iter(names or here or on_line), None)
