"""Sets hooks in standard modules at the moment the program loads them, and never loads one itself.

It stands first on `sys.meta_path` until all are set. The standard library's own file is loaded by its own loader
as ever; a module of the program that has the same name is left alone. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Sequence

HOMES = {
    "threading": "threads",
    "asyncio.base_events": "loops",
    "multiprocessing.process": "children",
    "logging": "logs",
    "warnings": "warned",
}
"""Which module here sets the hooks of which module of the standard library."""


class Watcher:
    """A finder that finds nothing itself: it notices what is looked for.

    Args:
        probe: The installed probe.
        wanted: Names of the modules that are still to be hooked.
    """

    def __init__(self, probe: Any, wanted: set[str]) -> None:
        self._probe = probe
        self._wanted = wanted
        self._library = os.path.dirname(os.path.realpath(os.__file__)) + os.sep

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Lets the other finders find a module, and has it hooked after it was loaded.

        Args:
            name: Full name of the module.
            path: The package's path.
            target: The module to be reloaded.

        Returns:
            What the others found for a module to be hooked; None for all else.
        """
        if name not in self._wanted:
            return None
        self._wanted.discard(name)
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                self._prepare(spec)
                return spec
        return None

    def _prepare(self, spec: ModuleSpec) -> None:
        try:
            loader: Any = spec.loader
            if not os.path.realpath(str(spec.origin)).startswith(self._library):
                return
            load = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                del loader.exec_module
                load(module)
                hook(self._probe, module)

            loader.exec_module = exec_module
        except Exception as problem:  # a loader that cannot be told: the module stays without hooks
            self._probe.note(problem)


def hook(probe: Any, module: ModuleType) -> None:
    """Sets the hooks of one loaded module; never raises.

    Args:
        probe: The installed probe.
        module: The module.
    """
    try:
        package = __package__ or ""
        home = package + "." + HOMES[module.__name__]
        __import__(home)
        sys.modules[home].install(probe, module)
    except Exception as problem:
        probe.note(problem)


def install(probe: Any) -> None:
    """Sets the hooks of what is loaded, and watches for the rest.

    Args:
        probe: The installed probe.
    """
    from . import unraisable

    unraisable.install(probe, sys)
    if os.environ.get("SELFHEAL_RADAR") == "1":
        hook_radar(probe)
    wanted = set(HOMES)
    for name in HOMES:
        module = sys.modules.get(name)
        if module is not None:
            wanted.discard(name)
            hook(probe, module)
    if wanted:
        sys.meta_path.insert(0, Watcher(probe, wanted))


def hook_radar(probe: Any) -> None:
    """Starts the radar for exceptions that are swallowed; never raises.

    Args:
        probe: The installed probe.
    """
    try:
        from . import radar

        radar.install(probe)
    except Exception as problem:
        probe.note(problem)
