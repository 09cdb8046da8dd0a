"""The headless engine of a project: many programs report to it, any number of viewers watch it, one of it serves.

One thread does everything in turn: it takes reports in, starts and reads workers, and looks after fixes. What may
wait (a walk, a program, a webhook) is elsewhere and comes back as an event, so that nothing holds up anything else.
It never asks a person: requests stay open until somebody answers them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from selfheal_tui.pipeline.build import open_project
from selfheal_tui.pipeline.system import Engine
from selfheal_tui.supervisor.aftercare import Aftercare
from selfheal_tui.supervisor.casework import Casework, Means
from selfheal_tui.supervisor.engine_loop import Calls, EngineLoop
from selfheal_tui.supervisor.events import (
    Event,
    RestartNeeded,
    ServiceProblem,
    ServiceStarted,
    ServiceStopped,
)
from selfheal_tui.supervisor.holder import EngineBusyError, engine_lease
from selfheal_tui.supervisor.listeners import Listeners
from selfheal_tui.supervisor.news import notice_for
from selfheal_tui.supervisor.notify import Notifier
from selfheal_tui.supervisor.queue import IncidentQueue, Job

__all__ = ["EngineBusyError", "EngineService"]

_LOG = logging.getLogger(__name__)
FAREWELL_SECONDS = 3.0


class EngineService:
    """Serves one project. Methods may be called from any thread, unless they say otherwise.

    Args:
        root: The project.
        environ: Environment for settings and workers; ours by default.
        flags: Settings from the command line, by dotted key.
        env_file: A `.env` file, if one was asked for.
        workers: How many crashes are healed at once; None takes the setting.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        root: Path,
        *,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, str] | None = None,
        env_file: Path | None = None,
        workers: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.root = root.resolve()
        self._environ = dict(os.environ if environ is None else environ)
        self._flags = dict(flags or {})
        self._env_file = env_file
        self._workers = workers
        self._clock = clock
        self._queue = IncidentQueue()
        self._listeners: Listeners[Event] = Listeners(f"the engine of {self.root}")
        self._errands: deque[Callable[[], None]] = deque()
        self._wake = -1
        self._stop_reason = ""
        self._care: Aftercare | None = None
        self._cases: Casework | None = None
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None

    # -- for viewers --------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Has a callback told of everything, in order, on the service's thread; it should be quick.

        Args:
            callback: Takes an event.

        Returns:
            A function that ends the subscription.
        """
        return self._listeners.add(callback)

    def on_restart_needed(self, callback: Callable[[RestartNeeded], None]) -> Callable[[], None]:
        """Has a callback told of programs that must be started anew to run a fix; as `subscribe`."""

        def only(event: Event) -> None:
            if isinstance(event, RestartNeeded):
                callback(event)

        return self.subscribe(only)

    def jobs(self) -> tuple[Job, ...]:
        """Returns the queue as it is now."""
        return self._queue.jobs()

    # -- for operators and programs -----------------------------------------------------------------

    def cancel(self, incident_id: str, by: str) -> None:
        """Ends the work on an incident; it is closed as rejected, on record.

        Args:
            incident_id: Its full id.
            by: Who wants that, such as `operator:kim`.
        """
        self._do(lambda cases, _care: cases.cancel(incident_id, by))

    def ran_well(self, pid: int, started_at: float, calls: int = 1) -> None:
        """Tells that a program ran to its end, or a number of guarded calls, without a crash.

        Args:
            pid: Its process.
            started_at: Unix time in seconds at which it was started.
            calls: How many runs or calls.
        """
        self._do(lambda _cases, care: care.ran_well(pid, started_at, calls))

    def stop(self, reason: str = "it was told to stop") -> None:
        """Has the service end; returns at once, and may be called from a signal handler."""
        self._stop_reason = self._stop_reason or reason
        self._ring()

    def start(self) -> None:
        """Serves on a thread of its own, until `stop`.

        Raises:
            EngineBusyError: Another engine serves the project.
            ConfigError: A setting is wrong.
            StoreError: The store cannot be opened.
        """
        self._thread = threading.Thread(target=self._run_in_thread, name="selfheal-engine", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def join(self, seconds: float | None = None) -> bool:
        """Waits for the end of the service's thread; returns whether it has ended."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run_in_thread(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - raised in `start`, or told below
            self._failure = error
            if self._started.is_set():
                _LOG.exception("the engine of %s failed", self.root)
                self._emit(ServiceStopped(f"it failed: {type(error).__name__}: {error}"))
        finally:
            self._started.set()

    def run(self, *, once: bool = False) -> str:
        """Serves until it is told to stop.

        Args:
            once: End as soon as nothing is left to do without a person.

        Returns:
            Why it ended.

        Raises:
            EngineBusyError: Another engine serves the project.
            ConfigError: A setting is wrong.
            StoreError: The store cannot be opened.
        """
        with (
            open_project(
                self.root, environ=self._environ, flags=self._flags, env_file=self._env_file
            ) as opened,
            engine_lease(opened.engine.store.directory),
        ):
            engine = opened.engine
            workers = engine.settings.supervision.workers if self._workers is None else self._workers
            notifier = Notifier(engine.settings.notify, self.root.name, self._not_told, environ=self._environ)
            care = Aftercare(engine, self._emit, self._post, self._clock)
            means = Means(workers, self._flags, self._env_file, self._environ)
            cases = Casework(engine, self._queue, care, means, self._emit, self._clock)
            end = self.subscribe(lambda event: _pass_on(event, notifier))
            try:
                with self._awake() as waiting:
                    self._care, self._cases = care, cases
                    calls = Calls(
                        emit=self._emit,
                        started=lambda: self._on_start(engine, workers),
                        stop_reason=lambda: self._stop_reason,
                        run_errands=self._run_errands,
                        errands_wait=lambda: bool(self._errands),
                    )
                    return EngineLoop(engine, cases, care, waiting, calls).serve(once=once)
            finally:
                notifier.close(FAREWELL_SECONDS)
                self._run_errands()
                self._care = self._cases = None
                end()

    # -- inside -------------------------------------------------------------------------------------

    def _on_start(self, engine: Engine, workers: int) -> None:
        self._emit(ServiceStarted(str(engine.project.root), os.getpid(), workers))
        self._started.set()

    def _run_errands(self) -> None:
        while self._errands:
            self._errands.popleft()()

    def _do(self, ask: Callable[[Casework, Aftercare], None]) -> None:
        def errand() -> None:
            if self._cases is not None and self._care is not None:
                ask(self._cases, self._care)

        self._post(errand)

    def _post(self, errand: Callable[[], None]) -> None:
        self._errands.append(errand)
        self._ring()

    def _ring(self) -> None:
        if self._wake >= 0:
            with contextlib.suppress(OSError):  # full: it is awake already; closed: it has ended
                os.write(self._wake, b".")

    @contextlib.contextmanager
    def _awake(self) -> Iterator[int]:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        self._wake = writing
        try:
            yield reading
        finally:
            self._wake = -1
            os.close(writing)
            os.close(reading)

    def _not_told(self, event: str, why: str) -> None:
        def errand() -> None:
            if self._cases is not None:
                self._cases.note("notify.failed", {"event": event, "why": why})
            self._emit(ServiceProblem(f"telling {event}", why))

        self._post(errand)

    def _emit(self, event: Event) -> None:
        self._listeners.tell(event)


def _pass_on(event: Event, notifier: Notifier) -> None:
    notice = notice_for(event)
    if notice is not None:
        notifier.tell(notice)
