"""What counts as a hang, fed with stacks by hand; and what a signal's handler interrupted."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType, SimpleNamespace

import pytest

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.serial import from_json, to_json
from selfheal_tui.probe import hangs
from selfheal_tui.probe.capture import capture_exception

CODE = """
def endless(look):
    n = 1
    while n:
        look()
        n = 3 - n

def through(look):
    for _ in range(100):
        look()

def batch(look):
    for _ in range(100):
        work(look)

def work(look):
    look()
    look()

def straight(look):
    look()
    look()
    look()
    look()
    look()
    look()

def waiting(look):
    lock = object()
    while True:
        look()  # with lock
"""


class EndedError(Exception):
    """Ends the code under test."""


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., str]:
    file = tmp_path / "app.py"
    file.write_text(CODE)
    names: dict[str, object] = {"__name__": "app"}
    exec(compile(CODE, str(file), "exec"), names)  # a file of its own

    def run(name: str, *, cpu: float = 0.25, at_once: bool = False) -> str:
        probe = SimpleNamespace(root=str(tmp_path), start_dir=str(tmp_path))
        watch = hangs.HangWatch(probe, 1.0, at_once)
        clock = [0.0, 0.0]
        found: list[FrameType] = []

        def look() -> None:
            clock[0] += 0.25
            clock[1] += cpu
            where = watch.look(sys._getframe(1), clock[0], clock[1])
            if where is not None:
                found.append(where)
                raise EndedError
            if clock[0] > 20:
                raise EndedError

        function = names[name]
        assert callable(function)
        with contextlib.suppress(EndedError):
            function(look)
        return found[0].f_code.co_name if found else ""

    return run


def test_a_while_loop_that_burns_time_hangs(watched: Callable[..., str]) -> None:
    assert watched("endless") == "endless"


@pytest.mark.parametrize("name", ["through", "batch", "straight"])
def test_a_program_that_goes_through_something_does_not(watched: Callable[..., str], name: str) -> None:
    assert watched(name) == ""


def test_in_a_replay_of_a_hang_any_loop_counts(watched: Callable[..., str]) -> None:
    assert watched("through", at_once=True) == "through"


def test_a_program_that_waits_for_the_world_does_not_hang(watched: Callable[..., str]) -> None:
    assert watched("endless", cpu=0.0) == ""


def test_a_program_that_waits_for_a_lock_does(watched: Callable[..., str]) -> None:
    assert watched("waiting", cpu=0.0) == "waiting"


def test_while_others_have_the_processor_nothing_is_concluded_early(watched: Callable[..., str]) -> None:
    assert watched("endless", cpu=0.02) == "endless", "after enough processor time, not after one second"


def interrupted(message: str, root: Path) -> CrashReport:
    """A program interrupted by its own alarm."""

    def handler(number: int, frame: object) -> None:
        raise TimeoutError(message)

    def spin() -> None:
        while True:
            pass

    before = signal.signal(signal.SIGVTALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
        spin()
    except TimeoutError as error:
        return from_json(to_json(capture_exception(error, root=str(root))), CrashReport)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    raise AssertionError("it was not interrupted")


def test_the_interrupted_frame_is_known_from_the_watchdogs(tmp_path: Path) -> None:
    report = interrupted("still running after 3 s", tmp_path)
    assert report.raised.frames[-1].by_signal
    assert report.raised.interrupted_frames[-1].function == "spin"
    assert report.raised.interrupted_frames[-1].line > 0, "also at a jump that belongs to no line"
    assert report.stuck


def test_a_signal_that_is_about_something_else_is_no_hang(tmp_path: Path) -> None:
    report = interrupted("configuration changed", tmp_path)
    assert report.raised.bare_type == "TimeoutError"
    other = report.with_chain(
        (replace(report.raised, type="ReloadRequested", message="configuration changed"),)
    )
    assert not other.stuck
