"""An engine that follows a script: it hears the doorbell, reads the report, edits the file, swaps and answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from selfheal_tui.probe import places


class FakeEngine:
    """Binds the doorbell of a project and hands every report to a script."""

    def __init__(self, root: Path, script: Callable[[FakeEngine, dict[str, Any]], None]) -> None:
        self.root = root
        self.script = script
        self.reports: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []
        self.failures: list[BaseException] = []
        self.inbox = root / ".selfheal" / "inbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.folder = Path(places.runtime_directory(str(root)))
        self.bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.bell.bind(places.doorbell_address(str(root)))
        self.bell.settimeout(0.05)
        self.client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.client.bind(str(self.folder / f"test-{os.getpid()}-{id(self)}.reply"))
        self.client.settimeout(20)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self.failures:
            raise self.failures[0]

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)
        self.leave()

    def leave(self) -> None:
        """Is gone, as an engine is that was killed: the addresses stay behind, and nobody listens."""
        self._stop.set()
        self.bell.close()
        self.client.close()

    def _run(self) -> None:
        seen: set[str] = set()
        while not self._stop.is_set():
            try:
                self.bell.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            for file in sorted(self.inbox.glob("*.json")):
                if file.name not in seen:
                    seen.add(file.name)
                    report = json.loads(file.read_text())
                    self.reports.append(report)
                    try:
                        self.script(self, report)
                    except BaseException as failure:
                        self.failures.append(failure)

    def ask(self, address: str, **message: Any) -> dict[str, Any]:
        self.client.sendto(json.dumps({"id": str(time.monotonic_ns()), **message}).encode(), address)
        reply: dict[str, Any] = json.loads(self.client.recv(65536))
        self.replies.append(reply)
        return reply

    def edit(self, path: str, old: str, new: str) -> str:
        file = self.root / path
        text = file.read_text()
        assert old in text
        beside = file.with_suffix(".new")
        beside.write_text(text.replace(old, new))
        beside.replace(file)
        return str(file)

    def heal(self, report: dict[str, Any], path: str, old: str, new: str) -> None:
        """Does what an engine does after a fix was applied."""
        file = self.edit(path, old, new)
        self.ask(report["channel"], cmd="swap", files=[file], incident="a1b2")
        self.answer(report, "healed")

    def answer(self, report: dict[str, Any], verdict: str) -> None:
        self.ask(report["channel"], cmd="answer", reports=[report["report_id"]], verdict=verdict, message="")


def start(
    root: Path,
    code: str,
    *,
    env: dict[str, str] | None = None,
    interpreter: str = sys.executable,
    isolated: bool = False,
) -> subprocess.Popen[str]:
    """Starts a program of the project that was written for this test."""
    (root / "program.py").write_text(code)
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("SELFHEAL", "PYTHON", "COVERAGE"))}
    return subprocess.Popen(
        [interpreter, *(["-I", "-S"] if isolated else []), "program.py"],
        cwd=root,
        env=environ | (env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(program: subprocess.Popen[str], seconds: float = 60) -> Any:
    """Waits for a program's end and reads the JSON that it printed."""
    out, err = program.communicate(timeout=seconds)
    assert program.returncode == 0, err
    return json.loads(out.splitlines()[-1])
