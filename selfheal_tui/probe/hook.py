"""Installs the probe in the running program: the one module that is loaded at its start.

Reports every uncaught exception of the main thread and then lets the interpreter go on as ever. It may
import only `os`, `sys`, `time` and `atexit` at start (the rest is loaded when there is a crash), and nothing it does
may reach the program: its own errors are counted and noted beside the reports. Standard library only, 3.9+.

Exceptions of threads, tasks and `multiprocessing` children do not pass `sys.excepthook`; further hooks
belong into `install`, each calling `Probe.report`.
"""

from __future__ import annotations

import atexit
import os
import sys
import time

TYPE_CHECKING = False  # `typing` alone would take longer to load than all of the probe
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Optional, Type

    Hook = Callable[[Type[BaseException], BaseException, Optional[TracebackType]], Any]

_STATE = "_selfheal_probe"


class Probe:
    """What the installed probe knows: where to write, and what it has already reported.

    Attributes:
        inbox: Folder for the reports.
        root: The project's root.
        errors: How many errors of the probe itself were swallowed.
        start_dir: The working directory at the start, for relative file names.
        started: Monotonic time at the start, in seconds.
    """

    def __init__(self, inbox: str, root: str) -> None:
        self.inbox = inbox
        self.root = root
        self.errors = 0
        self.start_dir = _current_folder()
        self.started = time.monotonic()
        self._reported: int | None = None
        self._previous: Hook = sys.excepthook

    def install_hooks(self) -> None:
        """Chains to the hook that is there now, and looks again when the program ends."""
        self._previous = sys.excepthook
        sys.excepthook = self.excepthook
        atexit.register(self.at_exit)

    def excepthook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Reports an uncaught exception, then calls the hook that was there before.

        Args:
            kind: The exception's type.
            error: The exception.
            trace: Its traceback.
        """
        try:
            self.report(error, handled=False)
        finally:
            self._previous(kind, error, trace)

    def at_exit(self) -> None:
        """Reports the crash that another hook, set later without chaining, kept from us.

        The interpreter notes every uncaught exception in `sys.last_exc` (`sys.last_value` before 3.12) before
        it calls the hook. Consoles set these names for handled errors too, but leave our hook in place.
        """
        if getattr(sys.excepthook, "__self__", None) is self or hasattr(sys, "ps1"):
            return
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        if isinstance(error, BaseException) and id(error) != self._reported:
            self.report(error, handled=False)

    def report(self, error: BaseException, *, handled: bool) -> None:
        """Captures an exception and writes its report; never raises.

        Args:
            error: The exception, alive, with its traceback.
            handled: Whether the program caught it itself.
        """
        try:
            self._reported = id(error)
            self._write(error, handled)
        except BaseException as problem:  # even a second Ctrl-C must not replace the program's own exception
            self.errors += 1
            self._note(problem)

    def _write(self, error: BaseException, handled: bool) -> None:
        from .stops import is_never_healed

        if is_never_healed(error) or not os.path.isdir(self.inbox):
            return
        # A folder that the program put in front of the standard library must not serve us its `json.py`.
        library = os.path.dirname(os.__file__)
        sys.path.insert(0, library)
        try:
            from . import capture, spool
        finally:
            if library in sys.path:
                sys.path.remove(library)
        spool.check_room(self.inbox)
        stem = spool.new_stem()
        report = capture.capture_exception(
            error,
            root=self.root,
            payload_dir=self.inbox,
            handled=handled,
            stem=stem,
            start_dir=self.start_dir,
            started=self.started,
        )
        try:
            spool.write_report(self.inbox, report, stem=stem)
        except OSError:
            spool.remove_payloads(self.inbox, report)
            raise

    def _note(self, problem: BaseException) -> None:
        try:
            from . import spool

            spool.note_problem(self.inbox, problem)
        except BaseException:  # nowhere left to tell it; `errors` has counted it
            self.errors += 1


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # deleted under the program
        return ""


def install() -> Probe | None:
    """Installs the probe in this process, once.

    Returns:
        The probe, or None when the environment names no inbox.
    """
    installed = getattr(sys, _STATE, None)
    if installed is not None:
        return installed if isinstance(installed, Probe) else None
    inbox = os.environ.get("SELFHEAL_INBOX")
    if not inbox:
        return None
    probe = Probe(inbox, os.environ.get("SELFHEAL_ROOT", ""))
    setattr(sys, _STATE, probe)
    probe.install_hooks()
    return probe
