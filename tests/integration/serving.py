"""Helpers for tests of the engine service: reports without a program, and services in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, ProcessFacts
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.model.serial import to_json

PROGRAM = "def total(items):\n    return sum(itms)\n"

WITHOUT_WORKERS = """
import sys
from pathlib import Path
from selfheal_tui.supervisor.service import EngineService
service = EngineService(Path(sys.argv[1]), workers=0, flags={"environment": "local"})
service.subscribe(lambda event: print(type(event).__name__, flush=True))
service.run()
"""


def a_crash(root: Path, function: str = "total", report_id: str = "", **facts: object) -> CrashReport:
    """A report as a probe would write it, of a crash in `app.py`."""
    frame = Frame(
        file=str(root / "app.py"), qualname=function, line=2, source="    return sum(itms)", module="app"
    )
    return CrashReport(
        report_id=report_id or uuid.uuid4().hex,
        captured_at=time.time(),
        source=CaptureSource.PROBE,
        chain=(ExceptionInfo("NameError", f"name 'itms' is not defined in {function}", (frame,)),),
        process=ProcessFacts(pid=os.getpid()),
        **facts,  # type: ignore[arg-type]
    )


def drop(inbox: Path, report: CrashReport, number: int = 0) -> Path:
    """Puts a report into an inbox as the probe does, without its syncs."""
    file = inbox / f"{time.time_ns()}-{os.getpid()}-{number}.json"
    temporary = inbox / f".{file.name}.tmp"
    temporary.write_bytes(to_json(report))
    temporary.rename(file)
    return file


def start_service(root: Path) -> subprocess.Popen[bytes]:
    """Starts a service that takes in and heals nothing, in a process of its own."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SELFHEAL")}
    return subprocess.Popen(
        [sys.executable, "-c", WITHOUT_WORKERS, str(root)], stdout=subprocess.PIPE, env=environ
    )


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits for something that another process does."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)
