"""Who is told of what happens: callbacks that may come and go from any thread.

It only tells. A listener's fault is logged and reaches neither the other listeners nor whoever tells.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

E = TypeVar("E")
_LOG = logging.getLogger(__name__)


class Listeners(Generic[E]):
    """The listeners of one source.

    Args:
        name: The source, for the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._callbacks: list[Callable[[E], None]] = []
        self._lock = threading.Lock()

    def add(self, callback: Callable[[E], None]) -> Callable[[], None]:
        """Has a callback told of everything from now on.

        Args:
            callback: Takes an event.

        Returns:
            A function that ends that; calling it again does nothing.
        """
        with self._lock:
            self._callbacks.append(callback)

        def end() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._callbacks.remove(callback)

        return end

    def tell(self, event: E) -> None:
        """Tells all listeners, in the order in which they came, on the calling thread."""
        with self._lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            try:
                callback(event)
            except Exception:  # noqa: BLE001 - logged
                _LOG.exception("a listener of %s failed", self._name)
