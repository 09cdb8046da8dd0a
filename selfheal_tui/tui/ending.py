"""Ends the console whatever becomes of its terminal: told by a signal, or left with a terminal that is gone.

When a terminal vanishes, writing to it fails, the framework's writer stops, and the app's thread waits for it for ever:
then neither its loop nor its timers run. So signals are taken by plain handlers, which run even then, and a thread looks
whether the terminal is still there. What has not ended by itself soon after is ended, programs first.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from types import FrameType

GRACE_SECONDS = 4.0
"""What the orderly way gets: longer than programs and engine take to end."""
_LOOK_SECONDS = 2.0
_SETTLE_SECONDS = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Ending:
    """Watches for the end.

    Args:
        leave: The orderly way out, with an exit code; called from any thread.
        stop: Ends programs and engine, before the process is ended by force.
        terminal: File descriptor of the terminal.
    """

    def __init__(self, leave: Callable[[int], None], stop: Callable[[], None], terminal: int) -> None:
        self._leave = leave
        self._stop = stop
        self._terminal = terminal
        self._begun = threading.Event()
        self._code = 0

    def watch(self) -> None:
        """Takes the signals over, and looks after the terminal; on the main thread."""
        for number in _SIGNALS:
            signal.signal(number, self._told)
        threading.Thread(target=self._look, name="selfheal-terminal", daemon=True).start()

    def _told(self, number: int, _frame: FrameType | None) -> None:
        self._code = self._code or 128 + number
        self._begun.set()

    def _look(self) -> None:
        poll = select.poll()
        poll.register(self._terminal, 0)
        if not self._begun.wait(_SETTLE_SECONDS):
            # A terminal that got its size while we started (tmux, a browser) is asked for it once more.
            os.kill(os.getpid(), signal.SIGWINCH)
        while not self._begun.wait(_LOOK_SECONDS):
            if any(state & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, state in poll.poll(0)):
                self._code = 128 + signal.SIGHUP
                break
        end = threading.Timer(GRACE_SECONDS, self._end)
        end.daemon = True
        end.start()
        self._leave(self._code)

    def _end(self) -> None:
        try:
            self._stop()
        finally:
            os._exit(self._code)
