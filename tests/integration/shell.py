"""Drives the real command line on real projects in temporary folders."""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

STATE = (".selfheal", ".self_healing_backups", "__pycache__", ".pytest_cache")


def tree(root: Path) -> dict[str, str]:
    """Hash of every file of the project itself, without selfheal's state and caches."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file() and not set(file.relative_to(root).parts) & set(STATE)
    }


QUESTIONS = frozenset({"incidents", "show", "diff", "history", "backups"})
"""Commands that only read: a process that is ready answers them. What changes anything is started as users do."""


@functools.cache
def _ready() -> subprocess.Popen[str]:
    ready = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("ready_cli.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith(("SELFHEAL", "COVERAGE"))},
    )
    atexit.register(_end, ready)
    return ready


def _end(ready: subprocess.Popen[str]) -> None:
    assert ready.stdin is not None
    assert ready.stdout is not None
    ready.stdin.close()
    ready.wait()
    ready.stdout.close()


def ask(
    arguments: tuple[str, ...], root: Path, environ: dict[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs a command that only reads, in a process, folder and environment of its own, without loading it again."""
    ready = _ready()
    assert ready.stdin is not None
    assert ready.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        for file, text in zip(streams, (stdin, "", ""), strict=True):
            file.write_text(text)
        order = {
            "arguments": arguments,
            "cwd": str(root),
            "environ": environ,
            "streams": [str(file) for file in streams],
        }
        ready.stdin.write(json.dumps(order) + "\n")
        ready.stdin.flush()
        code = int(ready.stdout.readline())
        return subprocess.CompletedProcess(
            list(arguments), code, streams[1].read_text(), streams[2].read_text()
        )


class Shell:
    """A project and the commands typed in it."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        self.root = root
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        self.environ = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("SELFHEAL", "PYTHONDONTWRITE", "COVERAGE"))
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "selfheal_tui", *arguments]

    def __call__(
        self, *arguments: str, stdin: str = "", timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        if arguments and arguments[0] in QUESTIONS:
            return ask(arguments, self.root, self.environ, stdin)
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environ,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environ,
        )

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.stdout, (done.returncode, done.stderr)
        return json.loads(done.stdout)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def only_incident(self) -> dict[str, Any]:
        found = self.json("incidents")
        assert len(found) == 1, found
        return found[0]


GREETER = {
    "greeter.py": (
        '"""Greets people."""\n\n\n'
        "class Greeter:\n"
        "    def __init__(self, name):\n"
        "        self.name = name\n\n"
        "    def greeting(self):\n"
        "        # politeness first\n"
        '        return "Good day, " + self.nmae\n'
    ),
    "main.py": (
        "import sys\n\nfrom greeter import Greeter\n\n"
        'print(Greeter(sys.argv[1] if len(sys.argv) > 1 else "Ada").greeting())\n'
    ),
    "tests/test_greeter.py": (
        "import sys, unittest\nfrom pathlib import Path\n\n"
        "sys.path.insert(0, str(Path(__file__).parent.parent))\n"
        "from greeter import Greeter\n\n\n"
        "class GreeterTest(unittest.TestCase):\n"
        "    def test_name_is_kept(self):\n"
        '        self.assertEqual(Greeter("x").name, "x")\n'
    ),
}
"""A project that crashes with a misspelt attribute (reliability)."""

PYTHON = sys.executable
