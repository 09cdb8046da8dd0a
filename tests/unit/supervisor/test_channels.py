"""The engine's side of programs' channels, against programs that answer, lie, are slow, or are dead."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal_tui.probe import places
from selfheal_tui.supervisor.channels import (
    HEALED,
    NOT_HEALED,
    Channel,
    ChannelDeadError,
    live_programs,
)
from selfheal_tui.supervisor.delivery import Errand, run_errand, waiters_of
from selfheal_tui.supervisor.doorbell import Doorbell
from selfheal_tui.supervisor.queue import Waiter

Reply = Callable[[dict[str, Any]], list[bytes]]


@pytest.fixture(autouse=True)
def _short_runtime(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("r")
    folder.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))


class FakeProgram:
    """A program that answers as it is told; `reply` makes the datagrams of one answer."""

    def __init__(self, root: Path, pid: int, reply: Reply) -> None:
        self.asked: list[dict[str, Any]] = []
        self.address = places.channel_address(str(root), pid)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._reply = reply
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            data, sender = self._socket.recvfrom(65_536)
            if not data:
                return
            asked = json.loads(data)
            self.asked.append(asked)
            for answer in self._reply(asked):
                self._socket.sendto(answer, sender)

    def die(self) -> None:
        """As a killed program: the address stays."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()


Start = Callable[..., FakeProgram]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[FakeProgram] = []

    def begin(reply: Reply, pid: int = 4242) -> FakeProgram:
        started.append(FakeProgram(tmp_path, pid, reply))
        return started[-1]

    yield begin
    for program in started:
        if program._thread.is_alive():
            program.die()


def saying(**facts: Any) -> Reply:
    return lambda asked: [json.dumps({"id": asked["id"], **facts}).encode()]


def only(root: Path) -> Channel:
    (channel,) = live_programs(root)
    return channel


def test_a_swap_names_the_files_and_returns_what_the_program_did(tmp_path: Path, start: Start) -> None:
    program = start(saying(ok=True, swapped=["app:total"], restart_needed=[], error=""))
    answer = only(tmp_path).swap([tmp_path / "app.py", tmp_path / "data.toml"], "a1b2")
    assert (answer.current, answer.swapped) == (True, ("app:total",))
    (asked,) = program.asked
    assert (asked["cmd"], asked["files"], asked["incident"]) == ("swap", [str(tmp_path / "app.py")], "a1b2")
    assert set(asked) == {"id", "cmd", "files", "incident"}  # never code


def test_what_could_not_be_swapped_is_told_with_its_reason(tmp_path: Path, start: Start) -> None:
    start(saying(ok=True, swapped=["a:f"], restart_needed=[{"what": "a.K", "why": "new slots"}]))
    answer = only(tmp_path).swap([tmp_path / "app.py"], "a1b2")
    assert not answer.current
    assert [(one.what, one.why) for one in answer.restart_needed] == [("a.K", "new slots")]


def test_a_program_that_says_no_without_a_reason_must_be_restarted(tmp_path: Path, start: Start) -> None:
    start(saying(ok=False, error="SyntaxError: bad"))
    answer = only(tmp_path).swap([tmp_path / "app.py"], "a1b2")
    assert [(one.what, one.why) for one in answer.restart_needed] == [("program", "SyntaxError: bad")]


def test_answers_to_other_questions_and_rubbish_are_passed_over(tmp_path: Path, start: Start) -> None:
    start(
        lambda asked: [
            b"\xff not json",
            b"[1]",
            b'{"id": "another", "ok": true}',
            b"[" * 5000,
            json.dumps({"id": asked["id"], "ok": True, "swapped": "x", "restart_needed": 3}).encode(),
        ]
    )
    answer = only(tmp_path).swap([tmp_path / "app.py"], "a1b2")
    assert (answer.ok, answer.swapped, answer.restart_needed) == (True, (), ())


def test_an_answer_from_somebody_else_is_not_believed(tmp_path: Path, start: Start) -> None:
    def betray(asked: dict[str, Any]) -> list[bytes]:
        folder = Path(places.runtime_directory(str(tmp_path)))
        (reply,) = folder.glob("*.reply")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(json.dumps({"id": asked["id"], "ok": True}).encode(), str(reply))
        return []

    start(betray)
    assert not only(tmp_path).swap([tmp_path / "app.py"], "a1b2", seconds=0.2).ok


