"""From crash to proved fix, stage by stage: on the bundled demo, and as a whole process on one file.

    python benchmarks/heal_stages.py [--json] [--runs N]

Stages are wall-clock seconds as the engine's own steps fall; `whole process` is what a user waits for
`selfheal run` on a one-file program without tests, both runs of the program included (bar: median of 2 s).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from selfheal_tui.demo.materialise import materialise
from selfheal_tui.demo.scenarios import SCENARIOS
from selfheal_tui.model.evidence import RUNGS
from selfheal_tui.pipeline.build import open_project
from selfheal_tui.pipeline.steps import Progressed, Proposed, RungEnded
from selfheal_tui.supervisor.program import run_program
from selfheal_tui.supervisor.run_loop import drain

ONE_FILE = "def total(items):\n    return sum(itms)\n\n\nprint(total([1, 2]))\n"


def stages(folder: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    """Walks one scenario and notes when each stage ended."""
    times: dict[str, Any] = dict.fromkeys(["program", "take in", "analyze", "propose", *RUNGS, "apply"], 0.0)
    with (
        contextlib.chdir(folder),
        open_project(folder, environ=os.environ, flags={"environment": "local"}) as opened,
    ):
        engine = opened.engine
        started = time.perf_counter()
        run_program([sys.executable, *arguments], root=folder, inbox=engine.store.inbox.directory)
        times["program"] = time.perf_counter() - started
        files = engine.store.inbox.pending()
        started = time.perf_counter()
        incidents = drain(engine, files)
        times["take in"] = time.perf_counter() - started
        started = crash = time.perf_counter()
        outcome = "-"
        walk = engine.walk(incidents[0])
        while True:
            try:
                step = next(walk)
            except StopIteration as end:
                outcome = str(end.value.outcome or end.value.state)
                break
            now = time.perf_counter()
            match step:
                case Progressed(incident=incident):
                    name = {"analyzed": "analyze", "on probation": "apply"}.get(incident.state.value)
                    if name:
                        times[name] += now - started
                case Proposed():
                    times["propose"] += now - started
                case RungEnded(report=report):
                    times[report.rung] += report.seconds
                case _:
                    pass
            started = now
        times["total"] = time.perf_counter() - crash
        times["outcome"] = outcome
        for file in files:
            engine.store.inbox.done(file)
    return times


def whole_process(runs: int) -> list[float]:
    """Times `selfheal run` on a one-file crash without tests."""
    seconds = []
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHONDONTWRITE")}
    for _ in range(runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "main.py").write_text(ONE_FILE)
            command = [
                sys.executable,
                "-m",
                "selfheal_tui",
                "run",
                "--env",
                "local",
                "--",
                sys.executable,
                "main.py",
            ]
            started = time.perf_counter()
            done = subprocess.run(
                command, cwd=folder, env=environ, capture_output=True, text=True, check=False
            )
            seconds.append(time.perf_counter() - started)
            if done.returncode:
                sys.exit(f"the crash was not healed:\n{done.stderr}")
    return seconds[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    table = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = materialise(Path(scratch) / "demo")
        for scenario in SCENARIOS:
            if sys.version_info[:2] >= scenario.since:
                table[scenario.name] = stages(folder, scenario.arguments)
    whole = whole_process(options.runs)
    if options.json:
        print(json.dumps({"scenarios": table, "whole_process": whole}, indent=2))
        return
    columns = ["take in", "analyze", "propose", *RUNGS, "apply", "total"]
    print(f"{'scenario':<11}" + "".join(f"{c:>9}" for c in columns) + "  outcome")
    for name, times in table.items():
        print(f"{name:<11}" + "".join(f"{times[c]:>9.3f}" for c in columns) + f"  {times['outcome']}")
    median = statistics.median(whole)
    print(
        f"\nwhole process, one file, no tests: median {median:.2f} s (min {min(whole):.2f}, max {max(whole):.2f}, n={len(whole)})"
    )


if __name__ == "__main__":
    main()
