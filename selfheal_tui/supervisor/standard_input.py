"""Gives a program that is run again the standard input that it had, or says that it cannot.

A file is read from the same place again. What a program has read from a pipe is gone, and a run that
gets only the rest must not pass for the same run. This module reads nothing from the input.
"""

from __future__ import annotations

import os
import select
import stat

GONE = "its standard input is a pipe, and what the run before had read of it is gone"


class StandardInput:
    """Our standard input as it is before the first run.

    Args:
        descriptor: The file descriptor that programs inherit.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._start: int | None = None
        self._gone = False
        try:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode):
                self._start = os.lseek(descriptor, 0, os.SEEK_CUR)
            elif stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
                self._gone = not _at_end(descriptor)
        except OSError:
            return  # closed: every run gets the same nothing

    def rewind(self) -> str:
        """Makes the input ready for one more run.

        Returns:
            What that run will miss, as a clause; empty when it gets the same input.
        """
        if self._start is not None:
            os.lseek(self._descriptor, self._start, os.SEEK_SET)
        return GONE if self._gone else ""


def _at_end(descriptor: int) -> bool:
    """Whether nothing is in a pipe and nobody can write to it any more."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return any(event & select.POLLHUP and not event & select.POLLIN for _, event in poll.poll(0))
