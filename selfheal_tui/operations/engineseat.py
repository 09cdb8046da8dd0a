"""The engine's seat in this process: serves the project when nobody else does, and says who does when somebody does.

A thread of its own tries to take the seat, again every few seconds while another process has it. It decides nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from selfheal_tui.config import ConfigError
from selfheal_tui.operations import standings
from selfheal_tui.operations.opening import Session
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import EngineView
from selfheal_tui.store import StoreError
from selfheal_tui.supervisor.events import Event, JobMoved, ServiceStarted, ServiceStopped
from selfheal_tui.supervisor.holder import EngineBusyError, engine_holder
from selfheal_tui.supervisor.queue import ENDED, JobState
from selfheal_tui.supervisor.service import EngineService

_LOG = logging.getLogger(__name__)
TRY_SECONDS = 1.0
"""How often the seat is looked at while somebody else has it."""
FAILED_SECONDS = 10.0
"""How long after a failure it is tried again."""


@dataclass(frozen=True, slots=True)
class SeatCalls:
    """Whom the seat speaks to; all are called on threads of the seat's.

    Attributes:
        heard: Takes every event of the engine.
        changed: Called when `view` may say something else.
    """

    heard: Callable[[Event], None]
    changed: Callable[[], None]


class EngineSeat:
    """Serves a project from this process, as far as nobody else does.

    Args:
        session: What the engine is started with.
        state_directory: The project's `.selfheal`.
        serve: Whether to serve at all; otherwise it only says who does.
        calls: Whom to speak to.
        try_seconds: How often to try.
    """

    def __init__(
        self,
        session: Session,
        state_directory: Path,
        *,
        serve: bool,
        calls: SeatCalls,
        try_seconds: float = TRY_SECONDS,
    ) -> None:
        self._session = session
        self._state_directory = state_directory
        self._serve = serve
        self._calls = calls
        self._try_seconds = try_seconds
        self._lock = threading.Lock()
        self._service: EngineService | None = None
        self._jobs: dict[str, JobState] = {}
        self._view = EngineView(standings.ENGINE_STARTING if serve else standings.ENGINE_NOT_RUNNING)
        self._ended = threading.Event()
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._sit, name="selfheal-seat", daemon=True)

    def start(self) -> None:
        """Begins to try."""
        self._thread.start()

    @property
    def service(self) -> EngineService | None:
        """The engine, while it is ours."""
        return self._service

    def view(self) -> EngineView:
        """Returns how the engine of the project stands."""
        with self._lock:
            working = tuple(i for i, state in self._jobs.items() if state is JobState.RUNNING)
            queued = sum(state is JobState.QUEUED for state in self._jobs.values())
            return replace(self._view, working=working[:50], queued=queued)

    def works_on(self, incident_id: str) -> bool:
        """Whether our engine has a job for an incident."""
        with self._lock:
            return self._service is not None and incident_id in self._jobs

    def ran_well(self, pid: int, started_at: float) -> None:
        """Passes on that a program ran well, to our engine if there is one."""
        service = self._service
        if service is not None:
            service.ran_well(pid, started_at)

    def stop(self) -> None:
        """Has the engine end, with all its workers; returns at once."""
        self._ended.set()
        self._gone.set()
        service = self._service
        if service is not None:
            service.stop("the console was closed")

    def join(self, seconds: float) -> bool:
        """Waits for the end of engine and seat; returns whether they have ended."""
        until = time.monotonic() + seconds
        service = self._service
        if service is not None:
            service.join(max(0.0, until - time.monotonic()))
        self._thread.join(max(0.0, until - time.monotonic()))
        return not self._thread.is_alive()

    # -- the seat's thread --------------------------------------------------------------------------

    def _sit(self) -> None:
        while not self._ended.is_set():
            holder = engine_holder(self._state_directory)
            pause = self._try_seconds
            if holder is not None:
                who = f"process {holder.pid}" if holder.pid else "another process"
                self._set(EngineView(standings.ENGINE_ELSEWHERE, f"{who} serves this project"))
            elif self._serve:
                pause = self._served()
            else:
                self._set(
                    EngineView(
                        standings.ENGINE_NOT_RUNNING,
                        "nobody serves this project: crashes are taken in and healed once `selfheal` or "
                        "`selfheal serve` runs",
                    )
                )
            self._ended.wait(pause)

    def _served(self) -> float:
        """Serves until the engine ends; returns after how many seconds to try again."""
        session = self._session
        service = EngineService(
            session.root, environ=session.environ, flags=session.flags, env_file=session.env_file
        )
        self._gone.clear()
        self._service = service
        end = service.subscribe(self._heard)
        try:
            if self._ended.is_set():
                return 0.0
            service.start()
        except EngineBusyError:
            return self._try_seconds
        except (ConfigError, StoreError, OSError) as error:
            self._set(EngineView(standings.ENGINE_FAILED, line(str(error))))
            return FAILED_SECONDS
        else:
            while not self._gone.wait(self._try_seconds):
                pass
            service.join()
            return 0.0 if self._ended.is_set() else FAILED_SECONDS
        finally:
            end()
            with self._lock:
                self._service = None
                self._jobs.clear()
            self._calls.changed()

    def _heard(self, event: Event) -> None:
        match event:
            case JobMoved(job=job):
                with self._lock:
                    if job.state in ENDED:
                        self._jobs.pop(job.incident_id, None)
                    else:
                        self._jobs[job.incident_id] = job.state
            case ServiceStarted():
                self._set(
                    EngineView(standings.ENGINE_RUNNING, f"this console serves (process {os.getpid()})")
                )
            case ServiceStopped(reason=reason):
                failed = standings.ENGINE_NOT_RUNNING if self._ended.is_set() else standings.ENGINE_FAILED
                self._set(EngineView(failed, line(reason)))
                self._gone.set()
            case _:
                pass
        self._calls.heard(event)

    def _set(self, view: EngineView) -> None:
        with self._lock:
            if view == self._view:
                return
            self._view = view
        self._calls.changed()
