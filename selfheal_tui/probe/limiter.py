"""Bounds how often the same exception is reported: once at once, then only counted, and told at growing intervals.

Recognising a repeat must cost a program that raises ten thousand a second next to nothing: no lock, no text, a
walk along the traceback and one look into a dict. Exceptions are recognised by where their tracebacks went, so a
repeat with another message counts too. It keeps no exception and no frame alive. Standard library only, 3.9+.
"""

from __future__ import annotations

import _thread
import itertools
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIRST_INTERVAL = 1.0
LONGEST_INTERVAL = 60.0
ANEW_AFTER = 600.0
"""Seconds after which an exception that is seen again is captured in full again."""
MAX_ENTRIES = 512
MAX_LINKS = 4
HANDLED_BURST = 60
HANDLED_PER_SECOND = 1.0
_RECENT = 64
_now = time.monotonic


def key_of(error: BaseException) -> tuple[int, ...]:
    """Tells where an exception was raised and how it came up, along its causes.

    Args:
        error: The exception.

    Returns:
        Ids of its type, and of the code and instruction of each level, outermost first. Stable while these exist.
    """
    parts = [id(type(error))]
    add = parts.append
    trace = error.__traceback__
    while trace is not None:
        add(id(trace.tb_frame.f_code))
        add(trace.tb_lasti)
        trace = trace.tb_next
    before = error.__cause__ if error.__cause__ is not None else error.__context__
    return tuple(parts) if before is None else (*parts, *_key_of_links(before))


def _key_of_links(error: BaseException) -> list[int]:
    parts: list[int] = []
    one: BaseException | None = error
    for _ in range(MAX_LINKS):
        if one is None:
            break
        parts.append(id(type(one)))
        trace = one.__traceback__
        while trace is not None:
            parts += (id(trace.tb_frame.f_code), trace.tb_lasti)
            trace = trace.tb_next
        one = one.__cause__ if one.__cause__ is not None else one.__context__
    return parts


def _kept(error: BaseException) -> list[object]:
    """What the ids of a key stand for: while an entry holds these, no other object can get the same ids."""
    kept: list[object] = []
    one: BaseException | None = error
    links = 0
    while one is not None and links <= MAX_LINKS:
        kept.append(type(one))
        trace = one.__traceback__
        while trace is not None:
            kept.append(trace.tb_frame.f_code)
            trace = trace.tb_next
        links += 1
        one = one.__cause__ if one.__cause__ is not None else one.__context__
    return kept


class Entry:
    """One exception that was seen, and how often since.

    Attributes:
        kind: What was captured.
        handled: Whether the program caught it.
        ticks: Counts the repeats; `next` of it is atomic, so that no thread waits and none is lost.
        told: How many of the repeats were reported.
        due: Monotonic time from which the next repeat is told.
        last: Monotonic time of the latest repeat.
        interval: Seconds until then; doubles each time.
        report: What was reported, without locals and payloads; None when that failed.
        file: Where that was written.
        superseded: The same exception was reported otherwise, and better.
    """

    __slots__ = (
        "due",
        "file",
        "gate",
        "handled",
        "interval",
        "kept",
        "kind",
        "last",
        "report",
        "since",
        "superseded",
        "ticks",
        "told",
    )

    def __init__(self, error: BaseException, kind: str, handled: bool) -> None:
        self.kind = kind
        self.handled = handled
        self.ticks = itertools.count()
        self.told = 0
        self.since = self.last = _now()
        self.interval = FIRST_INTERVAL
        self.due = self.since + self.interval
        self.gate = _thread.allocate_lock()
        self.kept = _kept(error)
        self.report: dict[str, Any] | None = None
        self.file = ""
        self.superseded = False

    def repeats(self) -> int:
        """How many repeats there were; reading `itertools.count` in any other way would count one more."""
        return int(repr(self.ticks)[6:-1])

    def pending(self) -> int:
        """How many repeats are not told yet."""
        return 0 if self.superseded else self.repeats() - self.told

    def take(self) -> int:
        """Claims the pending repeats for a report, and puts the next one off.

        Returns:
            Their number; 0 when another thread has just claimed them.
        """
        if not self.gate.acquire(False):
            return 0
        try:
            count = self.pending()
            self.told += count
            self.interval = min(2 * self.interval, LONGEST_INTERVAL)
            self.due = _now() + self.interval
            return count
        finally:
            self.gate.release()


