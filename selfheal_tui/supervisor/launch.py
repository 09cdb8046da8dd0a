"""Starts one supervised program in a session of its own, reads its output, and ends its whole group.

The group outlives its leader, so members that are left behind are ended while the dead leader still holds
its process id: nobody else can have got that number by then. When to start or stop is not decided here.
"""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from selfheal_tui.model.kinds import Restart
from selfheal_tui.supervisor.program import ProgramExit, ProgramNotFoundError, start_remedy
from selfheal_tui.supervisor.terminal import read_terminal, set_size, shim_command

Sink = Callable[[str, bytes], None]
"""Receives the stream's name and the next bytes of a program's output, in order for each stream."""

_CHUNK = 64 * 1024
_POLL_SECONDS = 0.02
DRAIN_SECONDS = 1.0
"""How long output is awaited after a program's end: somebody outside its group may hold the pipe for ever."""


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """A program to supervise.

    Attributes:
        name: Unique among those of one manager.
        argv: The command and its arguments; no shell is involved.
        cwd: Working directory; ours by default.
        restart: When it is started again.
        pty: Whether it gets a terminal of its own instead of pipes.
        environ: Environment variables beside ours.
        inherit_stdin: Whether it reads from our standard input; others read from `/dev/null`.
    """

    name: str
    argv: tuple[str, ...]
    cwd: Path | None = None
    restart: Restart = Restart.ON_CRASH
    pty: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    inherit_stdin: bool = False


class Running:
    """A program that was started.

    Args:
        process: The leader of its session and group.
        streams: Descriptors to read, by name; they are closed at their end.
        terminal: The outer end of its terminal, if it has one; also among the streams.
        sink: Receives the output.
        closed: Told the name of each stream that ended.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        streams: Mapping[str, int],
        terminal: int | None,
        sink: Sink,
        closed: Callable[[str], None],
    ) -> None:
        self._process = process
        self._sink = sink
        self._closed = closed
        self._guard = threading.Lock()
        self._terminal = terminal
        self._started = time.monotonic()
        self._reaped = False
        self.pid = process.pid
        self._pumps = [
            threading.Thread(
                target=self._pump, args=stream, name=f"selfheal-output-{self.pid}-{stream[0]}", daemon=True
            )
            for stream in streams.items()
        ]
        for pump in self._pumps:
            pump.start()

    def await_end(self) -> None:
        """Waits until the leader is dead, without reaping it."""
        if hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            return
        # macOS before Python 3.13 offers no wait that leaves the dead where they are.
        leader = psutil.Process(self.pid)
        while leader.status() != psutil.STATUS_ZOMBIE:
            time.sleep(_POLL_SECONDS)

    def send(self, number: int) -> None:
        """Sends a signal to the program itself; nothing happens if it is dead."""
        with self._guard:
            if not self._reaped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, number)

    def send_group(self, number: int) -> None:
        """Sends a signal to the program and all its children that stayed in its group."""
        with self._guard:
            if not self._reaped:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, number)

    def finish(self, grace_seconds: float) -> tuple[int, float]:
        """Ends what is left of the group after its leader, reaps the leader, and takes the last output.

        Args:
            grace_seconds: What the others get between `TERM` and `KILL`.

        Returns:
            The leader's status as `subprocess` has it (negative: a signal), and how long it ran.
        """
        seconds = time.monotonic() - self._started
        if self._others():
            self.send_group(signal.SIGTERM)
            deadline = time.monotonic() + grace_seconds
            while self._others() and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
            self.send_group(signal.SIGKILL)
        with self._guard:
            status = self._process.wait()
            self._reaped = True
        deadline = time.monotonic() + DRAIN_SECONDS
        for pump in self._pumps:
            pump.join(max(0.0, deadline - time.monotonic()))
        return status, seconds

    def resize(self, columns: int, rows: int) -> None:
        """Sets the size of the program's terminal, if it has one."""
        with self._guard:
            if self._terminal is not None:
                with contextlib.suppress(OSError):
                    set_size(self._terminal, columns, rows)

    def _others(self) -> bool:
        """Whether the group has a living member beside its leader."""
        for pid in psutil.pids():
            if pid == self.pid:
                continue
            try:
                if os.getpgid(pid) == self.pid and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                    return True
            except (ProcessLookupError, PermissionError, psutil.Error):
                continue
        return False

    def _pump(self, stream: str, descriptor: int) -> None:
        read = read_terminal if descriptor == self._terminal else os.read
        try:
            while data := read(descriptor, _CHUNK):
                self._sink(stream, data)
        finally:
            with self._guard:
                if descriptor == self._terminal:
                    self._terminal = None
                os.close(descriptor)
            self._closed(stream)


