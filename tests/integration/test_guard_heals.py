"""Guarded calls in a living program: report, wait, swap, retry; the engine follows a script."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine, finish, start

WORK = """
class Agent:
    def __init__(self):
        self.done = 0

    def execute(self, task):
        self.done += 1
        task.append("seen")
        return task[0] + 1 + None


def double(number):
    return nubmer * 2


async def triple(number):
    return nubmer * 3
"""

PRELUDE = "import json, sys, os, threading, time\nimport work\nfrom selfheal_tui import heal, guard\n"
DEV = {"SELFHEAL_ENV": "dev"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "work.py").write_text(WORK)
    return tmp_path


def heals_double(engine: FakeEngine, report: dict[str, Any]) -> None:
    engine.heal(report, "work.py", "nubmer * 2", "number * 2")


def test_a_call_that_may_be_repeated_returns_what_the_healed_code_returns(root: Path) -> None:
    code = PRELUDE + 'print(json.dumps(heal(retry="safe", wait=20)(work.double)(21)))'
    with FakeEngine(root, heals_double) as engine:
        assert finish(start(root, code)) == 42
    (report,) = engine.reports
    assert report["kind"] == "guard"
    assert report["process"]["handled"] is True
    assert report["waits_until"] > report["captured_at"]
    assert report["channel"].endswith(f"/{report['process']['pid']}.ch")
    assert report["context"]["selfheal.guard"] == "double"
    assert engine.replies[0]["swapped"] == ["work:double"]


def test_a_coroutine_waits_without_stopping_its_loop(root: Path) -> None:
    code = (
        PRELUDE
        + """
import asyncio
ticks = 0
async def tick():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep(0.005)
async def main():
    task = asyncio.create_task(tick())
    answers = await asyncio.gather(*(heal(retry="safe", wait=20)(work.triple)(n) for n in range(3)))
    task.cancel()
    print(json.dumps([answers, ticks]))
asyncio.run(main())
"""
    )

    def script(engine: FakeEngine, report: dict[str, Any]) -> None:
        time.sleep(0.3)  # long enough for the other task to be seen going on
        engine.heal(report, "work.py", "nubmer * 3", "number * 3")

    with FakeEngine(root, script) as engine:
        answers, ticks = finish(start(root, code))
    assert answers == [0, 3, 6]
    assert ticks > 10
    assert len(engine.reports) == 1


def test_ten_threads_with_one_crash_make_one_report_and_are_all_answered(root: Path) -> None:
    code = (
        PRELUDE
        + """
double = heal(retry="safe", wait=20)(work.double)
start, answers = threading.Barrier(10), []
def one(number):
    start.wait()
    answers.append(double(number))
threads = [threading.Thread(target=one, args=(n,)) for n in range(10)]
[t.start() for t in threads]; [t.join() for t in threads]
print(json.dumps(sorted(answers)))
"""
    )
    with FakeEngine(root, heals_double) as engine:
        assert finish(start(root, code)) == [2 * n for n in range(10)]
    assert len(engine.reports) == 1


def test_a_snapshot_gives_the_retry_its_arguments_as_they_were_and_the_same_object(root: Path) -> None:
    code = (
        PRELUDE
        + """
work.Agent.execute = heal(retry="snapshot", wait=20)(work.Agent.execute)
agent, task = work.Agent(), [1]
print(json.dumps([agent.execute(task), agent.done, task]))
"""
    )

    def script(engine: FakeEngine, report: dict[str, Any]) -> None:
        engine.heal(report, "work.py", "task[0] + 1 + None", "[task[0] + 1, list(task)]")

    with FakeEngine(root, script):
        answer, done, task = finish(start(root, code))
    assert answer == [2, [1, "seen"]], "the retry saw the task as it was before the call"
    assert done == 2, "on the same agent"
    assert task == [1, "seen"]


def test_arguments_that_cannot_be_copied_are_not_retried_and_the_report_says_so(root: Path) -> None:
    code = (
        PRELUDE
        + """
try:
    heal(retry="snapshot", wait=20)(work.double)(threading.Lock())
except NameError as error:
    print(json.dumps(str(error)))
"""
    )
    with FakeEngine(root, heals_double) as engine:
        assert "nubmer" in finish(start(root, code))
    assert "cannot be copied" in engine.reports[0]["context"]["selfheal.no_retry"]


ORIGINAL = """
class Odd(Exception):
    pass