class Limiter:
    """Every exception that was seen lately, and a budget for handled ones that are always new.

    Attributes:
        table: Entries by key.
        recent: Keys of the exceptions that were reported last, by the exception's id: a logged exception that
            goes on and ends the program is one crash.
    """

    def __init__(self) -> None:
        self.table: dict[tuple[int, ...], Entry] = {}
        self.recent: dict[int, tuple[int, ...]] = {}
        self._budget = float(HANDLED_BURST)
        self._refilled = _now()

    def is_repeat(self, key: tuple[int, ...]) -> bool:
        """Counts an exception that was seen before; the one way that is often taken.

        Args:
            key: Its key.

        Returns:
            True when that is all there is to do; False when it must be reported.
        """
        entry = self.table.get(key)
        if entry is None:
            return False
        next(entry.ticks)
        entry.last = now = _now()
        return now < entry.due

    def passed_on(self, key: tuple[int, ...], error: BaseException) -> tuple[int, ...] | None:
        """Finds the earlier report of the same exception object, made further in.

        Args:
            key: Its key now, when its traceback has grown outwards.
            error: The exception, or one in its chain.

        Returns:
            The key then; None when there was none. Ids are used again, so the tracebacks must fit too.
        """
        before = self.recent.get(id(error))
        if before is None or before == key or len(before) >= len(key) or len(before) < 3:
            return None
        inner = before[1:]
        return before if before[0] in key and _contains(key, inner) else None

    def admit(self, key: tuple[int, ...], error: BaseException, kind: str, handled: bool) -> Entry | None:
        """Makes the entry of an exception that was not seen before.

        Args:
            key: Its key.
            error: The exception.
            kind: What is captured.
            handled: Whether the program caught it.

        Returns:
            The entry; None when another thread has just made it, or too many new ones were handled lately.
        """
        if handled and not self._afford():
            return None
        entry = Entry(error, kind, handled)
        if self.table.setdefault(key, entry) is not entry:
            return None
        if len(self.recent) >= _RECENT:
            self.recent.clear()
        self.recent[id(error)] = key
        return entry

    def ignore(self, key: tuple[int, ...], error: BaseException) -> None:
        """Lets an exception pass in silence from now on: it was reported further in.

        Args:
            key: Its key.
            error: The exception.
        """
        entry = Entry(error, "", True)
        entry.superseded = True
        self.table.setdefault(key, entry)

    def reset(self) -> None:
        """Forgets everything, in a new child process."""
        self.table.clear()
        self.recent.clear()

    def crowded_out(self) -> list[Entry]:
        """Takes the oldest entries out when there are too many; their pending repeats are still to be told."""
        if len(self.table) <= MAX_ENTRIES:
            return []
        oldest = list(itertools.islice(list(self.table), MAX_ENTRIES // 4))
        return [entry for entry in (self.table.pop(key, None) for key in oldest) if entry is not None]

    def _afford(self) -> bool:
        now = _now()
        self._budget = min(HANDLED_BURST, self._budget + (now - self._refilled) * HANDLED_PER_SECOND)
        self._refilled = now
        if self._budget < 1:
            return False
        self._budget -= 1
        return True


def _contains(key: tuple[int, ...], inner: tuple[int, ...]) -> bool:
    size = len(inner)
    return any(key[at : at + size] == inner for at in range(len(key) - size + 1))
