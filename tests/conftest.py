"""Gives every test the signals of a session at a terminal.

A shell that starts a job in the background, and `nohup`, have it ignore some of them, and what is ignored
is inherited by every program that a test starts.
"""

from __future__ import annotations

import signal

for number, default in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, default)
