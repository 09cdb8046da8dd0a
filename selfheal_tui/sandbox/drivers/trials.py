"""Tries variants of a project's code on one program, many a second, and tells how each ended.

Usage: `trials.py FD`; on stdin a line with a token, then a JSON object (see `sandbox/trials.py`). Answers are JSON lines
after the token. In mode `trace` the program runs once and the lines that ran are told; in mode `tests` so for each
test of the project; in mode `trials` it runs up to the first call of a function of the files in question, and goes on
from there once for each variant, each in a process of its own.

What the processes of the variants say is not trusted any further than to choose what is put on the proof ladder.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import sys
import time
from typing import Any, Callable

HERE = os.path.dirname(os.path.abspath(__file__))
_SLOWEST_FACTOR = 6.0
_LEAST_SECONDS = 0.2
_CALL_SECONDS = 0.2
_SHARE_OF_BEHAVIOUR = 0.4
_NOT_FITTING = 77


class Teller:
    """Writes answers."""

    def __init__(self, descriptor: int, token: str) -> None:
        self.descriptor = descriptor
        self.token = token

    def __call__(self, line: dict[str, Any]) -> None:
        """Writes one line, whole."""
        data = (self.token + json.dumps(line) + "\n").encode("utf-8")
        while data:
            data = data[os.write(self.descriptor, data) :]


def fork(work: Callable[[int], int]) -> tuple[int, int]:
    """Starts a process of its own session that does the work and ends with what it returns.

    Returns:
        Its id, and the end of a pipe on which it may answer.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(read_end)
            os.setsid()
            status = work(write_end)
        except BaseException:
            status = 1
        finally:
            os._exit(status & 0xFF)
    os.close(write_end)
    return pid, read_end


def end(pid: int) -> None:
    """Kills a process with its session and reaps it."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            continue  # gone already
    try:
        os.waitpid(pid, 0)
    except OSError:
        return


def answer_of(pid: int, pipe: int, deadline: float, grace: float = 0.0) -> bytes:
    """Reads what a process answers until it closes the pipe or is out of time.

    Args:
        pid: The process; it is ended.
        pipe: Where it answers; closed here.
        deadline: When it is killed.
        grace: Seconds that it is given after SIGUSR2 to say what it has.
    """
    parts = []
    asked = False
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                if asked or not grace:
                    break
                asked, deadline = True, time.monotonic() + grace
                os.kill(pid, signal.SIGUSR2)
                continue
            if not select.select([pipe], [], [], min(left, 0.5))[0]:
                continue
            data = os.read(pipe, 1 << 16)
            if not data:
                break
            parts.append(data)
    finally:
        os.close(pipe)
        end(pid)
    return b"".join(parts)


def write_all(pipe: int, data: bytes) -> None:
    """Writes everything."""
    while data:
        data = data[os.write(pipe, data) :]


def trace(spec: dict[str, Any], tell: Teller) -> None:
    """Runs the program once and tells which lines ran; one that does not end is asked after its time."""
    import trial_program
    import trial_trace

    def work(pipe: int) -> int:
        tracer = trial_trace.Tracer(spec["root"], spec["noticing"])

        def say(*_: Any) -> None:
            tracer.stop()
            write_all(pipe, json.dumps(tracer.take()).encode())
            os._exit(0)

        signal.signal(signal.SIGUSR2, say)
        tracer.start()
        trial_program.run(spec["program"])
        say()
        return 0

    pid, pipe = fork(work)
    raw = answer_of(pid, pipe, time.monotonic() + spec["seconds"], grace=2.0)
    try:
        tell({"trace": json.loads(raw)})
    except ValueError:
        tell({"problem": "the program could not be traced"})


def tests(spec: dict[str, Any], tell: Teller) -> None:
    """Runs the project's tests with pytest and tells which lines each ran."""
    import trial_trace

    def work(pipe: int) -> int:
        import pytest

        sys.path[0] = os.getcwd()
        tracer = trial_trace.Tracer(spec["root"], spec["noticing"])
        spectrum = trial_trace.Spectrum(
            tracer, lambda line: write_all(pipe, json.dumps(line).encode() + b"\n")
        )
        return int(pytest.main(spec["program"]["args"], plugins=[spectrum]))

    pid, pipe = fork(work)
    for line in answer_of(pid, pipe, time.monotonic() + spec["seconds"]).splitlines():
        try:
            tell(json.loads(line))
        except ValueError:
            continue  # cut off at the end of its time


