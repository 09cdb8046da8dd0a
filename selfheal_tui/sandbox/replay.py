"""Runs a crashed command or call again in a workspace, and says honestly how that ended.

A run that ends without its answer is never a success: it is a crash, a timeout, or not possible.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.ports import ReplayPlan, ReplayResult, ReplayStatus
from selfheal_tui.model.serial import MalformedDocumentError, from_json
from selfheal_tui.probe.environment import HANG_END_AT_ONCE, probe_environment
from selfheal_tui.sandbox.drivers.jail import CANNOT_RUN, CANNOT_RUN_MESSAGE
from selfheal_tui.sandbox.interpreter import INTERPRETER_NAME
from selfheal_tui.sandbox.paths import PathMap, absolute
from selfheal_tui.sandbox.process import Finished
from selfheal_tui.sandbox.restore import read_plain
from selfheal_tui.sandbox.runner import Runner, Scratch
from selfheal_tui.sandbox.walls import PROBE

_LARGEST_REPORT = 4 << 20
_MOST_REPORTS = 64
_MOST_ENTRIES = 10_000
_LARGEST_PAYLOAD = 64 << 20
_OPTIONS_WITH_VALUE = frozenset({"-X", "-W", "--check-hash-based-pycs"})


def replay(runner: Runner, plan: ReplayPlan, seconds: float) -> ReplayResult:
    """Runs a plan.

    Args:
        runner: Runs commands behind the walls of the workspace.
        plan: What to run.
        seconds: Time limit.

    Returns:
        How it ended.

    Raises:
        SandboxError: The walls cannot be put up.
    """
    paths = PathMap(runner.walls)
    if plan.kind == "command":
        return _replay_command(runner, paths, plan, seconds)
    if plan.kind == "call":
        return _replay_call(runner, paths, plan, seconds)
    return _impossible(f"unknown kind of replay: {plan.kind}")


def _impossible(reason: str, finished: Finished | None = None) -> ReplayResult:
    if finished is None:
        return ReplayResult(ReplayStatus.NOT_POSSIBLE, reason=reason)
    return ReplayResult(
        ReplayStatus.NOT_POSSIBLE,
        exit_code=finished.exit_code,
        output=finished.output,
        seconds=finished.seconds,
        reason=reason,
    )


def _replay_command(runner: Runner, paths: PathMap, plan: ReplayPlan, seconds: float) -> ReplayResult:
    if not plan.argv:
        return _impossible("the command line of the crashed program is not known")
    with runner.scratch() as scratch:
        cwd = working_directory(runner, paths, plan.cwd, scratch)
        argv, problem = map_command(runner, paths, plan)
        if problem:
            return _impossible(problem)
        path = paths.import_path(plan.sys_path, plan.cwd or str(runner.walls.live))
        environ = probe_environment(
            scratch.inbox,
            runner.walls.view,
            runner.environment(scratch, path),
            hang_seconds=plan.hang_seconds,
            hang_end=HANG_END_AT_ONCE,
        )
        finished = runner.command(
            argv,
            scratch,
            seconds=seconds,
            cwd=cwd,
            stdin=plan.stdin,
            environ=environ,
            more_readable=outside_of(path, paths),
        )
        reports, unreadable = read_reports(scratch.inbox, paths)
        return _command_result(finished, reports, unreadable)


def _command_result(finished: Finished, reports: Sequence[CrashReport], unreadable: int) -> ReplayResult:
    ended_it = [report for report in reports if not report.process.handled]
    # What the program handled (and logged, say) did not end it: it is in `reports`, and no crash.
    report = next(reversed(ended_it), None)
    reason = f"{unreadable} crash reports could not be read" if unreadable else ""
    code = finished.exit_code
    if finished.timed_out:
        status = ReplayStatus.TIMEOUT
    elif finished.crowded:
        status, reason = ReplayStatus.NOT_POSSIBLE, "it started more processes than sandbox.processes allows"
    elif code == CANNOT_RUN and f"selfheal jail: {CANNOT_RUN_MESSAGE}" in finished.output:
        status, reason = ReplayStatus.NOT_POSSIBLE, finished.output.strip()[-300:]
    elif report is not None or unreadable:
        status = ReplayStatus.CRASHED
    elif code is not None and code < 0:
        status, reason = ReplayStatus.CRASHED, f"it was killed by {_signal_name(-code)}"
    elif code == 1 and not reports and "Traceback (most recent call last)" in finished.output:
        status, reason = ReplayStatus.CRASHED, "it crashed, but the probe could not write a report"
    else:
        status = ReplayStatus.FINISHED
    return ReplayResult(
        status,
        report=report,
        exit_code=code,
        output=finished.output,
        seconds=finished.seconds,
        reason=reason,
        reports=tuple(reports),
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def working_directory(runner: Runner, paths: PathMap, cwd: str, scratch: Scratch) -> str:
    """Finds where a replay starts, as seen inside."""
    live, view = runner.walls.live, runner.walls.view
    if not cwd:
        return str(view)
    if Path(cwd).is_relative_to(live):
        # The copy has no ignored directories' contents, but a program may have been started in one.
        inside = runner.walls.copy / Path(cwd).relative_to(live)
        return paths.inside(cwd) if inside.is_dir() else str(view)
    return cwd if live.is_relative_to(cwd) else str(scratch.home)


def map_command(runner: Runner, paths: PathMap, plan: ReplayPlan) -> tuple[list[str], str]:
    """Translates a live command line into one for the copy.

    The interpreter stays the target's; everything in the project is mapped, also relative to a working
    directory that has no counterpart in the copy.

    Args:
        runner: The runner.
        paths: The mapping.
        plan: The plan.

    Returns:
        The command, or why there is none.
    """
    cwd = plan.cwd or str(runner.walls.live)
    executable = runner.walls.facts.executable
    first, rest = plan.argv[0], list(plan.argv[1:])
    if INTERPRETER_NAME.match(Path(first).name) or os.path.realpath(first) == os.path.realpath(executable):
        script = script_index(rest)
        if script is not None:
            where = absolute(cwd, rest[script])
            if Path(where).exists() and not paths.is_visible(paths.inside(where)):
                return [], f"the program {where} lies outside the project, where the sandbox cannot see it"
        return [executable, *_map_arguments(runner, paths, rest, cwd)], ""
    found = _find_program(first, cwd, executable)
    if not found:
        return [], f"the command {first} was not found; run the program as `python …`"
    mapped = paths.inside(found)
    if not paths.is_visible(mapped):
        return [], f"the program {found} lies outside the project, where the sandbox cannot see it"
    command = [executable, mapped] if _is_python_script(found) else [mapped]
    return [*command, *_map_arguments(runner, paths, rest, cwd)], ""


def script_index(arguments: Sequence[str]) -> int | None:
    """Finds the script among the arguments of an interpreter; None for `-c`, `-m` and no script."""
    skip = False
    for index, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument in _OPTIONS_WITH_VALUE:
            skip = True
        elif not argument.startswith("-"):
            return index
        elif argument == "-" or (not argument.startswith("--") and ("c" in argument or "m" in argument)):
            return None
    return None


def _map_arguments(runner: Runner, paths: PathMap, arguments: Sequence[str], cwd: str) -> list[str]:
    live = runner.walls.live
    moved = runner.walls.view != live and not Path(cwd).is_relative_to(live)
    mapped = []
    for argument in arguments:
        where = absolute(cwd, argument)
        relative = moved and not Path(argument).is_absolute() and Path(where).is_relative_to(live)
        mapped.append(paths.inside(where if relative and Path(where).exists() else argument))
    return mapped


def _find_program(name: str, cwd: str, executable: str) -> str:
    if "/" in name:
        where = absolute(cwd, name)
        return where if Path(where).is_file() else ""
    beside = Path(executable).parent / name
    return str(beside) if beside.is_file() else shutil.which(name) or ""


def _is_python_script(file: str) -> bool:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - a path in text
            first = opened.readline(512)
    except OSError:
        return False
    if not first.startswith(b"#!"):
        return file.endswith(".py")
    try:
        words = shlex.split(first[2:].decode("utf-8", "replace"))
    except ValueError:
        return False
    # pip wraps long interpreter paths as `#!/bin/sh` with the real line in `exec`; those run as they are.
    return any(INTERPRETER_NAME.match(Path(word).name) for word in words)


def outside_of(path: Sequence[str], paths: PathMap) -> list[str]:
    """Picks the entries of an import path that lie outside the copy and must be opened for reading."""
    return [entry for entry in path if not Path(entry).is_relative_to(paths.view)]


def read_reports(inbox: Path, paths: PathMap) -> tuple[list[CrashReport], int]:
    """Reads what the probe wrote inside; hostile code may have written there too.

    Args:
        inbox: The inbox of a scratch.
        paths: Maps the copy's paths back to live ones.

    Returns:
        Reports in order of capture, and how many files were no reports.
    """
    reports: list[CrashReport] = []
    unreadable = 0
    try:
        names = sorted(entry.name for entry in os.scandir(inbox) if entry.name.endswith(".json"))[
            :_MOST_REPORTS
        ]
    except OSError:
        return [], 1
    for name in names:
        try:
            raw = read_plain(inbox / name, _LARGEST_REPORT)
            reports.append(from_json(paths.outside(raw), CrashReport))
        except (OSError, MalformedDocumentError, RecursionError):
            unreadable += 1
    return sorted(reports, key=lambda report: report.captured_at), unreadable


def _replay_call(runner: Runner, paths: PathMap, plan: ReplayPlan, seconds: float) -> ReplayResult:
    if not plan.payload:
        return _impossible("the arguments of the crashing call were not captured")
    try:
        payload = read_plain(Path(plan.payload), _LARGEST_PAYLOAD)
    except OSError as error:
        return _impossible(f"the captured arguments cannot be read: {error.strerror or error}")
    live, view = runner.walls.live, str(runner.walls.view)
    with runner.scratch() as scratch:
        (scratch.given / "arguments.pickle").write_bytes(payload)
        cwd = plan.cwd or str(live)
        path = paths.import_path(plan.sys_path, cwd)
        spec = {
            "module": plan.module,
            "file": paths.inside(plan.file),
            "qualname": plan.qualname,
            "payload": str(scratch.given / "arguments.pickle"),
            "is_async": plan.is_async,
            "sys_path": path or [view],
            "root": view,
            "probe": str(PROBE),
        }
        finished = runner.driver(
            "call.py",
            [],
            scratch,
            seconds=seconds,
            stdin=json.dumps(spec).encode(),
            cwd=working_directory(runner, paths, plan.cwd, scratch),
            environ=runner.environment(scratch, path),
            more_readable=outside_of(path, paths),
        )
    return _call_result(finished, paths)


def _call_result(finished: Finished, paths: PathMap) -> ReplayResult:
    facts: dict[str, Any] = {
        "exit_code": finished.exit_code,
        "output": finished.output,
        "seconds": finished.seconds,
    }
    if finished.timed_out:
        return ReplayResult(ReplayStatus.TIMEOUT, **facts)
    if finished.crowded:
        return _impossible("it started more processes than sandbox.processes allows", finished)
    try:
        answer = json.loads(paths.outside(finished.result))
        kind = answer["kind"]
        if kind == "returned":
            return ReplayResult(ReplayStatus.FINISHED, result_repr=str(answer["repr"]), **facts)
        if kind == "impossible":
            return _impossible(str(answer["reason"]), finished)
        report = from_json(json.dumps(answer["report"]), CrashReport)
    except (ValueError, KeyError, TypeError, RecursionError, MalformedDocumentError) as error:
        if finished.exit_code is not None and finished.exit_code < 0:
            reason = f"it was killed by {_signal_name(-finished.exit_code)}"
            return ReplayResult(ReplayStatus.CRASHED, reason=reason, **facts)
        return _impossible(f"the call ended the process without an answer ({type(error).__name__})", finished)
    stage = str(answer.get("stage", ""))
    reason = "" if stage == "the call" else f"it crashed while {stage}, before the call"
    return ReplayResult(ReplayStatus.CRASHED, report=report, reports=(report,), reason=reason, **facts)
