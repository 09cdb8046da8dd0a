"""The life of one supervised program, in a thread of its own: start, watch, wait, start again, or stop.

It obeys the program's policy, back-off and breaker and is told of fixes from outside; it knows no engine
and draws nothing. All its state changes go through `ProgramSnapshot.advance`.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from selfheal_tui.model.kinds import Restart
from selfheal_tui.supervisor.backoff import Backoff
from selfheal_tui.supervisor.duties import Duties
from selfheal_tui.supervisor.launch import ProgramSpec, Running, Sink, exit_of, launch
from selfheal_tui.supervisor.lifecycle import ProgramChanged, ProgramSnapshot, ProgramState, starts_again
from selfheal_tui.supervisor.output import OutputRing
from selfheal_tui.supervisor.program import ProgramExit, ProgramNotFoundError

_S = ProgramState
_LOG = logging.getLogger(__name__)
NOT_FOUND_CODE = 127
"""Exit code of a command that does not exist, as shells have it."""
FAILED_CODE = 70
"""Exit code of a program whose supervision itself failed (`EX_SOFTWARE` of `sysexits.h`)."""
ENDING_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})
"""A program that dies of one of these after it was passed on was ended by an operator: no crash."""
_PIDS_KEPT = 64
_HOLD_POLL_SECONDS = 0.1


class Keeper:
    """Keeps one program.

    Args:
        spec: The program.
        duties: What it shares with the others.
        backoff: Its waits.
        ring: Receives its output.
        sink: Receives its output too, as it comes; None for nobody.
    """

    def __init__(
        self, spec: ProgramSpec, duties: Duties, *, backoff: Backoff, ring: OutputRing, sink: Sink | None
    ) -> None:
        self.spec = spec
        self.ring = ring
        self._duties = duties
        self._backoff = backoff
        self._sink = sink
        self._wake = threading.Condition()
        self._snapshot = ProgramSnapshot(spec.name, spec.argv, spec.restart, since=duties.clock())
        self._running: Running | None = None
        self._thread: threading.Thread | None = None
        self._ended = False
        self._stop = False
        self._told = False  # whether the running program has been sent the signal to stop
        self._again = ""  # why it is to be started again, or started at once
        self._received: list[int] = []
        self._early: list[int] = []  # signals that came while it was being started
        self._pids: list[int] = []

    @property
    def snapshot(self) -> ProgramSnapshot:
        """The program as it is now."""
        with self._wake:
            return self._snapshot

    @property
    def pids(self) -> frozenset[int]:
        """Process ids that the program had in its latest runs."""
        with self._wake:
            return frozenset(self._pids)

    @property
    def at_rest(self) -> bool:
        """Whether nothing will happen to the program by itself any more."""
        with self._wake:
            return self._thread is None

    def start(self) -> None:
        """Starts the program unless it lives already, or its breaker is open."""
        with self._wake:
            if self._thread is not None:
                return
            self._stop = False
            why = self._duties.breakers.open(self.spec.name)
            if why and self._snapshot.state is _S.BROKEN:
                return
            if not why:
                self._thread = threading.Thread(
                    target=self._live, name=f"selfheal-program-{self.spec.name}", daemon=True
                )
                self._thread.start()
        if why:
            self._step(_S.BROKEN, message=f"stopped by the crash-loop breaker: {why}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Asks the program to end, once, and does not start it again.

        Args:
            number: The signal to ask with.
        """
        with self._wake:
            already, self._stop, self._again = self._stop, True, ""
            if self._running is not None and not already:
                self._told = True
                self._received.append(number)
                self._running.send(number)
            self._wake.notify_all()

    def kill(self) -> None:
        """Ends the program and its group without asking, and does not start it again."""
        with self._wake:
            self._stop, self._again = True, ""
            if self._running is not None:
                self._told = True
                self._running.send_group(signal.SIGKILL)
            self._wake.notify_all()

    def restart(self, why: str) -> bool:
        """Ends the program if it runs, and starts it at once.

        Args:
            why: For people.

        Returns:
            Whether it will be started; not when it was told to stop.

        Raises:
            StoreError: Its breaker cannot be lifted; then nothing is done.
        """
        self._duties.breakers.reset(self.spec.name)
        with self._wake:
            if self._stop:
                return False
            self._backoff.reset()
            self._again = why
            self._wake.notify_all()
        self.start()
        return True

    def send(self, number: int) -> None:
        """Passes a signal on to the program, as soon as it is there."""
        with self._wake:
            if self._running is not None:
                self._received.append(number)
                self._running.send(number)
            elif self._snapshot.state is _S.STARTING:
                self._early.append(number)

    def resize(self, columns: int, rows: int) -> None:
        """Sets the size of the program's terminal, if it has one."""
        with self._wake:
            if self._running is not None:
                self._running.resize(columns, rows)

    def join(self) -> None:
        """Waits until the program is at rest."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def tell(self, message: str) -> None:
        """Puts a sentence for people on the snapshot, without a change of state."""
        with self._wake:
            self._snapshot = replace(self._snapshot, message=message)
            event = ProgramChanged(self._snapshot, self._snapshot.state)
        self._duties.changed(event)

    def _live(self) -> None:
        try:
            while self._one_run() or self._asked_again():
                pass
            self._duties.rested()
        except Exception as error:  # noqa: BLE001 - logged, told, and no program is left without a keeper
            _LOG.exception("the supervision of %s failed", self.spec.name)
            self._abandon(f"its supervision failed: {error}")

    def _asked_again(self) -> bool:
        """Whether somebody asked for a start while the program came to rest; else this thread is over."""
        with self._wake:
            if self._again and not self._stop:
                return True
            self._thread = None
            return False

    def _one_run(self) -> bool:
        """Starts the program, waits for its end, and for the time of its next start if there is one."""
        run = self.snapshot.run + 1
        with self._wake:
            self._ended, self._told, self._again, self._received, self._early = False, False, "", [], []
        self._step(_S.STARTING, run=run)
        self.ring.begin(run)
        try:
            running = launch(
                self.spec,
                self._duties.environment(self.spec),
                sink=self._output,
                closed=self.ring.close,
                size=self._duties.size(),
            )
        except ProgramNotFoundError as error:
            self._step(
                _S.STOPPED, exit=ProgramExit(NOT_FOUND_CODE, None, 0.0), by_us=False, message=str(error)
            )
            return False
        with self._wake:
            self._running = running
            self._pids = [*self._pids, running.pid][-_PIDS_KEPT:]
            for number in self._early:
                self._received.append(number)
                running.send(number)
        self._step(_S.RUNNING, pid=running.pid, message="")
        threading.Thread(
            target=self._watch, args=(running,), name=f"selfheal-wait-{running.pid}", daemon=True
        ).start()
        done, by_us = self._until_end(running)
        return self._decide(done, by_us=by_us)

    def _watch(self, running: Running) -> None:
        running.await_end()
        with self._wake:
            self._ended = True
            self._wake.notify_all()

    def _until_end(self, running: Running) -> tuple[ProgramExit, bool]:
        with self._wake:
            self._wake.wait_for(lambda: self._ended or self._stop or bool(self._again))
            asked = not self._ended
            why = "stopping" if self._stop else self._again
            if asked and not self._told:
                self._told = True
                self._received.append(signal.SIGTERM)
                running.send(signal.SIGTERM)
        if asked:
            self._step(_S.STOPPING, message=why)
            with self._wake:
                in_time = self._wake.wait_for(lambda: self._ended, self._duties.grace_seconds)
                if not in_time:
                    running.send_group(signal.SIGKILL)
                    self._wake.wait_for(lambda: self._ended)
        status, seconds = running.finish(self._duties.grace_seconds)
        with self._wake:
            self._running = None
            done = exit_of(status, seconds, tuple(self._received))
            passed_on = done.signal in ENDING_SIGNALS and done.signal in self._received
            by_us = self._told or passed_on
        return done, by_us

    def _decide(self, done: ProgramExit, *, by_us: bool) -> bool:
        ended: dict[str, Any] = {"pid": 0, "exit": done, "by_us": by_us}
        with self._wake:
            stop, again = self._stop, self._again
        how = f"signal {done.signal}" if done.signal else f"exit code {done.code}"
        if stop:
            self._step(_S.STOPPED, **ended, message=f"stopped ({how})")
            return False
        if again:
            # It may have died by itself in the same moment; the fix that asked is newer than the crash.
            if self.snapshot.state is _S.RUNNING:
                self._step(_S.STOPPING, message=again)
            with self._wake:
                self._snapshot = replace(self._snapshot, **ended)
            return True
        crashed = done.code != 0 and not by_us
        if done.seconds >= self._duties.steady_seconds:
            self._backoff.reset()
        ended["crashes"] = self.snapshot.crashes + crashed
        counts = crashed and self.spec.restart is not Restart.NEVER
        problem = self._duties.count_crash(self.spec.name) if counts else ""
        if problem:
            self._step(_S.BROKEN, **ended, message=f"crashed ({how}); {problem}")
            return False
        if not starts_again(self.spec.restart, done, by_us=by_us):
            self._step(_S.STOPPED, **ended, message=f"ended ({how})")
            return False
        return self._back_off(ended, how)

    def _back_off(self, ended: Mapping[str, Any], how: str) -> bool:
        wait = self._backoff.next()
        now = time.monotonic()
        due, hold_until = now + wait, now + max(wait, self._duties.hold_seconds)
        self._step(
            _S.BACKING_OFF,
            **ended,
            next_start=self._duties.clock() + wait,
            message=f"ended ({how}); starts again in {wait:.1f} s",
        )
        while not self._called_for(due - time.monotonic()):
            # Started now it would meet the same fault; the fix, or its failure, ends the wait.
            if time.monotonic() >= hold_until or not self._duties.healing(self.pids):
                break
            due = time.monotonic() + _HOLD_POLL_SECONDS
        with self._wake:
            stop = self._stop
        if stop:
            self._step(_S.STOPPED, message="stopped while it waited to be started again")
        return not stop

    def _called_for(self, seconds: float) -> bool:
        """Waits to be told to stop or to start at once; returns whether that happened."""
        with self._wake:
            return self._wake.wait_for(lambda: self._stop or bool(self._again), max(0.0, seconds))

    def _output(self, stream: str, data: bytes) -> None:
        self.ring.feed(stream, data)
        if self._sink is None:
            return
        try:
            self._sink(stream, data)
        except OSError as error:
            # Whoever read it has gone; the program goes on, and the ring still has the rest.
            self._sink = None
            _LOG.warning("the output of %s is no longer passed on: %s", self.spec.name, error)

    def _step(self, state: ProgramState, **changes: Any) -> None:
        with self._wake:
            before = self._snapshot.state
            self._snapshot = self._snapshot.advance(state, self._duties.clock(), **changes)
            event = ProgramChanged(self._snapshot, before)
        self._duties.changed(event)

    def _abandon(self, message: str) -> None:
        with self._wake:
            running, self._running, self._thread = self._running, None, None
            before = self._snapshot.state
            if running is not None:
                running.send_group(signal.SIGKILL)
            # Not by `advance`: from wherever it was, this has to end at rest.
            self._snapshot = replace(
                self._snapshot,
                state=_S.STOPPED,
                since=self._duties.clock(),
                pid=0,
                exit=ProgramExit(FAILED_CODE, None, 0.0),
                by_us=False,
                message=message,
            )
            event = ProgramChanged(self._snapshot, before)
        if running is not None:
            running.finish(0.0)
        self._duties.changed(event)
        self._duties.rested()
