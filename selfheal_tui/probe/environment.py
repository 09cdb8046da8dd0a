"""The environment variables that put the probe into a Python program without changing it.

`PYTHONPATH` gets the folder `boot/` in front, whose `sitecustomize` installs the probe; two variables tell it
where to write and which code is the program's own. Standard library only; reads and writes nothing.
"""

from __future__ import annotations

import os
from typing import Mapping, Union

INBOX_VARIABLE = "SELFHEAL_INBOX"
ROOT_VARIABLE = "SELFHEAL_ROOT"
HANG_VARIABLE = "SELFHEAL_HANG_SECONDS"
HANG_END_VARIABLE = "SELFHEAL_HANG_END"
HANG_END_AT_ONCE = "at-once"
PROBE_DIR = os.path.dirname(os.path.abspath(__file__))
BOOT_DIR = os.path.join(PROBE_DIR, "boot")


def probe_environment(
    inbox: Union[str, "os.PathLike[str]"],
    root: Union[str, "os.PathLike[str]"],
    environ: Mapping[str, str],
    hang_seconds: float = 0.0,
    hang_end: str = "",
) -> dict[str, str]:
    """Returns a copy of an environment under which a Python program runs with the probe.

    Args:
        inbox: Folder that receives the crash reports; the probe never creates it.
        root: The project's root; only frames below it have their locals recorded.
        environ: The environment to start from; it is not changed.
        hang_seconds: End it as hanging once its main thread has stayed so long in one loop or wait; 0 never.
        hang_end: `at-once` to kill it then; by default it is interrupted first.

    Returns:
        The environment for the program and all its Python children (3.9 and newer, in any virtual
        environment). `python -S`, `-E` and `-I` ignore it: such programs run without the probe.
    """
    result = dict(environ)
    # An empty entry means the current directory, so it must survive; an empty variable means nothing.
    old = result.get("PYTHONPATH", "")
    kept = [entry for entry in old.split(os.pathsep) if entry != BOOT_DIR] if old else []
    result["PYTHONPATH"] = os.pathsep.join([BOOT_DIR, *kept])
    result[INBOX_VARIABLE] = os.path.abspath(os.fspath(inbox))
    result[ROOT_VARIABLE] = os.path.abspath(os.fspath(root))
    result.pop(HANG_VARIABLE, None)
    result.pop(HANG_END_VARIABLE, None)
    if hang_seconds > 0:
        result[HANG_VARIABLE] = "%g" % hang_seconds
        if hang_end:
            result[HANG_END_VARIABLE] = hang_end
    return result
