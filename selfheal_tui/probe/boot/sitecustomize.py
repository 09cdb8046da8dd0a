# ruff: noqa: INP001 - a script folder for the import path, not a package
"""Runs at the start of every Python program under the probe: installs it, then leaves no trace.

Python imports `sitecustomize` by itself from the import path; this one is in front of it because
`probe_environment` put its folder there. It may not fail, print, slow the start noticeably, or hide a
`sitecustomize` that the program's own environment has. Standard library only, CPython 3.9+.
"""

import os
import sys


def _install(boot: str) -> None:
    """Loads the probe from its absolute path under a private name: it may not be installed here."""
    if sys.version_info < (3, 9) or hasattr(sys, "_selfheal_probe"):
        return
    package = type(sys)("_selfheal_probe")
    package.__path__ = [os.path.dirname(boot)]
    sys.modules["_selfheal_probe"] = package
    __import__("_selfheal_probe.hook")
    sys.modules["_selfheal_probe.hook"].install()


def _chain(boot: str) -> None:
    """Takes our folder off the import path again, and runs the `sitecustomize` that it shadowed."""
    sys.path[:] = [entry for entry in sys.path if entry != boot and os.path.abspath(entry or ".") != boot]
    probe = os.path.dirname(boot)
    for folder in (boot, probe, os.path.join(probe, "hooks")):
        sys.path_importer_cache.pop(folder, None)
    ours = sys.modules.pop("sitecustomize", None)
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        # The import system insists that the module it is just loading is there.
        if ours is not None:
            sys.modules.setdefault("sitecustomize", ours)


_boot = os.path.dirname(os.path.abspath(__file__))
try:
    _install(_boot)
except Exception:
    # The program comes first: without a working probe it runs as if there were none.
    sys.modules.pop("_selfheal_probe", None)
_chain(_boot)
