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
        ticks: Counts the times it came up; `next` of it is atomic, so that no thread waits and none is lost.
        told: How many of them were reported; only who has claimed the entry may change it.
        gate: Held by the one thread that writes a report of this exception.
        since: Monotonic time at which it was last captured in full.
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

    def count(self) -> None:
        """Counts one more time that it came up."""
        next(self.ticks)

    def repeats(self) -> int:
        """How often it was counted; reading `itertools.count` in any other way would count one more."""
        return int(repr(self.ticks)[6:-1])

    def pending(self) -> int:
        """How many of those are not told yet."""
        return 0 if self.superseded else self.repeats() - self.told

    def is_due(self) -> bool:
        """Whether the next repeat is to be told."""
        return _now() >= self.due

    def is_to_be_captured(self, handled: bool) -> bool:
        """Whether it is to be captured in full: it never was, long ago, or as one that the program handled.

        Args:
            handled: Whether the program handles it now.
        """
        return self.report is None or _now() - self.since >= ANEW_AFTER or (self.handled and not handled)

    def claim(self, wait: float = 0.0) -> bool:
        """Makes this thread the one that writes a report of it.

        Args:
            wait: Seconds to wait while another thread writes one.

        Returns:
            True when it is; then `release` must follow. False: what is pending stays so, for the next report.
        """
        return self.gate.acquire(True, wait) if wait else self.gate.acquire(False)

    def release(self) -> None:
        """Ends a claim."""
        self.gate.release()

    def take(self) -> int:
        """Takes what is pending into a report, and puts the next one off; only for who has claimed it.

        Returns:
            How often it came up since the last report.
        """
        count = self.pending()
        self.told += count
        self.interval = min(2 * self.interval, LONGEST_INTERVAL)
        self.due = _now() + self.interval
        return count

    def captured(self, report: dict[str, Any], file: str, handled: bool) -> None:
        """Notes its report in full, whose repeats are told from now on.

        Args:
            report: The report, without locals and payloads.
            file: Where it was written.
            handled: Whether the program caught it.
        """
        self.report, self.file, self.handled = report, file, handled
        self.since = _now()
        self.interval = FIRST_INTERVAL
        self.due = self.since + self.interval


class Limiter:
    """Every exception that was seen lately, and a budget for handled ones that are always new.

    Attributes:
        table: Entries by key; an entry stays the same one as long as it is there.
        leaving: Entries that were taken out lately: a thread that was just counting in one may still do so.
        recent: Keys of the exceptions that were reported last, by the exception's id: a logged exception that
            goes on and ends the program is one crash.
    """

    def __init__(self) -> None:
        self.table: dict[tuple[int, ...], Entry] = {}
        self.leaving: list[Entry] = []
        self.recent: dict[int, tuple[int, ...]] = {}
        self._budget = float(HANDLED_BURST)
        self._refilled = _now()
        self._clearing = _thread.allocate_lock()

    def is_repeat(self, key: tuple[int, ...]) -> bool:
        """Counts an exception that was seen before; the one way that is often taken.

        Args:
            key: Its key.

        Returns:
            True when it was counted, and that is all there is to do; False when it must be counted and reported.
        """
        entry = self.table.get(key)
        if entry is None:
            return False
        entry.last = now = _now()
        if now >= entry.due:
            return False
        next(entry.ticks)
        return True

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
        """Makes the entry of an exception that was not seen before; its first time is still to be counted.

        Args:
            key: Its key.
            error: The exception.
            kind: What is captured.
            handled: Whether the program caught it.

        Returns:
            The entry, also when another thread has just made it; None when too many new ones were handled lately.
        """
        if handled and not self._afford():
            return None
        mine = Entry(error, kind, handled)
        entry = self.table.setdefault(key, mine)
        if entry is not mine:
            return entry
        if len(self.recent) >= _RECENT:
            self.recent.clear()
        self.recent[id(error)] = key
        return entry

    def forget(self, key: tuple[int, ...], entry: Entry) -> None:
        """Takes one entry out, unless another has taken its place."""
        with self._clearing:
            if self.table.get(key) is entry:
                del self.table[key]

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
        self.leaving = []
        self._clearing = _thread.allocate_lock()

    def crowded_out(self) -> list[Entry]:
        """Takes the oldest entries out when there are too many.

        Returns:
            These, and those of the last time: what is pending in them is still to be told.
        """
        if len(self.table) <= MAX_ENTRIES or not self._clearing.acquire(False):
            return []
        try:
            oldest = list(itertools.islice(list(self.table), MAX_ENTRIES // 4))
            out = [entry for entry in (self.table.pop(key, None) for key in oldest) if entry is not None]
            before, self.leaving = self.leaving, out
            return before + out
        finally:
            self._clearing.release()

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
