"""One case for each crash that a guard caught: who reports it, who waits for the answer, what the answer was.

Ten threads with the same crash make one report and wait for one answer. A crash of code that was replaced while it
ran belongs to the case that replaced it. After a case that was not healed nobody waits again for a while. Loaded
on the first guarded crash; it never raises into the program. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from . import places
from .loading import LibraryFirst
from .waiting import Case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Optional

    Key = tuple[int, ...]

MAX_CASES = 256
LONGEST_SECONDS = 60.0
BOOKS = "_selfheal_cases"
_SEEN = 64


class _Book:
    """The cases of this process.

    Attributes:
        errors: How many errors of our own were swallowed.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.errors = 0
        self.cases: dict[Key, Case] = {}
        self.seen: dict[int, tuple[Key, Case]] = {}
        self.home: Optional[Home] = None
        self.start_dir = ""
        try:
            self.start_dir = os.getcwd()
        except OSError:  # deleted under the program
            pass

    def healed(self, error: BaseException) -> bool:
        """Whether a guard has reported this exception already, and it is healed: it is no crash of the new code.

        Args:
            error: The exception, further out, or where nobody caught it.
        """
        case = self.known(error, _path(error)[0], grown=0)
        return case is not None and case.healed

    def known(self, error: BaseException, path: Key, *, grown: int = 1) -> Case | None:
        """The case of this very object: its traceback has grown since. Ids alone are used again."""
        before = self.seen.get(id(error))
        if before is None or len(before[0]) + grown > len(path) or path[-len(before[0]) :] != before[0]:
            return None
        return before[1]


class Home:
    """Where reports of this process go.

    Args:
        inbox: The folder for reports.
        root: The project.
    """

    def __init__(self, inbox: str, root: str) -> None:
        self.inbox = inbox
        self.root = root


_book = _Book()
# The hook may be another copy of the probe than this one, and asks every book.
setattr(sys, BOOKS, (*getattr(sys, BOOKS, ()), _book))


def begin(error: BaseException, since: int, wait: float, facts: dict[str, str], file: str) -> Case | None:
    """Finds the case of a crash, or makes and reports it.

    Args:
        error: The exception, in the handler that caught it.
        since: `TALLY.healed` when the guarded call began.
        wait: How many seconds the caller would wait; 0 for not at all.
        facts: What to say in the report.
        file: A file of the guarded program, near which its project is looked for.

    Returns:
        The case, to be waited for when it is `answerable`; None when the crash cannot be reported.
    """
    try:
        home = _home(file)
        if home is None:
            return None
        path, kept = _path(error)
        case, fresh = _case(error, path, kept, since, home)
        if fresh:
            try:
                _report(case, error, home, wait, facts)
            finally:
                if not case.answerable:
                    case.answerable = False
                    case.settle(False, "nobody waits for an answer", quiet=False)
        return case
    except Exception as problem:
        _note(problem)
        return None


def use(inbox: str, root: str) -> None:
    """Sets where reports go, for a program that says so itself.

    Args:
        inbox: The folder for reports.
        root: The project.
    """
    _book.home = Home(inbox, root)


def _case(
    error: BaseException, path: Key, kept: tuple[object, ...], since: int, home: Home
) -> tuple[Case, bool]:
    """Finds the case of a crash; the second value tells whether it must be reported."""
    now = time.monotonic()
    key = _place(error, path, home.root)
    with _book.lock:
        before = _book.known(error, path)
        case, fresh = (before, False) if before is not None else _known(key, kept, since, now, home.root)
        if len(_book.seen) >= _SEEN:
            _book.seen.clear()
        _book.seen[id(error)] = (path, case)
    return case, fresh


def _known(key: Key, kept: tuple[object, ...], since: int, now: float, root: str) -> tuple[Case, bool]:
    case = _book.cases.get(key)
    if case is not None:
        if case.healed:
            if case.generation > since:
                return case, False  # this call began in the code that was replaced meanwhile
            case = None
        elif _open(case, now) or now - case.reported < case.interval:
            case.uncounted += 1
            return case, False
    made = Case(kept, root)
    if case is not None:
        made.uncounted = case.uncounted + 1
        made.interval = min(2 * case.interval, LONGEST_SECONDS)
        made.quiet_until = case.quiet_until if case.quiet_until > now else 0.0
    while len(_book.cases) >= MAX_CASES:
        del _book.cases[next(iter(_book.cases))]
    _book.cases[key] = made
    return made, True


