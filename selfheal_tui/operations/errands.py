"""Runs what an operator decided: each on a thread of its own with a project opened for it, told at begin and end.

A thread cannot be killed; what may take long inside of it (a proof, a model) runs in a worker process that ends when
the errand is cancelled. At the end of the desk nobody waits for an errand.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from selfheal_tui.config import ConfigError
from selfheal_tui.model.serial import MalformedDocumentError
from selfheal_tui.operations.answers import Answer
from selfheal_tui.operations.desk import Answered, DeskEvent, Working
from selfheal_tui.operations.safe import line
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.lease import IncidentBusyError
from selfheal_tui.source.project import OutsideRootError
from selfheal_tui.store import StoreError

_LOG = logging.getLogger(__name__)
ANSWER_WIDTH = 600

Act = Callable[[Opened, threading.Event], Answer]
"""Does an errand: takes the open project, and an event that is set when it is to end early."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that an operator asked for.

    Attributes:
        about: What it is about, for the answer.
        text: What runs, in words.
        act: Does it.
        opening: Opens the project for it.
        quick: Whether it takes moments only, and is told by its answer alone.
        alone: Whether a second one about the same is refused while it runs.
    """

    about: str
    text: str
    act: Act
    opening: Callable[[], AbstractContextManager[Opened]]
    quick: bool = False
    alone: bool = True


class Errands:
    """The errands of a desk.

    Args:
        tell: Takes `Working` and `Answered`.
        done: Called after each, so that somebody looks at what it changed.
    """

    def __init__(self, tell: Callable[[DeskEvent], None], done: Callable[[], None]) -> None:
        self._tell = tell
        self._done = done
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._running: dict[str, tuple[Errand, threading.Event, threading.Thread]] = {}
        self._closed = False

    def start(self, errand: Errand) -> None:
        """Starts an errand; one about something that is being worked on already is refused by an answer."""
        number = f"errand-{next(self._numbers)}"
        stop = threading.Event()
        thread = threading.Thread(
            target=self._run, args=(number, errand, stop), name=f"selfheal-{number}", daemon=True
        )
        with self._lock:
            busy = [one for one, _, _ in self._running.values() if one.alone and one.about == errand.about]
            refused = self._closed or (bool(busy) and errand.alone)
            if not refused:
                self._running[number] = (errand, stop, thread)
        if refused:
            what = busy[0].text if busy else "the console is being closed"
            self._tell(Answered(errand.about, ok=False, text=f"not now: {what}; wait for it, or cancel it"))
            return
        thread.start()

    def cancel(self, number: str) -> bool:
        """Has an errand end early; returns whether there is such a one."""
        with self._lock:
            found = self._running.get(number)
        if found is not None:
            found[1].set()
        return found is not None

    def close(self) -> None:
        """Has all errands end early, and takes no more."""
        with self._lock:
            self._closed = True
            running = list(self._running.values())
        for _, stop, _ in running:
            stop.set()

    def join(self, seconds: float) -> bool:
        """Waits for the end of all errands; returns whether they have ended."""
        until = time.monotonic() + seconds
        with self._lock:
            threads = [thread for _, _, thread in self._running.values()]
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _run(self, number: str, errand: Errand, stop: threading.Event) -> None:
        began = time.time()
        if not errand.quick:
            self._tell(Working(number, errand.text, began, ended=False, about=errand.about))
        try:
            answer = self._act(errand, stop)
        finally:
            with self._lock:
                self._running.pop(number, None)
            if not errand.quick:
                self._tell(Working(number, errand.text, began, ended=True, about=errand.about))
        self._done()
        self._tell(Answered(errand.about, ok=answer.ok, text=line(answer.text, ANSWER_WIDTH)))

    def _act(self, errand: Errand, stop: threading.Event) -> Answer:
        try:
            with contextlib.ExitStack() as held:
                return errand.act(held.enter_context(errand.opening()), stop)
        except (
            ConfigError,
            StoreError,
            IncidentBusyError,
            MalformedDocumentError,
            OutsideRootError,
            OSError,
        ) as error:
            return Answer(ok=False, text=f"{errand.text}: {error}")
        except Exception as error:  # noqa: BLE001 - told to the operator and logged
            _LOG.exception("%s failed", errand.text)
            return Answer(ok=False, text=f"{errand.text} failed: {type(error).__name__}: {error}")
