"""Real programs on every interpreter found, with the probe and without it: shared by the tests of the probe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.serial import from_json
from selfheal_tui.probe.environment import probe_environment

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def _interpreters() -> dict[str, str]:
    """Every supported interpreter of this machine, by version: ours, those on PATH, those of pyenv."""
    found = {f"{sys.version_info[0]}.{sys.version_info[1]}": getattr(sys, "_base_executable", sys.executable)}
    for version in VERSIONS:
        pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
        installed = sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/python")))
        for candidate in [*reversed(installed), shutil.which("python" + version)]:
            if candidate and version not in found:
                probe = subprocess.run(
                    [candidate, "-c", "import sys; print(sys.version_info[:2])"],
                    capture_output=True,
                    text=True,
                )
                if probe.stdout.strip() == str(tuple(map(int, version.split(".")))):
                    found[version] = candidate
    return found


FOUND = _interpreters()


def interpreter(version: str) -> str:
    """The interpreter of a version; skips the test, loudly, where it is missing."""
    if version not in FOUND:
        pytest.skip(f"CPython {version} was not found: the probe was NOT tested on it")
    return FOUND[version]


class World:
    """A small project with an inbox, in which programs run with and without the probe."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.inbox = folder / "inbox"
        self.root.mkdir()
        self.inbox.mkdir()
        self.plain = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SELFHEAL", "COV_CORE"))
        }

    def run(
        self, *argv: str, probe: bool = True, inbox: Path | None = None, **extra: str
    ) -> subprocess.CompletedProcess:
        environ = {**self.plain, **extra}
        if probe:
            environ = probe_environment(inbox or self.inbox, self.root, environ)
        return subprocess.run(argv, cwd=self.root, env=environ, capture_output=True, timeout=60)

    def both(self, *argv: str, **extra: str) -> subprocess.CompletedProcess:
        """Runs a program twice and shows that nobody outside can tell the difference."""
        without, under = self.run(*argv, probe=False, **extra), self.run(*argv, **extra)
        assert (under.returncode, under.stdout, under.stderr) == (
            without.returncode,
            without.stdout,
            without.stderr,
        )
        return under

    def reports(self) -> list[CrashReport]:
        names = sorted(file.name for file in self.inbox.iterdir())
        assert "probe-errors.log" not in names, (self.inbox / "probe-errors.log").read_text()
        assert not [name for name in names if name.startswith(".")], "temporary files were left"
        files = [name for name in names if name.endswith(".json")]
        assert all(re.fullmatch(r"\d{19}-\d+-\d+(?:\.handled)?\.json", name) for name in files)
        return [from_json((self.inbox / name).read_bytes(), CrashReport) for name in files]

    def report(self) -> CrashReport:
        (only,) = self.reports()
        return only
