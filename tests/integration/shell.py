"""Drives the real command line on real projects in temporary folders."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
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
