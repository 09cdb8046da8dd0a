"""What a live program does with a message: what it was asked, only what it may, and never an exception."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.probe import channel as channels
from selfheal_tui.probe import places
from selfheal_tui.probe.channel import Channel
from selfheal_tui.probe.descriptors import MAX_MESSAGE, bound_socket, bounded


@pytest.fixture
def swapped(monkeypatch):
    """A swapper that notes what it was given, in place of the real one."""
    asked: list[tuple[list[str], str]] = []
    fake = types.ModuleType("selfheal_tui.probe.swap")

    def swap_files(paths, *, root):
        asked.append((list(paths), root))
        return fake.outcome

    fake.swap_files = swap_files
    fake.remember_sources = lambda root: 0
    fake.outcome = types.SimpleNamespace(swapped=["m:f"], restart_needed=[], error="", notes=[])
    fake.asked = asked
    monkeypatch.setitem(sys.modules, "selfheal_tui.probe.swap", fake)
    monkeypatch.setattr("selfheal_tui.probe.swap", fake, raising=False)
    return fake


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def say(channel, **message):
    return channel.obey(json.dumps({"id": "1", **message}).encode())


def test_a_ping_names_the_process_and_the_program(root, monkeypatch):
    monkeypatch.setenv("SELFHEAL_PROGRAM", "billing")
    answer = say(Channel(str(root)), cmd="ping")
    assert (answer["ok"], answer["pid"], answer["program"]) == (True, os.getpid(), "billing")


def test_a_swap_names_files_below_the_root_and_tells_what_was_swapped(root, swapped):
    channel = Channel(str(root))
    answer = say(channel, cmd="swap", files=[str(root / "m.py")], incident="a1b2")
    assert answer["ok"]
    assert answer["swapped"] == ["m:f"]
    assert swapped.asked == [([str(root / "m.py")], str(root))]
    assert channel.swaps == 1


def test_what_needs_a_restart_is_told_and_is_no_swap(root, swapped):
    swapped.outcome.restart_needed = [("m:C", "its layout changed")]
    channel = Channel(str(root))
    answer = say(channel, cmd="swap", files=[str(root / "m.py")])
    assert answer["restart_needed"] == [{"what": "m:C", "why": "its layout changed"}]
    assert channel.swaps == 0


def test_files_elsewhere_are_refused_and_then_none_is_swapped(root, swapped, tmp_path):
    (tmp_path / "evil.py").write_text("")
    (root / "link.py").symlink_to(tmp_path / "evil.py")
    good = str(root / "m.py")
    for bad in (
        str(tmp_path / "evil.py"),
        str(root / "link.py"),
        str(root / ".." / "evil.py"),
        str(root) + "-beside/m.py",
        "m.py",
        str(root / "data.json"),
        7,
        None,
    ):
        answer = say(Channel(str(root)), cmd="swap", files=[good, bad])
        assert not answer["ok"]
        assert answer["error"]
    for none in ([], None, good, [good] * 501):
        assert not say(Channel(str(root)), cmd="swap", files=none)["ok"]
    assert swapped.asked == []


def test_code_in_a_message_is_never_run(root, swapped):
    answer = say(Channel(str(root)), cmd="swap", files=[str(root / "m.py")], code="boom", source="boom")
    assert answer["ok"]
    assert swapped.asked == [([str(root / "m.py")], str(root))]


def test_an_answer_reaches_those_who_wait_once(root):
    channel = Channel(str(root))
    told = []
    channel.expect("r1", lambda verdict, message: told.append((verdict, message)))
    channel.expect("r2", lambda verdict, message: told.append((verdict, message)))
    channel.forget("r2")
    for _ in range(2):
        assert say(channel, cmd="answer", reports=["r1", "r2", "r3", 4], verdict="healed", message="m")["ok"]
    assert told == [("healed", "m")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{",
        b'{"id":"1"}',
        b'{"cmd":"exec","code":"1"}',
        b'{"cmd":7}',
        b"[" * 50_000,
        b'{"cmd":"answer"}',
        b'{"cmd":"answer","reports":"r1","verdict":"healed"}',
        b'{"id":{},"cmd":"ping"}',
        b'{"id":"' + b"x" * 300 + b'","cmd":"ping"}',
        b'{"cmd":"ping","pad":"' + b"x" * MAX_MESSAGE + b'"}',
    ],
)
def test_nonsense_is_answered_with_an_error(root, data):
    answer = Channel(str(root)).obey(data)
    assert not answer["ok"]
    assert answer["error"]


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(
        lambda value: json.dumps({"id": "1", "cmd": "answer", "reports": value}).encode()
    )
)
def test_no_message_whatever_raises(data):
    answer = Channel("/nowhere").obey(data)
    assert set(answer) >= {"id", "ok", "swapped", "restart_needed", "error"}


@given(
    st.lists(st.text(max_size=2_000), max_size=80),
    st.lists(
        st.fixed_dictionaries({"what": st.text(max_size=2_000), "why": st.text(max_size=500)}), max_size=80
    ),
    st.text(max_size=2_000),
)
def test_a_reply_always_fits_into_a_datagram(swapped, needed, error):
    reply = {"id": "1", "ok": True, "swapped": swapped * 9, "restart_needed": needed * 9, "error": error}
    size = len(swapped) * 9 + len(needed) * 9
    data = bounded(reply)
    assert len(data) <= MAX_MESSAGE
    said = json.loads(data)
    assert len(said["swapped"]) + len(said["restart_needed"]) + said.get("omitted", 0) == size


@pytest.fixture
def opened(root, monkeypatch):
    monkeypatch.delattr(sys, "_selfheal_channel", raising=False)
    channel = channels.start(str(root))
    assert channel is not None
    yield channel
    current = channels.current()
    if current is not None:
        current.close()
    monkeypatch.delattr(sys, "_selfheal_channel", raising=False)


def ask(channel, root, **message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        own = Path(places.runtime_directory(str(root)), f"{time.monotonic_ns()}.reply")
        client.bind(str(own))
        client.settimeout(20)
        client.sendto(json.dumps({"id": "9", **message}).encode(), channel.address)
        data, sender = client.recvfrom(MAX_MESSAGE)
        own.unlink()
    assert sender == channel.address
    return json.loads(data)


def test_the_open_channel_answers_its_sender_and_stays_out_of_the_programs_threads(opened, root):
    assert ask(opened, root, cmd="ping")["pid"] == os.getpid()
    assert all("selfheal" not in thread.name for thread in threading.enumerate())
    assert opened.address == places.channel_address(str(root), os.getpid())
    assert Path(opened.address).parent.stat().st_mode & 0o077 == 0


def test_there_is_one_channel_and_none_for_another_project(opened, root, tmp_path):
    assert channels.start(str(root)) is opened
    assert channels.start(str(tmp_path)) is None


def test_closing_removes_the_address_and_it_can_be_opened_again(opened, root):
    opened.close()
    assert not os.path.lexists(opened.address or places.channel_address(str(root), os.getpid()))
    again = channels.start(str(root))
    assert again is not None
    assert ask(again, root, cmd="ping")["ok"]


def test_what_a_killed_program_left_at_our_address_is_replaced_but_a_living_one_is_spared(root):
    address = places.channel_address(str(root), os.getpid())
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(address)
    dead.close()
    alive = bound_socket(address)
    with pytest.raises(FileExistsError):
        bound_socket(address)
    alive.close()
    Path(address).unlink()


def test_a_program_that_closes_and_reuses_our_numbers_keeps_its_own_files(opened, root, tmp_path):
    number = opened._socket.fileno()
    wake = opened._wake[1]
    mine = tmp_path / "mine"
    mine.write_text("")
    target = os.open(mine, os.O_RDWR)
    os.dup2(target, number)
    os.dup2(target, wake)
    try:
        opened.close()
        opened.remember_soon()
        assert os.fstat(number).st_ino == os.fstat(target).st_ino, "it is still open"
        assert mine.read_text() == "", "and nothing was written to it"
    finally:
        for one in {number, wake, target}:
            os.close(one)


FORKING = """
import json, os, sys
from selfheal_tui.probe import channel, places
started = channel.start(sys.argv[1])
child = os.fork()
if not child:
    sys.stdin.read()
    os._exit(0)
