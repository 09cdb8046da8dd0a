"""A project with one open question, made once by a real crash and put back as it was for each test."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from shell import GREETER, PYTHON, Shell, tree

from selfheal_tui.model.incident import Incident
from selfheal_tui.operations.opening import Session
from selfheal_tui.pipeline.build import Opened

BEFORE = GREETER["greeter.py"]
FIXED = BEFORE.replace("self.nmae", "self.name")
MINE = FIXED.replace("# politeness first", "# politeness first, and last").replace(
    "Greets people", "Greets all"
)
"""The fix and two other changes, in two hunks."""


class World:
    """The project.

    Attributes:
        shell: Types commands in it.
        incident_id: The incident that waits.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.root.mkdir()
        self._saved = folder / "saved"
        self.shell = Shell(self.root, {k: v for k, v in GREETER.items() if not k.startswith("tests/")})
        self.shell("run", "--wait", "0", "--", PYTHON, "main.py")
        shutil.copytree(self.root, self._saved, symlinks=True)
        self.before = tree(self.root)
        with self.opened() as project:
            self.incident_id = project.engine.store.incidents.all()[0].incident_id

    @contextlib.contextmanager
    def opened(self, **flags: str) -> Iterator[Opened]:
        environ = {**self.shell.environ, "SELFHEAL_OPERATOR": "kim"}
        with Session(self.root, environ, flags).opened() as project:
            yield project

    def incident(self, project: Opened) -> Incident:
        return project.engine.store.incidents.get(self.incident_id)

    @property
    def file(self) -> Path:
        return self.root / "greeter.py"

    def put_back(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self._saved, self.root, symlinks=True)

    def untouched(self) -> bool:
        return tree(self.root) == self.before
