"""The loop of the engine service: one thread that is woken by whatever happens and does what is due, in turn.

No failure of one duty ends it: the failure is told, and the duty is tried again at the next look.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfheal_tui.pipeline.system import Engine
from selfheal_tui.store import StoreError
from selfheal_tui.supervisor.aftercare import Aftercare
from selfheal_tui.supervisor.casework import Casework
from selfheal_tui.supervisor.doorbell import Doorbell
from selfheal_tui.supervisor.events import Event, ServiceProblem, ServiceStopped
from selfheal_tui.supervisor.reception import Reception
from selfheal_tui.supervisor.workers import Worker

_LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""How often the inbox and the store are looked at without being called."""


@dataclass(frozen=True, slots=True)
class Calls:
    """How the loop speaks to the service around it.

    Attributes:
        emit: Tells viewers.
        started: Called once it serves.
        stop_reason: Why it is to stop; empty while it is not.
        run_errands: Does what other threads asked for.
        errands_wait: Whether they asked for something.
    """

    emit: Callable[[Event], None]
    started: Callable[[], None]
    stop_reason: Callable[[], str]
    run_errands: Callable[[], None]
    errands_wait: Callable[[], bool]


class EngineLoop:
    """The service's thread at work.

    Args:
        engine: The engine.
        cases: Queue and workers.
        care: What follows a fix.
        waiting: End of a pipe at which other threads call.
        calls: How it speaks to the service around it.
    """

    def __init__(self, engine: Engine, cases: Casework, care: Aftercare, waiting: int, calls: Calls) -> None:
        self._calls = calls
        self._engine = engine
        self._cases = cases
        self._care = care
        self._waiting = waiting
        self._reception = Reception(engine, calls.emit)
        self._selector = selectors.DefaultSelector()
        self._bell: Doorbell | None = None
        self._full = False

    def serve(self, *, once: bool) -> str:
        """Serves until it is told to stop.

        Args:
            once: End as soon as nothing is left to do without a person.

        Returns:
            Why it ended.
        """
        self._selector.register(self._waiting, selectors.EVENT_READ)
        # Before anybody can ring: from then on it is promised that programs follow.
        self._guarded("following rollbacks", self._care.follow)
        self._hang_bell()
        self._calls.started()
        reason = "it failed"
        try:
            next_look = 0.0
            while True:
                if time.monotonic() >= next_look:
                    self._guarded("looking after incidents", self._look)
                    next_look = time.monotonic() + LOOK_SECONDS
                self._guarded("following rollbacks", self._care.follow)
                self._guarded("taking reports in", self._take_in)
                self._guarded("starting workers", self._dispatch)
                reason = self._calls.stop_reason() or (
                    "nothing is left to do" if once and self._idle() else ""
                )
                if reason:
                    return reason
                self._wait(0.0 if self._full else max(0.0, next_look - time.monotonic()))
        finally:
            self._end(reason or "it failed")

    def _look(self) -> None:
        if self._bell is not None and not self._bell.in_place():
            self._take_bell_down()
            self._hang_bell()
        self._cases.look()
        self._care.tick()

    def _take_in(self) -> None:
        taken = self._reception.look(self._cases.arrivals.counts_only)
        self._full = bool(taken)
        if taken:
            self._cases.arrivals.arrived(taken)

    def _dispatch(self) -> None:
        for worker in self._cases.dispatch():
            self._selector.register(worker, selectors.EVENT_READ, worker)

    def _idle(self) -> bool:
        return not (self._full or self._cases.unfinished or self._care.busy or self._calls.errands_wait())

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Worker):
                self._guarded("reading a worker", self._read, key.data)
            elif self._bell is not None and key.fileobj is self._bell:
                self._bell.answer()
            else:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._waiting, 4096)
        self._guarded("doing what was asked", self._calls.run_errands)

    def _read(self, worker: Worker) -> None:
        number = worker.fileno()
        if not self._cases.read_on(worker):
            self._selector.unregister(number)
            self._cases.finish(worker)

    def _guarded(self, where: str, act: Callable[..., None], *arguments: Any) -> None:
        """One failure must not end the service: the next look tries again."""
        try:
            act(*arguments)
        except StoreError as error:
            self._problem(where, error)
        except Exception as error:  # noqa: BLE001 - told to every viewer and logged
            _LOG.exception("%s failed", where)
            self._problem(where, error)

    def _problem(self, where: str, error: BaseException) -> None:
        _LOG.warning("%s: %s: %s", where, type(error).__name__, error)
        self._calls.emit(ServiceProblem(where, f"{type(error).__name__}: {error}"))

    def _hang_bell(self) -> None:
        try:
            self._bell = Doorbell(self._engine.project.root)
        except OSError as error:
            self._problem("hanging the doorbell; reports are found within a second all the same", error)
            return
        self._selector.register(self._bell, selectors.EVENT_READ)

    def _take_bell_down(self) -> None:
        if self._bell is not None:
            self._selector.unregister(self._bell)
            self._bell.close()
            self._bell = None

    def _end(self, reason: str) -> None:
        self._take_bell_down()
        self._guarded("stopping workers", self._cases.stop, reason)
        self._care.close()
        self._guarded("doing what was asked", self._calls.run_errands)
        self._selector.close()
        self._calls.emit(ServiceStopped(reason))
