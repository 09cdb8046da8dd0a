"""The engine's side of the door into live programs: finds them, has files swapped, answers guards that wait.

A program is believed only as far as its own state goes: it says what it swapped. Where it listens is never taken
from a report, but from the private folder that both sides know (`probe/places.py`). One question, one answer.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfheal_tui.probe import places

MAX_MESSAGE = 60_000
"""Bytes in a datagram; what a program's channel reads."""
SWAP_SECONDS = 10.0
"""How long a program may take to swap: it waits for its own lock, and for nothing else."""
ANSWER_SECONDS = 2.0
_ENDING = ".ch"
_MAX_ITEMS = 1000
_counter = itertools.count(1)

HEALED = "healed"
NOT_HEALED = "not healed"


class ChannelDeadError(OSError):
    """Nobody listens at a channel any more."""


@dataclass(frozen=True, slots=True)
class RestartReason:
    """What could not be swapped in a living program.

    Attributes:
        what: The definition, or `program`.
        why: Why not.
    """

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class SwapAnswer:
    """What a program says about a swap.

    Attributes:
        ok: Whether it runs the new code wherever that is possible.
        swapped: `module:qualname` of what was swapped.
        restart_needed: What was not, and why.
        error: Why nothing was swapped.
    """

    ok: bool
    swapped: tuple[str, ...] = ()
    restart_needed: tuple[RestartReason, ...] = ()
    error: str = ""

    @property
    def current(self) -> bool:
        """Whether the program now runs the files as they are on disk."""
        return self.ok and not self.restart_needed


@dataclass(frozen=True, slots=True)
class Channel:
    """A live program.

    Attributes:
        root: The project.
        address: Where it listens.
        pid: Its process id.
    """

    root: Path
    address: str
    pid: int

    def swap(self, files: Sequence[Path], incident: str, *, seconds: float = SWAP_SECONDS) -> SwapAnswer:
        """Has changed files swapped into the program.

        Args:
            files: Absolute paths of Python files in the project; others are left out.
            incident: For whom.
            seconds: How long to wait for its answer.

        Returns:
            What it says; when it says nothing, that it must be restarted.

        Raises:
            ChannelDeadError: The program has ended.
        """
        paths = [str(file) for file in files if file.suffix == ".py"]
        if not paths:
            return SwapAnswer(ok=True)
        answer = self._ask({"cmd": "swap", "files": paths, "incident": incident}, seconds)
        if answer is None:
            why = f"it did not answer within {seconds:g} s"
            return SwapAnswer(ok=False, restart_needed=(RestartReason("program", why),), error=why)
        return _swap_answer(answer)

    def answer(self, reports: Sequence[str], verdict: str, message: str) -> bool:
        """Tells guards in the program what became of their reports.

        Args:
            reports: Report ids.
            verdict: `healed` or `not healed`.
            message: Why, for the program's log.

        Returns:
            Whether the program took it.

        Raises:
            ChannelDeadError: The program has ended.
        """
        said = self._ask(
            {"cmd": "answer", "reports": list(reports), "verdict": verdict, "message": message[:2000]},
            ANSWER_SECONDS,
        )
        return said is not None and said.get("ok") is True

    def ping(self, *, seconds: float = ANSWER_SECONDS) -> str | None:
        """Asks a program whether it listens.

        Returns:
            Its name (`SELFHEAL_PROGRAM`, perhaps empty), or None when it does not answer in time.

        Raises:
            ChannelDeadError: The program has ended.
        """
        said = self._ask({"cmd": "ping"}, seconds)
        return None if said is None else str(said.get("program", ""))[:200]

    def remove(self) -> None:
        """Removes the address that a killed program left behind."""
        with contextlib.suppress(FileNotFoundError):
            Path(self.address).unlink()

    def _ask(self, message: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        number = f"{os.getpid()}-{next(_counter)}"
        data = json.dumps({"id": number, **message}).encode()
        if len(data) > MAX_MESSAGE:
            return {"ok": False, "error": f"the message is longer than {MAX_MESSAGE} bytes"}
        own = Path(places.runtime_directory(str(self.root))) / f"{number}.reply"
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as bound:
            with contextlib.suppress(FileNotFoundError):
                own.unlink()  # left by a killed engine that had our number
            bound.bind(str(own))
            try:
                return self._exchange(bound, data, number, time.monotonic() + seconds)
            finally:
                own.unlink(missing_ok=True)

    def _exchange(
        self, bound: socket.socket, data: bytes, number: str, until: float
    ) -> dict[str, Any] | None:
        left = until - time.monotonic()
        sent = False
        while left > 0:
            bound.settimeout(left)
            try:
                if not sent:
                    bound.sendto(data, self.address)
                    sent = True
                said, sender = bound.recvfrom(MAX_MESSAGE + 1)
            except TimeoutError:
                return None
            except OSError as error:
                if error.errno in (errno.ECONNREFUSED, errno.ENOENT, errno.ECONNRESET, errno.ENOTCONN):
                    raise ChannelDeadError(error.errno, "the program has ended", self.address) from error
                raise
            answer = _decoded(said) if sender == self.address else None
            if answer is not None and answer.get("id") == number:
                return answer
            left = until - time.monotonic()
        return None


def live_programs(root: Path) -> list[Channel]:
    """Finds the programs of a project that listen now, by process id; addresses of dead ones are removed.

    Args:
        root: The project.

    Raises:
        OSError: The folder of the sockets cannot be trusted or read.
    """
    folder = Path(places.runtime_directory(str(root)))
    found = []
    for file in folder.iterdir():
        number = file.name.removesuffix(_ENDING)
        if file.suffix == _ENDING and number.isdecimal():
            channel = Channel(root, str(file), int(number))
            if _listens(channel):
                found.append(channel)
            else:
                channel.remove()
    return sorted(found, key=lambda channel: channel.pid)


def _listens(channel: Channel) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as trial:
        try:
            trial.connect(channel.address)
        except OSError:
            return False
    return True


def _decoded(data: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _swap_answer(said: dict[str, Any]) -> SwapAnswer:
    swapped, needed = said.get("swapped"), said.get("restart_needed")
    reasons = [
        RestartReason(str(one.get("what", ""))[:300], str(one.get("why", ""))[:500])
        for one in (needed if isinstance(needed, list) else [])[:_MAX_ITEMS]
        if isinstance(one, dict)
    ]
    error = str(said.get("error") or "")[:2000]
    ok = said.get("ok") is True
    if not ok and not reasons:
        reasons = [RestartReason("program", error or "it could not swap the new code")]
    names = tuple(str(one)[:300] for one in (swapped if isinstance(swapped, list) else [])[:_MAX_ITEMS])
    return SwapAnswer(ok, names, tuple(reasons), error)
