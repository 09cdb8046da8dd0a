"""Runs small programs in processes of their own without starting an interpreter for each; see `ready_python`."""

from __future__ import annotations

import atexit
import functools
import marshal
import os
import select
import subprocess
import sys
from pathlib import Path

SECONDS = 60.0
"""More than any of these programs takes."""
ENVIRON = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHON_COLORS": "0"}


class _Ready:
    def __init__(self, *arguments: str) -> None:
        theirs, orders = os.pipe()
        answers, others = os.pipe()
        self.orders, self.answers = os.fdopen(orders, "wb"), os.fdopen(answers, "r")
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("ready_python.py")),
                str(theirs),
                str(others),
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs, others),
            env=ENVIRON,
        )
        os.close(theirs)
        os.close(others)
        atexit.register(self.end)

    def end(self) -> None:
        self.orders.close()
        self.process.wait()
        self.answers.close()

    def run(self, order: dict[str, object]) -> int:
        marshal.dump(order, self.orders)
        self.orders.flush()
        if not select.select([self.answers], [], [], SECONDS)[0]:
            raise TimeoutError(f"{order} did not end in {SECONDS} s")
        return int(self.answers.readline())


@functools.cache
def _ready(*arguments: str) -> _Ready:
    return _Ready(*arguments)


def _first(script: Path) -> tuple[str, ...]:
    """The costly module that a script imports before all else."""
    return ("asyncio",) if script.read_bytes().startswith(b"import asyncio\n") else ()


def hides_a_module(root: Path) -> bool:
    """Whether a project's own files hide modules of the standard library, which a ready interpreter has loaded."""
    return any(entry.name.partition(".")[0] in sys.stdlib_module_names for entry in root.iterdir())


def run(script: Path, root: Path, streams: Path) -> subprocess.CompletedProcess[str]:
    """Runs a script as `python SCRIPT` does in a folder; `streams` is a folder for what it prints."""
    command = [sys.executable, str(script)]
    if hides_a_module(script.parent):
        return subprocess.run(
            command,
            cwd=root,
            env=ENVIRON,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    files = [streams / "stdout", streams / "stderr"]
    order = {"script": str(script), "cwd": str(root), "streams": [str(file) for file in files]}
    code = _ready("plain", *_first(script)).run(order)
    return subprocess.CompletedProcess(command, code, *(file.read_text() for file in files))


def probe(script: Path, root: Path, out: Path, streams: Path) -> subprocess.CompletedProcess[str]:
    """Runs a script and has the probe write its crash into `out`."""
    launcher = Path(__file__).with_name("ready_python.py")
    files = [streams / "stdout", streams / "stderr"]
    order = {
        "script": str(script),
        "cwd": str(root),
        "out": str(out),
        "streams": [str(file) for file in files],
    }
    code = _ready("probe", *_first(script)).run(order)
    return subprocess.CompletedProcess([str(launcher)], code, *(file.read_text() for file in files))
