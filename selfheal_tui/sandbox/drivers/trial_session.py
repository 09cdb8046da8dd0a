"""Tries the variants of one specification: the program runs up to a gate once, and from there once for each variant.

Used by `trials.py`; standard library only. What the processes of the variants say is a hint and never a proof.
"""

from __future__ import annotations

import base64
import gc
import importlib
import json
import os
import signal
import threading
import time
from functools import partial
from typing import Any, Callable

Work = Callable[[], None]

tools: Any = importlib.import_module("trial_tools")

_SLOWEST_FACTOR = 6.0
_LEAST_SECONDS = 0.15
_CALL_SECONDS = 0.2
_SHARE_OF_BEHAVIOUR = 0.25
_RECORD_SECONDS, _BEHAVE_SECONDS = 3.0, 2.0
_MOST_INPUTS, _MOST_NEIGHBOURS = 40, 120
_SECOND_CHANCES = 16
_NOT_FITTING = 77


class Session:
    """Tries the variants of one specification, from the gate or from the start."""

    def __init__(self, spec: dict[str, Any], tell: Any) -> None:
        self.spec = spec
        self.tell = tell
        self.deadline = time.monotonic() + spec["budget"]
        self.gates = tools.module("trial_gate")
        self.program = tools.module("trial_program")
        self.base = {file: self.program.read_text(file) for file in spec["files"]}
        self.limit = spec["seconds"]
        self.work_limit = spec["seconds"]
        self.used = 0.0
        self.gate: Any = None
        self.at_end: Callable[[], None] = lambda: None
        self.last = "red"
        self.survivors: list[int] = []
        self.slow: set[int] = set()
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
        gc.freeze()  # what is there now is not looked at again, so that the forks share its pages
        if threading.current_thread() is not threading.main_thread():
            self.tell({"problem": "the first call is made in a thread"})
            os._exit(0)
        child = self.conduct()
        if child is None:
            os._exit(0)
        child()

    def conduct(self) -> Work | None:
        """Runs all waves; in a process of a variant it returns what that has to do."""
        started = time.monotonic()
        child = self.wave([(-1, {})], self.deadline, told=False)
        if child is not None:
            return child
        status = self.last
        self.tell({"unchanged": status, "seconds": time.monotonic() - started})
        if status == "green":
            return None
        if status == "red":
            self.work_limit = max(_LEAST_SECONDS, self.used * _SLOWEST_FACTOR)
        stop_at = self.deadline - self.spec["budget"] * _SHARE_OF_BEHAVIOUR
        for wave in self.spec["waves"]:
            child = self.wave(wave, stop_at) or self.second_chance(wave, stop_at)
            if child is not None:
                return child
            if self.survivors:
                break
        if self.survivors and self.spec["behaviour"]:
            return self.behaviour()
        return None

    def wave(self, variants: list[Any], stop_at: float, told: bool = True) -> Work | None:
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
                    tools.end(pid)
                if ended or late:
                    idle = False
                    del running[pid]
                    self.used = usage.ru_utime + usage.ru_stime
                    self.judged(number, "slow" if late else self.status(status), told)
            if idle:
                time.sleep(0.0005)
        return None

    def second_chance(self, wave: list[Any], stop_at: float) -> Work | None:
        """Gives the most promising of those that ran out of time more of it: what is right may take longer."""
        slow = [(number, variant) for number, variant in wave if number in self.slow][:_SECOND_CHANCES]
        limit, self.work_limit = self.work_limit, self.work_limit * _SLOWEST_FACTOR
        child = self.wave(slow, stop_at)
        self.work_limit = limit if child is None else self.work_limit
        return child

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
        (self.slow.add if status == "slow" else self.slow.discard)(number)
        if status == "green":
            self.survivors.append(number)

    def child(self, variant: Any) -> Work:
        """Prepares the process of a variant and returns its work, which lets the program go on."""
        os.setsid()

        def work() -> None:
            try:
                self.gate.go_on(self.gates.version(self.texts(variant)) if variant else {})
            except (self.gates.Misfit, SyntaxError, ValueError):
                os._exit(_NOT_FITTING)
            tools.module("trial_watch").Watch(self.spec["noticing"], self.work_limit).start()

        return work

    # What the survivors do.

    def variants(self) -> dict[int, Any]:
        """All variants by number."""
        return {number: variant for wave in self.spec["waves"] for number, variant in wave}

    def behaviour(self) -> Work | None:
        """Compares the survivors on recorded arguments and their neighbours."""
        known = self.variants()
        inputs: dict[tuple[str, str], None] = {}
        for number in self.survivors:
            child, found = self.asked(partial(self.record, known[number]), _RECORD_SECONDS)
            if child is not None:
                return child
            if time.monotonic() > self.deadline:
                break
            told = found or {"inputs": [], "unreadable": 1}
            count, unreadable = len(told["inputs"]), told["unreadable"]
            self.tell({"recorded": number, "inputs": count, "unreadable": unreadable})
            inputs.update(dict.fromkeys((key, blob) for key, blob in told["inputs"]))
        given = list(inputs)[:_MOST_INPUTS]
        for number in (-1, *self.survivors):
            child, found = self.asked(partial(self.behave, known.get(number), given), _BEHAVE_SECONDS)
            if child is not None:
                return child
            self.tell({"behaves": number, **(found or {"real": [], "near": []})})
        return None

    def asked(self, prepare: Callable[[int], Work], seconds: float) -> tuple[Work | None, Any]:
        """Forks a process that answers in JSON; in that process, returns its work, here its answer."""
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            os.setsid()
            return prepare(write_end), None
        os.close(write_end)
        raw = tools.answer_of(pid, read_end, time.monotonic() + seconds)
        try:
            return None, json.loads(raw)
        except ValueError:
            return None, None

    def record(self, variant: Any, pipe: int) -> Work:
        """The work of a process that notes with what the functions are called until the program ends."""
        recorder = self.gate.recorder = self.gates.Recorder(self.spec["noticing"])

        def answer() -> None:
            pairs = [[key, base64.b64encode(blob).decode()] for key, blob in recorder.inputs]
            tools.write_all(pipe, json.dumps({"inputs": pairs, "unreadable": recorder.unreadable}).encode())

        self.at_end = answer
        return lambda: self.gate.go_on(self.gates.version(self.texts(variant)))

    def behave(self, variant: Any, given: list[tuple[str, str]], pipe: int) -> Work:
        """The work of a process that calls the functions and tells what came of it, instead of going on."""

        def work() -> None:
            values = tools.module("trial_values")
            self.gate.go_on(self.gates.version(self.texts(variant)) if variant else {})
            until = time.monotonic() + _BEHAVE_SECONDS * 0.8
            calls = [(self.gate.named(key), base64.b64decode(text)) for key, text in given]
            real = [values.outcome(function, blob, _CALL_SECONDS) for function, blob in calls]
            near = []
            for function, blob in calls:
                try:
                    others = list(values.varied(blob, max(4, _MOST_NEIGHBOURS // max(1, len(calls)))))
                except Exception:
                    near.append(values.UNKNOWN)
                    continue  # what cannot be read again has no neighbours
                for other in others:
                    late = time.monotonic() > until
                    near.append(values.UNKNOWN if late else values.outcome(function, other, _CALL_SECONDS))
            tools.write_all(pipe, json.dumps({"real": real, "near": near}).encode())
            os._exit(0)

        return work

    def run(self) -> None:
        """Runs the program in a process that stops at the gate, and watches over it."""

        def work(_pipe: int) -> int:
            self.gate = self.gates.Gate(self.at_the_gate)
            self.gates.put_gates(self.base, {(file, name) for file, name in self.spec["functions"]})
            status: int = self.program.run(self.spec["program"])
            self.at_end()
            if not self.reached:
                self.tell({"problem": "no function of the files in question was called"})
            return status

        pid, pipe = tools.fork(work)
        tools.answer_of(pid, pipe, self.deadline + 1.0)
