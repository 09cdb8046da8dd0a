"""Tries variants of a project's code on one program, many a second, and tells how each ended.

Usage: `trials.py FD`; on stdin a line with a token, then a JSON object (see `sandbox/trials.py`). Answers are JSON lines
after the token. In mode `trace` the program runs once and the lines that ran are told; in mode `tests` so for each
test of the project; in mode `trials` it runs up to the first call of a function of the files in question, and goes on
from there once for each variant, each in a process of its own (`trial_session.py`).
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
tools: Any = importlib.import_module("trial_tools")


def trace(spec: dict[str, Any], tell: Any) -> None:
    """Runs the program once and tells which lines ran; one that does not end is asked after its time."""
    trial_program, trial_trace = tools.module("trial_program"), tools.module("trial_trace")

    def work(pipe: int) -> int:
        tracer = trial_trace.Tracer(spec["root"], spec["noticing"])

        def say(*_: Any) -> None:
            tracer.stop()
            tools.write_all(pipe, json.dumps(tracer.take()).encode())
            os._exit(0)

        signal.signal(signal.SIGUSR2, say)
        tracer.start()
        trial_program.run(spec["program"])
        say()
        return 0

    pid, pipe = tools.fork(work)
    raw = tools.answer_of(pid, pipe, time.monotonic() + spec["seconds"], grace=2.0)
    try:
        tell({"trace": json.loads(raw)})
    except ValueError:
        tell({"problem": "the program could not be traced"})


def tests(spec: dict[str, Any], tell: Any) -> None:
    """Runs the project's tests with pytest and tells which lines each ran."""
    trial_trace = tools.module("trial_trace")

    def work(pipe: int) -> int:
        import pytest

        sys.path[0] = os.getcwd()
        tracer = trial_trace.Tracer(spec["root"], spec["noticing"])
        spectrum = trial_trace.Spectrum(
            tracer, lambda line: tools.write_all(pipe, json.dumps(line).encode() + b"\n")
        )
        return int(pytest.main(spec["program"]["args"], plugins=[spectrum]))

    pid, pipe = tools.fork(work)
    for line in tools.answer_of(pid, pipe, time.monotonic() + spec["seconds"]).splitlines():
        try:
            tell(json.loads(line))
        except ValueError:
            continue  # cut off at the end of its time


def main(argv: list[str]) -> None:
    """Reads the specification, does it, and leaves at once."""
    descriptor = int(argv[1])
    os.set_inheritable(descriptor, False)
    token = sys.stdin.readline().strip()
    spec = json.load(sys.stdin)
    tell = tools.Teller(descriptor, token)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    for name in ("call", "trial_session", "trial_trace", "trial_gate", "trial_values", "trial_watch"):
        tools.module(name)
    tools.module("trial_program").exchange_code()
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
    sys.path.insert(0, "")
    if spec["mode"] == "trace":
        trace(spec, tell)
    elif spec["mode"] == "tests":
        tests(spec, tell)
    else:
        tools.module("trial_session").Session(spec, tell).run()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv)
