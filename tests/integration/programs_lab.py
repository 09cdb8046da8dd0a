"""Real programs under a manager, and waiting for what they do instead of for time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import psutil

from selfheal_tui.model.kinds import Restart
from selfheal_tui.model.settings import SupervisionSettings
from selfheal_tui.supervisor.lifecycle import ProgramChanged, ProgramState
from selfheal_tui.supervisor.programs import ProgramManager, ProgramSpec

PATIENCE = 60.0
QUICK = SupervisionSettings(backoff_seconds=0.01, backoff_max_seconds=0.02, crash_loop_count=4)


class Lab:
    """A manager, the changes that it told, and its programs' scripts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.changes: list[ProgramChanged] = []
        self.raw: dict[str, bytearray] = {}
        self._news = threading.Condition()
        self._managers: list[ProgramManager] = []
        (root / "inbox").mkdir()

    def spec(self, name: str, code: str, restart: Restart = Restart.NEVER, **more) -> ProgramSpec:
        file = self.root / f"{name}.py"
        file.write_text(code)
        return ProgramSpec(name, (sys.executable, "-u", str(file)), cwd=self.root, restart=restart, **more)

    def manager(
        self, *specs: ProgramSpec, settings: SupervisionSettings = QUICK, service=None, **more
    ) -> ProgramManager:
        def sink(stream: str, data: bytes) -> None:
            with self._news:
                self.raw.setdefault(stream, bytearray()).extend(data)
                self._news.notify_all()

        more.setdefault("sinks", {spec.name: sink for spec in specs})
        more.setdefault("random", Random(1))
        manager = ProgramManager(
            specs,
            service,
            root=self.root,
            inbox=self.root / "inbox",
            state_directory=self.root / ".selfheal",
            settings=settings,
            **more,
        )
        self._managers.append(manager)
        manager.subscribe(self._note)
        return manager

    def _note(self, change: ProgramChanged) -> None:
        with self._news:
            self.changes.append(change)
            self._news.notify_all()

    def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Waits for something that output or a change of state brings about."""
        with self._news:
            deadline = time.monotonic() + PATIENCE
            while not condition():
                left = deadline - time.monotonic()
                assert left > 0, (what, self.states(), self.raw)
                self._news.wait(min(left, 0.5))

    def until_line(self, manager: ProgramManager, name: str, text: str, times: int = 1) -> None:
        self.until(
            lambda: sum(text in line.text for line in manager.output(name).lines) >= times,
            f"{text!r} {times} times from {name}",
        )

    def until_state(self, manager: ProgramManager, name: str, state: ProgramState) -> None:
        self.until(lambda: manager.snapshot(name).state is state, f"{name} {state}")

    def pid(self, manager: ProgramManager, name: str) -> int:
        """The process of a running program; its first line may be read before its start is told."""
        self.until(lambda: manager.snapshot(name).pid > 0, f"the start of {name}")
        return manager.snapshot(name).pid

    def states(self, name: str = "") -> list[str]:
        return [str(c.program.state) for c in self.changes if not name or c.program.name == name]

    def close(self) -> None:
        for manager in self._managers:
            manager.kill()
            manager.close()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ends(pid: int, seconds: float = 20.0) -> bool:
    """Waits until a process that was killed has died, which takes the system a moment."""
    until = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def zombies() -> list[int]:
    return [child.pid for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]


def plain(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    return {key: value for key, value in environ.items() if not key.startswith("SELFHEAL")}
