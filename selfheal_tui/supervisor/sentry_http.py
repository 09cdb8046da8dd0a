"""Answers HTTP requests of Sentry's clients; what may come in, and what becomes of it, is its `Door`'s business.

It reads a bounded body, takes off its compression, parses the envelope, and translates every refusal into a
status. It may not write or log anything.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import urllib.parse
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from selfheal_tui.supervisor.bodies import BodyRefusedError, decompress
from selfheal_tui.supervisor.envelopes import EnvelopeError, parse_document, parse_envelope

MAX_CONNECTIONS = 32
"""Requests that are worked on at once; further ones wait in the system's queue."""
SECONDS_PER_READ = 10.0
"""A client that sends nothing for so long is hung up on."""
_PATHS = re.compile(r"/api/[^/]{1,64}/(?P<kind>envelope|store)/?\Z|/(?P<spotlight>stream)/?\Z")
_AUTH_KEY = re.compile(r"\bsentry_key=([^,\s]{1,200})")


class Door(Protocol):
    """Who decides about what comes in."""

    @property
    def largest(self) -> int:
        """Bytes that a body may have, before and after decompression."""

    @property
    def wants_token(self) -> bool:
        """Whether a token is set."""

    def may_send(self, keys: list[str]) -> bool:
        """Whether one of the keys that a request carries opens."""

    def count(self, what: str, how_many: int = 1) -> None:
        """Counts what became of a request."""

    def take(self, events: Sequence[Mapping[str, Any]]) -> tuple[int, float]:
        """Takes events; returns the status and seconds after which to try again."""


class SentryServer(ThreadingHTTPServer):
    """The listening socket, with a bounded number of threads.

    Args:
        intake: Decides.
        host: Address to listen on.
        port: Port; 0 takes a free one.

    Raises:
        OSError: The address cannot be had.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, intake: Door, host: str, port: int) -> None:
        self.intake = intake
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Waits for room, then starts a thread."""
        self._room.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Works on one connection, and makes room again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def server_bind(self) -> None:
        """Takes the address."""
        # HTTPServer would look its own name up in DNS here, which can take seconds and is of no use.
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - its signature
        """A client that hangs up is no news; anything else was answered with 500 before."""
        self.intake.count("refused")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "selfheal"
    sys_version = ""
    timeout = SECONDS_PER_READ
    server: SentryServer

    def do_POST(self) -> None:
        """Answers a client; every way out sends exactly one response."""
        intake = self.server.intake
        try:
            status, body, wait = self._post(intake)
        except (BodyRefusedError, EnvelopeError) as error:
            status, body, wait = getattr(error, "status", 400), {"detail": str(error)}, 0.0
        if status not in (200, 429, 503):
            intake.count("refused")
            self.close_connection = True  # what is left of the body would be taken for the next request
        self._answer(status, body, wait)

    def do_GET(self) -> None:
        """Says what this is, for people who try the port; nothing can be read here."""
        found = self.path == "/"
        self._answer(
            200 if found else 404, {"detail": "selfheal takes crashes of Sentry clients by POST"}, 0.0
        )

    def log_message(self, *_: Any) -> None:
        """Logs nothing: what is counted can be asked for, and paths come from strangers."""

    def _post(self, intake: Door) -> tuple[int, dict[str, Any], float]:
        url = urllib.parse.urlsplit(self.path)
        route = _PATHS.match(url.path)
        if route is None:
            raise BodyRefusedError(404, "there is no such endpoint")
        # A page in the operator's browser can send here too, but not without saying so.
        page = self.headers.get("Origin") or self.headers.get("Sec-Fetch-Site")
        if page and not intake.wants_token:
            raise BodyRefusedError(403, "web pages may not send crashes here; set intake.sentry_token")
        body = self._body(intake.largest)
        keys = self._keys(url.query)
        if route["kind"] == "store":
            _check(intake, keys)
            events, other = [parse_document(body)], 0
        else:
            envelope = parse_envelope(body)
            _check(intake, keys + _dsn_key(envelope.headers.get("dsn")))
            events = [
                parse_document(item.payload, "the event") for item in envelope.items if item.type == "event"
            ]
            other = len(envelope.items) - len(events)
        intake.count("ignored", other)
        status, wait = intake.take(events)
        if status != 200:
            return status, {"detail": "try again later"}, wait
        identity = events[0].get("event_id") if events else None
        return 200, {"id": identity if isinstance(identity, str) else None}, 0.0

    def _body(self, largest: int) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise BodyRefusedError(411, "send a Content-Length instead of a Transfer-Encoding")
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            raise BodyRefusedError(411, "the request has no Content-Length")
        if len(length) > 12 or int(length) > largest:
            raise BodyRefusedError(413, f"the body is larger than {largest} bytes (intake.max_event_kb)")
        data = self.rfile.read(int(length))
        if len(data) != int(length):
            raise BodyRefusedError(400, "the body ended early")
        return decompress(data, self.headers.get("Content-Encoding", ""), largest)

    def _keys(self, query: str) -> list[str]:
        keys = _AUTH_KEY.findall(self.headers.get("X-Sentry-Auth", ""))
        keys += _AUTH_KEY.findall(self.headers.get("Authorization", ""))
        with contextlib.suppress(ValueError):
            keys += urllib.parse.parse_qs(query, max_num_fields=20).get("sentry_key", [])
        return keys

    def _answer(self, status: int, body: dict[str, Any], wait: float) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 415:
            self.send_header("Accept-Encoding", "gzip, deflate")
        if wait > 0:
            seconds = str(int(wait) + 1)
            self.send_header("Retry-After", seconds)
            self.send_header("X-Sentry-Rate-Limits", f"{seconds}:error:organization")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)


def _check(intake: Door, keys: list[str]) -> None:
    if not intake.may_send(keys):
        raise BodyRefusedError(403, "the key in the client's DSN is not intake.sentry_token")


def _dsn_key(dsn: object) -> list[str]:
    """Returns the public key of the DSN that Spotlight's and tunnelled envelopes carry in their header."""
    if not isinstance(dsn, str):
        return []
    try:
        user = urllib.parse.urlsplit(dsn[:2000]).username
    except ValueError:
        return []
    return [urllib.parse.unquote(user)] if user else []
