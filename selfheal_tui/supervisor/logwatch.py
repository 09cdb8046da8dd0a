"""Turns the tracebacks of log files into crash reports: once each, counted, over rotation and restarts.

Call `poll` now and then; nothing here sleeps or starts a thread, and time comes from an injected clock. A
report goes to the `sink` before the position behind it is remembered, so a kill between the two repeats at
most the last reports, under the same report ids. Log text is untrusted: what is kept of it is bounded and masked.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.source.tracebacks import parse_all
from selfheal_tui.store.durable import private_directory, replace_file
from selfheal_tui.supervisor.logfollow import LogFollower
from selfheal_tui.supervisor.logstream import Found, Place

QUIET_SECONDS = 1.0
"""Without a further line for so long, a traceback that names its exception is taken for whole."""
TORN_SECONDS = 30.0
"""After so long one without its exception is given up."""
MOST_PER_POLL = 8 * 1024 * 1024
"""Bytes read of a file before others have their turn."""
_MAX_RECORD = 500
_SKIPPED = frozenset({"KeyboardInterrupt", "SystemExit", "GeneratorExit", "CancelledError"})
"""Somebody's wish; the probe does not report them either."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one log between two runs.

    Attributes:
        path: The log.
        places: How far its files were read, oldest first.
    """

    path: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Polled:
    """What one look at the logs brought.

    Attributes:
        crashes: Tracebacks that ended, repetitions included.
        reports: Reports given to the sink; each counts the repetitions of one look.
        more: Whether there is more to read at once.
        notes: What could not be read, a sentence each.
    """

    crashes: int
    reports: int
    more: bool
    notes: tuple[str, ...]


class LogWatcher:
    """Watches log files.

    Args:
        paths: The files; they need not exist yet.
        directory: Where to remember positions (`.selfheal/logs`).
        sink: Takes the reports of one look at a file; what it returned from is delivered.
        from_start: Read what is in files already that were never watched before.
        clock: Monotonic seconds.
        quiet_seconds: How long a traceback must have got no further line to be whole.

    Raises:
        OSError: A file cannot be opened, or is no regular file.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        directory: Path,
        sink: Callable[[Sequence[CrashReport]], None],
        *,
        from_start: bool = False,
        clock: Callable[[], float] = time.monotonic,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._directory = private_directory(directory)
        self._sink = sink
        self._clock = clock
        self._quiet = quiet_seconds
        self._followers: list[LogFollower] = []
        self._remembered: dict[str, tuple[Place, ...]] = {}
        self._told: dict[str, int] = {}
        for path in dict.fromkeys(Path(path).absolute() for path in paths):
            places = self._recall(path)
            # Once it was waited for, all that is in it is new.
            whole = from_start or places is not None
            self._followers.append(LogFollower(path, places or (), from_start=whole, now=clock()))

    @property
    def torn(self) -> int:
        """Tracebacks that were begun in a log and never ended."""
        return sum(follower.torn for follower in self._followers)

    @property
    def bytes_read(self) -> int:
        """Bytes read so far."""
        return sum(follower.bytes_read for follower in self._followers)

    def poll(self) -> Polled:
        """Looks at every file once, gives what ended to the sink, and remembers how far it came.

        Raises:
            OSError: A file or the memory cannot be used.
        """
        total = Polled(0, 0, False, ())
        for follower in self._followers:
            found, more = follower.poll(
                self._clock(), quiet=self._quiet, torn=TORN_SECONDS, most=MOST_PER_POLL
            )
            total = _sum(total, self._deliver(follower, found, more=more))
        return total

    def finish(self) -> Polled:
        """Reads to the end of every file, and takes what stands there for whole."""
        total = Polled(0, 0, False, ())
        more = True
        while more:
            looked = self.poll()
            total, more = _sum(total, looked), looked.more
        for follower in self._followers:
            total = _sum(total, self._deliver(follower, follower.finish(self._clock()), more=False))
        return replace(total, more=False)

    def close(self) -> None:
        """Remembers positions, and closes the files; open tracebacks are found again next time."""
        for follower in self._followers:
            self._remember(follower)
            follower.close()

    def _deliver(self, follower: LogFollower, found: Sequence[Found], *, more: bool) -> Polled:
        reports: dict[str, CrashReport] = {}
        for one in found:
            for report in reports_of(one, follower.path):
                same = _same_text(report)
                known = reports.get(same)
                reports[same] = replace(known, count=known.count + 1) if known else report
        if reports:
            self._sink(list(reports.values()))
        self._remember(follower)
        told = self._told.get(str(follower.path), 0)
        self._told[str(follower.path)] = len(follower.gaps)
        crashes = sum(report.count for report in reports.values())
        return Polled(crashes, len(reports), more, tuple(follower.gaps[told:]))

    def _recall(self, path: Path) -> tuple[Place, ...] | None:
        try:
            memory = from_json(self._file(path).read_bytes(), Memory)
        except (FileNotFoundError, MalformedDocumentError):
            return None  # a damaged memory is as good as none: what is lost is only the position
        self._remembered[str(path)] = memory.places
        return memory.places

    def _remember(self, follower: LogFollower) -> None:
        key, places = str(follower.path), follower.places()
        if self._remembered.get(key) != places:
            replace_file(self._file(follower.path), to_json(Memory(key, places)))
            self._remembered[key] = places

    def _file(self, path: Path) -> Path:
        return self._directory / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.json"


def reports_of(found: Found, path: Path) -> list[CrashReport]:
    """Makes the crash reports of one gathered traceback.

    Args:
        found: The traceback.
        path: The log that it was in.

    Returns:
        Usually one; none when the text is no traceback after all, or somebody's wish.
    """
    traceback = found.traceback
    reports: list[CrashReport] = []
    for number, report in enumerate(parse_all(traceback.text)):
        if report.raised.bare_type in _SKIPPED:
            continue
        origin = f"{found.identity}:{traceback.offset}:{number}:{hashlib.sha256(traceback.text.encode('utf-8', 'replace')).hexdigest()}"
        context = {key: mask_text(value[:_MAX_RECORD]) for key, value in traceback.context.items()}
        context |= report.context
        context["log.file"] = str(path)
        context["log.offset"] = str(traceback.offset)
        if traceback.record:
            context["log.record"] = mask_text(traceback.record[:_MAX_RECORD])
        if traceback.doubtful:
            context["log.doubtful"] = "two tracebacks ran into each other; frames may belong to the other one"
        kind = (
            "unraisable" if "unraisable" in report.context else "logged" if traceback.record else "exception"
        )
        reports.append(
            replace(
                report, report_id=hashlib.sha256(origin.encode()).hexdigest()[:32], context=context, kind=kind
            )
        )
    return reports


def _same_text(report: CrashReport) -> str:
    """Tells equal tracebacks; stricter than the fingerprint, which needs the project's files."""
    digest = hashlib.sha256(report.kind.encode())
    for info in report.chain:
        digest.update(
            repr((info.type, info.link, info.evidence.name, info.syntax)).encode("utf-8", "replace")
        )
        for frame in info.frames:
            digest.update(
                repr((frame.file, frame.line, frame.qualname, frame.source)).encode("utf-8", "replace")
            )
    return digest.hexdigest() + ("?" if "log.doubtful" in report.context else "")


def _sum(one: Polled, other: Polled) -> Polled:
    return Polled(
        one.crashes + other.crashes,
        one.reports + other.reports,
        one.more or other.more,
        one.notes + other.notes,
    )
