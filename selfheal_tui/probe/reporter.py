"""Makes reports and puts them into the inbox: each exception once, its repeats as a count, and rings the bell.

Loaded at the first report. It decides what is written; what a report holds is `capture`'s, how it is written
`spool`'s. It may raise: `hook.Probe.report` keeps every error from the program. Standard library only, 3.9+.
"""

from __future__ import annotations

import _thread
import os
import sys
import time
from types import FrameType
from typing import Any, Callable, Mapping

from . import capture, places, spool
from .limiter import Entry, Limiter, key_of

MAX_CHAIN = 8
REPEATS_OF = "selfheal.repeats_of"
DROPPED = "selfheal.dropped"
MOST_WAIT = 2.0
"""Seconds for which the end of the program, and a crash, wait for a thread that just writes a report of the same."""


class Reporter:
    """Writes the reports of one process.

    Args:
        probe: The installed probe: `inbox`, `root`, `start_dir`, `started`, `live` are read.
        limiter: What was seen.
    """

    def __init__(self, probe: Any, limiter: Limiter) -> None:
        self._probe = probe
        self.limiter = limiter
        self.dropped = 0
        self._counting = _thread.allocate_lock()

    def report(
        self,
        error: BaseException,
        *,
        kind: str,
        handled: bool,
        context: Mapping[str, Any] | None = None,
        outer: FrameType | None = None,
        waits_until: float = 0.0,
        limited: bool = True,
        calls: bool = True,
    ) -> str:
        """Reports an exception that is no mere repeat.

        Args:
            error: The exception.
            kind: What is captured.
            handled: Whether the program caught it.
            context: What is said besides.
            outer: The frame that called the outermost one of the traceback.
            waits_until: Unix time until which the program waits for an answer.
            limited: Whether repeats are only counted.
            calls: Whether the arguments of the innermost calls are saved.

        Returns:
            The report's id; empty when nothing was written.

        Raises:
            OSError: It could not be written.
        """
        key = key_of(error)
        if handled and limited and self.limiter.passed_on(key, error) is not None:
            self.limiter.ignore(key, error)  # it was logged once more, further out
            return ""
        if not handled:
            self._supersede(key, error)

        def full(count: int) -> tuple[dict[str, Any], str]:
            report, stem = self._capture(error, kind, handled, context, outer, waits_until, calls)
            report["count"] = count
            return report, self._write(report, stem, handled)

        if limited:
            return self._limited(key, error, kind, handled, full)
        try:
            report, _ = full(1)
        except BaseException:
            self._drop(1)
            raise
        if not handled and kind == "exception":
            self.limiter.recent.pop(id(error), None)
        return str(report["report_id"])

    def tell(self, entry: Entry, wait: float = 0.0) -> str:
        """Reports how often an exception was seen again, with the chain of its first report.

        Args:
            entry: The exception.
            wait: Seconds to wait while another thread writes a report of it.

        Returns:
            The report's id; empty when there was nothing to tell, or another thread does.

        Raises:
            OSError: It could not be written; the repeats stay pending.
        """
        if not entry.claim(wait):
            return ""
        try:
            return self._tell(entry)
        finally:
            entry.release()

    def _limited(
        self,
        key: tuple[int, ...],
        error: BaseException,
        kind: str,
        handled: bool,
        full: Callable[[int], tuple[dict[str, Any], str]],
    ) -> str:
        """Counts an exception, and reports it unless another thread does or it is too early.

        It is counted in its entry before anybody claims that: whoever writes next, tells it.
        """
        entry = self.limiter.table.get(key)
        if entry is not None and entry.superseded and entry.is_to_be_captured(handled):
            self.limiter.forget(key, entry)  # what passed in silence is over
            entry = None
        entry = entry or self.limiter.admit(key, error, kind, handled)
        if entry is None:
            self._drop(1)
            return ""
        for crowded in self.limiter.crowded_out():
            if crowded.pending():
                self.tell(crowded)
        if entry.handled and not handled and entry.report is not None:
            self.tell(entry, MOST_WAIT)  # those were handled
        entry.count()
        if not entry.claim():
            return ""
        try:
            if not entry.is_to_be_captured(handled):
                return self._tell(entry) if entry.is_due() else ""
            count = entry.take()
            if not count:
                return ""  # reported otherwise meanwhile
            try:
                report, file = full(count)
            except BaseException:
                entry.told -= count
                raise
            entry.captured(_slim(report), file, handled)
            return str(report["report_id"])
        finally:
            entry.release()

    def _tell(self, entry: Entry) -> str:
        first = entry.report
        if first is None:
            return ""
        count = entry.take()
        if not count:
            return ""
        report = dict(
            first,
            report_id=os.urandom(16).hex(),
            captured_at=time.time() - (time.monotonic() - entry.last),
            count=count,
            context={**first["context"], REPEATS_OF: first["report_id"]},
        )
        try:
            self._write(report, spool.new_stem(), entry.handled)
        except BaseException:
            entry.told -= count
            raise
        return str(report["report_id"])

    def flush(self, only_due: bool = False) -> None:
        """Tells the repeats that are pending.

        Args:
            only_due: Leave out those whose interval is not over.

        Raises:
            OSError: One could not be written.
        """
        for entry in [*self.limiter.leaving, *list(self.limiter.table.values())]:
            if entry.pending() and (entry.is_due() or not only_due):
                self.tell(entry, 0.0 if only_due else MOST_WAIT)

    def _capture(
        self,
        error: BaseException,
        kind: str,
        handled: bool,
        context: Mapping[str, Any] | None,
        outer: FrameType | None,
        waits_until: float,
        calls: bool,
    ) -> tuple[dict[str, Any], str]:
        probe = self._probe
        stem = spool.new_stem()
        spool.make_room(probe.inbox, handled)
        report = capture.capture_exception(
            error,
            root=probe.root,
            payload_dir=probe.inbox if calls else None,
            context=context,
            handled=handled,
            stem=stem,
            start_dir=probe.start_dir,
            started=probe.started,
            kind=kind,
            outer=outer,
            channel=str(getattr(getattr(sys, "_selfheal_channel", None), "address", "")),
            waits_until=waits_until,
        )
        if not calls:
            report["replay"] = []
        return report, stem

    def _write(self, report: dict[str, Any], stem: str, handled: bool) -> str:
        own = self.dropped
        lost = own + spool.dropped()
        if lost:
            report["context"] = {**report["context"], DROPPED: str(lost)}
        try:
            file = spool.write_report(self._probe.inbox, report, stem=stem, handled=handled)
        except OSError:
            spool.remove_payloads(self._probe.inbox, report)
            raise
        if lost:
            self._drop(-own)
            spool.dropped(forget=lost - own)
        if self._probe.live:
            places.ring(self._probe.root, os.path.basename(file))
        return file

    def _drop(self, number: int) -> None:
        with self._counting:
            self.dropped += number

    def _supersede(self, key: tuple[int, ...], error: BaseException) -> None:
        """Withdraws the report that an exception was logged, when it went on and was caught by nobody."""
        one: BaseException | None = error
        for _ in range(MAX_CHAIN):
            if one is None:
                return
            before = self.limiter.passed_on(key, one)
            if before is None and one is error and self.limiter.recent.get(id(one)) == key:
                before = key
            entry = self.limiter.table.get(before) if before is not None else None
            if entry is not None and entry.handled and not entry.superseded:
                entry.superseded = True
                if before == key:
                    self.limiter.table.pop(key, None)
                self._withdraw(entry)
            one = one.__cause__ if one.__cause__ is not None else one.__context__

    def _withdraw(self, entry: Entry) -> None:
        try:
            os.unlink(entry.file)
        except OSError:
            return  # it was taken in already
        if entry.report is not None:
            spool.remove_stem(self._probe.inbox, os.path.basename(entry.file))


def _slim(report: dict[str, Any]) -> dict[str, Any]:
    """What tells a repeat: the chain without the values of this one time."""
    chain = [
        dict(
            info,
            frames=[
                {name: value for name, value in frame.items() if name != "locals"} for frame in info["frames"]
            ],
        )
        for info in report["chain"]
    ]
    context = {name: value for name, value in report["context"].items() if name != DROPPED}
    return dict(report, chain=chain, replay=[], context=context, waits_until=0.0)
