"""Gives a program a terminal of its own, and tells the size of ours.

The program's terminal becomes its controlling one through `SHIM`, a few lines that run between us and the
program: the call has to be made by the new session itself, and Python code between fork and exec
(`preexec_fn`) is unsafe in a process with threads.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
import termios
from collections.abc import Sequence

DEFAULT_SIZE = (80, 24)
"""Columns and rows where we have no terminal ourselves: those of a VT100."""

SHIM = (
    "import fcntl,os,sys,termios\n"
    "report=int(sys.argv[1])\n"
    "os.set_inheritable(report,False)\n"
    "fcntl.ioctl(0,termios.TIOCSCTTY,0)\n"
    "try:\n"
    " os.execvp(sys.argv[2],sys.argv[2:])\n"
    "except OSError as error:\n"
    " os.write(report,str(error.errno).encode())\n"
    " os._exit(127)\n"
)


def shim_command(argv: Sequence[str], report: int) -> list[str]:
    """Returns the command that takes the terminal on its standard input and becomes the program.

    Args:
        argv: The program's command.
        report: A descriptor on which it writes an `errno` if the program cannot be started.
    """
    # Isolated and without `site`: neither the program's environment nor our probe may act here.
    return [sys.executable, "-I", "-S", "-c", SHIM, str(report), *argv]


def our_size() -> tuple[int, int]:
    """Returns columns and rows of our own terminal, or of a plain one when we have none."""
    for descriptor in (1, 2, 0):
        try:
            size = os.get_terminal_size(descriptor)
        except OSError:
            continue
        if size.columns and size.lines:
            return size.columns, size.lines
    return DEFAULT_SIZE


def set_size(terminal: int, columns: int, rows: int) -> None:
    """Sets a terminal's size; its foreground program is told by `SIGWINCH`."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def read_terminal(terminal: int, size: int) -> bytes:
    """Reads from the outer end; nothing means that no program has the inner end any more."""
    try:
        return os.read(terminal, size)
    except OSError as error:
        # Linux says EIO where others say end of file.
        if error.errno == errno.EIO:
            return b""
        raise
