"""Takes crashes in from programs that report to Sentry: a small HTTP server that speaks its clients' protocol.

Set `SENTRY_DSN=http://any@127.0.0.1:8969/1` (or `SENTRY_SPOTLIGHT=1`) in the program, and its crashes go
into the project's inbox by the probe's own durable way. Who reaches the port is not trusted: beyond the loopback
address a token is required; web pages are refused; body, connections and rate are bounded; nothing is run,
opened or written because an event says so. It knows nothing of incidents: its `sink` gets reports.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.serial import to_builtins, to_json
from selfheal_tui.model.settings import IntakeSettings
from selfheal_tui.probe.places import ring
from selfheal_tui.probe.spool import InboxFullError, write_report
from selfheal_tui.supervisor.sentry_events import crash_of
from selfheal_tui.supervisor.sentry_http import SentryServer

_LARGEST_WRITTEN = 4 * 1024 * 1024
"""Bytes of a report with locals; beyond, it is written without them. Half of what the inbox would load."""
_MINUTE = 60.0


class SentryIntakeError(Exception):
    """The intake cannot be opened; the message names the remedy."""


@dataclass(slots=True)
class IntakeCounts:
    """What became of what was sent, since the intake was opened.

    Attributes:
        written: Crashes handed to the sink.
        ignored: Items that are no crash: messages, sessions, transactions, other languages.
        refused: Requests that were malformed, too large, or not allowed.
        limited: Crashes turned away because there were too many in a minute.
        failed: Crashes that could not be written; the client was told.
    """

    written: int = 0
    ignored: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0


def inbox_sink(root: Path, inbox: Path) -> Callable[[CrashReport], None]:
    """Makes the sink that writes reports into a project's inbox and wakes its engine.

    Args:
        root: The project.
        inbox: Its inbox; it must exist.

    Returns:
        The sink; it raises `OSError` when the report cannot be written.
    """

    def write(report: CrashReport) -> None:
        if len(to_json(report)) > _LARGEST_WRITTEN:
            report = _without_locals(report)
        written = write_report(str(inbox), to_builtins(report), handled=report.process.handled)
        ring(str(root), Path(written).name)

    return write


class SentryIntake:
    """The server; use it as a context manager, or `start` and `close` it.

    Args:
        sink: Takes each crash; called from the server's threads, one at a time.
        address: `HOST:PORT`; port 0 takes a free one.
        limits: Token, sizes and rate.
        clock: Monotonic seconds, for the rate.

    Raises:
        SentryIntakeError: The address is wrong, taken, or open to others without a token.
    """

    def __init__(
        self,
        sink: Callable[[CrashReport], None],
        address: str,
        limits: IntakeSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        host, port = split_address(address)
        if not limits.sentry_token and not is_loopback(host):
            raise SentryIntakeError(
                f"{host} is not a loopback address, so others could send crashes: set intake.sentry_token "
                "and put it into the clients' DSN, or listen on 127.0.0.1"
            )
        self.counts = IntakeCounts()
        self._sink = sink
        self._limits = limits
        self._rate = _Rate(limits.events_per_minute, clock)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        try:
            self._server = SentryServer(self, host, port)
        except (OSError, OverflowError) as error:
            raise SentryIntakeError(
                f"cannot listen on {address}: {getattr(error, 'strerror', None) or error}; "
                "choose another port, or end the program that has it"
            ) from error

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that are listened on."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    @property
    def dsn(self) -> str:
        """What to set as `SENTRY_DSN` in the programs of this machine; without the token, which is a secret."""
        host, port = self.address
        shown = f"[{host}]" if ":" in host else host
        return f"http://{'TOKEN' if self._limits.sentry_token else 'selfheal'}@{shown}:{port}/1"

    def start(self) -> None:
        """Begins to serve in threads of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, name="sentry-intake", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening; requests that are being worked on are finished first, bounded by their timeout."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def largest(self) -> int:
        """Bytes that a body may have, before and after decompression."""
        return self._limits.max_event_kb * 1024

    def may_send(self, keys: list[str]) -> bool:
        """Whether one of the keys that a request carries is the token, or none is asked for."""
        token = self._limits.sentry_token.encode()
        return not token or any(hmac.compare_digest(key.encode("utf-8", "replace"), token) for key in keys)

    @property
    def wants_token(self) -> bool:
        """Whether a token is set."""
        return bool(self._limits.sentry_token)

    def count(self, what: str, how_many: int = 1) -> None:
        """Counts what became of a request; `what` names a field of `IntakeCounts`."""
        with self._lock:
            setattr(self.counts, what, getattr(self.counts, what) + how_many)

    def snapshot(self) -> IntakeCounts:
        """Returns the counts as they are now."""
        with self._lock:
            return IntakeCounts(*(getattr(self.counts, field.name) for field in fields(IntakeCounts)))

    def take(self, events: Sequence[Mapping[str, Any]]) -> tuple[int, float]:
        """Hands the crashes among some events to the sink.

        Args:
            events: Decoded events.

        Returns:
            The HTTP status, and seconds after which to try again (0 when all were taken).
        """
        for event in events:
            report = crash_of(event)
            if report is None:
                self.count("ignored")
                continue
            wait = self._rate.ask()
            if wait > 0:
                self.count("limited")
                return 429, wait
            try:
                with self._lock:
                    self._sink(report)
            except InboxFullError:
                self.count("failed")
                return 429, _MINUTE
            except OSError:
                self.count("failed")
                return 503, _MINUTE
            self.count("written")
        return 200, 0.0


def split_address(address: str) -> tuple[str, int]:
    """Splits `HOST:PORT` (`[::1]:8969` for IPv6).

    Raises:
        SentryIntakeError: It has not that form.
    """
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise SentryIntakeError(f"{address!r} is not an address; write HOST:PORT, such as 127.0.0.1:8969")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Tells whether a host means this machine alone, whatever name it has."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(
        ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback for entry in found
    )


def _without_locals(report: CrashReport) -> CrashReport:
    chain = (
        replace(info, frames=tuple(replace(frame, locals=()) for frame in info.frames))
        for info in report.chain
    )
    return replace(
        report, chain=tuple(chain), context={**report.context, "intake.note": "locals left out: too large"}
    )


class _Rate:
    """So many in any minute; times of the last ones are kept, so a burst at a minute's edge is no way around."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._times: list[float] = []
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()

    def ask(self) -> float:
        """Takes one if there is room; else returns seconds until there is."""
        with self._lock:
            now = self._clock()
            self._times = [time for time in self._times if time > now - _MINUTE]
            if len(self._times) >= self._per_minute:
                return max(0.001, self._times[0] + _MINUTE - now)
            self._times.append(now)
            return 0.0
