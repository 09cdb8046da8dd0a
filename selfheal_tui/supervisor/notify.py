"""Tells a webhook and a command what happens: one line of configuration for chat, mail or a pager.

Deliveries are made one after the other on a thread of their own, bounded in time, in number of tries and in number
waiting. What fails is reported and never hurts the healing. All text is masked; no redirect is followed; no shell.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfheal_tui.config import ConfigError
from selfheal_tui.model.incident import Incident
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.model.settings import NotifySettings
from selfheal_tui.probe.redaction import mask_text

EVENTS = (
    "on_detected",
    "on_approval",
    "on_applied",
    "on_healed",
    "on_rollback",
    "on_failed",
    "on_explained",
    "on_restart_needed",
)
"""What can be told; `notify.events` chooses."""
_BY_OUTCOME = {
    Outcome.HEALED: "on_healed",
    Outcome.HEALED_UNPROVEN: "on_healed",
    Outcome.ROLLED_BACK: "on_rollback",
    Outcome.FAILED: "on_failed",
    Outcome.EXPLAINED: "on_explained",
    Outcome.TRANSIENT: "on_explained",
    Outcome.EXTERNAL: "on_explained",
}
MOST_WAITING = 200
FIRST_PAUSE_SECONDS = 0.5
_LONGEST_TEXT = 2000

Failed = Callable[[str, str], None]
"""Told of a delivery that failed for good: the event, and why (without secrets)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell.

    Attributes:
        event: One of `EVENTS`.
        incident_id: The incident.
        text: A sentence for people; chat systems that take a `text` show it as it is.
        facts: For programs.
    """

    event: str
    incident_id: str
    text: str
    facts: dict[str, Any]

    def body(self, project: str) -> bytes:
        """Returns the JSON that is sent, masked.

        Args:
            project: Name of the project's folder.
        """
        document = {
            "event": self.event,
            "project": project,
            "incident": self.incident_id,
            "text": mask_text(f"[{project}] {self.text}"[:_LONGEST_TEXT]),
            **{name: _masked(value) for name, value in self.facts.items()},
        }
        return json.dumps(document, ensure_ascii=True).encode()


def event_of(outcome: Outcome | None) -> str:
    """Returns the event that an outcome makes, or an empty string."""
    return _BY_OUTCOME.get(outcome, "") if outcome else ""


def notice_of(event: str, incident: Incident, **facts: Any) -> Notice:
    """Makes a notice about an incident.

    Args:
        event: One of `EVENTS`.
        incident: As it stands.
        facts: Further facts for programs.
    """
    raised = incident.report.raised
    suspect = incident.report.suspect()
    where = f" in {suspect[1].qualname} ({suspect[1].path}:{suspect[1].line})" if suspect else ""
    what = event.removeprefix("on_").replace("_", " ")
    text = f"{what}: {incident.incident_id} {raised.type}{where}: {incident.message}"
    known = {
        "at": incident.last_seen,
        "environment": incident.environment.value,
        "state": incident.state.value,
        "outcome": incident.outcome.value if incident.outcome else None,
        "error": f"{raised.type}: {raised.message}",
        "message": incident.message,
        "count": incident.count,
    }
    return Notice(event, incident.incident_id, text, known | facts)


class Notifier:
    """Delivers notices in the background.

    Args:
        settings: Whom to tell, and what.
        project: Name of the project's folder.
        failed: Told of deliveries that failed; called on the notifier's thread.
        environ: Environment of the command; ours by default.

    Raises:
        ConfigError: A setting cannot be used.
    """

    def __init__(
        self,
        settings: NotifySettings,
        project: str,
        failed: Failed,
        *,
        environ: dict[str, str] | None = None,
    ) -> None:
        _check_events(settings)
        self._target = _checked_url(settings) if settings.webhook else None
        self._settings = settings
        self._project = project
        self._failed = failed
        self._environ = environ
        self._stopping = threading.Event()
        self._waiting: queue.Queue[Notice | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told anything."""
        return bool(self._target or self._settings.command) and bool(self._settings.events)

    def tell(self, notice: Notice) -> None:
        """Has a notice delivered, unless nobody wants it; returns at once.

        Args:
            notice: The notice.
        """
        if not self.wanted or notice.event not in self._settings.events:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver_all, name="notify", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(notice)
        except queue.Full:
            self._failed(notice.event, f"more than {MOST_WAITING} notices wait; this one was dropped")

    def close(self, seconds: float) -> bool:
        """Delivers what waits, for a while.

        Args:
            seconds: Longest wait.

        Returns:
            Whether all was delivered or given up.
        """
        if self._thread is None:
            return True
        until = time.monotonic() + seconds
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=seconds)
        self._thread.join(max(0.0, until - time.monotonic()))
        self._stopping.set()
        return not self._thread.is_alive()

    def _deliver_all(self) -> None:
        while (notice := self._waiting.get()) is not None:
            body = notice.body(self._project)
            if self._target is not None:
                self._try(notice, "webhook", self._post, body)
            if self._settings.command:
                self._try(notice, "command", self._run, body)

    def _try(self, notice: Notice, way: str, deliver: Callable[[bytes], str], body: bytes) -> None:
        pause = FIRST_PAUSE_SECONDS
        problem = ""
        for _ in range(self._settings.retries + 1):
            try:
                problem = deliver(body)
            except (OSError, http.client.HTTPException, ValueError) as error:
                problem = f"{type(error).__name__}: {error}"
            if not problem or self._stopping.wait(pause):
                break
            pause *= 2
        if problem:
            self._failed(notice.event, mask_text(f"{way}: {problem}"[:500]))

    def _post(self, body: bytes) -> str:
        target = self._target
        assert target is not None
        connection = _connection(target, self._settings.seconds)
        # A server that sends a byte now and then satisfies every timeout of its socket; this one is for the whole.
        limit = threading.Timer(self._settings.seconds, _cut, (connection,))
        limit.daemon = True
        limit.start()
        try:
            headers = {"Content-Type": "application/json", "User-Agent": "selfheal", "Connection": "close"}
            path = urllib.parse.urlunsplit(("", "", target.path or "/", target.query, ""))
            connection.request("POST", path, body, headers)
            status = connection.getresponse().status
        finally:
            limit.cancel()
            connection.close()
        return "" if 200 <= status < 300 else f"{target.hostname} answered {status}"

    def _run(self, body: bytes) -> str:
        command = list(self._settings.command)
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=self._environ,
        )
        try:
            process.communicate(body, timeout=self._settings.seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"{command[0]} took longer than {self._settings.seconds:g} s and was ended"
        return f"{command[0]} ended with {process.returncode}" if process.returncode else ""


def _connection(target: urllib.parse.SplitResult, seconds: float) -> http.client.HTTPConnection:
    host = target.hostname or ""
    if target.scheme == "https":
        return http.client.HTTPSConnection(
            host, target.port, timeout=seconds, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, target.port, timeout=seconds)


def _cut(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _check_events(settings: NotifySettings) -> None:
    for event in settings.events:
        if event not in EVENTS:
            raise ConfigError(
                "settings", "notify.events", f"{event!r} is not an event", f"choose from {', '.join(EVENTS)}"
            )


def _checked_url(settings: NotifySettings) -> urllib.parse.SplitResult:
    key = "notify.webhook"
    try:
        target = urllib.parse.urlsplit(settings.webhook)
        _ = target.port
    except ValueError as error:
        raise ConfigError("settings", key, f"is not a URL ({error})", "write https://host/path") from error
    if target.scheme not in ("http", "https") or not target.hostname:
        raise ConfigError("settings", key, "is not an http or https URL", "write https://host/path")
    if target.username or target.password:
        raise ConfigError("settings", key, "holds a name or password", "put the token into the path or query")
    if target.scheme == "http" and not settings.webhook_anywhere and not _is_loopback(target.hostname):
        raise ConfigError(
            "settings",
            key,
            f"sends what happens to {target.hostname} unencrypted",
            "use https, or set notify.webhook_anywhere = true",
        )
    return target


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _masked(value: Any) -> Any:
    plain = to_builtins(value)
    if isinstance(plain, str):
        return mask_text(plain[:_LONGEST_TEXT])
    if isinstance(plain, list):
        return [_masked(one) for one in plain[:50]]
    if isinstance(plain, dict):
        return {str(name): _masked(one) for name, one in list(plain.items())[:50]}
    return plain