made = Odd("one", 2)
def deep():
    raise made
@heal({options})
def guarded():
    deep()
def names(error):
    trace, found = error.__traceback__, []
    while trace:
        found.append([trace.tb_frame.f_code.co_name, trace.tb_lineno])
        trace = trace.tb_next
    return found
began = time.monotonic()
try:
    guarded()
except Odd as error:
    seconds = time.monotonic() - began
    plain = names(error)
    print(json.dumps([error is made, error.args, error.__context__ is None, error.__cause__ is None,
                      [n for n, _ in plain], vars(error), seconds]))
"""


@pytest.mark.parametrize("options", ['retry="safe", wait=20', 'retry="never", wait=20', "wait=0"])
@pytest.mark.parametrize("verdict", ["not healed", "nonsense"])
def test_what_is_not_healed_gets_its_own_exception_untouched(root: Path, options: str, verdict: str) -> None:
    def script(engine: FakeEngine, report: dict[str, Any]) -> None:
        if report.get("channel"):
            engine.answer(report, verdict)

    with FakeEngine(root, script):
        same, args, no_context, no_cause, names, facts, _ = finish(
            start(root, PRELUDE + ORIGINAL.replace("{options}", options))
        )
    assert same
    assert args == ["one", 2]
    assert no_context
    assert no_cause
    assert names == ["<module>", "call", "guarded", "deep"]
    assert facts == {}


def test_nobody_waits_longer_than_declared(root: Path) -> None:
    with FakeEngine(root, lambda engine, report: None) as engine:
        *_, seconds = finish(start(root, PRELUDE + ORIGINAL.replace("{options}", 'retry="safe", wait=0.3')))
    assert 0.3 <= seconds < 20
    assert len(engine.reports) == 1


@pytest.mark.parametrize("env", [{}, {"SELFHEAL_ENV": "production"}])
def test_in_production_the_crash_is_reported_and_nobody_waits(root: Path, env: dict[str, str]) -> None:
    with FakeEngine(root, lambda engine, report: None) as engine:
        finish(start(root, PRELUDE + ORIGINAL.replace("{options}", 'retry="safe"'), env=env), 25)
    (report,) = list(engine.inbox.glob("*.json"))
    assert '"waits_until":0' in report.read_text()


def test_outside_production_it_waits_unasked(root: Path) -> None:
    code = PRELUDE + 'print(json.dumps(heal(retry="safe")(work.double)(21)))'
    with FakeEngine(root, heals_double) as engine:
        assert finish(start(root, code, env=DEV)) == 42
    assert 25 < engine.reports[0]["waits_until"] - engine.reports[0]["captured_at"] < 31


def test_without_an_engine_nobody_waits_and_the_report_is_kept(root: Path) -> None:
    inbox = root / ".selfheal" / "inbox"
    inbox.mkdir(parents=True)
    finish(start(root, PRELUDE + ORIGINAL.replace("{options}", 'retry="safe", wait=1000'), env=DEV), 30)
    assert len(list(inbox.glob("*.json"))) == 1


def test_without_a_project_the_guard_is_as_good_as_absent(root: Path) -> None:
    finish(start(root, PRELUDE + ORIGINAL.replace("{options}", 'retry="safe", wait=1000'), env=DEV), 30)
    assert sorted(p.name for p in root.iterdir() if p.name != "__pycache__") == ["program.py", "work.py"]


def test_an_engine_that_dies_while_the_program_waits_loses_nothing(root: Path) -> None:
    def script(engine: FakeEngine, report: dict[str, Any]) -> None:
        engine.leave()

    with FakeEngine(root, script) as engine:
        same, *_ = finish(start(root, PRELUDE + ORIGINAL.replace("{options}", 'retry="safe", wait=1000')), 60)
    assert same
    assert len(list(engine.inbox.glob("*.json"))) == 1


def test_an_engine_that_is_started_again_answers_the_one_who_still_waits(root: Path) -> None:
    code = PRELUDE + 'print(json.dumps(heal(retry="safe", wait=100)(work.double)(21)))'
    taken = []

    def dies(engine: FakeEngine, report: dict[str, Any]) -> None:
        taken.append(report)
        engine.leave()

    with FakeEngine(root, dies) as first:
        program = start(root, code)
        first._thread.join(60)
    (first.folder / "doorbell").unlink()
    with FakeEngine(root, heals_double) as second:
        (report,) = taken
        second.client.close()
        second.client = __import__("socket").socket(1, 2)
        second.client.bind(str(second.folder / "again.reply"))
        second.client.settimeout(20)
        heals_double(second, report)
        assert finish(program) == 42


def test_a_block_is_never_swallowed_and_says_whether_it_was_healed(root: Path) -> None:
    code = (
        PRELUDE
        + """
