"""Tries many variants of a project's code behind the walls of one workspace, and traces what runs.

One start of the program serves all variants (`drivers/trials.py`). What comes back was written by code of the
project as much as by ours, so that it may choose what is proved next and is itself never a proof.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from selfheal_tui.model.laboratory import Behaviour, LineTrace, TracedCall, TrialPlan, TrialRun
from selfheal_tui.model.ports import ReplayPlan
from selfheal_tui.probe.environment import PROBE_DIR
from selfheal_tui.sandbox.bytecode import warm_cache
from selfheal_tui.sandbox.pace import patience
from selfheal_tui.sandbox.paths import PathMap
from selfheal_tui.sandbox.process import Finished
from selfheal_tui.sandbox.replay import map_command, outside_of, script_index, working_directory
from selfheal_tui.sandbox.restore import read_plain
from selfheal_tui.sandbox.runner import Runner, Scratch

_START_SECONDS = 10.0
_LARGEST_PAYLOAD = 64 << 20


def try_variants(runner: Runner, plan: TrialPlan) -> TrialRun:
    """Tries the variants of a plan.

    Args:
        runner: Runs commands behind the walls of the workspace.
        plan: What to try.

    Returns:
        How they ended; with the reason where they could not be tried.

    Raises:
        SandboxError: The walls cannot be put up.
    """
    view = runner.walls.view
    stretch = patience()
    number = 0
    waves: list[list[list[Any]]] = []
    for wave in plan.waves:
        waves.append([])
        for variant in wave:
            files = {_real(view, variant.path): [list(edit) for edit in variant.edits]}
            waves[-1].append([number, {"files": files}])
            number += 1
    spec = {
        "mode": "trials",
        "files": [_real(view, path) for path in plan.files],
        "waves": waves,
        "seconds": plan.seconds * stretch,
        "budget": plan.budget * stretch,
        "jobs": max(1, plan.jobs),
        "enough": plan.enough,
        "behaviour": plan.behaviour,
        "noticing": [[_real(view, path), name] for path, name in plan.noticing],
        "functions": [[_real(view, path), name] for path, name in plan.functions],
    }
    lines, problem = _ask(runner, plan.replay, spec, (plan.budget + _START_SECONDS) * stretch)
    return _trial_run(lines, problem)


def _trial_run(lines: Iterator[Mapping[str, Any]], problem: str) -> TrialRun:
    statuses: dict[int, str] = {}
    inputs: dict[int, int] = {}
    behaviour: dict[int, Behaviour] = {}
    unchanged, seconds, unreadable = "", 0.0, 0
    for line in lines:
        if "problem" in line:
            problem = problem or str(line["problem"])
        elif "unchanged" in line:
            unchanged, seconds = str(line["unchanged"]), float(line["seconds"])
        elif "variant" in line:
            statuses[int(line["variant"])] = str(line["status"])
        elif "recorded" in line:
            inputs[int(line["recorded"])] = int(line["inputs"])
            unreadable = max(unreadable, int(line["unreadable"]))
        elif "behaves" in line:
            real, near = (tuple(map(str, line[part])) for part in ("real", "near"))
            behaviour[int(line["behaves"])] = Behaviour(real, near)
    if not problem and not unchanged:
        problem = "the program ended before anything could be tried"
    return TrialRun(problem, unchanged, seconds, statuses, inputs, unreadable, behaviour)


def trace(
    runner: Runner, replay: ReplayPlan, seconds: float, noticing: Sequence[tuple[str, str]] = ()
) -> LineTrace:
    """Runs a replay once and tells which lines of the project ran.

    Args:
        runner: Runs commands behind the walls of the workspace.
        replay: What to run.
        seconds: Time limit; what ran until then is told.
        noticing: Functions on the crash's traceback; see `model.ports.TrialPlan`.

    Raises:
        SandboxError: The walls cannot be put up.
    """
    places = [[_real(runner.walls.view, path), name] for path, name in noticing]
    seconds *= patience()
    spec = {"mode": "trace", "seconds": seconds, "noticing": places}
    lines, problem = _ask(runner, replay, spec, seconds + _START_SECONDS)
    for line in lines:
        if "trace" in line:
            return _line_trace(runner, line["trace"])
        problem = problem or str(line.get("problem", ""))
    return LineTrace(problem=problem or "the program ended before it could be traced")


def trace_tests(runner: Runner, seconds: float, roots: Sequence[str] = ()) -> tuple[LineTrace, ...]:
    """Runs the project's tests under pytest and tells which lines each ran; arguments as for `trace`.

    Args:
        runner: As for `trace`.
        seconds: As for `trace`.
        roots: Folders in which the project's packages lie, as seen inside.
    """
    arguments = [
        "-q", "--color=no", f"--rootdir={runner.walls.view}", "--continue-on-collection-errors", "--maxfail=0",
        "-p", "no:randomly", "-p", "no:xdist", "-o", "addopts=",
    ]  # fmt: skip
    program = {"kind": "module", "target": "pytest", "args": arguments}
    seconds *= patience()
    spec = {"mode": "tests", "seconds": seconds, "noticing": [], "program": program}
    with runner.scratch() as scratch:
        lines, _ = _run(runner, spec, scratch, str(runner.walls.view), roots, seconds + _START_SECONDS)
        return tuple(
            _line_trace(runner, line, test=str(line["test"]), failed=line.get("failed") is True)
            for line in lines
            if "test" in line
        )


def _line_trace(
    runner: Runner, data: Mapping[str, Any], *, test: str = "", failed: bool = False
) -> LineTrace:
    view = os.path.realpath(runner.walls.view)
    lines: dict[str, frozenset[int]] = {}
    for file, found in data["lines"].items():
        if Path(file).is_relative_to(view):
            lines[Path(file).relative_to(view).as_posix()] = frozenset(map(int, found))
    calls = [
        TracedCall(
            Path(file).relative_to(view).as_posix(),
            int(first),
            int(count),
            int(depth),
            int(last),
            bool(below),
        )
        for file, first, count, depth, last, below in data.get("calls", [])
        if Path(file).is_relative_to(view)
    ]
    return LineTrace(lines=lines, calls=tuple(calls), test=test, failed=failed)


def _real(view: Path, path: str) -> str:
    # Inside bubblewrap the copy is mounted on the live root, whose own links are those of the host.
    return os.path.realpath(view / path)


def _ask(
    runner: Runner, replay: ReplayPlan, spec: dict[str, Any], seconds: float
) -> tuple[Iterator[Mapping[str, Any]], str]:
    paths = PathMap(runner.walls)
    with runner.scratch() as scratch:
        program, problem = _program(runner, paths, replay, scratch)
        if problem:
            return iter(()), problem
        path = paths.import_path(replay.sys_path, replay.cwd or str(runner.walls.live))
        cwd = working_directory(runner, paths, replay.cwd, scratch)
        return _run(runner, {**spec, "program": program}, scratch, cwd, path, seconds)


def _run(
    runner: Runner, spec: dict[str, Any], scratch: Scratch, cwd: str, path: Sequence[str], seconds: float
) -> tuple[Iterator[Mapping[str, Any]], str]:
    cache = warm_cache(runner.walls)
    environ = runner.environment(scratch, path)
    if cache:
        environ["PYTHONPYCACHEPREFIX"] = cache
    finished = runner.driver(
        "trials.py",
        [],
        scratch,
        seconds=seconds,
        cwd=cwd,
        stdin=json.dumps({**spec, "root": str(runner.walls.view)}).encode(),
        environ=environ,
        more_readable=[*outside_of(path, PathMap(runner.walls)), *([cache] if cache else [])],
    )
    return _lines(finished), _problem(finished)


def _problem(finished: Finished) -> str:
    if finished.timed_out:
        return "it took longer than its time"
    if finished.crowded:
        return "it started more processes than sandbox.processes allows"
    return ""


def _lines(finished: Finished) -> Iterator[Mapping[str, Any]]:
    for raw in finished.result.splitlines():
        try:
            line = json.loads(raw)
        except ValueError:
            continue  # cut off when it was killed
        if isinstance(line, dict):
            yield line


def _program(
    runner: Runner, paths: PathMap, replay: ReplayPlan, scratch: Scratch
) -> tuple[dict[str, Any], str]:
    """Says what is to be run in terms of the driver; or why that cannot be."""
    if replay.kind == "call":
        return _call(runner, paths, replay, scratch)
    if not replay.argv:
        return {}, "the command line of the crashed program is not known"
    if replay.stdin:
        return {}, "the program reads its standard input"
    argv, problem = map_command(runner, paths, replay)
    if problem:
        return {}, problem
    if argv[0] != runner.walls.facts.executable:
        return {}, f"{argv[0]} is not run by Python"
    rest = argv[1:]
    script = script_index(rest)
    if script is not None:
        return {"kind": "script", "target": rest[script], "args": rest[script + 1 :]}, ""
    for index, argument in enumerate(rest):
        if argument in ("-m", "-c") and index + 1 < len(rest):
            kind = "module" if argument == "-m" else "code"
            return {"kind": kind, "target": rest[index + 1], "args": rest[index + 2 :]}, ""
    return {}, "the command line names no program"


def _call(runner: Runner, paths: PathMap, replay: ReplayPlan, scratch: Scratch) -> tuple[dict[str, Any], str]:
    if not replay.payload:
        return {}, "the arguments of the crashing call were not captured"
    try:
        payload = read_plain(Path(replay.payload), _LARGEST_PAYLOAD)
    except OSError as error:
        return {}, f"the captured arguments cannot be read: {error.strerror or error}"
    given = scratch.given / "arguments.pickle"
    given.write_bytes(payload)
    cwd = replay.cwd or str(runner.walls.live)
    spec = {
        "module": replay.module,
        "file": paths.inside(replay.file),
        "qualname": replay.qualname,
        "payload": str(given),
        "sys_path": paths.import_path(replay.sys_path, cwd) or [str(runner.walls.view)],
        "probe": PROBE_DIR,
    }
    return {"kind": "call", "target": replay.qualname, "args": [], "spec": spec}, ""
