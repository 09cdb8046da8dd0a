"""Programs under the desk: their output, their healing, and that none is left behind."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
from desk_world import a_desk, a_project
from serving import wait_until

from selfheal_tui.model.kinds import Restart
from selfheal_tui.operations.desk import Answered
from selfheal_tui.supervisor.programs import ProgramSpec

CRASHING = """\
import os, sys, time

def total(items):
    return sum(itms)

print("reads", repr(sys.stdin.read()), flush=True)
print("total", total([1, 2]), flush=True)
if os.environ.get("KEEPS_RUNNING"):  # not in the copy, where it has to end
    time.sleep(600)
"""


def _spec(root: Path, **changes: object) -> ProgramSpec:
    facts: dict[str, object] = {
        "name": "app",
        "argv": (sys.executable, "app.py", "--token", "hunter2hunter2"),
        "cwd": root,
        "restart": Restart.ON_CRASH,
        "inherit_stdin": True,
        "environ": {"KEEPS_RUNNING": "1"},
    }
    return ProgramSpec(**(facts | changes))  # type: ignore[arg-type]


def test_a_program_crashes_is_healed_on_approval_and_runs_on(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p", CRASHING)
    with a_desk(root, specs=[_spec(root)]) as (desk, heard):
        request = heard.wait(lambda: heard.board.requests, "a question")[0]
        (program,) = heard.board.programs
        assert program.name == "app"
        assert "hunter2" not in program.command
        desk.approve(request.request_id, code=request.code)
        assert heard.answer(request.request_id).ok
        heard.wait(lambda: "total 3" in _lines(desk), "a good run")
        lines = _lines(desk)
        assert "reads ''" in lines, "it reads from nothing, never the console's keys"
        assert request.incident_id in lines, "the incident is marked in the output"
        assert heard.wait(lambda: heard.board.programs[0].standing.word == "running", "the program")

        heard.events[:] = [e for e in heard.events if not isinstance(e, Answered)]
        pid = heard.board.programs[0].pid
        desk.restart_program("app")
        assert heard.answer("app").ok
        heard.wait(lambda: heard.board.programs[0].pid not in (0, pid), "a new run")
        heard.events[:] = [e for e in heard.events if not isinstance(e, Answered)]
        desk.stop_program("app")
        assert heard.answer("app").ok
        heard.wait(lambda: heard.board.programs[0].standing.word == "stopped", "its end")
        heard.events[:] = [e for e in heard.events if not isinstance(e, Answered)]
        desk.restart_program("app")
        assert heard.answer("app").ok
        heard.wait(lambda: heard.board.programs[0].standing.word == "running", "a start after a stop")


def _lines(desk: object) -> list[str]:
    return [line.text for line in desk.output("app").lines]


def test_stopping_kills_a_program_that_will_not_end(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)\n"
    )
    root = a_project(tmp_path / "p", stubborn)
    with a_desk(root, specs=[_spec(root)]) as (desk, heard):
        heard.wait(lambda: "up" in _lines(desk), "the program")
        pid = heard.board.programs[0].pid
        began = time.monotonic()
        desk.stop()
        assert time.monotonic() - began < 5  # two seconds, and a loaded machine
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_what_is_not_there_is_answered_not_raised(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p", "import time\ntime.sleep(600)\n")
    with a_desk(root, serve=False) as (desk, heard):
        heard.wait(lambda: not heard.board.loading, "the store")
        assert desk.output("app").lines == ()
        desk.stop_program("app")
        assert not heard.answer("app").ok
    with a_desk(root, serve=False, specs=[_spec(root)]) as (desk, heard):
        heard.wait(lambda: heard.board.programs, "the programs")
        assert desk.output("other").lines == ()
        desk.stop_program("other")
        assert not heard.answer("other").ok
        desk.look_at("ffff")
        assert not heard.answer("ffff").ok
        desk.cancel_errand("errand-99")
        assert not heard.answer("errand-99").ok