g = guard(wait=20, name="doubling")
try:
    with g:
        work.double(21)
except NameError:
    print(json.dumps([g.healed, work.double(21)]))
"""
    )
    with FakeEngine(root, heals_double) as engine:
        assert finish(start(root, code)) == [True, 42]
    assert engine.reports[0]["context"]["selfheal.guard"] == "doubling"


def test_an_async_block_waits_without_stopping_its_loop(root: Path) -> None:
    code = (
        PRELUDE
        + """
import asyncio
async def main():
    seen = []
    async def tick():
        while True:
            seen.append(1)
            await asyncio.sleep(0.005)
    task = asyncio.create_task(tick())
    g = guard(wait=20)
    try:
        async with g:
            await work.triple(1)
    except NameError:
        task.cancel()
        print(json.dumps([g.healed, await work.triple(2), len(seen)]))
asyncio.run(main())
"""
    )

    def script(engine: FakeEngine, report: dict[str, Any]) -> None:
        time.sleep(0.2)
        engine.heal(report, "work.py", "nubmer * 3", "number * 3")

    with FakeEngine(root, script):
        healed, answer, ticks = finish(start(root, code))
    assert healed
    assert answer == 6
    assert ticks > 5


def test_guards_around_guards_report_once_and_the_outer_may_repeat(root: Path) -> None:
    code = (
        PRELUDE
        + """
inner = heal(retry="never", wait=20)(work.double)
@heal(retry="safe", wait=20)
def outer(number):
    return inner(number) + 1
print(json.dumps(outer(21)))
"""
    )
    with FakeEngine(root, heals_double) as engine:
        assert finish(start(root, code)) == 43
    assert len(engine.reports) == 1


def test_a_fix_that_does_not_hold_is_reported_again_and_its_own_exception_goes_on(root: Path) -> None:
    code = (
        PRELUDE
        + """
try:
    heal(retry="safe", wait=20)(work.double)(21)
except Exception as error:
    print(json.dumps([type(error).__name__, error.__context__ is None]))
"""
    )

    def script(engine: FakeEngine, report: dict[str, Any]) -> None:
        if len(engine.reports) == 1:
            engine.heal(report, "work.py", "nubmer * 2", "number / 0")

    with FakeEngine(root, script) as engine:
        assert finish(start(root, code)) == ["ZeroDivisionError", True]
        deadline = time.monotonic() + 20
        while len(list(engine.inbox.glob("*.json"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(list(engine.inbox.glob("*.json"))) == 2


def test_healed_elsewhere_but_not_in_this_process_is_not_retried(root: Path) -> None:
    code = (
        PRELUDE
        + """
calls = []
@heal(retry="safe", wait=20)
def once():
    calls.append(1)
    work.double(1)
try:
    once()
except NameError:
    print(json.dumps(len(calls)))
"""
    )
    with FakeEngine(root, lambda engine, report: engine.answer(report, "healed")):
        assert finish(start(root, code)) == 1


def test_ctrl_c_ends_the_waiting(root: Path) -> None:
    code = PRELUDE + 'heal(retry="safe", wait=1000)(work.double)(21)'
    with FakeEngine(root, lambda engine, report: program.send_signal(signal.SIGINT)) as _:
        program = start(root, code)
        _, err = program.communicate(timeout=60)
    assert program.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in err


def test_a_crash_loop_that_nobody_heals_does_not_wait_each_time_and_is_counted(root: Path) -> None:
    code = (
        PRELUDE
        + """
double = heal(retry="safe", wait=0.2)(work.double)
began = time.monotonic()
for n in range(2000):
    try:
        double(n)
    except NameError:
        pass
print(json.dumps(time.monotonic() - began))
"""
    )
    with FakeEngine(root, lambda engine, report: None) as engine:
        assert finish(start(root, code)) < 30
    assert len(list(engine.inbox.glob("*.json"))) <= 5
