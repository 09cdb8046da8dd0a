"""What the probe finds without an exception, in real programs: blocked loops, hangs, what is swallowed; and its doorbell."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from probeworld import FOUND, VERSIONS, World, interpreter

from selfheal_tui.probe.places import doorbell_address

# Both stand still until that was reported, however busy the machine is; without the probe they go on at once.
REPORTED = """\
import glob, os, threading, time
reported = threading.Lock()
reported.acquire()
def look():
    inbox, until = os.environ.get("SELFHEAL_INBOX"), time.monotonic() + 30
    while inbox and not glob.glob(inbox + "/*.json") and time.monotonic() < until: time.sleep(0.02)
    reported.release()
looking = threading.Thread(target=look)
"""
BLOCKED = (
    REPORTED
    + """\
import asyncio
def slow():
    looking.start()
    reported.acquire(timeout=40)
async def main():
    await asyncio.sleep(0.25)
    slow()
    await asyncio.sleep(0)
asyncio.run(main())
looking.join()
print([t.name for t in threading.enumerate()])
"""
)
NOT_WATCHED = """\
import asyncio, time
async def main():
    await asyncio.sleep(0)
    time.sleep(0.6)
    await asyncio.sleep(0)
asyncio.run(main())
"""
HANG = (
    REPORTED
    + """\
from selfheal_tui import progress
def stuck():
    progress("the queue", within=0.1)
    reported.acquire(timeout=40)
looking.start()
worker = threading.Thread(target=stuck, name="worker")
worker.start()
worker.join()
looking.join()
"""
)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture(params=VERSIONS)
def python(request):
    return interpreter(request.param)


def test_a_blocked_loop_is_reported_with_the_stack_that_blocks_it(world, python):
    (world.root / "program.py").write_text(BLOCKED)
    done = world.both(python, "program.py", SELFHEAL_LIVE="1", SELFHEAL_BLOCKED_SECONDS="0.2")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"['MainThread']\n", b"")
    report = world.report()
    assert (report.kind, report.raised.type, report.process.handled) == ("blocked-loop", "BlockedLoop", True)
    own = [f for f in report.raised.frames if Path(f.file) == world.root / "program.py"]
    assert [f.qualname for f in own][-1] == "slow"
    assert own[-1].source.strip() == "reported.acquire(timeout=40)"
    assert report.replay == ()


def test_without_an_engine_no_loop_is_watched(world, python):
    (world.root / "program.py").write_text(NOT_WATCHED)
    world.both(python, "program.py", SELFHEAL_BLOCKED_SECONDS="0.2")
    assert world.reports() == []


def test_declared_progress_that_stops_is_reported_with_every_stack(world, python):
    (world.root / "program.py").write_text(HANG)
    package = Path(__file__).parents[2]
    world.both(python, "program.py", PYTHONPATH=str(package))
    report = world.report()
    assert (report.kind, report.raised.type) == ("hang", "Hang")
    assert report.raised.frames[-1].source.strip() == "reported.acquire(timeout=40)"
    assert (
        "worker.join" in report.context["thread.MainThread"] or "join" in report.context["thread.MainThread"]
    )
    assert "stuck" in report.context["thread.worker"]


def test_progress_that_goes_on_or_is_done_is_no_hang(world, python):
    (world.root / "program.py").write_text(
        "import time\nfrom selfheal_tui import progress\n"
        "for _ in range(40): progress('a', within=0.6); time.sleep(0.02)\n"
        "progress('a').done()\n"
        "with progress('b', within=0.1): pass\ntime.sleep(0.5)\n"
    )
    world.both(python, "program.py", PYTHONPATH=str(Path(__file__).parents[2]))
    assert world.reports() == []


RADAR = """\
import contextlib, logging
log = logging.getLogger('app'); log.addHandler(logging.NullHandler()); log.propagate = False
def work(table): return table["missing"]
def silent():
    try: work({})
    except Exception: pass
def bare():
    try: work({})
    except: return None
def narrow():
    try: work({})
    except KeyError: pass
def used():
    try: work({})
    except Exception as e: return str(e)
def logged():
    try: work({})
    except Exception: log.exception('it failed')
def passed_on():
    try: work({})
    except Exception: raise
def in_the_end():
    try: work({})
    finally: pass
silent(); bare(); narrow(); used(); logged()
for one in (passed_on, in_the_end):
    with contextlib.suppress(KeyError): one()
silent()
"""


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_radar_finds_what_is_swallowed_in_silence_and_nothing_else(world, version):
    (world.root / "program.py").write_text(RADAR)
    world.both(interpreter(version), "program.py", SELFHEAL_RADAR="1")
    found = [(r.kind, r.raised.frames[0].qualname, r.count) for r in world.reports()]
    assert sorted(found) == [
        ("logged", "logged", 1),
        ("swallowed", "bare", 1),
        ("swallowed", "silent", 1),
        ("swallowed", "silent", 1),
    ]
    again = [r for r in world.reports() if r.tells_repeats]
    assert [r.raised.frames[0].qualname for r in again] == ["silent"]


def test_the_radar_is_off_unless_asked_for_and_absent_where_there_is_none(world, python):
    (world.root / "program.py").write_text(RADAR)
    world.both(python, "program.py")
    assert [r.kind for r in world.reports()] == ["logged"]
    old = FOUND.get("3.9")
    if old:
        world.both(old, "program.py", SELFHEAL_RADAR="1")
        assert {r.kind for r in world.reports()} == {"logged"}


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no local sockets: the doorbell was NOT tested")
def test_a_living_engine_is_woken_after_the_report_is_in_place(world, python):
    (world.root / "program.py").write_text("[][0]\n")
    address = doorbell_address(str(world.root))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(address)
        try:
            bell.settimeout(30)
            world.both(python, "program.py", SELFHEAL_LIVE="1")
            name = os.fsdecode(bell.recv(4096))
            assert (world.inbox / name).exists()
        finally:
            Path(address).unlink()


def test_an_engine_that_has_gone_is_no_harm(world, python):
    (world.root / "program.py").write_text("[][0]\n")
    world.both(python, "program.py", SELFHEAL_LIVE="1")
    assert world.report().channel


def test_a_resource_warning_is_reported_only_where_the_program_lets_it_be_shown(world, python):
    (world.root / "program.py").write_text("def act(): open(__file__)\nact()\n")
    world.both(python, "program.py")
    assert world.reports() == []
    world.both(python, "-X", "tracemalloc=3", "-W", "default::ResourceWarning", "program.py")
    report = world.report()
    assert (report.kind, report.raised.type) == ("warning", "ResourceWarning")
    assert report.raised.frames[-1].qualname == "act"
    assert "program.py:1: def act(): open(__file__)" in report.context["warning.created"]


def test_a_pending_task_that_is_forgotten_is_reported_where_it_stood(world, python):
    (world.root / "program.py").write_text(
        "import asyncio, gc\nasync def wait(): await asyncio.get_running_loop().create_future()\n"
        "async def main():\n    asyncio.ensure_future(wait()); await asyncio.sleep(0.01); gc.collect()\n"
        "loop = asyncio.new_event_loop()\nloop.run_until_complete(main())\ngc.collect()\nloop.close()\n"
    )
    world.run(python, "program.py")
    kinds = {(r.kind, r.raised.type) for r in world.reports()}
    assert kinds == {("warning", "PendingTaskDestroyed")}