def _open(case: Case, now: float) -> bool:
    """Whether a thread is about to report it, or has and waits."""
    return case.answerable is None or (not case.settled and case.quiet_until <= now)


def _report(case: Case, error: BaseException, home: Home, wait: float, facts: dict[str, str]) -> None:
    with LibraryFirst():
        from . import capture, spool
        from .channel import start
    if wait > 0 and not case.quiet_until and home.root and places.listens(home.root):
        channel = start(home.root)
    else:
        channel = None
    spool.make_room(home.inbox, True)
    stem = spool.new_stem()
    probe = getattr(sys, "_selfheal_probe", None)
    report = capture.capture_exception(
        error,
        root=home.root,
        payload_dir=home.inbox,
        context=facts,
        handled=True,
        stem=stem,
        start_dir=getattr(probe, "start_dir", _book.start_dir),
        started=getattr(probe, "started", None),
    )
    report.update(kind="guard", count=max(1, case.uncounted))
    if channel is not None:
        report.update(channel=channel.address, waits_until=time.time() + wait)
        case.swaps = channel.swaps
        channel.expect(report["report_id"], case.answered)
    try:
        file = spool.write_report(home.inbox, report, stem=stem, handled=True)
        case.answerable = channel is not None
    except OSError:
        if channel is not None:
            channel.forget(report["report_id"])
        spool.remove_payloads(home.inbox, report)
        raise
    finally:
        case.reported = time.monotonic()
    case.uncounted = 0
    if home.root:
        places.ring(home.root, os.path.basename(file))


def _path(error: BaseException) -> tuple[Key, tuple[object, ...]]:
    """The way that an exception came up, as ids of code and instruction, and what must live for these to hold."""
    parts: list[int] = []
    kept: list[object] = [type(error)]
    trace: Optional[TracebackType] = error.__traceback__
    while trace is not None:
        parts += (id(trace.tb_frame.f_code), trace.tb_lasti)
        kept.append(trace.tb_frame.f_code)
        trace = trace.tb_next
    return tuple(parts), tuple(kept)


def _place(error: BaseException, path: Key, root: str) -> Key:
    """What makes two crashes one: the type, the innermost place, and the innermost place in the project."""
    inside: tuple[int, int] = (0, 0)
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if root and file.startswith(root) and "site-packages" not in file:
            inside = (id(trace.tb_frame.f_code), trace.tb_lineno)
        trace = trace.tb_next
    return (id(type(error)), *path[-2:], *inside)


def _home(file: str) -> Home | None:
    """Finds where reports go: as told, as the probe was told, or in the nearest project with an inbox."""
    home = _book.home
    if home is None:
        probe = getattr(sys, "_selfheal_probe", None)
        inbox = getattr(probe, "inbox", "") or os.environ.get("SELFHEAL_INBOX", "")
        root = getattr(probe, "root", "") or os.environ.get("SELFHEAL_ROOT", "")
        if inbox and not root and inbox.endswith(os.path.join(".selfheal", "inbox")):
            root = os.path.dirname(os.path.dirname(inbox))
        home = (
            Home(inbox, root) if inbox else _nearest(os.path.dirname(os.path.abspath(file)) if file else "")
        )
        home = home or _nearest(_book.start_dir)
        _book.home = home
    return home if home is not None and os.path.isdir(home.inbox) else None


def _nearest(folder: str) -> Home | None:
    while folder:
        inbox = os.path.join(folder, ".selfheal", "inbox")
        if os.path.isdir(inbox):
            return Home(inbox, folder)
        above = os.path.dirname(folder)
        folder = "" if above == folder else above
    return None


def _note(problem: BaseException) -> None:
    _book.errors += 1
    try:
        if _book.home is not None:
            from . import spool

            spool.note_problem(_book.home.inbox, problem)
    except Exception:  # nowhere left to tell it; `errors` has counted it
        _book.errors += 1


def _after_fork() -> None:
    """In a child nobody waits: the threads that did are the parent's."""
    _book.lock = threading.Lock()  # whoever held it does not exist here
    _book.cases, _book.seen = {}, {}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
