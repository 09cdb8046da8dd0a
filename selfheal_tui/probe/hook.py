"""Installs the probe in the running program: the one module that is loaded at its start.

Reports every exception that nobody caught, those that the program logs, and what else the modules in `hooks/`
notice, and then lets the interpreter go on as ever. It may import only `os`, `sys`, `time`, `atexit` and the
import watcher at start (the rest is loaded when it is needed), and nothing it does may reach the program: its
own errors are counted and noted beside the reports. Standard library only, 3.9+.
"""

from __future__ import annotations

import _thread
import atexit
import os
import sys
import time

from .hooks import watcher

TYPE_CHECKING = False  # `typing` alone would take longer to load than all of the probe
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any, Callable, Mapping, Optional, Type

    from .limiter import Limiter
    from .reporter import Reporter
    from .watchdog import Watchdog

    Hook = Callable[[Type[BaseException], BaseException, Optional[TracebackType]], Any]

_STATE = "_selfheal_probe"
_BOOKS = "_selfheal_cases"
# After these reports the program's code goes on, so what interrupts them is meant for it.
_IN_PASSING = frozenset({"logged", "log-failure", "warning", "task", "loop", "swallowed", "guard"})


class Probe:
    """What the installed probe knows: where to write, and what it has already reported.

    Attributes:
        inbox: Folder for the reports.
        root: The project's root.
        errors: How many errors of the probe itself were swallowed.
        missed: How many exceptions came up while this thread was reporting one.
        start_dir: The working directory at the start, for relative file names.
        started: Monotonic time at the start, in seconds.
        live: Whether an engine listens (`SELFHEAL_LIVE`): then it is woken and can reach this process, and a
            watchdog may run.
        passing: Ids of exceptions that were reported and are just being shown by those who show them; whoever
            logs them does not report them again.
    """

    def __init__(self, inbox: str, root: str) -> None:
        self.inbox = inbox
        self.root = root
        self.errors = 0
        self.missed = 0
        self.start_dir = _current_folder()
        self.started = time.monotonic()
        self.live = os.environ.get("SELFHEAL_LIVE") == "1"
        self.passing: set[int] = set()
        self._busy: set[int] = set()
        self._reported: int | None = None
        self._previous: Hook = sys.excepthook
        # Made when first asked for; `setdefault`, as several threads may ask at the same time.
        self._parts: dict[str, Any] = {}

    def install_hooks(self) -> None:
        """Chains to the hooks that are there now, and to others as soon as their modules are loaded."""
        self._previous = sys.excepthook
        sys.excepthook = self.excepthook
        atexit.register(self.at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.after_fork)
        watcher.install(self)
        if self.live and self.root:
            self._open_channel()
        if os.environ.get("SELFHEAL_HANG_SECONDS"):
            self._watch_main()

    def _watch_main(self) -> None:
        try:
            from . import hangs

            hangs.start_from_environment(self)
        except Exception as problem:
            self.note(problem)

    def _open_channel(self) -> None:
        try:
            from . import channel

            channel.start(self.root)
        except Exception as problem:
            self.note(problem)

    def excepthook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Reports an uncaught exception, then calls the hook that was there before.

        Args:
            kind: The exception's type.
            error: The exception.
            trace: Its traceback.
        """
        self.passing.add(id(error))
        try:
            self._report_uncaught(error)
        finally:
            try:
                self._previous(kind, error, trace)
            finally:
                self.passing.discard(id(error))

    def at_exit(self) -> None:
        """Reports the crash that another hook, set later without chaining, kept from us, and what is left to tell.

        The interpreter notes every uncaught exception in `sys.last_exc` (`sys.last_value` before 3.12) before
        it calls the hook. Consoles set these names for handled errors too, but leave our hook in place.
        """
        if getattr(sys.excepthook, "__self__", None) is not self and not hasattr(sys, "ps1"):
            error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
            if isinstance(error, BaseException) and id(error) != self._reported:
                self._report_uncaught(error)
        self.flush()

    def _report_uncaught(self, error: BaseException) -> None:
        self._reported = id(error)
        self.report(error, handled=False, limited=False)

    def report(
        self,
        error: BaseException,
        *,
        handled: bool,
        kind: str = "exception",
        context: Mapping[str, Any] | None = None,
        outer: FrameType | None = None,
        waits_until: float = 0.0,
        limited: bool = True,
        calls: bool = True,
        counted: bool = False,
    ) -> str:
        """Captures an exception and writes its report; raises nothing of its own.

        Args:
            error: The exception, alive, with its traceback.
            handled: Whether the program caught it itself.
            kind: What is captured, a word of `docs/wire-format.md`.
            context: What is said besides.
            outer: The frame that called the outermost one of the traceback, where that says more.
            waits_until: Unix time until which the program waits for an answer.
            limited: Whether repeats are only counted.
            calls: Whether the arguments of the innermost calls are saved for a replay.
            counted: Whether the caller has counted it as a possible repeat already.

        Returns:
            The report's id; empty when none was written: it was a repeat, no fault, or there is no room.
        """
        me = _thread.get_ident()
        if me in self._busy:  # the capture itself logs or fails, or a signal's handler does meanwhile
            self.missed += 1
            return ""
        self._busy.add(me)
        try:
            limiter = self.limiter
            from .limiter import key_of

            if limited and not counted:
                key = key_of(error)
                entry = limiter.table.get(key)
                if (handled or entry is None or not entry.handled) and limiter.is_repeat(key):
                    return ""
            reporter = self._ready(error)
            if reporter is None:
                if limited:
                    limiter.ignore(key_of(error), error)  # nor is it looked at again
                return ""
            return reporter.report(
                error,
                kind=kind,
                handled=handled,
                context=context,
                outer=outer,
                waits_until=waits_until,
                limited=limited,
                calls=calls,
            )
        except Exception as problem:
            self.note(problem)
        except BaseException as problem:
            # Even a second Ctrl-C must not replace an exception that ends the program; but one that goes on gets it.
            self.note(problem)
            if kind in _IN_PASSING:
                raise
        finally:
            self._busy.discard(me)
        return ""

    @property
    def limiter(self) -> Limiter:
        """What was seen; made when first asked for."""
        limiter: Limiter | None = self._parts.get("limiter")
        if limiter is None:
            from .limiter import Limiter

            limiter = self._parts.setdefault("limiter", Limiter())
        return limiter

    def _ready(self, error: BaseException) -> Reporter | None:
        from .stops import is_never_healed

        if is_never_healed(error) or not os.path.isdir(self.inbox):
            return None
        # A guard in the program has reported it, and the new code does not have it.
        if any(book.healed(error) for book in getattr(sys, _BOOKS, ())):
            return None
        reporter: Reporter | None = self._parts.get("reporter")
        if reporter is None:
            # A folder that the program put in front of the standard library must not serve us its `json.py`.
            library = os.path.dirname(os.__file__)
            sys.path.insert(0, library)
            try:
                from .reporter import Reporter
            finally:
                if library in sys.path:
                    sys.path.remove(library)
            reporter = self._parts.setdefault("reporter", Reporter(self, self.limiter))
            if self.live:
                self.watchdog.start()
        return reporter

    @property
    def watchdog(self) -> Watchdog:
        """Watches loops and declared progress; made, without a thread, when first asked for."""
        watchdog: Watchdog | None = self._parts.get("watchdog")
        if watchdog is None:
            from .watchdog import Watchdog

            watchdog = self._parts.setdefault("watchdog", Watchdog(self))
        return watchdog

    def flush(self, *, only_due: bool = False) -> None:
        """Tells how often exceptions were seen again since their last report; raises nothing of its own.

        Args:
            only_due: Only for those whose interval is over.
        """
        reporter: Reporter | None = self._parts.get("reporter")
        if reporter is None:
            return
        me = _thread.get_ident()
        if me in self._busy:
            return
        self._busy.add(me)
        try:
            if os.path.isdir(self.inbox):
                reporter.flush(only_due)
        except Exception as problem:
            self.note(problem)
        finally:
            self._busy.discard(me)

    def after_fork(self) -> None:
        """Forgets in a new child what the parent has seen and what its threads were doing."""
        self._busy.clear()
        self.passing.clear()
        limiter = self._parts.get("limiter")
        if limiter is not None:
            limiter.reset()  # the hooks keep it
        self._parts = {} if limiter is None else {"limiter": limiter}

    def note(self, problem: BaseException) -> None:
        """Counts an error of the probe itself, and notes it beside the reports; never raises.

        Args:
            problem: The error.
        """
        self.errors += 1
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
