"""The intake over real sockets: what is taken, what is refused, and that refusals leave the disk as it was."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shell import tree

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.settings import IntakeSettings
from selfheal_tui.store import Store
from selfheal_tui.supervisor.sentry import (
    SentryIntake,
    SentryIntakeError,
    inbox_sink,
    is_loopback,
    split_address,
)

EVENT: dict[str, Any] = {
    "event_id": "aa8effd5b4ed4c09a59b11a07086118e",
    "platform": "python",
    "exception": {
        "values": [
            {
                "type": "ValueError",
                "value": "boom",
                "stacktrace": {"frames": [{"abs_path": "/srv/a.py", "function": "f", "lineno": 3}]},
            }
        ]
    },
}


def envelope(event: object = EVENT, **header: object) -> bytes:
    payload = json.dumps(event).encode()
    item = json.dumps({"type": "event", "length": len(payload)}).encode()
    return json.dumps(header).encode() + b"\n" + item + b"\n" + payload + b"\n"


class Sender:
    def __init__(self, intake: SentryIntake) -> None:
        self.intake = intake

    def __call__(
        self, body: bytes, path: str = "/api/1/envelope/", **headers: str
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        connection = http.client.HTTPConnection(*self.intake.address, timeout=20)
        try:
            named = {key.replace("_", "-"): value for key, value in headers.items()}
            connection.request("POST", path, body, named)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture
def got() -> list[CrashReport]:
    return []


@pytest.fixture
def send(got: list[CrashReport]) -> Iterator[Sender]:
    with SentryIntake(got.append, "127.0.0.1:0", IntakeSettings(max_event_kb=64)) as intake:
        yield Sender(intake)


@pytest.fixture
def guarded(got: list[CrashReport]) -> Iterator[Sender]:
    limits = IntakeSettings(max_event_kb=64, sentry_token="s3cret-key")
    with SentryIntake(got.append, "127.0.0.1:0", limits) as intake:
        yield Sender(intake)


def test_envelopes_stores_and_spotlight_are_taken(send: Sender, got: list[CrashReport]) -> None:
    assert send(envelope())[0] == 200
    assert send(gzip.compress(envelope()), Content_Encoding="gzip")[0] == 200
    assert send(json.dumps(EVENT).encode(), "/api/1/store/")[0] == 200
    assert send(envelope(), "/stream")[0] == 200

    assert [report.raised.message for report in got] == ["boom"] * 4
    assert send(envelope())[2]["id"] == EVENT["event_id"]


def test_items_that_are_no_crash_are_answered_kindly_and_ignored(
    send: Sender, got: list[CrashReport]
) -> None:
    session = b'{}\n{"type":"session","length":2}\n{}\n{"type":"transaction"}\n{"a":1}\n'

    assert send(session)[0] == 200
    assert send(envelope({"message": "hello"}))[0] == 200
    assert got == []
    assert send.intake.snapshot().ignored == 3


@pytest.mark.parametrize(
    ("body", "path", "headers", "status"),
    [
        (b"not an envelope", "/api/1/envelope/", {}, 400),
        (envelope([1]), "/api/1/envelope/", {}, 400),
        (b"[]", "/api/1/store/", {}, 400),
        (b"\x1f\x8bjunk", "/api/1/envelope/", {"Content-Encoding": "gzip"}, 400),
        (b"x", "/api/1/envelope/", {"Content-Encoding": "br"}, 415),
        (b"x" * 70_000, "/api/1/envelope/", {}, 413),
        (gzip.compress(bytes(10_000_000)), "/api/1/envelope/", {"Content-Encoding": "gzip"}, 413),
        (envelope(), "/api/1/../../etc/passwd", {}, 404),
        (envelope(), "/", {}, 404),
        (envelope(), "/api/1/envelope/", {"Origin": "https://evil.example"}, 403),
        (envelope(), "/stream", {"Sec-Fetch-Site": "cross-site"}, 403),
        (envelope(), "/api/1/envelope/", {"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_what_must_not_come_in_is_refused(
    send: Sender, got: list[CrashReport], body: bytes, path: str, headers: dict[str, str], status: int
) -> None:
    answer = send(body, path, **headers)

    assert answer[0] == status
    assert answer[2]["detail"]
    assert got == []
    assert send(envelope())[0] == 200  # and it still serves


@pytest.mark.parametrize(
    ("body", "path", "headers"),
    [
        (envelope(), "/api/1/envelope/", {}),
        (envelope(), "/api/1/envelope/", {"X-Sentry-Auth": "Sentry sentry_version=7, sentry_key=wrong"}),
        (envelope(dsn="http://wrong@127.0.0.1/1"), "/stream", {}),
        (json.dumps(EVENT).encode(), "/api/1/store/?sentry_key=s3cret-ke", {}),
    ],
)
def test_a_wrong_or_missing_token_is_refused(
    guarded: Sender, got: list[CrashReport], body: bytes, path: str, headers: dict[str, str]
) -> None:
    status, _, answer = guarded(body, path, **headers)

    assert status == 403
    assert "s3cret" not in json.dumps(answer)
    assert got == []


@pytest.mark.parametrize(
    ("body", "path", "headers"),
    [
        (envelope(), "/api/1/envelope/", {"X-Sentry-Auth": "Sentry sentry_key=s3cret-key, sentry_version=7"}),
        (envelope(dsn="http://s3cret-key@127.0.0.1/1"), "/stream", {}),
        (
            json.dumps(EVENT).encode(),
            "/api/1/store/?sentry_key=s3cret-key",
            {"Origin": "https://app.example"},
        ),
    ],
)
def test_the_right_token_opens(
    guarded: Sender, got: list[CrashReport], body: bytes, path: str, headers: dict[str, str]
) -> None:
    assert guarded(body, path, **headers)[0] == 200
    assert len(got) == 1


def test_too_many_crashes_in_a_minute_are_turned_away_with_a_time_to_come_back(
    got: list[CrashReport],
) -> None:
    now = [100.0]
    limits = IntakeSettings(events_per_minute=3)
    with SentryIntake(got.append, "127.0.0.1:0", limits, clock=lambda: now[0]) as intake:
        send = Sender(intake)
        statuses = [send(envelope())[0] for _ in range(3)]
        now[0] += 20
        status, headers, _ = send(envelope())
        now[0] += 41
        again = send(envelope())[0]

    assert (statuses, status, again) == ([200] * 3, 429, 200)
    assert headers["Retry-After"] == "41"
    assert headers["X-Sentry-Rate-Limits"] == "41:error:organization"
    assert len(got) == 4


def test_other_addresses_need_a_token_and_bad_ones_are_named() -> None:
    for address in ("0.0.0.0:0", "[::]:0"):
        with pytest.raises(SentryIntakeError, match=r"intake\.sentry_token"):
            SentryIntake(print, address, IntakeSettings())
    for address in ("8969", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", ":1"):
        with pytest.raises(SentryIntakeError, match="HOST:PORT"):
            split_address(address)
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("no-such-host.invalid")


def test_a_taken_port_is_an_error_with_a_remedy() -> None:
    with (
        SentryIntake(print, "127.0.0.1:0", IntakeSettings()) as intake,
        pytest.raises(SentryIntakeError, match="choose another port"),
    ):
        SentryIntake(print, f"127.0.0.1:{intake.address[1]}", IntakeSettings())


def test_connections_that_break_off_or_send_rubbish_do_not_stop_it(
    send: Sender, got: list[CrashReport]
) -> None:
    for rubbish in (
        b"",
        b"\x00\xff\x00\r\n\r\n",
        b"POST /api/1/envelope/ HTTP/1.1\r\nContent-Length: 50\r\n\r\nx",
    ):
        with socket.create_connection(send.intake.address, timeout=5) as raw:
            raw.sendall(rubbish)

    assert send(envelope())[0] == 200
    assert len(got) == 1


def test_reports_reach_the_inbox_and_refused_ones_leave_no_trace(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    with Store.open(tmp_path) as store:
        before = tree(tmp_path)
        limits = IntakeSettings(sentry_token="s3cret-key", max_event_kb=64)
        with SentryIntake(inbox_sink(tmp_path, store.inbox.directory), "127.0.0.1:0", limits) as intake:
            send = Sender(intake)
            assert send(envelope())[0] == 403
            assert send(b"x" * 100_000)[0] == 413
            assert store.inbox.pending() == []
            assert send(envelope(), X_Sentry_Auth="Sentry sentry_key=s3cret-key")[0] == 200
        (file,) = store.inbox.pending()
        report = store.inbox.load(file)

    assert report.report_id == EVENT["event_id"]
    assert tree(tmp_path) == before


def test_an_inbox_that_is_not_there_is_told_to_the_client(tmp_path: Path) -> None:
    sink = inbox_sink(tmp_path, tmp_path / "gone")
    with SentryIntake(sink, "127.0.0.1:0", IntakeSettings()) as intake:
        status, headers, _ = Sender(intake)(envelope())

        assert status == 503
        assert headers["Retry-After"]
        assert intake.snapshot().failed == 1


def test_a_report_that_would_be_too_large_for_the_inbox_comes_without_locals(tmp_path: Path) -> None:
    values = [
        {
            "type": "E",
            "stacktrace": {
                "frames": [
                    {
                        "abs_path": "a.py",
                        "lineno": 1,
                        "function": "f",
                        "vars": {f"v{i}": "y " * 200 for i in range(40)},
                    }
                ]
                * 64
            },
        }
    ] * 16
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    limits = IntakeSettings(max_event_kb=65_536)
    with SentryIntake(inbox_sink(tmp_path, inbox), "127.0.0.1:0", limits) as intake:
        assert Sender(intake)(envelope({"exception": {"values": values}}))[0] == 200

    (file,) = inbox.iterdir()
    assert file.stat().st_size < 4 * 1024 * 1024