def test_a_program_that_does_not_answer_must_be_restarted(tmp_path: Path, start: Start) -> None:
    start(lambda _asked: [])
    answer = only(tmp_path).swap([tmp_path / "app.py"], "a1b2", seconds=0.1)
    assert not answer.ok
    assert "did not answer" in answer.restart_needed[0].why
    assert list(Path(places.runtime_directory(str(tmp_path))).glob("*.reply")) == []


def test_a_dead_programs_address_is_removed_by_whoever_finds_it(tmp_path: Path, start: Start) -> None:
    program = start(saying(ok=True))
    channel = only(tmp_path)
    program.die()
    with pytest.raises(ChannelDeadError):
        channel.swap([tmp_path / "app.py"], "a1b2")
    assert Path(program.address).exists()
    assert live_programs(tmp_path) == []
    assert not Path(program.address).exists()


def test_files_with_other_names_are_not_taken_for_programs(tmp_path: Path) -> None:
    folder = Path(places.runtime_directory(str(tmp_path)))
    (folder / "notes.ch").write_text("x")
    (folder / "12.txt").write_text("x")
    assert live_programs(tmp_path) == []
    assert (folder / "notes.ch").exists()


def an_errand(channel: Channel, root: Path, **facts: Any) -> Errand:
    values: dict[str, Any] = {
        "files": (root / "app.py",),
        "waiters": (Waiter("r1", channel.address, 1e12), Waiter("r2", channel.address, 1e12)),
        "healed": True,
        "message": "applied",
    }
    return Errand(channel, "a1b2", **(values | facts))


def test_waiters_are_healed_after_the_swap_and_all_alike(tmp_path: Path, start: Start) -> None:
    program = start(saying(ok=True, swapped=["app:total"], restart_needed=[]))
    report = run_errand(an_errand(only(tmp_path), tmp_path))
    assert report.verdict == HEALED
    assert [asked["cmd"] for asked in program.asked] == ["swap", "answer"]
    assert (program.asked[1]["reports"], program.asked[1]["verdict"]) == (["r1", "r2"], HEALED)


def test_nobody_is_told_healed_whose_program_still_runs_the_old_code(tmp_path: Path, start: Start) -> None:
    program = start(saying(ok=True, restart_needed=[{"what": "a.K", "why": "new slots"}]))
    report = run_errand(an_errand(only(tmp_path), tmp_path))
    assert report.verdict == NOT_HEALED
    assert "restart needed: a.K: new slots" in program.asked[1]["message"]


def test_nobody_is_told_healed_without_a_swap(tmp_path: Path, start: Start) -> None:
    start(saying(ok=True))
    assert run_errand(an_errand(only(tmp_path), tmp_path, files=())).verdict == NOT_HEALED


def test_an_errand_to_a_dead_program_ends_quietly(tmp_path: Path, start: Start) -> None:
    program = start(saying(ok=True))
    channel = only(tmp_path)
    program.die()
    report = run_errand(an_errand(channel, tmp_path))
    assert (report.dead, report.answer, report.verdict) == (True, None, "")


def test_an_address_in_a_report_only_chooses_among_programs_that_are_known() -> None:
    channel = Channel(Path("/p"), "/run/x/1.ch", 1)
    waiters = [Waiter("mine", "/run/x/1.ch", 1.0), Waiter("strange", "/etc/passwd", 1.0)]
    assert [waiter.report_id for waiter in waiters_of(channel, waiters)] == ["mine"]


def test_the_doorbell_takes_the_place_of_a_killed_engines_and_notices_its_loss(tmp_path: Path) -> None:
    address = Path(places.doorbell_address(str(tmp_path)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(address))
    bell = Doorbell(tmp_path)
    assert places.ring(str(tmp_path), "1-2-3.json")
    assert places.ring(str(tmp_path), "1-2-4.json")
    assert bell.answer() == 2
    assert bell.answer() == 0
    assert bell.in_place()
    address.unlink()
    assert not bell.in_place()
    bell.close()
    assert not places.ring(str(tmp_path), "1-2-5.json")


def test_a_doorbell_that_is_taken_down_leaves_another_ones_address_alone(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path)
    other = Doorbell(tmp_path)
    bell.close()
    assert places.ring(str(tmp_path), "x")
    other.close()