def launch(
    spec: ProgramSpec,
    environment: Mapping[str, str],
    *,
    sink: Sink,
    closed: Callable[[str], None],
    size: tuple[int, int],
) -> Running:
    """Starts a program.

    Args:
        spec: The program.
        environment: Its whole environment.
        sink: Receives its output, from threads of its own.
        closed: Told the name of each stream that ended, after its last output.
        size: Columns and rows of its terminal, if it gets one.

    Returns:
        The program.

    Raises:
        ProgramNotFoundError: It cannot be started; the message names the remedy.
    """
    if not spec.argv or not spec.argv[0]:
        raise ProgramNotFoundError(f"program {spec.name} has no command; write what to run")
    if spec.cwd is not None and not spec.cwd.is_dir():
        raise ProgramNotFoundError(
            f"the working directory {spec.cwd} does not exist; create it or choose another"
        )
    try:
        if spec.pty:
            return _on_terminal(spec, environment, sink, closed, size)
        return _on_pipes(spec, environment, sink, closed)
    except OSError as error:
        raise ProgramNotFoundError(start_remedy(spec.argv, error)) from error


def exit_of(status: int, seconds: float, received: tuple[int, ...]) -> ProgramExit:
    """Tells how a program ended, as shells count.

    Args:
        status: As `subprocess` has it.
        seconds: How long it ran.
        received: Signals that were passed on to it.
    """
    code, ended_by = (128 - status, -status) if status < 0 else (status, None)
    return ProgramExit(code, ended_by, seconds, received)


def _on_pipes(
    spec: ProgramSpec, environment: Mapping[str, str], sink: Sink, closed: Callable[[str], None]
) -> Running:
    outputs = [os.pipe(), os.pipe()]
    try:
        process = subprocess.Popen(
            list(spec.argv),
            env=dict(environment),
            cwd=spec.cwd,
            stdin=None if spec.inherit_stdin else subprocess.DEVNULL,
            stdout=outputs[0][1],
            stderr=outputs[1][1],
            start_new_session=True,
        )
    except OSError:
        for reader, _ in outputs:
            os.close(reader)
        raise
    finally:
        for _, writer in outputs:
            os.close(writer)
    return Running(process, {"stdout": outputs[0][0], "stderr": outputs[1][0]}, None, sink, closed)


def _on_terminal(
    spec: ProgramSpec,
    environment: Mapping[str, str],
    sink: Sink,
    closed: Callable[[str], None],
    size: tuple[int, int],
) -> Running:
    outer, inner = pty.openpty()
    report, reporter = os.pipe()
    try:
        set_size(outer, *size)
        process = subprocess.Popen(
            shim_command(spec.argv, reporter),
            env=dict(environment),
            cwd=spec.cwd,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            pass_fds=(reporter,),
            start_new_session=True,
        )
    except OSError:
        os.close(outer)
        os.close(report)
        raise
    finally:
        os.close(inner)
        os.close(reporter)
    try:
        problem = os.read(report, 16)
    finally:
        os.close(report)
    if problem:
        process.wait()
        os.close(outer)
        raise OSError(int(problem), os.strerror(int(problem)))
    return Running(process, {"terminal": outer}, outer, sink, closed)
