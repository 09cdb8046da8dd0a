"""Has the captured arguments of a call written as literals, inside the walls: the payload is opened nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

from selfheal_tui.model.ports import CallText, ReplayPlan
from selfheal_tui.sandbox.paths import PathMap
from selfheal_tui.sandbox.replay import outside_of, working_directory
from selfheal_tui.sandbox.restore import read_plain
from selfheal_tui.sandbox.runner import Runner

_LARGEST_PAYLOAD = 1 << 20
_SECONDS = 20.0


def literals(runner: Runner, plan: ReplayPlan) -> CallText:
    """Writes a call's arguments.

    Args:
        runner: Runs our drivers behind the walls.
        plan: A replay of kind `call`.

    Returns:
        The arguments as texts, or why there are none.

    Raises:
        SandboxError: The walls cannot be put up.
    """
    try:
        payload = read_plain(Path(plan.payload), _LARGEST_PAYLOAD)
    except OSError as error:
        return CallText(problem=f"the captured arguments cannot be read: {error.strerror or error}")
    paths = PathMap(runner.walls)
    with runner.scratch() as scratch:
        file = scratch.given / "arguments.pickle"
        file.write_bytes(payload)
        path = paths.import_path(plan.sys_path, plan.cwd or str(runner.walls.live))
        finished = runner.driver(
            "literals.py",
            [],
            scratch,
            seconds=_SECONDS,
            stdin=json.dumps({"payload": str(file), "sys_path": path or [str(runner.walls.view)]}).encode(),
            cwd=working_directory(runner, paths, plan.cwd, scratch),
            environ=runner.environment(scratch, path),
            more_readable=outside_of(path, paths),
        )
    try:
        answer = json.loads(finished.result)
        if "problem" in answer:
            return CallText(problem=str(answer["problem"]))
        kwargs = {str(name): str(text) for name, text in answer["kwargs"].items()}
        return CallText(args=tuple(map(str, answer["args"])), kwargs=kwargs)
    except (ValueError, KeyError, TypeError, AttributeError):
        return CallText(problem="the arguments could not be read in the sandbox")