class Session:
    """Tries the variants of one specification, from the gate or from the start."""

    def __init__(self, spec: dict[str, Any], tell: Teller) -> None:
        import trial_gate
        import trial_program

        self.spec = spec
        self.tell = tell
        self.deadline = time.monotonic() + spec["budget"]
        self.base = {file: trial_program.read_text(file) for file in spec["files"]}
        self.gates = trial_gate
        self.program = trial_program
        self.limit = spec["seconds"]
        self.work_limit = spec["seconds"]
        self.used = 0.0
        self.gate: Any = None
        self.own: Callable[[], None] | None = None
        self.survivors: list[int] = []
        self.reached = False

    def texts(self, variant: Any) -> dict[str, str]:
        """The texts of the files in a variant."""
        texts = dict(self.base)
        for file, edits in variant["files"].items():
            texts[file] = self.program.edited(texts[file], edits)
        return texts

    # From the gate: this process has run the program up to the first call.

    def at_the_gate(self) -> None:
        """Tries everything; returns only in the processes of the variants."""
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        self.reached = True
        if self.own is not None:  # a process that came all the way alone, for one variant
            return self.own()
        import threading

        if threading.current_thread() is not threading.main_thread():
            self.tell({"problem": "the first call is made in a thread"})
            os._exit(0)
        child = self.conduct()
        if child is not None:
            return child()
        os._exit(0)
        return None

    def conduct(self) -> Callable[[], None] | None:
        """Runs all waves; in a process of a variant it returns what that has to do."""
        own = self.one(-1, {}, None)
        if callable(own):
            return own
        status, seconds = own
        self.tell({"unchanged": status, "seconds": seconds})
        if status == "green":
            return None
        if status == "red":
            self.work_limit = max(_LEAST_SECONDS, self.used * _SLOWEST_FACTOR)
        stop_at = self.deadline - self.spec["budget"] * _SHARE_OF_BEHAVIOUR
        for wave in self.spec["waves"]:
            child = self.wave([(n, v) for n, v in wave], stop_at)
            if child is not None:
                return child
            if self.survivors:
                break
        if self.survivors and self.spec["behaviour"]:
            return self.behaviour()
        return None

    def one(self, number: int, variant: Any, _unused: Any) -> Any:
        """Runs a single variant; `(status, seconds)`, or the work of the child."""
        started = time.monotonic()
        result = self.wave([(number, variant)], self.deadline, told=False)
        if callable(result):
            return result
        return self.last, time.monotonic() - started

    def wave(self, variants: list[Any], stop_at: float, told: bool = True) -> Any:
        """Runs variants side by side, the most promising first."""
        waiting = list(reversed(variants))
        running: dict[int, tuple[int, float]] = {}
        while waiting or running:
            now = time.monotonic()
            if now > stop_at or len(self.survivors) >= self.spec["enough"]:
                waiting.clear()
            while waiting and len(running) < self.spec["jobs"]:
                number, variant = waiting.pop()
                pid = os.fork()
                if pid == 0:
                    return self.child(variant)
                running[pid] = (number, time.monotonic() + self.limit)
            idle = True
            for pid in list(running):
                number, until = running[pid]
                ended, status, usage = os.wait4(pid, os.WNOHANG)
                late = not ended and time.monotonic() > min(until, self.deadline)
                if late:
                    end(pid)
                if ended or late:
                    idle = False
                    del running[pid]
                    self.used = usage.ru_utime + usage.ru_stime
                    self.judged(number, "slow" if late else self.status(status), told)
            if idle:
                time.sleep(0.0005)
        return None

    def status(self, status: int) -> str:
        """Spells an exit status."""
        if os.WIFSIGNALED(status):
            return "slow" if os.WTERMSIG(status) == signal.SIGPROF else "killed"
        return {0: "green", _NOT_FITTING: "misfit"}.get(os.WEXITSTATUS(status), "red")

    def judged(self, number: int, status: str, told: bool) -> None:
        """Notes how a variant ended."""
        self.last = status
        if not told:
            return
        self.tell({"variant": number, "status": status})
        if status == "green":
            self.survivors.append(number)

    def child(self, variant: Any) -> Callable[[], None]:
        """Prepares the process of a variant and returns its work, which lets the program go on."""
        os.setsid()
        trial_watch = sys.modules["trial_watch"]
        trial_watch.limit_time(self.work_limit)

        def work() -> None:
            try:
                self.gate.go_on(self.gates.version(self.texts(variant)) if variant else {})
            except (self.gates.Misfit, SyntaxError, ValueError):
                os._exit(_NOT_FITTING)
            trial_watch.Watch(self.spec["noticing"]).start()

        return work

    # What the survivors do.

    def variants(self) -> dict[int, Any]:
        """All variants by number."""
        return {number: variant for wave in self.spec["waves"] for number, variant in wave}

    def behaviour(self) -> Callable[[], None] | None:
        """Compares the survivors on recorded arguments and their neighbours."""
        known = self.variants()
        inputs: dict[tuple[str, str], None] = {}
        unreadable = 0
        for number in self.survivors:
            answer = self.asked(lambda pipe, n=number: self.record(pipe, known[n]), 0.5)
            if callable(answer):
                return answer
            found = answer or {"inputs": [], "unreadable": 1}
            self.tell({"recorded": number, "inputs": len(found["inputs"]), "unreadable": found["unreadable"]})
            unreadable = max(unreadable, found["unreadable"])
            inputs.update(dict.fromkeys((key, blob) for key, blob in found["inputs"]))
            if time.monotonic() > self.deadline:
                break
        given = list(inputs)[:40]
        for number in (-1, *self.survivors):
            answer = self.asked(lambda pipe, n=number: self.behave(pipe, known.get(n), given), 3.0)
            if callable(answer):
                return answer
            self.tell({"behaves": number, **(answer or {"real": [], "near": []})})
        return None

    def asked(self, work: Callable[[int], Callable[[], None]], seconds: float) -> Any:
        """Forks a process that answers in JSON; in that process, returns its work."""
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            os.setsid()
            return work(write_end)
        os.close(write_end)
        raw = answer_of(pid, read_end, time.monotonic() + max(seconds, self.limit))
        try:
            return json.loads(raw)
        except ValueError:
            return None

    def record(self, pipe: int, variant: Any) -> Callable[[], None]:
        """The work of a process that notes with what the functions are called until the program ends."""
        self.gate.recorder = self.gates.Recorder(self.spec["noticing"])

        def at_end(_status: int) -> None:
            recorder = self.gate.recorder
            pairs = [[key, base64.b64encode(blob).decode()] for key, blob in recorder.inputs]
            write_all(pipe, json.dumps({"inputs": pairs, "unreadable": recorder.unreadable}).encode())

        self.at_end = at_end
        return self.child_work(variant)

    def child_work(self, variant: Any) -> Callable[[], None]:
        """As `child`, for a process that has its session already."""

        def work() -> None:
            self.gate.go_on(self.gates.version(self.texts(variant)) if variant else {})

        return work

    def behave(self, pipe: int, variant: Any, given: list[tuple[str, str]]) -> Callable[[], None]:
        """The work of a process that calls the functions and tells what came of it, instead of going on."""

        def work() -> None:
            import trial_values

            self.gate.go_on(self.gates.version(self.texts(variant)) if variant else {})
            until = time.monotonic() + 2.5
            real, near, shown = [], [], []
            for key, text in given:
                function, blob = self.gate.named(key), base64.b64decode(text)
                real.append("?" if function is None else trial_values.outcome(function, blob, _CALL_SECONDS))
            for key, text in given:
                function, blob = self.gate.named(key), base64.b64decode(text)
                if function is None:
                    continue
                try:
                    blobs = list(trial_values.varied(blob, max(4, 120 // max(1, len(given)))))
                except Exception:
                    continue  # what cannot be read again has no neighbours
                for other in blobs:
                    late = time.monotonic() > until
                    near.append("?" if late else trial_values.outcome(function, other, _CALL_SECONDS))
            write_all(pipe, json.dumps({"real": real, "near": near}).encode())
            os._exit(0)

        return work

    at_end: Callable[[int], None] = staticmethod(lambda _status: None)  # type: ignore[assignment]
    last = "red"

    def run(self) -> None:
        """Runs the program in a process that stops at the gate, and watches over it."""

        def work(_pipe: int) -> int:
            self.gate = self.gates.Gate(self.at_the_gate)
            self.gates.put_gates(self.base, {(file, name) for file, name in self.spec["functions"]})
            status = self.program.run(self.spec["program"])
            self.at_end(status)
            if not self.reached:
                self.tell({"problem": "no function of the files in question was called"})
            return status

        pid, pipe = fork(work)
        answer_of(pid, pipe, self.deadline + 1.0)


def main(argv: list[str]) -> None:
    """Reads the specification, does it, and leaves at once."""
    descriptor = int(argv[1])
    os.set_inheritable(descriptor, False)
    token = sys.stdin.readline().strip()
    spec = json.load(sys.stdin)
    tell = Teller(descriptor, token)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    import trial_program

    trial_program.exchange_code()
    for module in ("call", "trial_trace", "trial_gate", "trial_values", "trial_watch"):
        __import__(module)
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
    sys.path.insert(0, "")
    if spec["mode"] == "trace":
        trace(spec, tell)
    elif spec["mode"] == "tests":
        tests(spec, tell)
    else:
        Session(spec, tell).run()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv)
