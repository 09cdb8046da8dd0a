"""Notifications: what is sent, to whom it may be sent, and that a bad receiver hurts nobody."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from selfheal_tui.config import ConfigError
from selfheal_tui.model.settings import NotifySettings
from selfheal_tui.supervisor import notify
from selfheal_tui.supervisor.notify import Notice, Notifier

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ"


class Receiver:
    """A web server that answers as told."""

    def __init__(self, statuses: list[int], *, drip: bool = False) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.statuses = statuses
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                receiver.bodies.append(json.loads(self.rfile.read(length)))
                if drip:
                    self._drip()
                    return
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.end_headers()

            def _drip(self) -> None:
                try:
                    self.wfile.write(b"HTTP/1.1 2")
                    while True:
                        self.wfile.write(b"0")
                        time.sleep(0.02)
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?token=abc"


@contextmanager
def receiving(*statuses: int, drip: bool = False) -> Iterator[Receiver]:
    receiver = Receiver(list(statuses), drip=drip)
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "FIRST_PAUSE_SECONDS", 0.001)


def tell(settings: NotifySettings, *events: str) -> list[tuple[str, str]]:
    failures: list[tuple[str, str]] = []
    notifier = Notifier(settings, "shop", lambda event, why: failures.append((event, why)))
    for event in events:
        notifier.tell(Notice(event, "a1b2", f"it said {SECRET}", {"message": f"token {SECRET}", "count": 3}))
    assert notifier.close(20.0)
    return failures


def test_a_webhook_gets_a_json_document_with_a_text_for_people_and_without_secrets() -> None:
    with receiving() as receiver:
        assert tell(NotifySettings(webhook=receiver.url), "on_healed") == []
    (body,) = receiver.bodies
    assert (body["event"], body["incident"], body["project"], body["count"]) == (
        "on_healed",
        "a1b2",
        "shop",
        3,
    )
    assert body["text"].startswith("[shop] it said ")
    assert SECRET not in json.dumps(body)


def test_only_events_that_are_asked_for_are_told() -> None:
    with receiving() as receiver:
        tell(NotifySettings(webhook=receiver.url, events=("on_rollback",)), "on_healed", "on_rollback")
    assert [body["event"] for body in receiver.bodies] == ["on_rollback"]


def test_a_receiver_that_fails_is_tried_again_a_bounded_number_of_times() -> None:
    with receiving(500, 503) as receiver:
        assert tell(NotifySettings(webhook=receiver.url, retries=2), "on_healed") == []
    assert len(receiver.bodies) == 3
    with receiving(500, 500, 500, 500) as receiver:
        failures = tell(NotifySettings(webhook=receiver.url, retries=2), "on_healed")
    assert len(receiver.bodies) == 3
    assert failures == [("on_healed", "webhook: 127.0.0.1 answered 500")]


def test_a_redirect_is_not_followed() -> None:
    with receiving(307) as receiver:
        failures = tell(NotifySettings(webhook=receiver.url, retries=0), "on_healed")
    assert len(receiver.bodies) == 1
    assert "answered 307" in failures[0][1]


def test_a_receiver_that_answers_a_byte_at_a_time_is_cut_off() -> None:
    with receiving(drip=True) as receiver:
        failures = tell(NotifySettings(webhook=receiver.url, retries=0, seconds=0.2), "on_healed")
    assert [event for event, _ in failures] == ["on_healed"]


def test_a_receiver_that_is_not_there_is_a_failure_and_nothing_else() -> None:
    failures = tell(NotifySettings(webhook="http://127.0.0.1:9/", retries=0), "on_healed", "on_failed")
    assert [event for event, _ in failures] == ["on_healed", "on_failed"]


def test_a_command_gets_the_document_on_standard_input_and_no_shell_sees_its_arguments(
    tmp_path: Path,
) -> None:
    target = tmp_path / "out; touch x"
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    assert tell(NotifySettings(command=(sys.executable, "-c", code, str(target))), "on_approval") == []
    assert json.loads(target.read_text())["event"] == "on_approval"
    assert [file.name for file in tmp_path.iterdir()] == ["out; touch x"]


def test_a_command_that_hangs_is_ended_and_one_that_fails_is_told() -> None:
    hanging = (sys.executable, "-c", "import time; time.sleep(600)")
    failures = tell(NotifySettings(command=hanging, seconds=0.2, retries=0), "on_healed")
    assert "took longer than 0.2 s" in failures[0][1]
    failing = (sys.executable, "-c", "raise SystemExit(3)")
    assert "ended with 3" in tell(NotifySettings(command=failing, retries=0), "on_healed")[0][1]
    missing = ("/nowhere/at-all",)
    assert "FileNotFoundError" in tell(NotifySettings(command=missing, retries=0), "on_healed")[0][1]


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://example.com/hook", "unencrypted"),
        ("http://localhost.example.com/", "unencrypted"),
        ("ftp://127.0.0.1/", "not an http"),
        ("file:///etc/passwd", "not an http"),
        ("https://user:word@example.com/", "name or password"),
        ("http://127.0.0.1:port/", "not a URL"),
        ("nonsense", "not an http"),
    ],
)
def test_a_webhook_that_would_tell_strangers_is_refused_before_anything_is_sent(url: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        Notifier(NotifySettings(webhook=url), "shop", lambda *_: None)


def test_plain_http_to_another_machine_must_be_allowed_explicitly() -> None:
    Notifier(
        NotifySettings(webhook="http://example.com/", webhook_anywhere=True), "shop", lambda *_: None
    ).close(0.1)


def test_an_event_that_does_not_exist_is_an_error_not_a_silence() -> None:
    with pytest.raises(ConfigError, match="on_heeled"):
        Notifier(NotifySettings(webhook="https://x/", events=("on_heeled",)), "shop", lambda *_: None)


def test_without_a_receiver_no_thread_is_started() -> None:
    before = threading.active_count()
    notifier = Notifier(NotifySettings(), "shop", lambda *_: None)
    notifier.tell(Notice("on_healed", "a1b2", "", {}))
    assert threading.active_count() == before
    assert not notifier.wanted
