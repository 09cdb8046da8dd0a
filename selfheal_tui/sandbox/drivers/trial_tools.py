"""Processes that answer, for the drivers that try variants; standard library only."""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import time
from typing import Any, Callable


def module(name: str) -> Any:
    """One of the modules beside this file; all are loaded before the import path is the program's."""
    return importlib.import_module(name)


class Teller:
    """Writes answers."""

    def __init__(self, descriptor: int, token: str) -> None:
        self.descriptor = descriptor
        self.token = token

    def __call__(self, line: dict[str, Any]) -> None:
        """Writes one line, whole."""
        data = (self.token + json.dumps(line) + "\n").encode("utf-8")
        while data:
            data = data[os.write(self.descriptor, data) :]


def fork(work: Callable[[int], int]) -> tuple[int, int]:
    """Starts a process of its own session that does the work and ends with what it returns.

    Returns:
        Its id, and the end of a pipe on which it may answer.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(read_end)
            os.setsid()
            status = work(write_end)
        except BaseException:
            status = 1
        finally:
            os._exit(status & 0xFF)
    os.close(write_end)
    return pid, read_end


def end(pid: int) -> None:
    """Kills a process with its session and reaps it."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            continue  # gone already
    try:
        os.waitpid(pid, 0)
    except OSError:
        return


def answer_of(pid: int, pipe: int, deadline: float, grace: float = 0.0) -> bytes:
    """Reads what a process answers until it closes the pipe or is out of time.

    Args:
        pid: The process; it is ended.
        pipe: Where it answers; closed here.
        deadline: When it is killed.
        grace: Seconds that it is given after SIGUSR2 to say what it has.
    """
    parts = []
    asked = False
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                if asked or not grace:
                    break
                asked, deadline = True, time.monotonic() + grace
                os.kill(pid, signal.SIGUSR2)
                continue
            if not select.select([pipe], [], [], min(left, 0.5))[0]:
                continue
            data = os.read(pipe, 1 << 16)
            if not data:
                break
            parts.append(data)
    finally:
        os.close(pipe)
        end(pid)
    return b"".join(parts)


def write_all(pipe: int, data: bytes) -> None:
    """Writes everything."""
    while data:
        data = data[os.write(pipe, data) :]
