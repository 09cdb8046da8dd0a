"""Measures the console in a real pseudo-terminal: first paint, key to paint under updates, memory, idle CPU, a long diff.

    python benchmarks/console.py [--incidents 10000] [--peer NAME=COMMAND ...]

A minimal Textual app and, where given, other programs are started in the same run in the same way, so that the
numbers can be compared on whatever machine this is.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import psutil

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, ProcessFacts
from selfheal_tui.model.incident import Fingerprint, Incident, IncidentState
from selfheal_tui.model.kinds import CaptureSource, Environment, Outcome
from selfheal_tui.store import Store

MINIMAL = (
    "from textual.app import App\nfrom textual.widgets import Static\n"
    "class M(App):\n    def compose(self): yield Static('MINIMAL-APP')\nM().run()\n"
)
SIZE = (120, 36)
STARTS = 7
KEYS = 200
UPDATES_PER_SECOND = 50
IDLE_SECONDS = 20


def incident(number: int, root: Path) -> Incident:
    frame = Frame(
        file=str(root / "app.py"),
        path="app.py",
        qualname="work",
        line=number % 900 + 1,
        source="x = y[z]",
        in_app=True,
    )
    report = CrashReport(
        report_id=uuid.uuid4().hex,
        captured_at=time.time(),
        source=CaptureSource.PROBE,
        chain=(ExceptionInfo("KeyError", f"'key {number}' is not there", (frame,) * 12),),
        process=ProcessFacts(pid=1),
    )
    now = time.time() - number
    return Incident(
        incident_id=f"{number:04x}a",
        fingerprint=Fingerprint(f"{number:016x}", 1),
        report=report,
        environment=Environment.DEV,
        first_seen=now,
        last_seen=now,
        state=IncidentState.CLOSED,
        outcome=Outcome.EXPLAINED,
        message="no safe fix is known",
    )


def fill(root: Path, count: int) -> None:
    (root / "app.py").write_text("def work(y, z):\n    return y[z]\n")
    (root / "selfheal.toml").write_text('environment = "dev"\n')
    with Store.open(root) as store:
        for start in reversed(range(0, count, 500)):  # those that closed last are written last
            numbers = range(min(start + 500, count) - 1, start - 1, -1)
            store.incidents.commit([incident(n, root) for n in numbers], {})


class Terminal:
    """A program in a pseudo-terminal of our own."""

    def __init__(self, command: list[str], cwd: Path) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("SELFHEAL", "PYTHONDONTWRITE"))}
        environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command, cwd=cwd, env=environ, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.master = master

    def until(self, pattern: bytes, seconds: float = 60.0) -> float:
        """Reads until a pattern was painted; returns the time since the start, in seconds."""
        seen, deadline = b"", time.perf_counter() + seconds
        while not re.search(pattern, seen):
            left = deadline - time.perf_counter()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise TimeoutError(f"{pattern!r} was never painted; at the end there was {seen[-300:]!r}")
            seen = (seen + os.read(self.master, 65536))[-200_000:]
        return time.perf_counter() - self.began

    def drain(self, seconds: float) -> None:
        """Reads what is painted for a while."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            if select.select([self.master], [], [], left)[0]:
                os.read(self.master, 65536)

    def end(self) -> None:
        """Ends the program."""
        self.process.terminate()
        with contextlib.suppress(OSError):  # its end of the terminal is closed
            while True:
                os.read(self.master, 65536)
        self.process.wait(30)
        os.close(self.master)


def first_paint(command: list[str], pattern: bytes, cwd: Path) -> float:
    times = []
    for _ in range(STARTS):
        terminal = Terminal(command, cwd)
        times.append(terminal.until(pattern))
        terminal.end()
    return statistics.median(times)


def updates(root: Path, ended: threading.Event) -> None:
    with Store.open(root) as store:
        number = 0
        while not ended.wait(1 / UPDATES_PER_SECOND):
            number += 1
            one = store.incidents.get(f"{number % 40 + 20:04x}a")
            store.incidents.put(replace(one, count=one.count + 1))


def keys_to_paint(command: list[str], root: Path) -> tuple[float, float, float, float]:
    """Returns median and 95th percentile in ms, memory in MiB, and idle CPU in percent."""
    terminal = Terminal(command, root)
    terminal.until(rb"0000a")
    terminal.drain(8)
    process = psutil.Process(terminal.process.pid)
    before = sum(process.cpu_times()[:2])
    terminal.drain(IDLE_SECONDS)
    idle = 100 * (sum(process.cpu_times()[:2]) - before) / IDLE_SECONDS
    ended = threading.Event()
    updating = threading.Thread(target=updates, args=(root, ended))
    updating.start()
    times = []
    for number in range(KEYS):
        key = b"j" if number % 20 < 10 else b"k"
        began = time.perf_counter()
        os.write(terminal.master, key)
        terminal.until(rb"[0-9a-f]{4}a")
        times.append(1000 * (time.perf_counter() - began))
        terminal.drain(0.03)
    ended.set()
    updating.join()
    memory = process.memory_info().rss / 2**20
    terminal.end()
    times.sort()
    return statistics.median(times), times[int(0.95 * len(times))], memory, idle


async def long_diff() -> float:
    """Returns the time from asking to paint a 5,000-line diff until it is painted, in ms."""
    from textual.app import App, ComposeResult

    from selfheal_tui.operations.snapshot import FileChange
    from selfheal_tui.tui.keys import Keys
    from selfheal_tui.tui.looks import Looks
    from selfheal_tui.tui.themes import DARK
    from selfheal_tui.tui.widgets.diffview import DiffView

    before = "".join(f"value_{n} = compute({n % 7}, {n})\n" for n in range(5000))
    after = "".join(f"value_{n} = compute({n % 7}, {n + (n % 9 == 0)})\n" for n in range(5000))
    painted = asyncio.Event()

    class One(App[None]):
        keys = Keys({})
        clock = staticmethod(time.time)

        @property
        def looks(self) -> Looks:
            return Looks(DARK, ascii_only=False, variables=self.theme_variables)

        def compose(self) -> ComposeResult:
            yield DiffView()

        def on_diff_view_painted(self) -> None:
            painted.set()

    app = One()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        began = time.perf_counter()
        app.query_one(DiffView).show((FileChange("big.py", before, after),))
        await painted.wait()
        return 1000 * (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        fill(root, options.incidents)
        ours = [sys.executable, "-m", "selfheal_tui", "console", "--root", str(root)]
        minimal = first_paint([sys.executable, "-c", MINIMAL], rb"MINIMAL-APP", root)
        painted = first_paint(ours, rb"Incidents", root)
        print(f"first paint, {options.incidents} incidents   {painted:.2f} s (bar 0.7)")
        print(f"a minimal Textual app            {minimal:.2f} s   ratio {painted / minimal:.2f} (bar 1.5)")
        for peer in options.peer:
            name, _, command = peer.partition("=")
            print(f"{name:<32} {first_paint(shlex.split(command), rb'.{400}', root):.2f} s")
        median, p95, memory, idle = keys_to_paint(ours, root)
        print(
            f"key to paint, {UPDATES_PER_SECOND} updates a second   median {median:.0f} ms, p95 {p95:.0f} ms (bar 50)"
        )
        print(f"memory                           {memory:.0f} MiB (bar 150)")
        print(f"idle                             {idle:.1f} % CPU (bar 1)")
    print(f"5,000-line diff painted          {asyncio.run(long_diff()):.0f} ms (bar 200)")


if __name__ == "__main__":
    main()
