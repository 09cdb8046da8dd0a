"""Puts the probe into a program that asks for it itself, instead of being started under it.

Standard library only, CPython 3.9+; never raises into the program.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_STATE = "_selfheal_probe"


def install(inbox: Optional[str] = None, root: Optional[str] = None) -> bool:
    """Installs the probe in this process, once; a program without an inbox runs as if there were no probe.

    Args:
        inbox: Folder for the reports; by default `$SELFHEAL_INBOX`, else `.selfheal/inbox` of the project.
        root: The project; by default `$SELFHEAL_ROOT`, else the current folder.

    Returns:
        Whether reports can be written.
    """
    try:
        if getattr(sys, _STATE, None) is not None:
            return True  # it was started under the probe, which knows better
        place = os.path.realpath(root or os.environ.get("SELFHEAL_ROOT") or os.getcwd())
        folder = inbox or os.environ.get("SELFHEAL_INBOX") or os.path.join(place, ".selfheal", "inbox")
        folder = os.path.abspath(folder)
        from . import cases, hook, places

        probe = hook.Probe(folder, place)
        probe.live = probe.live or places.listens(place)
        setattr(sys, _STATE, probe)
        cases.use(folder, place)
        probe.install_hooks()
        return os.path.isdir(folder)
    except Exception:  # the program comes first
        return False
