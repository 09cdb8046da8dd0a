"""Runs a command with a time limit and bounded output, and ends all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TAIL_BYTES = 64 << 10
"""How much of each stream is kept: its end."""
_CHUNK = 1 << 13
TIMED_OUT = 124
"""Exit status that stands for a missed time limit, as `timeout` has it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        code: Exit status; `TIMED_OUT` when it was ended at its time limit.
        out: End of its standard output.
        err: End of its standard error.
        seconds: Wall-clock time.
    """

    code: int
    out: str
    err: str
    seconds: float


class Processes:
    """Commands that run, so that all can be ended when the bench is."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()
        self._over = False

    def run(self, argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str], seconds: float) -> Ended:
        """Runs a command to its end or its time limit."""
        started = time.monotonic()
        try:
            with self._guard:
                if self._over:
                    return Ended(TIMED_OUT, "", "the bench was ended", 0.0)
                process = subprocess.Popen(
                    argv,
                    cwd=cwd,
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
                self._running.add(process)
        except OSError as error:
            return Ended(127, "", f"{argv[0]}: {error}", 0.0)
        tails = [_Tail(process.stdout), _Tail(process.stderr)]
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            code = TIMED_OUT
        finally:
            _kill(process)
            with self._guard:
                self._running.discard(process)
        out, err = (tail.text() for tail in tails)
        return Ended(code, out, err, time.monotonic() - started)

    def end(self) -> None:
        """Ends everything that runs, and lets nothing start any more."""
        with self._guard:
            self._over = True
            running = list(self._running)
        for process in running:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a command and its whole group, also when only what it left behind still runs."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Tail:
    """Reads a stream to its end and keeps the last of it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = stream
        self._chunks: deque[bytes] = deque(maxlen=TAIL_BYTES // _CHUNK)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while self._stream is not None and (chunk := self._stream.read1(_CHUNK)):  # type: ignore[attr-defined]  # a buffered pipe
                self._chunks.append(chunk)

    def text(self) -> str:
        """The end of the stream. A process that left the group may hold it open; it is not waited for long."""
        self._thread.join(2.0)
        return b"".join(list(self._chunks)).decode("utf-8", "replace")
