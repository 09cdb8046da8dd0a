"""Runs the project's tests in a workspace and reports ids that passed and failed.

Outcomes come as JSON lines from our own driver or plugin, and count only when the last line was
written: a `sys.exit` in a conftest, a crash or an empty run is "did not run", never a pass.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.ports import TestRun
from selfheal_tui.model.serial import from_json
from selfheal_tui.sandbox.bytecode import warm_cache
from selfheal_tui.sandbox.paths import PathMap
from selfheal_tui.sandbox.process import Finished
from selfheal_tui.sandbox.restore import read_plain
from selfheal_tui.sandbox.runner import Runner
from selfheal_tui.sandbox.testplan import TestPlan
from selfheal_tui.sandbox.walls import DRIVERS, PROBE

_PYTEST_ENDED = (0, 1, 2)
_PYTEST_USAGE_ERROR = 4
_LONGEST_COMMAND = 60_000
_LARGEST_FILE = 16 << 20
_SHELL = re.compile(r"[|&;<>()$`\n*?~]")
_RANK = {"skipped": 0, "passed": 1, "failed": 2}
_NOT_FOUND = (126, 127)


@dataclass(slots=True)
class _Outcomes:
    by_id: dict[str, str] = field(default_factory=dict)
    end: int | None = None
    interrupted: bool = False
    failed_at: dict[str, str] = field(default_factory=dict)

    def having(self, outcome: str) -> frozenset[str]:
        return frozenset(name for name, known in self.by_id.items() if known == outcome)


def run_tests(
    runner: Runner,
    plan: TestPlan,
    seconds: float,
    only: Sequence[str] = (),
    each_seconds: float = 0.0,
    *,
    roots: Sequence[str] = (),
) -> TestRun:
    """Runs tests.

    Args:
        runner: Runs commands behind the walls of the workspace.
        plan: How.
        seconds: Time limit.
        only: Ids to run, as an earlier run reported them; a configured command always runs whole.
        each_seconds: Time limit of each test, where pytest runs them; 0 for none.
        roots: Folders in which the project's packages lie, as seen inside: it need not be installed.

    Returns:
        What passed and failed.

    Raises:
        SandboxError: The walls cannot be put up.
    """
    chosen = [name for name in only if name and not name.startswith("-")]
    if sum(map(len, chosen)) > _LONGEST_COMMAND:
        chosen = []  # too many for a command line: all of them then
    if plan.runner == "pytest":
        return _run_pytest(runner, seconds, chosen, each_seconds, roots)
    if plan.runner == "unittest":
        with runner.scratch() as scratch:
            environ = runner.environment(scratch, roots)
            finished = runner.driver("run_unittest.py", chosen, scratch, seconds=seconds, environ=environ)
        return _judge("unittest", finished, _read(finished.result))
    if plan.runner == "command":
        return _run_configured(runner, plan.argv[0], seconds, each_seconds, roots)
    return TestRun(ran=False, reason=plan.reason or "no tests were found")


def test_crashes(
    runner: Runner, seconds: float, only: Sequence[str], roots: Sequence[str]
) -> list[tuple[str, CrashReport]]:
    """Runs tests under pytest and captures with what exceptions they fail.

    Args:
        runner: Runs commands behind the walls of the workspace.
        seconds: Time limit; what failed until then is told.
        only: Ids, as an earlier run reported them.
        roots: As for `run_tests`.

    Returns:
        Ids with the crash of each; hints like whatever comes from inside.

    Raises:
        SandboxError: The walls cannot be put up.
    """
    cache, paths = warm_cache(runner.walls), PathMap(runner.walls)
    with runner.scratch() as scratch:
        environ = _with_cache(runner.environment(scratch, roots), cache)
        finished = runner.driver(
            "run_pytest.py",
            [*_arguments(runner), "-o", "addopts=", *only],
            scratch,
            seconds=seconds,
            environ={**environ, "SELFHEAL_TEST_PROBE": str(PROBE)},
            more_readable=[cache] if cache else [],
        )
    found = []
    for line in finished.result.splitlines():
        try:
            data = json.loads(paths.outside(line))
            if "crash_of" in data:
                found.append(
                    (str(data["crash_of"]), from_json(json.dumps(data["crash"]).encode(), CrashReport))
                )
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # cut off, or somebody else wrote to the channel
    return found


def _arguments(runner: Runner) -> list[str]:
    return [
        "-q", "--color=no", f"--rootdir={runner.walls.view}", "--continue-on-collection-errors", "--maxfail=0",
        "-p", "no:randomly",
    ]  # fmt: skip


def _run_pytest(
    runner: Runner, seconds: float, only: Sequence[str], each_seconds: float, roots: Sequence[str]
) -> TestRun:
    arguments = _arguments(runner)
    if not only and "[" in str(runner.walls.view):
        only = ["."]  # pytest takes what follows a bracket in its default argument, the directory, for an id
    spent = 0.0
    cache = warm_cache(runner.walls)
    run = TestRun(ran=False)
    # The project's own options may need plugins that are not installed; its tests mostly run without.
    for more in ([], ["-o", "addopts="]):
        with runner.scratch() as scratch:
            finished = runner.driver(
                "run_pytest.py",
                [*arguments, *more, *only],
                scratch,
                seconds=max(0.1, seconds - spent),
                environ=_with_cache(_with_limit(runner.environment(scratch, roots), each_seconds), cache),
                more_readable=[cache] if cache else [],
            )
        run = _judge("pytest", finished, _read(finished.result))
        spent += finished.seconds
        if finished.exit_code != _PYTEST_USAGE_ERROR or spent >= seconds:
            break
    return run


def _with_cache(environ: dict[str, str], cache: str) -> dict[str, str]:
    return {**environ, "PYTHONPYCACHEPREFIX": cache} if cache else environ


def _with_limit(environ: dict[str, str], each_seconds: float) -> dict[str, str]:
    return {**environ, "SELFHEAL_TEST_SECONDS": f"{each_seconds:g}"} if each_seconds > 0 else environ


def _run_configured(
    runner: Runner, command: str, seconds: float, each_seconds: float, roots: Sequence[str]
) -> TestRun:
    argv = ["/bin/sh", "-c", command] if _SHELL.search(command) else shlex.split(command)
    with runner.scratch() as scratch:
        lines = scratch.given / "outcomes.jsonl"
        read_end, write_end = os.pipe()
        cache = warm_cache(runner.walls) if "pytest" in command else ""
        clean = runner.environment(scratch, [str(DRIVERS / "pytest_plugin"), *roots])
        environ = _with_cache(_with_limit(clean, each_seconds), cache)
        environ["PYTEST_ADDOPTS"] = "-p selfheal_pytest_plugin"
        environ["SELFHEAL_TEST_CHANNEL"] = f"{write_end}:{os.fstat(write_end).st_ino}:{lines}"
        finished = runner.command(
            argv,
            scratch,
            seconds=seconds,
            environ=environ,
            result=(read_end, write_end),
            more_readable=[cache] if cache else [],
        )
        written = _read_file(lines)
    outcomes = _read(finished.result or written)
    if outcomes.end is not None and not finished.timed_out:
        run = _judge("command", finished, outcomes)
        if run.ran and finished.exit_code and not run.failed:
            # Something after or beside pytest failed; as an id it can be compared before and after.
            return _ended("command", finished, run.passed, frozenset({command}), run.skipped)
        return run
    problem = _problem(finished)
    if not problem and finished.exit_code in _NOT_FOUND:
        problem = f"the command {command!r} could not be run; correct project.test_command"
    if problem:
        return _did_not_run("command", finished, problem)
    ids = frozenset({command})
    if finished.exit_code == 0:
        return _ended("command", finished, ids, frozenset(), 0)
    return _ended("command", finished, frozenset(), ids, 0)


def _read_file(file: Path) -> bytes:
    try:
        return read_plain(file, _LARGEST_FILE)
    except OSError:
        return b""  # not written, or by somebody else: the exit status has to do


def _read(raw: bytes) -> _Outcomes:
    outcomes = _Outcomes()
    for line in raw.splitlines():
        try:
            data = json.loads(line)
            if "crash_of" in data:
                continue
            if "end" in data:
                outcomes.end = int(data["end"])
                outcomes.interrupted = bool(data.get("interrupted"))
                continue
            name, outcome = str(data["id"]), str(data["outcome"])
            rank = _RANK[outcome]
        except (ValueError, KeyError, TypeError):
            return _Outcomes()  # somebody else wrote to the channel: nothing in it can be believed
        if rank >= _RANK.get(outcomes.by_id.get(name, ""), -1):
            outcomes.by_id[name] = outcome
        if data.get("at"):
            outcomes.failed_at[name] = str(data["at"])
    return outcomes


def _problem(finished: Finished) -> str:
    if finished.timed_out:
        return "the tests did not end within the time limit (sandbox.test_seconds)"
    if finished.crowded:
        return "the tests started more processes than sandbox.processes allows"
    if finished.overflowed:
        return "the tests reported more than can be read"
    if finished.exit_code is not None and finished.exit_code < 0:
        return f"the test process was killed by signal {-finished.exit_code}"
    return ""


def _judge(name: str, finished: Finished, outcomes: _Outcomes) -> TestRun:
    passed, failed, skipped = (outcomes.having(kind) for kind in ("passed", "failed", "skipped"))
    problem = _problem(finished)
    if problem:
        return _did_not_run(name, finished, problem)
    if outcomes.end is None:
        problem = "the test process ended before the tests did"
    elif outcomes.interrupted:
        problem = "the test run was interrupted"
    elif name == "pytest" and outcomes.end not in (*_PYTEST_ENDED, 5):
        problem = f"pytest could not run the tests (exit status {outcomes.end})"
    elif not passed and not failed:
        problem = "every test was skipped" if skipped else "no tests were found"
    if problem:
        last = finished.output.strip().splitlines()[-1:] if outcomes.end is None else []
        return _did_not_run(name, finished, ": ".join([problem, *last]))
    ended = _ended(name, finished, passed, failed, len(skipped))
    return replace(ended, failed_at=tuple(sorted(outcomes.failed_at.items())))


def _did_not_run(name: str, finished: Finished, reason: str) -> TestRun:
    return TestRun(
        ran=False,
        runner=name,
        output=finished.output,
        seconds=finished.seconds,
        reason=reason[:500],
        timed_out=finished.timed_out,
    )


def _ended(
    name: str, finished: Finished, passed: frozenset[str], failed: frozenset[str], skipped: int
) -> TestRun:
    return TestRun(
        ran=True,
        runner=name,
        passed=passed,
        failed=failed,
        skipped=skipped,
        output=finished.output,
        seconds=finished.seconds,
    )