print(json.dumps([started.address, places.channel_address(sys.argv[1], child), child]), flush=True)
os.waitpid(child, 0)
"""


def test_a_child_gets_an_address_of_its_own_and_the_parent_keeps_its(root):
    command = [sys.executable, "-c", FORKING, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        try:
            mine, of_child, child = json.loads(parent.stdout.readline())
            until = time.monotonic() + 20
            while not Path(of_child).exists() and time.monotonic() < until:
                time.sleep(0.005)
            assert ask(types.SimpleNamespace(address=mine), root, cmd="ping")["pid"] == parent.pid
            assert ask(types.SimpleNamespace(address=of_child), root, cmd="ping")["pid"] == child
        finally:
            parent.stdin.close()


def test_a_fork_is_not_warned_about_for_our_sake(root):
    code = (
        "import os, sys, warnings\n"
        "warnings.simplefilter('error')\n"
        f"from selfheal_tui.probe.channel import start\nassert start({str(root)!r}).alive\n"
        "pid = os.fork()\n"
        "if not pid: os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_that_others_could_have_prepared_is_refused(root, tmp_path):
    folder = Path(places.runtime_directory(str(root)))
    folder.chmod(0o777)
    with pytest.raises(places.PlaceRefusedError, match="private"):
        places.channel_address(str(root), 1)
    assert Channel(str(root)).open() is False
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(places.PlaceRefusedError, match="private"):
        places.doorbell_address(str(root))
    assert places.ring(str(root), "x.json") is False
    assert places.listens(str(root)) is False


def test_a_long_temporary_folder_does_not_make_an_address_too_long(root, tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("TMPDIR", str(deep))
    assert len(places.channel_address(str(root), 4_194_304)) <= places.MAX_ADDRESS
