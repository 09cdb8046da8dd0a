"""Puts reports into the inbox folder so that a reader sees whole files or none, in order, even after a kill.

A report is written to a hidden temporary file, synced, then renamed; its payloads are in place before it. When
there is no room, the oldest reports of exceptions that programs handled give way, and are counted; the others
never do. It may not create the inbox, fill the disk, or follow a name out of the folder. Standard library only, 3.9+.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import sys
import time
from typing import Any, Iterator, Mapping

from .redaction import mask_text

# A program that crashes in a loop with no console running must not fill the disk.
MAX_REPORTS = 500
HANDLED_SHARE = 0.8
"""Part of the inbox that reports of handled exceptions may take: the rest is kept for crashes."""
HANDLED_ENDING = ".handled.json"
MAX_INBOX_BYTES = 256 * 1024 * 1024
MAX_LOG_BYTES = 64 * 1024
ERROR_LOG = "probe-errors.log"

_counter = itertools.count()
_dropped = 0
_NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_PAYLOAD = ".args."


class InboxFullError(OSError):
    """The inbox holds as many reports as it may; start `selfheal` to have them taken in."""


def new_stem() -> str:
    """Makes the name, without its ending, under which a report and its payloads are stored.

    Returns:
        `<time in ns>-<pid>-<n>`: unique in the machine, and sorted by time.
    """
    return "%d-%d-%d" % (time.time_ns(), os.getpid(), next(_counter))


def write_report(
    directory: str, report: Mapping[str, Any], *, stem: str | None = None, handled: bool = False
) -> str:
    """Writes one report durably.

    Args:
        directory: The inbox; it must exist.
        report: The JSON-able report, as `capture_exception` returns it.
        stem: The name to use; by default that of its payloads, or a new one.
        handled: Whether the program caught the exception: such a report may be dropped for others.

    Returns:
        The path of the written file.

    Raises:
        InboxFullError: The inbox is full.
        OSError: The folder cannot be written.
    """
    make_room(directory, handled)
    if stem is None:
        payloads = [call["payload"] for call in report.get("replay", ()) if call.get("payload")]
        stem = payloads[0].partition(".")[0] if payloads else new_stem()
    data = json.dumps(report, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    name = stem + (HANDLED_ENDING if handled else ".json")
    try:
        return write_file(directory, name, data)
    except OSError as error:
        if handled or error.errno not in _NO_SPACE or not drop_handled(directory, 8):
            raise
    return write_file(directory, name, data)


def write_file(directory: str, name: str, data: bytes) -> str:
    """Writes a file so that it is there whole, or not at all; only its owner may read it.

    Args:
        directory: An existing folder.
        name: Plain file name.
        data: The content.

    Returns:
        The path of the file.

    Raises:
        OSError: It could not be written; no part of it is left.
    """
    target = os.path.join(directory, name)
    temporary = os.path.join(directory, "." + name + ".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(directory)
    return target


def make_room(directory: str, handled: bool = False) -> None:
    """Makes sure that the inbox may take one more report; the oldest handled ones make room when it is full.

    Args:
        directory: The inbox.
        handled: Whether the new report is of an exception that the program handled.

    Raises:
        InboxFullError: There are too many reports, or too many bytes, and none that may be dropped.
    """
    reports, handled_reports, size = _usage(directory)
    share = HANDLED_SHARE if handled else 1.0
    if handled_reports and (
        reports >= MAX_REPORTS * share
        or handled_reports >= MAX_REPORTS * HANDLED_SHARE
        or size >= MAX_INBOX_BYTES * share
    ):
        drop_handled(directory, 1 if size < MAX_INBOX_BYTES * share else 8)
        reports, handled_reports, size = _usage(directory)
    if reports >= MAX_REPORTS * share or size >= MAX_INBOX_BYTES * share:
        raise InboxFullError("the inbox is full; run `selfheal` in the project to have its reports taken in")


def _usage(directory: str) -> tuple[int, int, int]:
    """Counts reports, handled ones among them, and bytes."""
    reports = handled = size = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            reports += entry.name.endswith(".json")
            handled += entry.name.endswith(HANDLED_ENDING)
            try:
                size += entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue  # taken in meanwhile
    return reports, handled, size


def drop_handled(directory: str, number: int) -> int:
    """Removes the oldest reports of handled exceptions, with their payloads, and counts them.

    Args:
        directory: The inbox.
        number: How many.

    Returns:
        How many were removed; those that a reader took in meanwhile do not count.
    """
    global _dropped  # noqa: PLW0603 - one count for the process
    removed = 0
    for name in sorted(_names(directory, HANDLED_ENDING), key=_age)[:number]:
        try:
            os.unlink(os.path.join(directory, name))
        except OSError:
            continue
        removed += 1
        remove_stem(directory, name)
    _dropped += removed
    return removed


def dropped(forget: int = 0) -> int:
    """Tells how many reports this process dropped for want of room since it last told that.

    Args:
        forget: How many of them were told now.

    Returns:
        The number that is still to be told.
    """
    global _dropped  # noqa: PLW0603 - one count for the process
    _dropped = max(0, _dropped - forget)
    return _dropped


def remove_stem(directory: str, name: str) -> None:
    """Removes the payloads that belong to a report, by its file name.

    Args:
        directory: The inbox.
        name: File name of the report.
    """
    stem = name.partition(".")[0] + _PAYLOAD
    for payload in [one for one in _names(directory, ".pickle") if one.startswith(stem)]:
        try:
            os.unlink(os.path.join(directory, payload))
        except OSError:
            continue


def _names(directory: str, ending: str) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(ending) and not entry.name.startswith("."):
                yield entry.name


def _age(name: str) -> int:
    digits = name.partition("-")[0]
    return int(digits) if digits.isdigit() else 0


def remove_payloads(directory: str, report: Mapping[str, Any]) -> None:
    """Removes the payloads of a report that could not be written.

    Args:
        directory: The inbox.
        report: The report.

    Raises:
        OSError: A payload cannot be removed.
    """
    for call in report.get("replay", ()):
        if call.get("payload"):
            os.unlink(os.path.join(directory, call["payload"]))


def note_problem(directory: str, problem: BaseException) -> None:
    """Notes an error of the probe itself in a log of bounded size beside the reports.

    Args:
        directory: The inbox.
        problem: What went wrong.

    Raises:
        OSError: The log cannot be written.
    """
    place = ""
    trace = problem.__traceback__
    while trace is not None:
        place = "%s:%d" % (os.path.basename(trace.tb_frame.f_code.co_filename), trace.tb_lineno)
        trace = trace.tb_next
    line = "%s pid=%d python=%d.%d %s at %s: %s\n" % (
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        os.getpid(),
        sys.version_info[0],
        sys.version_info[1],
        type(problem).__name__,
        place,
        mask_text(str(problem)[:300]).replace("\n", " "),
    )
    descriptor = os.open(os.path.join(directory, ERROR_LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(descriptor).st_size < MAX_LOG_BYTES:
            os.write(descriptor, line.encode("utf-8", "replace"))
    finally:
        os.close(descriptor)


def _sync_folder(directory: str) -> None:
    """Makes the rename durable where the system can sync a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
